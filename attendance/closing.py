"""Closes what is over: who did not come is absent, and open days are settled."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from streaming.models import Site

from .days import recompute_days
from .models import AttendanceRecord, PresenceEvent
from .unknowns import follow_register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

logger = logging.getLogger(__name__)
BACK: Final = timedelta(days=35)
"""How far back a run looks for days without a record: what was missed while nothing ran
for so long is caught up with."""
WITHOUT_RECORD: Final = """
SELECT who.id, day::date
FROM unnest(%(sites)s::bigint[], %(since)s::date[]) AS known (site_id, since)
JOIN streaming_site AS site ON site.id = known.site_id
JOIN identity_employee AS who ON who.site_id = site.id AND who.status = 'active'
JOIN attendance_shiftassignment AS put ON put.employee_id = who.id
JOIN attendance_shift AS shift ON shift.id = put.shift_id
CROSS JOIN LATERAL generate_series(
    greatest(put.starts_on, known.since),
    least(put.ends_on - 1, %(until)s::date),
    interval '1 day'
) AS day
WHERE (
    day::date + (shift.end_time <= shift.start_time)::int + shift.end_time
) AT TIME ZONE site.time_zone <= %(over)s
AND NOT EXISTS (
    SELECT FROM attendance_attendancerecord AS record
    WHERE record.employee_id = who.id AND record.attendance_date = day::date
)
"""
"""Who is on a shift on dates of which there is no record though that shift is over."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a run did."""

    days: int
    """Looked at."""
    changed: int
    linked: int
    """Unknown faces that follow what was said in the register of strangers."""


def close_occurrences(*, now: datetime) -> Closed:
    """Work out every day that is over and has no result yet, or not its last one.

    Harmless when repeated; what was missed is caught up with.
    """
    linked = follow_register(now=now)
    open_days = AttendanceRecord.objects.to_settle(now=now)
    pairs = [
        *_without_record(now=now),
        *open_days.values_list("employee_id", "attendance_date"),
    ]
    days = changed = 0
    for on, employees in sorted(_by_date(pairs).items()):
        done = recompute_days(employees=employees, first=on, last=on, now=now)
        days, changed = days + done.days, changed + done.changed
    return Closed(days, changed, linked)


def _without_record(*, now: datetime) -> list[tuple[int, date]]:
    known = known_since(Site.objects.all(), now=now, back=BACK)
    absent_after = timedelta(minutes=settings.ABSENT_AFTER_MINUTES)
    values: dict[str, Any] = {
        "sites": list(known),
        "since": list(known.values()),
        # Of any zone.
        "until": (now + timedelta(days=1)).date(),
        "over": now - absent_after,
    }
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_RECORD, values)
        return [(pk, on) for pk, on in cursor.fetchall()]


def known_since(
    sites: QuerySet[Site], *, now: datetime, back: timedelta
) -> Mapping[int, date]:
    """Return by site from which date on somebody who was not seen was absent.

    Before anything was known of a site nobody was, however long they have had a shift;
    what a person says of one day makes no other known. Never more than `back` ago.
    """
    events = PresenceEvent.objects.filter(employee__site=OuterRef("pk"))
    records = AttendanceRecord.objects.filter(
        employee__site=OuterRef("pk"), corrected_at=None
    )
    dated = sites.annotate(
        seen_at=_least(events, "occurred_at"),
        recorded_on=_least(records, "attendance_date"),
    )
    found: dict[int, date] = {}
    rows = dated.values_list("pk", "time_zone", "seen_at", "recorded_on")
    for pk, zone, seen_at, recorded_on in rows:
        seen_on = seen_at and seen_at.astimezone(ZoneInfo(zone)).date()
        dates = [each for each in (seen_on, recorded_on) if each]
        if dates:
            found[pk] = max(min(dates), now.astimezone(ZoneInfo(zone)).date() - back)
    return found


def _least(rows: QuerySet[Any], name: str) -> Subquery:
    # Not Min, for which all rows would be read.
    return Subquery(rows.order_by(name).values(name)[:1])


def _by_date(pairs: Iterable[tuple[int, date]]) -> dict[date, set[int]]:
    found: dict[date, set[int]] = defaultdict(set)
    for pk, on in pairs:
        found[on].add(pk)
    return found
