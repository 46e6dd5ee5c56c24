"""Recording of visits."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Greatest

from streaming import live, locks
from streaming.models import Camera

from . import alarms, register
from .models import AccessLog, Employee
from .rules import NAMED, Outcome, Standing, standing
from .serializers import AccessLogSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .models import UnknownPerson
    from .pipeline import FaceOffered
    from .rules import Policy, Verdict

logger = logging.getLogger(__name__)
STORAGE_ERRORS: Final = (OSError, BotoCoreError, ClientError)
"""What a folder or a bucket raises when it takes no file."""


def record_access(
    *,
    offer: FaceOffered,
    verdict: Verdict,
    engine: str,
    policy: Policy,
    vector: Sequence[float] | None,
    face_model: str,
    quality: float,
    alike_from: float,
) -> AccessLog:
    """Store one visit and announce it; return its row, loaded with names.

    What was stored before, or goes on from what was seen of the same track with the
    same result, makes no further row. `vector` and `quality` are of the best face,
    None and 0 where no face could be compared; `alike_from` is the similarity from
    which a stranger came again, see grouping.py. Raises Camera.DoesNotExist.
    """
    camera = Camera.objects.select_related("site").get(code=offer.camera)
    whose, employee = _whose(verdict, camera)
    earlier = _earlier(offer, camera, whose, employee)
    if earlier is not None:
        return _extend(earlier, at=offer.at)
    log = AccessLog(
        event_id=offer.event_id,
        camera=camera,
        similarity=verdict.similarity,
        runner_up=verdict.runner_up,
        threshold=policy.threshold,
        margin=policy.margin,
        engine=engine,
        votes=verdict.votes,
        session=offer.session,
        track_id=offer.track_id,
        direction=camera.direction,
        x=offer.x,
        y=offer.y,
        embedding=None if vector is None else [float(each) for each in vector],
        face_model=face_model,
        quality=quality,
        occurred_at=offer.at,
        last_seen_at=offer.at,
    )
    with ExitStack() as undo:
        _store_snapshot(log, offer, is_known=employee is not None)
        undo.callback(_discard_snapshot, log)
        stored = _settle(log, offer, verdict, alike_from=alike_from)
        if stored.snapshot == log.snapshot:
            undo.pop_all()
    return stored


def _whose(
    verdict: Verdict, camera: Camera, *, lock: bool = False
) -> tuple[Standing, Employee | None]:
    """Return what the visit is recorded as, and the employee who was recognised.

    Who was erased meanwhile, or works at another site, is a stranger.
    """
    people = Employee.objects.present().filter(site=camera.site_id)
    if lock:
        people = people.select_for_update(no_key=True)
    employee = people.filter(pk=verdict.person).first() if verdict.person else None
    if verdict.outcome is Outcome.MATCH and employee is None:
        return Standing.UNKNOWN, None
    may_enter = employee is not None and employee.may_enter
    return standing(verdict, may_enter=may_enter), employee


def _earlier(
    offer: FaceOffered, camera: Camera, whose: Standing, employee: Employee | None
) -> AccessLog | None:
    """Return the row that holds the event already, or the visit that it prolongs."""
    same_track = Q(camera=camera, session=offer.session, track_id=offer.track_id)
    same_result = Q(decision=whose, **({"employee": employee} if employee else {}))
    rows = AccessLog.objects.with_names().order_by("-id")
    return rows.filter(Q(event_id=offer.event_id) | same_track & same_result).first()


def _settle(
    log: AccessLog, offer: FaceOffered, verdict: Verdict, *, alike_from: float
) -> AccessLog:
    """Decide once more, now that nobody else does, and store the row or drop it."""
    with transaction.atomic():
        locks.hold(f"track:{log.camera_id}/{log.session}/{log.track_id}")
        whose, employee = _whose(verdict, log.camera, lock=True)
        earlier = _earlier(offer, log.camera, whose, employee)
        if earlier is not None:
            return _extend(earlier, at=offer.at)
        log.decision, log.employee = whose, employee
        log.unknown_person = _stranger(log, alike_from)
        log.save(force_insert=True)
        _note_seen(log, at=offer.at)
        live.publish(
            topic="identity.accesslog",
            site_id=log.camera.site_id,
            data=AccessLogSerializer(log).data,
        )
        # Not a partial: Django's log of a failure asks for the function's name.
        transaction.on_commit(
            lambda: alarms.note_access(log=log, at=offer.at), robust=True
        )
    return log


def _stranger(log: AccessLog, alike_from: float) -> UnknownPerson | None:
    """Group an unknown face with earlier ones; an ambiguous one is an employee's."""
    if log.decision != Standing.UNKNOWN or log.embedding is None:
        return None
    return register.attach(
        log_vector=log.embedding,
        face_model=log.face_model,
        quality=log.quality,
        site_id=log.camera.site_id,
        at=log.occurred_at,
        alike_from=alike_from,
    )


def extend_visit(*, log_id: int, at: datetime) -> AccessLog | None:
    """Note that who was recorded is still there; None where that no longer holds.

    The row may be gone, and the person erased or, since then, refused or let in.
    """
    log = AccessLog.objects.with_names().filter(pk=log_id).first()
    if log is None or not _holds(log):
        return None
    return _extend(log, at=at)


def _holds(log: AccessLog) -> bool:
    employee = log.employee
    if employee is None or log.decision not in NAMED:
        return True
    is_let_in = log.decision == Standing.AUTHORIZED
    return employee.erased_at is None and is_let_in == employee.may_enter


def _extend(log: AccessLog, *, at: datetime) -> AccessLog:
    later = Greatest("last_seen_at", at)
    AccessLog.objects.filter(pk=log.pk).update(last_seen_at=later)
    log.last_seen_at = max(log.last_seen_at, at)
    _note_seen(log, at=at)
    return log


def _note_seen(log: AccessLog, *, at: datetime) -> None:
    """Move forward when an employee was last seen; what comes late moves nothing."""
    is_earlier = Q(last_seen_at=None) | Q(last_seen_at__lt=at)
    seen = Employee.objects.present().filter(access_logs=log)
    seen.filter(is_earlier).update(last_seen_at=at)


def _store_snapshot(log: AccessLog, offer: FaceOffered, *, is_known: bool) -> None:
    """Give the row its picture, or none: where the storage fails, the visit counts."""
    name = snapshot_name(offer, camera=log.camera, is_known=is_known)
    try:
        if offer.snapshot:
            log.snapshot = default_storage.save(name, ContentFile(offer.snapshot))
            log.snapshot_bytes = len(offer.snapshot)
    except STORAGE_ERRORS:
        logger.exception("Snapshot %s was not stored; its visit is.", name)


def _discard_snapshot(log: AccessLog) -> None:
    """Remove a picture that no row came to hold."""
    name = log.snapshot.name
    try:
        if name:
            default_storage.delete(name)
    except STORAGE_ERRORS:
        logger.exception("Snapshot %s was not removed.", name)


def snapshot_name(offer: FaceOffered, *, camera: Camera, is_known: bool) -> str:
    """Return where a visit's picture lies; day and time are those of the site."""
    local = camera.site.local(offer.at)
    folder = f"snapshots/{'known' if is_known else 'unknown'}/{local:%Y-%m-%d}"
    track = f"{camera.code}-{offer.track_id}-{offer.event_id.hex[:8]}"
    return f"{folder}/{local:%H-%M-%S}-{track}.jpg"
