"""Recording of crossings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.functions import Greatest

from streaming import live
from streaming.models import Camera

from . import aggregation, alarms, periods
from .models import Area, AreaLine, Kind, OccupancyLog
from .rules import Direction, next_count
from .serializers import AreaCountSerializer, OccupancyLogSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .pipeline import LineCrossed


COME: Final = {"current_count": F("current_count") + 1}
GONE: Final = {
    "current_count": Greatest(F("current_count") - 1, 0),
    "drift": F("drift") + Case(When(current_count=0, then=1), default=0),
}


@transaction.atomic
def record_crossing(*, event: LineCrossed) -> OccupancyLog | None:
    """Store one crossing and announce it; None when it was stored before.

    The camera's row is locked meanwhile, so that each record's `current_count` follows
    from the one before; that of vehicles is one of its own. So do the counts of the
    areas whose door the line is. Raises Camera.DoesNotExist when the line is gone.
    """
    rows = Camera.objects.select_for_update(of=("self",), no_key=True)
    camera = rows.select_related("site").get(lines=event.line_id)
    if OccupancyLog.objects.filter(event_id=event.event_id).exists():
        return None
    kind = Kind.of(event.label)
    count, is_drift = next_count(current_count(camera, kind=kind), event.direction)
    log = OccupancyLog.objects.create(
        event_id=event.event_id,
        camera=camera,
        line_id=event.line_id,
        kind=kind,
        label=event.label.value,
        track_id=event.track_id,
        frame_index=event.frame_index,
        entries=int(event.direction is Direction.IN),
        exits=int(event.direction is Direction.OUT),
        current_count=count,
        is_drift=is_drift,
        occurred_at=event.at,
    )
    if kind == Kind.PEOPLE:
        _pass_doors(log)
    aggregation.set_back(
        site=camera.site,
        camera_id=camera.pk,
        line_id=event.line_id,
        kind=kind,
        at=event.at,
    )
    live.publish(
        topic="occupancy.occupancylog",
        site_id=camera.site_id,
        data=OccupancyLogSerializer(log).data,
    )
    return log


def current_count(camera: Camera, *, kind: Kind = Kind.PEOPLE) -> int:
    """Return how many are inside now, by the last record."""
    latest = camera.occupancy_logs.filter(kind=kind).order_by("-id").first()
    return latest.current_count if latest else 0


def _pass_doors(log: OccupancyLog) -> None:
    """Count somebody into, or out of, the areas whose door the line is.

    Also where an area is switched off: its sums go on, and the count is theirs.
    """
    doors = AreaLine.objects.filter(line=log.line_id)
    for door in doors.order_by("area_id"):
        enters = bool(log.entries) != door.inverted
        area = Area.objects.filter(pk=door.area_id)
        if area.update(**(COME if enters else GONE)):  # It may be deleted meanwhile.
            announce_area(area.get(), at=log.occurred_at)


def announce_area(area: Area, *, at: datetime) -> None:
    """Tell pages of its new count, and people who must know when it is full."""
    data = AreaCountSerializer(area).data
    live.publish(topic="occupancy.area", site_id=area.site_id, data=data)
    transaction.on_commit(lambda: alarms.note_area(area=area, at=at), robust=True)


@dataclass(frozen=True, slots=True)
class LiveOccupancy:
    """What one camera has counted since the site's midnight."""

    camera: Camera
    entries: int
    exits: int
    current_count: int


def live_occupancy(*, cameras: Sequence[Camera], now: datetime) -> list[LiveOccupancy]:
    """Return one row per camera, in the order given; a query, and one per time zone.

    People alone: vehicles are counted apart.
    """
    logs = OccupancyLog.objects.of_people().filter(camera__in=cameras)
    inside = OccupancyLog.objects.of_people().current_counts(cameras)
    totals: dict[int, tuple[int, int]] = {}
    for name in {camera.site.time_zone for camera in cameras}:
        zone = ZoneInfo(name)
        start, end = periods.day(now.astimezone(zone).date(), zone)
        here = logs.filter(camera__site__time_zone=name).between(start, end)
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
