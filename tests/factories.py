"""Rows for tests; every `make_` function fills in what a test does not care about."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils import timezone

from alerts.models import Alert, AlertChannel, AlertRule, Kind, Severity
from identity.models import User
from occupancy.models import CountingLine
from occupancy.pipeline import LineCrossed
from streaming.models import Camera, CameraOutage, Site
from streaming.vision.trouble import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from occupancy.rules import Direction

_numbers = count(1)


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
