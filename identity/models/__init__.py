"""The people who log in, the people who work here, and who was seen."""

from .erasures import Erasure
from .people import Department, Employee, FaceSample
from .sightings import AccessLog, UnknownPerson
from .users import LoginManager, User

__all__ = [
    "AccessLog",
    "Department",
    "Employee",
    "Erasure",
    "FaceSample",
    "LoginManager",
    "UnknownPerson",
    "User",
]
