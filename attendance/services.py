"""Recording of who came and went."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction

from identity.models import Employee
from identity.rules import Standing

from . import days
from .models import AttendanceRecord, Passage, PresenceEvent, UnknownAttendance
from .rules import is_in_future
from .tracks import Track, TrackEvents, attendance_camera

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.db.models import QuerySet

    from identity.models import User
    from identity.pipeline import PersonSeen

    from .days import Settled
    from .rules import DayResult, Way

logger = logging.getLogger(__name__)
NAMESPACE: Final = UUID("4d0c2a5e-7f36-5f0b-9a86-3c1f8b7d2e60")
"""Makes our event ids differ from all others; it must never change."""
State = UnknownAttendance.State


class NotStamped(Exception):
    """Nothing was stored; the message says why."""


class InTheFuture(NotStamped):
    """The instant is too far ahead to be believed."""


class NotEmployed(NotStamped):
    """They do not work here any more."""


class EventConflict(NotStamped):
    """The event id stands for something else already."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What became of a stamp."""

    event: PresenceEvent
    result: DayResult | None
    """What the rules say of the date that it counted for; None where it is of none."""
    record: AttendanceRecord | None
    """Of that date, with names and proof."""
    is_new: bool


def stamp(
    *,
    employee: Employee,
    way: Way,
    at: datetime,
    event_id: UUID | None,
    by: User | None,
    now: datetime,
) -> Stamped:
    """Record that somebody came or went; raises NotStamped.

    What was recorded before changes nothing. Without an event id the same person, way
    and instant are the same event.
    """
    if is_in_future(at, now=now):
        raise InTheFuture(
            f"{at.isoformat()} is more than 5 minutes in the future. Check the clock "
            "that told it."
        )
    told = f"{employee.pk}/{way.value}/{at.astimezone(UTC).isoformat()}"
    key = event_id or uuid5(NAMESPACE, told)
    with transaction.atomic():
        days.alone(employee.pk, also=f"attendance/event/{key}")
        person = _employed(employee)
        event, is_new = _event(key, person, way=way, at=at, by=by)
        first, last = days.dates_touched(at, zone=ZoneInfo(person.site.time_zone))
        settled = days.settle_days(
            employees=[person.pk], first=first, last=last, now=now, only_seen=True
        )
        on = _counted_for(event, settled)
        return Stamped(
            event=event,
            result=settled.results[person.pk, on] if on else None,
            record=_record(person, on, settled) if on else None,
            is_new=is_new,
        )


def _employed(employee: Employee) -> Employee:
    person = Employee.objects.select_related("site").get(pk=employee.pk)
    if person.status != Employee.Status.ACTIVE:
        raise NotEmployed(
            f"{person.code} does not work here any more. If they do, make them active "
            "first."
        )
    return person


def _event(
    key: UUID, person: Employee, *, way: Way, at: datetime, by: User | None
) -> tuple[PresenceEvent, bool]:
    """Return the event of a stamp, and whether it is new."""
    found = PresenceEvent.objects.filter(event_id=key).first()
    if found is None:
        event = PresenceEvent.objects.create(
            event_id=key,
            employee=person,
            source=PresenceEvent.Source.API,
            way=way.value,
            occurred_at=at,
            last_seen_at=at,
            recorded_by=by,
        )
        return event, True
    there = (found.source, found.employee_id, found.way, found.occurred_at)
    if there != (PresenceEvent.Source.API, person.pk, way.value, at):
        raise EventConflict(
            f"Event {key} was recorded before as something else. Give every event an "
            "id of its own."
        )
    return found, False


def _counted_for(event: PresenceEvent, settled: Settled) -> date | None:
    key = str(event.event_id)
    dates = (
        on
        for (_, on), result in settled.results.items()
        if any(seen.event_id == key for seen, _ in result.seen)
    )
    return next(dates, None)


def _record(person: Employee, on: date, settled: Settled) -> AttendanceRecord | None:
    for row in settled.changed:
        if row.attendance_date == on:
            return row
    rows = AttendanceRecord.objects.with_proof()
    return rows.filter(employee=person, attendance_date=on).first()


