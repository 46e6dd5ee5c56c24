"""A camera's outages of the last days as bars, one row of time per day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

DAYS = 7
BAR_MIN_SHARE = 0.012
"""Of a day; a shorter outage is drawn as long as this, or nobody would see it."""


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end)."""

    start: datetime
    end: datetime

    def within(self, other: Period) -> Period | None:
        """Return the part that both share."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    @property
    def seconds(self) -> float:
        # In UTC: Python subtracts two times of one zone by their clocks.
        return (self.end.astimezone(UTC) - self.start.astimezone(UTC)).total_seconds()


@dataclass(frozen=True, slots=True)
class Bar:
    """Where on a day's row something is drawn, in seconds since midnight."""

    start_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class OutageDay:
    """One local day; 23 h or 25 h long where clocks change."""

    date: date
    length_s: float
    passed_s: float
    """How much of it is over."""
    out_s: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class OutageWeek:
    """The last days of one camera, oldest first."""

    days: tuple[OutageDay, ...]

    @property
    def out(self) -> timedelta:
        return timedelta(seconds=sum(day.out_s for day in self.days))


def local_days(*, now: datetime, zone: ZoneInfo) -> list[Period]:
    """Return today and the days before it in the zone, oldest first."""
    today = now.astimezone(zone).date()
    midnights = [
        datetime.combine(today - timedelta(days=ago), time(), zone)
        for ago in range(DAYS - 1, -2, -1)
    ]
    return [Period(*pair) for pair in pairwise(midnights)]


def outage_week(
    outages: Iterable[Period], *, now: datetime, zone: ZoneInfo
) -> OutageWeek:
    """Lay outages, which never overlap, over the last days; none lies after `now`."""
    found = list(outages)
    return OutageWeek(
        tuple(outage_day(day, found, now=now) for day in local_days(now=now, zone=zone))
    )


def outage_day(day: Period, outages: Iterable[Period], *, now: datetime) -> OutageDay:
    parts = sorted(
        (part for outage in outages if (part := outage.within(day))),
        key=lambda part: part.start,
    )
    return OutageDay(
        date=day.start.date(),
        length_s=day.seconds,
        passed_s=Period(day.start, min(day.end, now)).seconds,
        out_s=sum(part.seconds for part in parts),
        bars=bars_of(day, parts),
    )


def bars_of(day: Period, parts: Iterable[Period]) -> tuple[Bar, ...]:
    """Return bars wide enough to be seen; those that would touch become one."""
    shortest_s = day.seconds * BAR_MIN_SHARE
    bars: list[Bar] = []
    for part in parts:
        start_s = Period(day.start, part.start).seconds
        start_s = min(start_s, day.seconds - shortest_s)
        end_s = start_s + max(part.seconds, shortest_s)
        if bars and start_s <= bars[-1].start_s + bars[-1].length_s:
            start_s, end_s = bars[-1].start_s, max(end_s, end_of(bars.pop()))
        bars.append(Bar(start_s, end_s - start_s))
    return tuple(bars)


def end_of(bar: Bar) -> float:
    return bar.start_s + bar.length_s
