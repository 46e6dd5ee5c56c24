"""Rows for tests; every `make_` function fills in what a test does not care about."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils import timezone

from identity.models import User
from occupancy.models import CountingLine
from occupancy.pipeline import LineCrossed
from streaming.models import Camera, Site

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


def make_line(**values: Any) -> CountingLine:
    values["camera"] = values.get("camera") or make_camera()
    defaults = {"name": "Main door", "x1": 0.5, "y1": 0.0, "x2": 0.5, "y2": 1.0}
    return CountingLine.objects.create(**defaults | values)


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
