"""Photos as the web process handles them: it looks at none itself, the worker does.

All functions here raise PhotoRefused, with a code and a sentence, for what is wrong
with the photo; desk.Busy (429) and desk.NoAnswer (503) where it was not looked at. In
each of these cases nothing was stored.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.conf import settings
from django.utils import timezone

from streaming import desk
from streaming.desk import NoAnswer

from . import enrolment, photo_files, photo_rules
from .engines import EngineUnavailable
from .models import Employee
from .photo_rules import (
    FaceInPhoto,
    Limits,
    LookedAt,
    PhotoRefused,
    RecognisedFace,
)
from .rules import standing
from .services import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from streaming.models import Site

    from .models import FaceSample, User
    from .rules import Standing

logger = logging.getLogger(__name__)
GOOD: Final = "A good photo: one face, large, sharp and from the front."
NO_ENGINE: Final = (
    "The face service does not answer, so the photo was not taken. Nothing was stored; "
    "try again in a minute."
)
NO_STORAGE: Final = (
    "The photo could not be stored; the log says why. Nothing was stored; try again in "
    "a minute, and if it stays so, see the system page."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoReport:
    """What a photo is good for, before anybody is enrolled by it."""

    ok: bool
    code: str
    """Why not, for programs; empty when it is good."""
    sentence: str
    """For people, also when it is good."""
    faces: int
    """In the foreground."""
    box: tuple[float, float, float, float] | None
    """Of the largest face: left, top, right, bottom, 0..1."""
    height_px: float | None
    sharpness: float | None
    turn: float | None
    """How far it looks away, sideways or up and down; 0 is frontal."""
    quality: float | None
    """0..1, see identity/quality.py."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInPhoto:
    """One face of a photo, and who it is."""

    seen: RecognisedFace
    employee: Employee | None
    """Given only for a match."""

    @property
    def decision(self) -> Standing:
        """What a visit of this face is recorded as."""
        may_enter = self.employee is not None and self.employee.may_enter
        return standing(self.seen.verdict, may_enter=may_enter)


@dataclass(frozen=True, slots=True)
class FaceVector:
    """A face to search for."""

    vector: tuple[float, ...]
    face_model: str


def enrol_photo(
    *, employee: Employee, photo: bytes, by: User | None, at: datetime | None = None
) -> FaceSample:
    """Make a photo one by which the employee is known.

    Where the remote engine or the storage takes none it raises NoAnswer too.
    """
    looked = look(photo)
    try:
        return enrolment.enrol(
            employee=employee, looked=looked, by=by, at=at or timezone.now()
        )
    except EngineUnavailable as error:
        raise NoAnswer(NO_ENGINE) from error
    except STORAGE_ERRORS as error:
        logger.exception("No photo of employee %s could be stored.", employee.pk)
        raise NoAnswer(NO_STORAGE) from error


def examine_photo(*, photo: bytes) -> PhotoReport:
    """Say what a photo is good for; a refusal is told in the report, not raised."""
    try:
        looked = look(photo, vectors=False)
    except PhotoRefused as refused:
        return _report((), refused)
    try:
        photo_rules.face_to_know(looked)
    except PhotoRefused as refused:
        return _report(looked.faces, refused)
    return _report(looked.faces, None)


def people_in(*, photo: bytes, site: Site) -> list[PersonInPhoto]:
    """Recognise everybody in a picture, the largest face first; nothing is stored."""
    answer = _ask("identity.tasks.recognise", photo, site_id=site.pk)
    seen = msgspec.convert(answer["faces"], list[RecognisedFace])
    people = Employee.objects.in_bulk(
        [one.verdict.person for one in seen if one.verdict.person]
    )
    return [
        PersonInPhoto(seen=one, employee=people.get(one.verdict.person or 0))
        for one in seen
    ]


def vector_of(*, photo: bytes) -> FaceVector:
    """Return the vector of the one face in a photo, however good it is."""
    looked = look(photo)
    return FaceVector(photo_rules.only_face(looked).vector, looked.face_model)


def look(photo: bytes, *, vectors: bool = True) -> LookedAt:
    """Have the faces in a photo found."""
    return msgspec.convert(
        _ask("identity.tasks.look", photo, vectors=vectors), LookedAt
    )


def limits() -> Limits:
    return Limits(settings.PHOTO_MAX_MIB, settings.PHOTO_MAX_MEGAPIXELS)


def _ask(task: str, photo: bytes, **payload: object) -> dict[str, Any]:
    """Have a task look at a photo; what can be refused at once is."""
    photo_files.check(photo, limits=limits())
    try:
        return desk.ask(task, payload=payload, blob=photo)
    except desk.Refused as refused:
        raise PhotoRefused(refused.code, str(refused)) from refused


def _report(faces: Sequence[FaceInPhoto], refused: PhotoRefused | None) -> PhotoReport:
    near = photo_rules.foreground(faces)
    face = near[0] if near else None
    return PhotoReport(
        ok=refused is None,
        code=refused.code if refused else "",
        sentence=str(refused or GOOD),
        faces=len(near),
        box=face.box if face else None,
        height_px=face.quality.height_px if face else None,
        sharpness=face.quality.sharpness if face else None,
        turn=face.quality.turn if face else None,
        quality=face.quality.score if face else None,
    )
