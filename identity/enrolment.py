"""Making photos ones by which people are known, and taking them back.

Photo, vector, remote face and row exist together or not at all. A process that is
killed in between leaves at most a file or a remote face that no row knows of; `tidy`
removes those, and until then nobody is recognised by them.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import FloatField, Min
from django.utils.module_loading import import_string
from pgvector.django import MaxInnerProduct

from streaming import locks

from . import gallery, photo_rules
from .engines import (
    ENGINES,
    EngineUnavailable,
    FaceNotTaken,
    LocalEngine,
    the_engine,
)
from .models import Employee, FaceSample
from .models.people import PHOTOS_MAX
from .photo_rules import PhotoRefused
from .services import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from .engines import Engine
    from .models import User
    from .photo_rules import FaceInPhoto, LookedAt
    from .rules import Ranked

logger = logging.getLogger(__name__)
FOLDER: Final = "faces"


def enrol(
    *, employee: Employee, looked: LookedAt, by: User | None, at: datetime
) -> FaceSample:
    """Make the one face of a photo one by which the employee is known.

    Raises PhotoRefused, and EngineUnavailable where the face could not be told to a
    remote engine; nothing is left behind then.
    """
    face = photo_rules.face_to_know(looked)
    # Before anything is stored; once more when nobody else can store anything.
    _check(employee, face, looked, by=by)
    with ExitStack() as undo:
        name = f"{FOLDER}/{uuid4().hex}.jpg"
        undo.callback(discard_file, name)
        default_storage.save(name, ContentFile(face.jpeg))
        external_id = _tell_engine(face, employee)
        undo.callback(discard_remote, [external_id])
        with transaction.atomic():
            _lock(employee)
            _check(employee, face, looked, by=by)
            sample = FaceSample.objects.create(
                employee=employee,
                image=name,
                embedding=list(face.vector),
                face_model=looked.face_model,
                quality=face.quality.score,
                height_px=round(face.height_px),
                external_face_id=external_id,
                created_by=by,
            )
            Employee.objects.filter(pk=employee.pk, enrolled_at=None).update(
                enrolled_at=at
            )
        undo.pop_all()
    logger.info("Photo %s of employee %s was taken.", sample.pk, employee.pk)
    return sample


def _tell_engine(face: FaceInPhoto, employee: Employee) -> str:
    try:
        return the_engine().enrol(jpeg=face.jpeg, employee_id=employee.pk)
    except FaceNotTaken as error:
        raise PhotoRefused(
            "not_taken",
            "The face service finds no face that it can use in the photo. Take another "
            "one, from the front and in light.",
        ) from error


def remove_photo(*, sample: FaceSample, by: User | None) -> None:
    """Take back a photo; nobody is recognised by it from the commit on."""
    with transaction.atomic():
        _lock(sample.employee)
        FaceSample.objects.filter(pk=sample.pk).delete()
        employee = Employee.objects.filter(pk=sample.employee_id)
        employee.filter(faces=None).update(enrolled_at=None)
        name, external_id = sample.image.name, sample.external_face_id
        transaction.on_commit(lambda: _discard(name, external_id))
    logger.info(
        "Photo %s of employee %s was removed by %s.",
        sample.pk,
        sample.employee_id,
        by.pk if by else "the system",
    )


def discard_file(name: str | None) -> bool:
    """Delete a file; say whether it is gone. If not, `tidy` removes it."""
    try:
        if name:
            default_storage.delete(name)
    except STORAGE_ERRORS as error:
        logger.warning("%s stays for now: %s", name, type(error).__name__)
        return False
    return True


def discard_remote(external_ids: Sequence[str]) -> bool:
    """Have the remote engine forget faces; say whether it did. If not, `tidy` does.

    The same photo of the same person has one id there, so a row may still need it.
    """
    rows = FaceSample.objects.filter(external_face_id__in=external_ids)
    needed = {"", *rows.values_list("external_face_id", flat=True)}
    known = [external_id for external_id in external_ids if external_id not in needed]
    try:
        if known:
            remote_engine().forget(external_ids=known)
    except EngineUnavailable as error:
        logger.warning("%d remote faces stay for now: %s", len(known), error)
        return False
    return True


def remote_engine() -> Engine:
    """Return the engine that gives faces ids, also where it is no longer the site's."""
    remote: Callable[[LocalEngine], Engine] = import_string(ENGINES["rekognition"])
    is_left = LocalEngine.name == settings.FACE_ENGINE
    return remote(LocalEngine()) if is_left else the_engine()


def _discard(name: str | None, external_id: str) -> None:
    discard_file(name)
    discard_remote([external_id])


def _lock(employee: Employee) -> None:
    """Let nobody else enrol at this site, nor this employee change, until the commit.

    Else two people could be enrolled by one face at the same moment.
    """
    locks.hold(f"enrolment:{employee.site_id}")
    employee.refresh_from_db(from_queryset=Employee.objects.select_for_update())


def _check(
    employee: Employee, face: FaceInPhoto, looked: LookedAt, *, by: User | None
) -> None:
    """Refuse whom no photo can be taken of, and a face that is somebody else's."""
    if employee.erased_at or employee.status != Employee.Status.ACTIVE:
        raise PhotoRefused(
            "not_active",
            f"{employee.code} no longer works here, so no photo is taken of them. "
            "Make them active first.",
        )
    if employee.faces.count() >= PHOTOS_MAX:
        raise PhotoRefused(
            "too_many_photos",
            f"{employee.code} has {PHOTOS_MAX} photos, which is the most. Remove an "
            "old or poor one first.",
        )
    ranked = gallery.nearest(
        face.vector, site_id=employee.site_id, face_model=looked.face_model
    )
    _check_others(employee, ranked, looked, by=by)
    _check_own(employee, face, looked)


def _check_others(
    employee: Employee, ranked: Sequence[Ranked], looked: LookedAt, *, by: User | None
) -> None:
    same_from = photo_rules.same_person_from(looked.policy)
    for other in ranked:
        if other.person != employee.pk and other.similarity >= same_from:
            raise PhotoRefused(
                "already_enrolled",
                f"This face is already enrolled as {_name(other.person, by=by)}: "
                f"similarity {other.similarity:.2f}; from {same_from:.2f} on two faces "
                "are one person's. If it is somebody else, take another photo.",
            )


def _name(person: int, *, by: User | None) -> str:
    """Return the code of an employee, to those who may know it."""
    people = Employee.objects.filter(pk=person)
    if by is not None:
        may_see = by.has_perm("identity.view_employee")
        people = people.visible_to(by) if may_see else people.none()
    code = people.values_list("code", flat=True).first()
    return code or "somebody else"


def _check_own(employee: Employee, face: FaceInPhoto, looked: LookedAt) -> None:
    distance = MaxInnerProduct("embedding", list(face.vector))
    nearest = employee.faces.of_model(looked.face_model).aggregate(
        distance=Min(distance, output_field=FloatField())
    )["distance"]
    photo_rules.check_likeness(
        own=None if nearest is None else -nearest,
        policy=looked.policy,
        code=employee.code,
    )