def record_seen(*, seen: PersonSeen, now: datetime) -> None:
    """Record the presence of somebody whose face was seen, or an unknown face.

    Only at attendance cameras, and only of those let in: who was refused is in the
    access log. Harmless when repeated. An instant in the future is dropped.
    """
    camera = attendance_camera(seen.camera)
    if camera is None or _is_dropped(seen.at, camera=seen.camera, now=now):
        return
    track = Track(camera, seen.session, seen.track_id)
    with transaction.atomic():
        track.alone()
        events = TrackEvents(track)
        if seen.decision is Standing.AUTHORIZED:
            _note_person(seen, track, events, now=now)
        elif seen.decision is not Standing.UNAUTHORIZED:
            _note_stranger(seen, track, events, now=now)


def note_passage(
    *,
    event_id: UUID,
    camera: str,
    session: str,
    track_id: int,
    way: Way,
    at: datetime,
    now: datetime,
) -> None:
    """Note that a track crossed a line of an attendance camera, in or out.

    Whose track it is its face tells, before or after. Harmless when repeated. An
    instant in the future is dropped.
    """
    found = attendance_camera(camera)
    if found is None or _is_dropped(at, camera=camera, now=now):
        return
    track = Track(found, session, track_id)
    with transaction.atomic():
        track.alone()
        _, is_new = Passage.objects.get_or_create(
            event_id=event_id,
            defaults={
                "camera": found,
                "session": session,
                "track_id": track_id,
                "way": way.value,
                "occurred_at": at,
            },
        )
        if is_new:
            events = TrackEvents(track)
            events.alone()
            events.store(now=now)


def _is_dropped(at: datetime, *, camera: str, now: datetime) -> bool:
    if is_in_future(at, now=now):
        logger.warning("Camera %s told of the future, %s: dropped.", camera, at)
        return True
    return False


def _note_person(
    seen: PersonSeen, track: Track, events: TrackEvents, *, now: datetime
) -> None:
    pk = seen.employee_id
    if pk is None or not Employee.objects.present().filter(pk=pk).exists():
        return
    events.alone(pk)
    event = events.face(seen.event_id) or PresenceEvent(
        event_id=seen.event_id,
        employee_id=pk,
        source=PresenceEvent.Source.FACE,
        camera=track.camera,
        session=track.session,
        track_id=track.track_id,
        access_log_id=seen.access_log_id,
        similarity=seen.similarity,
        threshold=seen.threshold,
    )
    _extend(event, seen)
    events.add(event)
    events.store(now=now)
    unknown = _unknown_of(track).filter(state=State.OPEN)
    unknown.update(state=State.RECOGNISED, employee=pk, decided_at=now)


def _note_stranger(
    seen: PersonSeen, track: Track, events: TrackEvents, *, now: datetime
) -> None:
    row = _unknown_of(track).first()
    if row is None:
        row = UnknownAttendance(
            event_id=seen.event_id,
            camera=track.camera,
            session=track.session,
            track_id=track.track_id,
            access_log_id=seen.access_log_id,
        )
        if (known := events.recognised) is not None:
            row.state, row.employee_id = State.RECOGNISED, known
            row.decided_at = now
    came_at = row.occurred_at
    _extend(row, seen)
    row.occurred_at = min(came_at or row.occurred_at, row.occurred_at)
    row.save()
    if row.state == State.LINKED and (event := events.face(row.event_id)):
        event.occurred_at, event.last_seen_at = row.occurred_at, row.last_seen_at
        events.alone()
        events.store(now=now)


def _extend(row: PresenceEvent | UnknownAttendance, seen: PersonSeen) -> None:
    """Note when somebody came into view, as is known now, and that they still are."""
    row.occurred_at = seen.first_seen_at
    last = max(seen.first_seen_at, seen.at)
    row.last_seen_at = max(row.last_seen_at or last, last)


def _unknown_of(track: Track) -> QuerySet[UnknownAttendance]:
    return UnknownAttendance.objects.filter(
        camera=track.camera, session=track.session, track_id=track.track_id
    )
