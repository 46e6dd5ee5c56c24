"""The demo site's staff: people, two of them with a photo, and one who left."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2

from identity import enrolment, face_work
from identity.engines import EngineUnavailable
from identity.models import Department, Employee
from identity.photo_rules import PhotoRefused

from .cutouts import PicturesMissing, photo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from streaming.models import Site

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A part of a picture that an installed package carries."""

    name: str
    folder: str
    columns: slice
    """Which of the picture's columns; they show one person."""

    def jpeg(self) -> bytes:
        """Raise `PicturesMissing` where there is no such picture."""
        part = photo(self.name, folder=self.folder)[:, self.columns]
        return bytes(cv2.imencode(".jpg", part)[1])


@dataclass(frozen=True, slots=True)
class Person:
    code: str
    name: str
    department: str
    status: Employee.Status = Employee.Status.ACTIVE
    portrait: Portrait | None = None


_AT_DESK: Final = Portrait("zidane.jpg", "ultralytics/assets", slice(740, 1085))
"""The first of the visitors in the reception's clip; the other one is a stranger."""
_ASTRONAUT: Final = Portrait("astronaut.png", "skimage/data", slice(140, 330))
STAFF: Sequence[Person] = (
    Person("D-101", "Carlo Neri", "Front office", portrait=_AT_DESK),
    Person("D-102", "Ellen Marsh", "Assembly", portrait=_ASTRONAUT),
    Person("D-103", "Ravi Kulkarni", "Assembly"),
    Person("D-104", "Meera Joshi", "Assembly"),
    Person("D-105", "Anil Deshpande", "Maintenance"),
    Person("D-106", "Sunita Pawar", "Maintenance", Employee.Status.INACTIVE),
    Person("D-107", "Farah Siddiqui", "Assembly"),
    Person("D-108", "Gopal Iyer", "Assembly"),
    Person("D-109", "Lata Shinde", "Assembly"),
    Person("D-110", "Imran Qureshi", "Assembly"),
    Person("D-111", "Nisha Patil", "Assembly"),
    Person("D-112", "Rohan Bhosale", "Stores"),
    Person("D-113", "Vikram Chavan", "Stores"),
    Person("D-114", "Anjali Menon", "Quality"),
    Person("D-115", "Sanjay More", "Quality"),
    Person("D-116", "Deepa Nair", "Front office"),
    Person("D-117", "Ganesh Jadhav", "Press shop"),
    Person("D-118", "Kiran Salunkhe", "Press shop"),
    Person("D-119", "Mohan Kale", "Press shop"),
    Person("D-120", "Prakash Gaikwad", "Maintenance"),
    Person("D-121", "Usha Wagh", "Press shop"),
)


def seed(*, site: Site, at: datetime) -> list[str]:
    """Make the staff who are missing; return their codes.

    Who exists is kept as they are, with or without photos. A photo that cannot be
    taken leaves its person without one, and the log says why.
    """
    there = set(Employee.objects.values_list("code", flat=True))
    missing = [person for person in STAFF if person.code not in there]
    for person in missing:
        department, _ = Department.objects.get_or_create(
            site=site, name=person.department
        )
        employee = Employee.objects.create(
            site=site,
            code=person.code,
            name=person.name,
            department=department,
            status=person.status,
        )
        if person.portrait:
            _enrol(employee, person.portrait, at=at)
    return [person.code for person in missing]


def _enrol(employee: Employee, portrait: Portrait, *, at: datetime) -> None:
    try:
        looked = face_work.look(portrait.jpeg())
        enrolment.enrol(employee=employee, looked=looked, by=None, at=at)
    except (PicturesMissing, PhotoRefused, EngineUnavailable) as error:
        logger.warning("%s of the demo has no photo: %s", employee.code, error)
