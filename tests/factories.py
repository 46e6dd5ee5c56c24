"""Rows for tests; every `make_` function fills in what a test does not care about."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils import timezone

from alerts.models import Alert, AlertChannel, AlertRule, Kind, Severity
from attendance.models import (
    AttendanceRecord,
    PresenceEvent,
    Shift,
    ShiftAssignment,
    UnknownAttendance,
)
from identity.models import (
    AccessLog,
    Department,
    Employee,
    FaceSample,
    UnknownPerson,
    User,
)
from identity.models.vectors import DIMENSIONS
from occupancy.models import Area, CountingLine, Zone
from occupancy.pipeline import LineCrossed
from streaming.models import Camera, CameraOutage, Site
from streaming.vision.trouble import Cause
from vehicles.models import Vehicle, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from occupancy.models import Bucket
    from occupancy.rules import Direction

_numbers = count(10_000)

FACE_MODEL = "test-128"
"""Name of the face model that made the vectors of these rows."""


def make_site(**values: Any) -> Site:
    number = next(_numbers)
    return Site.objects.create(
        **{"name": f"Plant {number}", "slug": f"plant-{number}"} | values
    )


def make_camera(**values: Any) -> Camera:
    values.setdefault("site", None)
    values["site"] = values["site"] or make_site()
    number = next(_numbers)
    defaults = {
        "code": f"CAM-{number}",
        "name": f"Gate {number}",
        "source_url": "rtsp://viewer:hidden-word@192.0.2.1/stream1",
    }
    return Camera.objects.create(**defaults | values)


def make_outage(**values: Any) -> CameraOutage:
    values["camera"] = values.get("camera") or make_camera()
    defaults = {
        "cause": Cause.REFUSED.value,
        "reason": "The camera refuses the connection.",
        "started_at": timezone.now(),
    }
    return CameraOutage.objects.create(**defaults | values)


def make_line(**values: Any) -> CountingLine:
    values["camera"] = values.get("camera") or make_camera()
    defaults = {"name": "Main door", "x1": 0.5, "y1": 0.0, "x2": 0.5, "y2": 1.0}
    return CountingLine.objects.create(**defaults | values)


def make_zone(**values: Any) -> Zone:
    """Make a zone that is the middle ninth of the picture."""
    values["camera"] = values.get("camera") or make_camera()
    third, rest = 1 / 3, 2 / 3
    square = [[third, third], [rest, third], [rest, rest], [third, rest]]
    return Zone.objects.create(**{"name": "Queue", "points": square} | values)


def make_area(**values: Any) -> Area:
    values["site"] = values.get("site") or make_site()
    return Area.objects.create(**{"name": f"Hall {next(_numbers)}"} | values)


def make_bucket(model: type[Bucket], /, **values: Any) -> Bucket:
    """Make an hour, or what else the model stands for, of a camera or an area."""
    if not values.get("area"):
        values["camera"] = values.get("camera") or make_camera()
    start = values.get("start") or datetime(2026, 3, 2, 8, tzinfo=UTC)
    place = values.get("area") or values["camera"]
    defaults: dict[str, Any] = {
        "site": place.site,
        "start": start,
        "end": start + timedelta(hours=1),
        "avg_occupancy": 1.5,
        "max_occupancy": 3,
        "min_occupancy": 0,
        "total_entries": 3,
        "total_exits": 2,
        "closing_count": 1,
    }
    return model._default_manager.create(**defaults | values)


def make_channel(**values: Any) -> AlertChannel:
    defaults = {
        "name": f"Channel {next(_numbers)}",
        "kind": AlertChannel.Kind.WEBHOOK,
        "address": "http://127.0.0.1:1/hidden-word",
    }
    return AlertChannel.objects.create(**defaults | values)


def make_rule(*, channels: Sequence[AlertChannel] = (), **values: Any) -> AlertRule:
    defaults = {"name": f"Rule {next(_numbers)}", "kind": Kind.CAMERA_OFFLINE}
    rule = AlertRule.objects.create(**defaults | values)
    rule.channels.set(channels)
    return rule


def make_alert(**values: Any) -> Alert:
    """Make an alert about a camera, or with `camera` None of the whole system."""
    camera = values["camera"] if "camera" in values else make_camera()
    defaults = {
        "camera": camera,
        "site": camera and camera.site,
        "kind": Kind.CAMERA_OFFLINE if camera else Kind.WORKER_LOST,
        "severity": Severity.WARNING,
        "subject": camera.code if camera else f"vision-{next(_numbers)}",
        "text": "It gives no usable picture.",
        "opened_at": timezone.now(),
    }
    return Alert.objects.create(**defaults | values)


def make_user(
    name: str, *, role: str | None = None, sites: Sequence[Site] = (), **values: Any
) -> User:
    """Make a login; `role` needs the fixture `role_groups`."""
    user: User = User.objects.create_user(
        username=name, password="a long passphrase", **values
    )
    if role:
        user.groups.add(Group.objects.get(name=role))
    user.sites.set(sites)
    return user


def make_crossing(
    line: CountingLine, direction: Direction, **values: Any
) -> LineCrossed:
    """Make the event that a stage would emit; nothing is stored."""
    defaults: dict[str, Any] = {
        "event_id": uuid4(),
        "camera": line.camera.code,
        "line_id": line.pk,
        "line": line.name,
        "direction": direction,
        "track_id": 1,
        "frame_index": next(_numbers),
        "at": timezone.now(),
    }
    return LineCrossed(**defaults | values)


def make_vector(seed: int | None = None) -> list[float]:
    """Make a vector of unit length; the same for the same seed.

    Those of two seeds are hardly alike: their similarity is about 0 +- 0.1.
    """
    numbers = random.Random(next(_numbers) if seed is None else f"face {seed}")
    values = [numbers.gauss(0, 1) for _ in range(DIMENSIONS)]
    return _unit(values)


def make_vector_like(
    vector: Sequence[float], similarity: float, *, seed: int | None = None
) -> list[float]:
    """Make a vector of unit length that is so similar to another of unit length."""
    other = make_vector(seed)
    along = sum(a * b for a, b in zip(vector, other, strict=True))
    across = _unit([b - along * a for a, b in zip(vector, other, strict=True)])
    rest = math.sqrt(1 - similarity**2)
    return [similarity * a + rest * b for a, b in zip(vector, across, strict=True)]


def _unit(values: Sequence[float]) -> list[float]:
    length = math.hypot(*values)
    return [value / length for value in values]


def make_department(**values: Any) -> Department:
    values["site"] = values.get("site") or make_site()
    return Department.objects.create(
        **{"name": f"Department {next(_numbers)}"} | values
    )


def make_employee(**values: Any) -> Employee:
    department = values.get("department")
    if not values.get("site"):
        values["site"] = department.site if department else make_site()
    number = next(_numbers)
    defaults = {"code": f"E-{number}", "name": f"Person {number}"}
    return Employee.objects.create(**defaults | values)


def make_face_sample(**values: Any) -> FaceSample:
    """Make a photo's row; there is no file of that name."""
    values["employee"] = values.get("employee") or make_employee()
    defaults = {
        "image": f"faces/{uuid4().hex}.jpg",
        "embedding": make_vector(),
        "face_model": FACE_MODEL,
        "quality": 0.8,
        "height_px": 160,
    }
    return FaceSample.objects.create(**defaults | values)


