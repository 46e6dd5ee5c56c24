"""Hours, days and months as a site's clock has them, also where it is put forward."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

HOUR: Final = timedelta(hours=1)
Period = tuple[datetime, datetime]
"""[start, end), instants in UTC."""


def day(on: date, zone: ZoneInfo) -> Period:
    """Return a local day: 23 or 25 hours long when the clock is changed."""
    return _midnight(on, zone), _midnight(on + timedelta(days=1), zone)


def month(on: date, zone: ZoneInfo) -> Period:
    """Return the local month that holds a day."""
    first = on.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return _midnight(first, zone), _midnight(after, zone)


def hours(on: date, zone: ZoneInfo) -> Sequence[Period]:
    """Return the hours of a local day, which they fill without gap or overlap.

    Each begins when the local clock shows a full hour, or is put to another one.
    """
    start, end = day(on, zone)
    found = []
    while start < end:
        after = min(_next_hour(start, zone), end)
        found.append((start, after))
        start = after
    return found


def hour_start(at: datetime, zone: ZoneInfo) -> datetime:
    """Return when the hour that holds an instant began."""
    on = at.astimezone(zone).date()
    return next(start for start, end in hours(on, zone) if start <= at < end)


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone).astimezone(UTC)


def _next_hour(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the next full hour; sooner where the clock is changed by less than one."""
    local = at.astimezone(zone)
    past = timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return at - past + HOUR
