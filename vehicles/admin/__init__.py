"""Vehicles, gates and visits in the admin."""

from . import gates, register, visits

__all__ = ["gates", "register", "visits"]