def make_unknown_person(**values: Any) -> UnknownPerson:
    values["site"] = values.get("site") or make_site()
    seen_at = values.get("last_seen_at") or timezone.now()
    defaults = {
        "embedding": make_vector(),
        "face_model": FACE_MODEL,
        "first_seen_at": seen_at,
        "last_seen_at": seen_at,
    }
    return UnknownPerson.objects.create(**defaults | values)


def make_access_log(**values: Any) -> AccessLog:
    """Make a visit: of the employee, if given, who was let in; else of a stranger."""
    employee = values.get("employee")
    values["camera"] = values.get("camera") or make_camera(
        site=employee.site if employee else None
    )
    values.setdefault("occurred_at", timezone.now())
    decisions = AccessLog.Decision
    defaults = {
        "event_id": uuid4(),
        "decision": decisions.AUTHORIZED if employee else decisions.UNKNOWN,
        "similarity": 0.7 if employee else 0.2,
        "runner_up": 0.1,
        "threshold": 0.42,
        "margin": 0.08,
        "engine": "local",
        "session": "20260302T080000Z",
        "track_id": next(_numbers),
        "x": 0.5,
        "y": 0.5,
        "embedding": make_vector(),
        "face_model": FACE_MODEL,
        "quality": 0.8,
        "last_seen_at": values["occurred_at"],
    }
    return AccessLog.objects.create(**defaults | values)


