"""Setting a count right: by hand, and every night."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction

from streaming import live
from streaming.models import Camera

from . import aggregation
from .counting import Step, after
from .models import Area, AreaCorrection, Kind, OccupancyLog
from .serializers import OccupancyLogSerializer
from .services import announce_area

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from identity.models import User
    from streaming.models import Site

DAILY_AT: Final = time(3)
"""Site time: the hour when fewest are inside."""
DAILY: Final = "Daily correction"
NAMESPACE: Final = uuid5(NAMESPACE_URL, "occupancy/correction")
COUNT_MAX: Final = 1_000_000
REASON_MAX: Final = 200


class NotCorrected(Exception):
    """The count stays as it was; the message says why."""


def calibrate_camera(
    *, camera: Camera, count: int, reason: str, by: User, at: datetime
) -> OccupancyLog:
    """Say how many are inside where a camera counts; raises NotCorrected."""
    reason = _checked(count, reason)
    with transaction.atomic():
        return _correct_camera(
            _locked(camera), event_id=uuid4(), count=count, reason=reason, by=by, at=at
        )


def calibrate_area(
    *, area: Area, count: int, reason: str, by: User, at: datetime
) -> AreaCorrection:
    """Say how many are in an area; raises NotCorrected."""
    reason = _checked(count, reason)
    with transaction.atomic():
        area = Area.objects.select_for_update(no_key=True).get(pk=area.pk)
        return _correct_area(
            area, event_id=uuid4(), count=count, reason=reason, by=by, at=at
        )


def _checked(count: int, reason: str) -> str:
    if not 0 <= count <= COUNT_MAX:
        raise NotCorrected(f"A count is a whole number from 0 to {COUNT_MAX}.")
    reason = reason.strip()
    if not reason:
        raise NotCorrected("Say why the count is corrected.")
    if len(reason) > REASON_MAX:
        raise NotCorrected(f"The reason is longer than {REASON_MAX} characters.")
    return reason


def correct_daily(*, site: Site, now: datetime) -> int:
    """Set the counts of a site to zero, once since three in the morning; return how
    many were.

    Of enabled cameras with a line and of all areas. A run that was missed is made
    up for: who came or left since three is counted.
    """
    due_at = _due_at(site, now)
    counting = Camera.objects.enabled().filter(site=site, lines__enabled=True)
    cameras = [_daily_of_camera(each, due_at, now) for each in counting.distinct()]
    areas = Area.objects.filter(site=site)
    return sum(cameras) + sum(_daily_of_area(each, due_at, now) for each in areas)


def _due_at(site: Site, now: datetime) -> datetime:
    zone = ZoneInfo(site.time_zone)
    local = now.astimezone(zone)
    at = datetime.combine(local.date(), DAILY_AT, zone)
    if at <= local:
        return at
    return datetime.combine(local.date() - timedelta(days=1), DAILY_AT, zone)


def _daily_of_camera(camera: Camera, due_at: datetime, now: datetime) -> bool:
    event_id = uuid5(NAMESPACE, f"camera {camera.pk} {due_at.date()}")
    logs = OccupancyLog.objects.of_people().filter(camera=camera)
    with transaction.atomic():
        camera = _locked(camera)
        if OccupancyLog.objects.filter(event_id=event_id).exists():
            return False
        if not logs.filter(occurred_at__lt=due_at).exists():
            return False
        since = logs.filter(occurred_at__gte=due_at).order_by("occurred_at", "id")
        steps = [
            Step(log.occurred_at, log.entries, log.exits, _set_to(log)) for log in since
        ]
        _correct_camera(
            camera,
            event_id=event_id,
            count=_count(steps),
            reason=DAILY,
            by=None,
            at=_after(steps, now),
        )
    return True


def _daily_of_area(area: Area, due_at: datetime, now: datetime) -> bool:
    event_id = uuid5(NAMESPACE, f"area {area.pk} {due_at.date()}")
    with transaction.atomic():
        area = Area.objects.select_for_update(no_key=True).get(pk=area.pk)
        if AreaCorrection.objects.filter(event_id=event_id).exists():
            return False
        passed = OccupancyLog.objects.of_people().filter(line__doors__area=area)
        if not passed.filter(occurred_at__lt=due_at).exists():
            return False
        steps = _area_steps(area, since=due_at)
        _correct_area(
            area,
            event_id=event_id,
            count=_count(steps),
            reason=DAILY,
            by=None,
            at=_after(steps, now),
        )
    return True


def _area_steps(area: Area, *, since: datetime) -> list[Step]:
    """Return what changed an area's count of people from an instant on, in order."""
    inverted = dict(area.doors.values_list("line_id", "inverted"))
    logs = OccupancyLog.objects.of_people().filter(
        line__in=inverted, occurred_at__gte=since
    )
    steps = []
    for log in logs.order_by("occurred_at", "id"):
        ways = (log.entries, log.exits)
        steps.append(
            Step(log.occurred_at, *(ways[::-1] if inverted[log.line_id or 0] else ways))
        )
    said = area.corrections.filter(occurred_at__gte=since)
    steps += [Step(row.occurred_at, set_to=row.current_count) for row in said]
    return sorted(steps, key=lambda step: step.at)


def _after(steps: Sequence[Step], now: datetime) -> datetime:
    """Return `now`, or when somebody came or went since: they are in the count."""
    return max([now, *(step.at for step in steps)])


def _count(steps: Iterable[Step]) -> int:
    return reduce(after, steps, 0)


def _set_to(log: OccupancyLog) -> int | None:
    is_correction = log.cause == OccupancyLog.Cause.CORRECTION
    return log.current_count if is_correction else None


def _locked(camera: Camera) -> Camera:
    # No key: who sums up refers to the row, and is waited for with it locked.
    rows = Camera.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("site").get(pk=camera.pk)


def _correct_camera(
    camera: Camera,
    *,
    event_id: UUID,
    count: int,
    reason: str,
    by: User | None,
    at: datetime,
) -> OccupancyLog:
    log = OccupancyLog.objects.create(
        event_id=event_id,
        camera=camera,
        cause=OccupancyLog.Cause.CORRECTION,
        current_count=count,
        reason=reason,
        corrected_by=by,
        occurred_at=at,
    )
    aggregation.set_back(
        site=camera.site, camera_id=camera.pk, line_id=None, kind=Kind.PEOPLE, at=at
    )
    live.publish(
        topic="occupancy.occupancylog",
        site_id=camera.site_id,
        data=OccupancyLogSerializer(log).data,
    )
    return log


def _correct_area(
    area: Area,
    *,
    event_id: UUID,
    count: int,
    reason: str,
    by: User | None,
    at: datetime,
) -> AreaCorrection:
    row = AreaCorrection.objects.create(
        event_id=event_id,
        area=area,
        before=area.current_count,
        drift=area.drift,
        current_count=count,
        reason=reason,
        corrected_by=by,
        occurred_at=at,
    )
    area.current_count, area.drift = count, 0
    area.save(update_fields=["current_count", "drift"])
    aggregation.set_area_back(site=area.site, area_id=area.pk, at=at)
    announce_area(area, at=at)
    return row
