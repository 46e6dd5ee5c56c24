"""People who come and go before the database, in few words."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from attendance import services
from attendance.models import AttendanceRecord, PresenceEvent
from attendance.rules import Way
from identity.pipeline import PersonSeen
from identity.rules import Standing
from tests.factories import make_access_log, make_camera
from tests.sightings import KOLKATA, LATER, ON, instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from attendance.services import Stamped
    from identity.models import AccessLog, Employee
    from streaming.models import Camera, Site

SESSION = "20261120T000000Z"
TASKS = ["faces", "attendance"]
_tracks = count(1)


def make_gate(site: Site, direction: str = "both") -> Camera:
    """Make a camera that keeps attendance."""
    return make_camera(site=site, direction=direction, tasks=TASKS)


def stamp(
    employee: Employee,
    words: str,
    *,
    zone: ZoneInfo = KOLKATA,
    now: datetime = LATER,
    **values: Any,
) -> Stamped:
    """Stamp "> 09:05" in or "< 17:00 1" out, the number being of days later."""
    defaults: dict[str, Any] = {"event_id": None, "by": None}
    return services.stamp(
        employee=employee,
        way=Way.IN if words[0] == ">" else Way.OUT,
        at=instant(words[2:], zone=zone),
        now=now,
        **defaults | values,
    )


def visit(camera: Camera, words: str, *, of: Employee | None = None) -> AccessLog:
    """Make the access log's row of somebody who came into view at "09:05"."""
    at = instant(words)
    return make_access_log(
        camera=camera,
        employee=of,
        occurred_at=at,
        session=SESSION,
        track_id=next(_tracks),
        direction=camera.direction,
    )


def told(log: AccessLog, **values: Any) -> PersonSeen:
    """Say what the recogniser says of a visit: the same however often."""
    is_known = log.decision in {Standing.AUTHORIZED, Standing.UNAUTHORIZED}
    defaults: dict[str, Any] = {
        "event_id": log.event_id,
        "camera": log.camera.code,
        "session": log.session,
        "track_id": log.track_id,
        "employee_id": log.employee_id if is_known else None,
        "decision": Standing(log.decision),
        "first_seen_at": log.occurred_at,
        "at": log.occurred_at,
        "access_log_id": log.pk,
        "similarity": log.similarity,
        "threshold": log.threshold,
        "words": "",
    }
    return PersonSeen(**defaults | values)


def see(log: AccessLog, *, now: datetime = LATER, **values: Any) -> None:
    services.record_seen(seen=told(log, **values), now=now)


def cross(
    log: AccessLog,
    way: Way,
    words: str,
    *,
    now: datetime = LATER,
    event_id: UUID | None = None,
) -> None:
    """Have the track of a visit cross a line at "09:05:10"."""
    services.note_passage(
        event_id=event_id or uuid4(),
        camera=log.camera.code,
        session=log.session,
        track_id=log.track_id,
        way=way,
        at=instant(words),
        now=now,
    )


def event_id(*facts: object) -> UUID:
    """Return an id that is the same for the same facts."""
    return uuid5(UUID(int=5), "/".join(map(str, facts)))


def day(employee: Employee, on: date = ON) -> AttendanceRecord:
    return AttendanceRecord.objects.get(employee=employee, attendance_date=on)


def statuses(employee: Employee) -> dict[int, str]:
    """Return by days after `ON` what the records say."""
    rows = AttendanceRecord.objects.filter(employee=employee)
    return {
        (row.attendance_date - ON).days: row.status
        for row in rows.order_by("attendance_date")
    }


def rows() -> Sequence[tuple[object, ...]]:
    """Return all that the rules made of what was seen, keys of rows left out."""
    fields = [
        field.name
        for field in AttendanceRecord._meta.concrete_fields
        if field.name
        not in {"id", "check_in", "check_out", "recorded_at", "changed_at"}
    ]
    proof = ("check_in__event_id", "check_out__event_id")
    records = AttendanceRecord.objects.order_by("employee", "attendance_date")
    return list(records.values_list(*fields, *proof))


def presence() -> Sequence[tuple[object, ...]]:
    """Return what was seen of whom, keys of rows left out."""
    fields = ("event_id", "employee", "source", "way", "occurred_at", "last_seen_at")
    return list(PresenceEvent.objects.order_by("event_id").values_list(*fields))


def later(days: int) -> date:
    return ON + timedelta(days=days)
