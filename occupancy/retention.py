"""The end of crossings that are older than they are kept, once they are summed up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from streaming import locks
from streaming.models import Site

from . import periods
from .aggregation import lock_name
from .models import Aggregation

if TYPE_CHECKING:
    from datetime import datetime

BATCH: Final = 50_000
DELETE: Final = """
DELETE FROM occupancy_occupancylog WHERE id IN (
    SELECT log.id FROM occupancy_occupancylog AS log
    JOIN streaming_camera AS camera ON camera.id = log.camera_id
    WHERE camera.site_id = %s AND log.occurred_at < %s
    ORDER BY log.occurred_at LIMIT %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What a run deleted."""

    crossings: int
    waiting: int
    """Cameras and areas of which old crossings are kept until they are summed up."""


def forget_old(*, now: datetime) -> Forgotten:
    """Delete what is older than OCCUPANCY_LOG_DAYS, up to where it is summed up.

    In batches, a transaction each: broken off it goes on the next time.
    """
    crossings = waiting = 0
    for site in Site.objects.order_by("pk"):
        zone = ZoneInfo(site.time_zone)
        old = now - timedelta(days=settings.OCCUPANCY_LOG_DAYS)
        before, late = _settle(site, periods.hour_start(old, zone))
        crossings += _delete(site, before)
        waiting += late
    return Forgotten(crossings=crossings, waiting=waiting)


def _settle(site: Site, before: datetime) -> tuple[datetime, int]:
    """Return until when all of a site is summed up, at most `before`, and how many are
    not so far; from then on nothing is summed up before it."""
    with transaction.atomic():
        locks.hold(lock_name(site))
        marks = Aggregation.objects.filter(site=site)
        behind = list(marks.filter(until__lt=before).values_list("until", flat=True))
        until = min([before, *behind])
        marks.filter(Q(kept_from=None) | Q(kept_from__lt=until)).update(kept_from=until)
    return until, len(behind)


def _delete(site: Site, before: datetime) -> int:
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(DELETE, [site.pk, before, BATCH])
            if not cursor.rowcount:
                return total
            total += cursor.rowcount
