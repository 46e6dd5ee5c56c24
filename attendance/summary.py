"""Sums over the days of a period: values in, values out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .roster import Plan
from .rules import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from .rules import DayResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Sums over the dates of a period."""

    total_days: int
    scheduled_days: int
    on_time: int
    late: int
    early_exits: int
    absent: int
    unverified: int
    on_time_percentage: float | None
    """Of the scheduled days that have a result; None where there is none."""


def summarise(results: Iterable[DayResult], *, first: date, last: date) -> Summary:
    """Return the sums over [first, last], both dates included."""
    scheduled = [
        result
        for result in results
        if first <= result.occurrence.date <= last
        and result.occurrence.plan is Plan.WORK
    ]
    counts = Counter(result.status for result in scheduled)
    told = len(scheduled) - counts[Status.EXPECTED]
    on_time = counts[Status.PRESENT]
    return Summary(
        total_days=(last - first).days + 1,
        scheduled_days=len(scheduled),
        on_time=on_time,
        late=counts[Status.LATE],
        early_exits=sum(result.is_early_exit for result in scheduled),
        absent=counts[Status.ABSENT],
        unverified=counts[Status.UNVERIFIED],
        on_time_percentage=round(100 * on_time / told, 1) if told else None,
    )
