"""Recording of crossings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction

from streaming import live
from streaming.models import Camera

from .models import OccupancyLog
from .rules import Direction, next_count
from .serializers import OccupancyLogSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pipeline import LineCrossed


@transaction.atomic
def record_crossing(*, event: LineCrossed) -> OccupancyLog | None:
    """Store one crossing and announce it; None when it was stored before.

    The camera's row is locked meanwhile, so that each record's `current_count` follows
    from the one before. Raises Camera.DoesNotExist when the line is gone.
    """
    camera = Camera.objects.select_for_update().get(lines=event.line_id)
    if OccupancyLog.objects.filter(event_id=event.event_id).exists():
        return None
    count, is_drift = next_count(current_count(camera), event.direction)
    log = OccupancyLog.objects.create(
        event_id=event.event_id,
        camera=camera,
        line_id=event.line_id,
        track_id=event.track_id,
        frame_index=event.frame_index,
        entries=int(event.direction is Direction.IN),
        exits=int(event.direction is Direction.OUT),
        current_count=count,
        is_drift=is_drift,
        occurred_at=event.at,
    )
    live.publish(
        topic="occupancy.occupancylog",
        site_id=camera.site_id,
        data=OccupancyLogSerializer(log).data,
    )
    return log


def current_count(camera: Camera) -> int:
    """Return how many are inside now, by the last record."""
    latest = camera.occupancy_logs.order_by("-id").first()
    return latest.current_count if latest else 0


@dataclass(frozen=True, slots=True)
class LiveOccupancy:
    """What one camera has counted since the site's midnight."""

    camera: Camera
    entries: int
    exits: int
    current_count: int


def live_occupancy(*, cameras: Sequence[Camera], now: datetime) -> list[LiveOccupancy]:
    """Return one row per camera, in the order given; a query, and one per zone."""
    logs = OccupancyLog.objects.filter(camera__in=cameras)
    inside = dict(logs.latest_per_camera().values_list("camera_id", "current_count"))
    totals: dict[int, tuple[int, int]] = {}
    for zone in {camera.site.time_zone for camera in cameras}:
        start, end = site_day(now, ZoneInfo(zone))
        here = logs.filter(camera__site__time_zone=zone).between(start, end)
        totals |= here.totals_per_camera()
    return [
        LiveOccupancy(
            camera=camera,
            entries=totals.get(camera.pk, (0, 0))[0],
            exits=totals.get(camera.pk, (0, 0))[1],
            current_count=inside.get(camera.pk, 0),
        )
        for camera in cameras
    ]


def site_day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the local day that holds `now`, [midnight, next midnight)."""
    today = now.astimezone(zone).date()
    midnight = datetime.combine(today, time(), zone)
    return midnight, datetime.combine(today + timedelta(days=1), time(), zone)
