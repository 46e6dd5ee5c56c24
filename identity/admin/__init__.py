"""People, sightings and logins in the admin: HR's product."""

from . import people, sightings, users

__all__ = ["people", "sightings", "users"]