def make_shift(**values: Any) -> Shift:
    """Make a shift from 09:00 to 17:00 with 10 minutes of grace."""
    values["site"] = values.get("site") or make_site()
    defaults = {
        "shift_name": f"Shift {next(_numbers)}",
        "start_time": time(9),
        "end_time": time(17),
    }
    return Shift.objects.create(**defaults | values)


def make_assignment(**values: Any) -> ShiftAssignment:
    """Put somebody on a shift, from long ago until further notice."""
    employee = values.get("employee")
    if not values.get("shift"):
        values["shift"] = make_shift(site=employee.site if employee else None)
    values["employee"] = employee or make_employee(site=values["shift"].site)
    return ShiftAssignment.objects.create(**{"starts_on": date(2020, 1, 1)} | values)


def make_presence(**values: Any) -> PresenceEvent:
    """Make a stamp of somebody who came."""
    values["employee"] = values.get("employee") or make_employee()
    values.setdefault("occurred_at", timezone.now())
    defaults = {
        "event_id": uuid4(),
        "source": PresenceEvent.Source.API,
        "way": "in",
        "last_seen_at": values["occurred_at"],
    }
    return PresenceEvent.objects.create(**defaults | values)


def make_record(**values: Any) -> AttendanceRecord:
    """Make a day's row as it is stored: of work from 09:00 to 17:00 UTC, on time."""
    values["employee"] = values.get("employee") or make_employee()
    on = values.setdefault("attendance_date", date(2026, 3, 2))
    start = datetime.combine(on, time(9), UTC)
    has_come = values.setdefault("status", "present") in {"present", "late"}
    defaults = {
        "plan": "work",
        "start_at": start,
        "end_at": start + timedelta(hours=8),
        "closes_at": start + timedelta(hours=12),
        "check_in_at": start if has_come else None,
    }
    return AttendanceRecord.objects.create(**defaults | values)


def make_unknown_attendance(**values: Any) -> UnknownAttendance:
    """Make a face at an attendance camera that nobody has named."""
    values["camera"] = values.get("camera") or make_camera()
    values.setdefault("occurred_at", timezone.now())
    defaults = {
        "event_id": uuid4(),
        "session": "20260302T080000Z",
        "track_id": next(_numbers),
        "last_seen_at": values["occurred_at"],
    }
    return UnknownAttendance.objects.create(**defaults | values)


def make_vehicle(**values: Any) -> Vehicle:
    """Make a registered vehicle."""
    values["site"] = values.get("site") or make_site()
    defaults = {"plate_number": f"MH12AB{next(_numbers):04}"}
    return Vehicle.objects.create(**defaults | values)


def make_vehicle_log(**values: Any) -> VehicleLog:
    """Make a visit of a vehicle that nobody registered."""
    values["camera"] = values.get("camera") or make_camera()
    values.setdefault("occurred_at", timezone.now())
    defaults = {
        "event_id": uuid4(),
        "plate_number": "MH12AB1234",
        "as_read": "MH12AB1234",
        "agreeing": 2,
        "ocr_confidence": 0.95,
        "threshold": 0.85,
        "vehicle_type": "car",
        "status": "unknown",
        "reason": "unlisted",
        "session": "20260302T080000Z",
        "track_id": next(_numbers),
        "x": 0.5,
        "y": 0.9,
        "last_seen_at": values["occurred_at"],
    }
    return VehicleLog.objects.create(**defaults | values)
