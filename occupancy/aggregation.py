"""Sums the log up by hour, day and month, each bucket as often as it takes, and alike.

How far that has come is an `Aggregation` row per camera or area and kind. Whatever
happened before that but is recorded later sets it back, and is summed up by the next
run. So a bucket equals a recount from the log, a run that was missed is made up for by
the next one, and one that is repeated changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest, Least

from streaming import locks

from . import periods
from .models import (
    Aggregation,
    DailyOccupancy,
    HourlyOccupancy,
    Kind,
    MonthlyOccupancy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from django.db.models import QuerySet

    from streaming.models import Site

    from .models import Bucket
    from .periods import Period

HOLD_SHARED: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"

SET_BACK: Final = """
INSERT INTO occupancy_aggregation (site_id, camera_id, area_id, kind, until)
SELECT %(site)s, %(camera)s, NULL::bigint, %(kind)s, %(hour)s
UNION ALL
SELECT area.site_id, NULL, area.id, %(kind)s, %(hour)s
FROM occupancy_arealine AS door JOIN occupancy_area AS area ON area.id = door.area_id
WHERE door.line_id = %(line)s
ORDER BY 3 NULLS FIRST
ON CONFLICT (camera_id, area_id, kind) DO UPDATE
-- A camera may be at another site by now.
SET site_id = excluded.site_id, until = LEAST(occupancy_aggregation.until,
    GREATEST(excluded.until, occupancy_aggregation.kept_from))
WHERE occupancy_aggregation.site_id <> excluded.site_id
    OR occupancy_aggregation.until
        > GREATEST(excluded.until, occupancy_aggregation.kept_from)
