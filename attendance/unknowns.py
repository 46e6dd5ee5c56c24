"""Faces of which nobody could say whose they are, and who they turned out to be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from identity import gallery
from identity.models import AccessLog, Employee

from .models import PresenceEvent, UnknownAttendance
from .tracks import Track, TrackEvents

if TYPE_CHECKING:
    from datetime import datetime

    from identity.models import User
    from identity.models.sightings import AccessLogQuerySet

logger = logging.getLogger(__name__)
CANDIDATES: Final = 5
State = UnknownAttendance.State


class NotLinked(Exception):
    """Nothing was changed; the message says why."""


def link_unknown(
    *, unknown: UnknownAttendance, employee: Employee, by: User | None, at: datetime
) -> UnknownAttendance:
    """Say who it was: they were there then, and the day is worked out anew.

    The visit bears their name in the access log too. Raises NotLinked.
    """
    with transaction.atomic():
        row, events = _locked(unknown, employee)
        _link(row, events, employee, by=by, at=at, now=at)
    return row


def unlink_unknown(
    *, unknown: UnknownAttendance, by: User | None, at: datetime
) -> UnknownAttendance:
    """Take back who it was, or that it was nobody; raises NotLinked."""
    with transaction.atomic():
        row, events = _locked(unknown)
        if row.state not in {State.LINKED, State.DISMISSED}:
            raise NotLinked("Nobody said who this is, so there is nothing to undo.")
        _unlink(row, events, now=at)
    logger.info("User %s took back who unknown face %s is.", by and by.pk, row.pk)
    return row


def dismiss_unknown(
    *, unknown: UnknownAttendance, by: User | None, at: datetime
) -> UnknownAttendance:
    """Say that it is no employee; raises NotLinked."""
    with transaction.atomic():
        row, _ = _locked(unknown)
        if row.state != State.OPEN:
            raise NotLinked(f"It is decided already: {row.get_state_display()}.")
        _decide(row, State.DISMISSED, None, by=by, at=at)
    return row


def candidates(unknown: UnknownAttendance) -> list[tuple[Employee, float]]:
    """Return who it may be with the similarity of each, the most alike first.

    None where the face is no longer kept.
    """
    log = unknown.access_log
    if log is None or log.embedding is None:
        return []
    ranked = gallery.nearest(
        log.embedding,
        site_id=unknown.camera.site_id,
        face_model=log.face_model,
        limit=CANDIDATES,
    )
    people = Employee.objects.select_related("department").in_bulk(
        [each.person for each in ranked]
    )
    return [
        (people[each.person], each.similarity)
        for each in ranked
        if each.person in people
    ]


def follow_register(*, now: datetime) -> int:
    """Link the faces that were named in the access log since, and take back those whose
    name was taken back there; return how many."""
    taken_back, named = _contradicted(), _named()
    done = sum(_follow(row, now=now) for row in [*taken_back, *named])
    if done:
        logger.info("%s unknown faces follow what was said in the register.", done)
    return done


def _named() -> list[UnknownAttendance]:
    """Return what somebody named after it was left open, or was said to be nobody."""
    is_later = Q(state=State.DISMISSED, decided_at__lt=F("access_log__linked_at"))
    rows = UnknownAttendance.objects.filter(
        Q(state=State.OPEN) | is_later,
        access_log__linked_at__isnull=False,
        access_log__employee__site=F("camera__site"),
        access_log__employee__erased_at=None,
    )
    return list(rows.order_by("pk"))


def _contradicted() -> list[UnknownAttendance]:
    """Return what is linked to somebody whom the access log does not name."""
    rows = UnknownAttendance.objects.filter(state=State.LINKED)
    kept = rows.filter(access_log__isnull=False)
    return list(kept.exclude(access_log__employee=F("employee")).order_by("pk"))


def _follow(unknown: UnknownAttendance, *, now: datetime) -> bool:
    """Do what the access log says now; False where it is done already."""
    with transaction.atomic():
        log = _visit(unknown).first()
        if log is None:
            return False
        person = log.employee
        row, events = _locked(unknown, person)
        if row.employee == person and row.state == State.LINKED:
            return False
        if row.state in {State.LINKED, State.DISMISSED}:
            _unlink(row, events, now=now)
        if person is None or log.linked_at is None:
            return True
        try:
            _link(row, events, person, by=log.linked_by, at=log.linked_at, now=now)
        except NotLinked:
            return False
    return True


def _locked(
    unknown: UnknownAttendance, *others: Employee | None
) -> tuple[UnknownAttendance, TrackEvents]:
    """Return the row as it is now and what its track tells; nobody else changes these,
    nor the days of the people concerned, until the commit."""
    rows = UnknownAttendance.objects.select_related("camera__site", "employee")
    secret = ("camera__source_url", "camera__sub_stream_url")
    found = rows.defer(*secret).filter(pk=unknown.pk).first()
    if found is None:
        raise NotLinked("This face is no longer kept.")
    track = Track(found.camera, found.session, found.track_id)
    track.alone()
    found = rows.defer(*secret).get(pk=unknown.pk)
    events = TrackEvents(track)
    events.alone(*(other.pk for other in others if other))
    return found, events


def _link(
    row: UnknownAttendance,
    events: TrackEvents,
    employee: Employee,
    *,
    by: User | None,
    at: datetime,
    now: datetime,
) -> None:
    if row.state in {State.LINKED, State.RECOGNISED} and row.employee:
        raise NotLinked(
            f"This is {row.employee.code} already. Undo that first if it is wrong."
        )
    person = Employee.objects.select_for_update(no_key=True).get(pk=employee.pk)
    if person.site_id != row.camera.site_id:
        raise NotLinked(
            f"{person.code} works at another site. Choose somebody of "
            f"{row.camera.site}."
        )
    if person.erased_at is not None:
        raise NotLinked(f"{person.code} was erased, and nothing is kept of them.")
    _name_visit(row, person, by=by, at=at)
    _decide(row, State.LINKED, person, by=by, at=at)
    events.add(
        PresenceEvent(
            event_id=row.event_id,
            employee=person,
            source=PresenceEvent.Source.LINKED,
            occurred_at=row.occurred_at,
            last_seen_at=row.last_seen_at,
            camera=row.camera,
            session=row.session,
            track_id=row.track_id,
            access_log_id=row.access_log_id,
            recorded_by=by,
        )
    )
    events.store(now=now)


def _unlink(row: UnknownAttendance, events: TrackEvents, *, now: datetime) -> None:
    # A name that somebody else gave the visit since then stays.
    if row.employee:
        named = _visit(row).filter(employee=row.employee, linked_at__isnull=False)
        named.update(employee=None, linked_at=None, linked_by=None)
    _decide(row, State.OPEN, None, by=None, at=None)
    events.remove(row.event_id)
    events.store(now=now)


def _name_visit(
    row: UnknownAttendance, person: Employee, *, by: User | None, at: datetime
) -> None:
    """Have the access log tell the same; what was decided at the time stays there."""
    _visit(row).update(employee=person, linked_at=at, linked_by=by)
    Employee.objects.filter(pk=person.pk).update(
        last_seen_at=Greatest("last_seen_at", row.last_seen_at)
    )


def _visit(row: UnknownAttendance) -> AccessLogQuerySet:
    """Return the visit in the access log, or nothing where it is no longer kept."""
    return AccessLog.objects.filter(unknown_attendances=row)


def _decide(
    row: UnknownAttendance,
    state: State,
    employee: Employee | None,
    *,
    by: User | None,
    at: datetime | None,
) -> None:
    row.state, row.employee = state, employee
    row.decided_by, row.decided_at = by, at
    row.save(update_fields=["state", "employee", "decided_by", "decided_at"])
