"""Events of zones as a camera would tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from occupancy.capacity import Fullness
from occupancy.zone_stage import ZoneCounted, ZoneEntered, ZoneFull, ZoneLoitered

if TYPE_CHECKING:
    from occupancy.models import Zone

NOON: Final = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
"""12:00 in Kolkata."""
_frames = count(1)


def _facts(zone: Zone, at: datetime) -> dict[str, Any]:
    return {
        "event_id": uuid4(),
        "camera": zone.camera.code,
        "session": "first",
        "zone_id": zone.pk,
        "zone": zone.name,
        "frame_index": next(_frames),
        "at": at,
    }


def counted(zone: Zone, number: int, *, at: datetime = NOON) -> ZoneCounted:
    return ZoneCounted(**_facts(zone, at), count=number)


def entered(zone: Zone, *, at: datetime = NOON, track_id: int = 1) -> ZoneEntered:
    return ZoneEntered(**_facts(zone, at), track_id=track_id)


def loitered(zone: Zone, seconds: int = 90, *, at: datetime = NOON) -> ZoneLoitered:
    return ZoneLoitered(**_facts(zone, at), track_id=1, seconds=seconds)


def full(
    zone: Zone,
    fullness: Fullness = Fullness.RED,
    *,
    number: int = 3,
    at: datetime = NOON,
) -> ZoneFull:
    facts = _facts(zone, at)
    return ZoneFull(
        **facts, count=number, capacity=zone.capacity or 2, fullness=fullness
    )