"""

HOURS: Final = """
WITH subject AS (
    SELECT mark.id, mark.site_id, mark.camera_id, mark.area_id, mark.kind, mark.until,
        COALESCE(before.closing_count, 0) AS opening
    FROM occupancy_aggregation AS mark
    LEFT JOIN occupancy_hourlyoccupancy AS before
        ON before.camera_id IS NOT DISTINCT FROM mark.camera_id
        AND before.area_id IS NOT DISTINCT FROM mark.area_id
        AND before.kind = mark.kind AND before.site_id = mark.site_id
        AND before."end" = mark.until
        AND before.start BETWEEN mark.until - INTERVAL '2 hours' AND mark.until
    WHERE mark.id = ANY(%(marks)s)
), step (subject, at, rank, id, entries, exits, set_to) AS (
    SELECT subject.id, hour.start, 0, 0, 0, 0,
        CASE WHEN hour.start = subject.until THEN opening END
    FROM subject JOIN unnest(%(starts)s::timestamptz[]) AS hour (start)
        ON hour.start >= subject.until
    UNION ALL
    SELECT subject.id, log.occurred_at, 1, log.id, log.entries, log.exits,
        CASE WHEN log.cause = 'correction' THEN log.current_count END
    FROM subject JOIN occupancy_occupancylog AS log
        ON log.camera_id = subject.camera_id AND log.kind = subject.kind
        AND log.occurred_at >= subject.until AND log.occurred_at < %(end)s
    UNION ALL
    SELECT subject.id, log.occurred_at, 1, log.id,
        CASE WHEN door.inverted THEN log.exits ELSE log.entries END,
        CASE WHEN door.inverted THEN log.entries ELSE log.exits END, NULL
    FROM subject JOIN occupancy_arealine AS door ON door.area_id = subject.area_id
    JOIN occupancy_occupancylog AS log
        ON log.line_id = door.line_id AND log.kind = subject.kind
        AND log.occurred_at >= subject.until AND log.occurred_at < %(end)s
    UNION ALL
    SELECT subject.id, said.occurred_at, 2, said.id, 0, 0, said.current_count
    FROM subject JOIN occupancy_areacorrection AS said
        ON said.area_id = subject.area_id AND subject.kind = 'people'
        AND said.occurred_at >= subject.until AND said.occurred_at < %(end)s
), stretch AS (
    SELECT *, COUNT(set_to) OVER in_order AS stretch,
        MAX(at) FILTER (WHERE rank = 0) OVER in_order AS start,
        LEAD(at, 1, %(end)s) OVER (PARTITION BY subject ORDER BY at, rank, id) - at
            AS lasts
    FROM step WINDOW in_order AS (
        PARTITION BY subject ORDER BY at, rank, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), net AS (
    SELECT *, SUM(COALESCE(set_to, entries - exits)) OVER in_stretch AS net
    FROM stretch WINDOW in_stretch AS (
        PARTITION BY subject, stretch ORDER BY at, rank, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), counted AS (
    -- Never below zero: what a place would owe is taken as having been there before.
    SELECT *, net - LEAST(0, MIN(net) OVER in_stretch) AS count
    FROM net WINDOW in_stretch AS (
        PARTITION BY subject, stretch ORDER BY at, rank, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), bucket AS (
    SELECT subject, start,
        SUM(count * EXTRACT(EPOCH FROM lasts)) / SUM(EXTRACT(EPOCH FROM lasts)) AS mean,
        MAX(count) AS highest, MIN(count) AS lowest,
        SUM(entries) AS entries, SUM(exits) AS exits,
        (ARRAY_AGG(count ORDER BY at DESC, rank DESC, id DESC))[1] AS closing
    FROM counted GROUP BY subject, start
)
INSERT INTO occupancy_hourlyoccupancy (site_id, camera_id, area_id, kind, start, "end",
    avg_occupancy, max_occupancy, min_occupancy, total_entries, total_exits,
    closing_count)
SELECT subject.site_id, camera_id, area_id, kind, bucket.start, hour."end",
    mean, highest, lowest, entries, exits, closing
FROM bucket JOIN subject ON subject.id = bucket.subject
JOIN unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS hour (start, "end")
    ON hour.start = bucket.start
"""

LONGER: Final = """
INSERT INTO {into} AS longer (site_id, camera_id, area_id, kind, start, "end",
    avg_occupancy, max_occupancy, min_occupancy, total_entries, total_exits,
    closing_count)
SELECT part.site_id, part.camera_id, part.area_id, part.kind, %(start)s, %(end)s,
    SUM(avg_occupancy * EXTRACT(EPOCH FROM part."end" - part.start))
        / SUM(EXTRACT(EPOCH FROM part."end" - part.start)),
    MAX(max_occupancy), MIN(min_occupancy), SUM(total_entries), SUM(total_exits),
    (ARRAY_AGG(closing_count ORDER BY part.start DESC))[1]
FROM {parts} AS part JOIN occupancy_aggregation AS mark
    ON mark.camera_id IS NOT DISTINCT FROM part.camera_id
    AND mark.area_id IS NOT DISTINCT FROM part.area_id AND mark.kind = part.kind
WHERE mark.id = ANY(%(marks)s) AND part.site_id = mark.site_id
    AND part.start >= %(start)s AND part.start < %(end)s
GROUP BY part.site_id, part.camera_id, part.area_id, part.kind
"""

AGAIN: Final = """
ON CONFLICT (camera_id, area_id, kind, start) DO UPDATE SET
    site_id = excluded.site_id, "end" = excluded."end",
    avg_occupancy = excluded.avg_occupancy,
    max_occupancy = excluded.max_occupancy, min_occupancy = excluded.min_occupancy,
    total_entries = excluded.total_entries, total_exits = excluded.total_exits,
    closing_count = excluded.closing_count
"""


class NotRecomputed(Exception):
    """Nothing was summed up anew; the message says why."""


@dataclass(frozen=True, slots=True)
class Done:
    """How many buckets were written, those that stayed as they were included."""

    hours: int = 0
    days: int = 0
    months: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(
            self.hours + other.hours, self.days + other.days, self.months + other.months
        )


def set_back(
    *, site: Site, camera_id: int, line_id: int | None, kind: str, at: datetime
) -> None:
    """See that what happens at `at` is summed up, also if its hour was before.

    Call it in the transaction that records it: no run goes past it meanwhile.
    """
    hour = periods.hour_start(at, ZoneInfo(site.time_zone))
    _execute(HOLD_SHARED, [lock_name(site)])
    _execute(
        SET_BACK,
        {
            "site": site.pk,
            "camera": camera_id,
            "line": line_id,
            "kind": kind,
            "hour": hour,
        },
    )


def set_area_back(*, site: Site, area_id: int, at: datetime) -> None:
    """Do the same for a correction of an area's count."""
    hour = periods.hour_start(at, ZoneInfo(site.time_zone))
    _execute(HOLD_SHARED, [lock_name(site)])
    mark, _ = Aggregation.objects.get_or_create(
        area_id=area_id, kind=Kind.PEOPLE, defaults={"site": site, "until": hour}
    )
    later = Aggregation.objects.filter(pk=mark.pk, until__gt=hour)
    later.update(until=Greatest(hour, F("kept_from")))


def catch_up(*, site: Site, now: datetime) -> Done:
    """Sum up all hours that are over, and the days and months that they end.

    A transaction per day, so that nobody waits long and what is done is done.
    """
    zone, done = ZoneInfo(site.time_zone), Done()
    end = periods.hour_start(now, zone)
    while True:
        with transaction.atomic():
            locks.hold(lock_name(site))
            late = Aggregation.objects.filter(site=site, until__lt=end)
            since = late.order_by("until").values_list("until", flat=True).first()
            if since is None:
                return done
            done += _sum_up_day(site, since.astimezone(zone).date(), end=end)


def recompute(*, site: Site, since: datetime, now: datetime) -> Done:
    """Sum up anew all that is over from the hour of `since` on.

    Hours before a place was counted stay without sums. Raises NotRecomputed where
    that lies ahead, or where the log is no longer kept.
    """
    if since >= now:
        raise NotRecomputed("That is still to come: there is nothing to sum up.")
    hour = periods.hour_start(since, ZoneInfo(site.time_zone))
    with transaction.atomic():
        locks.hold(lock_name(site))
        marks = Aggregation.objects.filter(site=site)
        gone = marks.filter(kept_from__gt=hour).order_by("-kept_from").first()
        if gone is not None and gone.kept_from is not None:
            first = site.local(gone.kept_from)
            raise NotRecomputed(
                f"Before {first:%Y-%m-%d %H:%M} crossings are no longer kept one by "
                "one, so they cannot be summed up anew."
            )
        _begin_again(marks, hour)
    return catch_up(site=site, now=now)


def _begin_again(marks: QuerySet[Aggregation], hour: datetime) -> None:
    """Set marks back to an hour; where counting began later, to when it did.

    An area may take in what was counted at its doors before it was there.
    """
    began = Least(
        _first_sum(camera=OuterRef("camera"), area=None),
        _first_sum(camera=None, area=OuterRef("area")),
        _first_sum(camera__lines__doors__area=OuterRef("area"), area=None),
    )
    back_to = Greatest(hour, F("kept_from"), Coalesce(began, F("until")))
    marks.filter(until__gt=hour).update(until=Least(F("until"), back_to))


def _first_sum(**of: OuterRef | None) -> Subquery:
    """Return when the first hour began that is summed up of a mark's place."""
    sums = HourlyOccupancy.objects.filter(
        **of, kind=OuterRef("kind"), site=OuterRef("site")
    )
    return Subquery(sums.order_by("start").values("start")[:1])


def _sum_up_day(site: Site, on: date, *, end: datetime) -> Done:
    """Sum up the hours of one local day before `end`, and what ends with it."""
    zone = ZoneInfo(site.time_zone)
    todo = [hour for hour in periods.hours(on, zone) if hour[1] <= end]
    until = todo[-1][1]
    found = Aggregation.objects.filter(site=site, until__lt=until)
    marks = list(found.values_list("pk", flat=True))
    starts, ends = [start for start, _ in todo], [end for _, end in todo]
    facts = {"marks": marks, "starts": starts, "ends": ends, "end": until}
    hours = _execute(HOURS + AGAIN, facts)
    days = months = 0
    day, month = periods.day(on, zone), periods.month(on, zone)
    if until == day[1]:
        days = _longer(DailyOccupancy, of=HourlyOccupancy, period=day, marks=marks)
    if until == month[1]:
        months = _longer(MonthlyOccupancy, of=DailyOccupancy, period=month, marks=marks)
    Aggregation.objects.filter(pk__in=marks).update(until=until)
    return Done(hours, days, months)


def _longer(
    into: type[Bucket], *, of: type[Bucket], period: Period, marks: Sequence[int]
) -> int:
    statement = LONGER.format(into=into._meta.db_table, parts=of._meta.db_table)
    facts = {"start": period[0], "end": period[1], "marks": marks}
    return _execute(statement + AGAIN, facts)


def lock_name(site: Site) -> str:
    """Return what is held while a site's log is summed up."""
    return f"occupancy/aggregate/{site.pk}"


def _execute(statement: str, facts: Mapping[str, Any] | Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return int(cursor.rowcount)
