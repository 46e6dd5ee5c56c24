"""Sums over the stored days of a period, counted by the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Q

from .models.days import Plan, Review, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from .models.days import AttendanceRecordQuerySet

_WORK: Final = Q(plan=Plan.WORK)
_COUNTS: Final = {
    "scheduled_days": Count("pk", filter=_WORK),
    "on_time": Count("pk", filter=_WORK & Q(status=Status.PRESENT)),
    "late": Count("pk", filter=_WORK & Q(status=Status.LATE)),
    "early_exits": Count(
        "pk", filter=_WORK & Q(reviews__contains=[Review.EARLY_EXIT.value])
    ),
    "absent": Count("pk", filter=_WORK & Q(status=Status.ABSENT)),
    "unverified": Count("pk", filter=_WORK & Q(status=Status.UNVERIFIED)),
}


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


def summarise_records(
    records: AttendanceRecordQuerySet, *, first: date, last: date
) -> Summary:
    """Return the sums over [first, last], both dates included, in one query.

    `total_days` are days of the calendar, of however many people the records are.
    """
    counted = records.between(first, last).order_by().aggregate(**_COUNTS)
    return _summary(counted, first=first, last=last)


def by_employee(
    records: AttendanceRecordQuerySet, *, first: date, last: date
) -> dict[int, Summary]:
    """Return the sums of each employee who has a record in [first, last], by key.

    One query, of however many employees.
    """
    rows = records.between(first, last).order_by().values("employee")
    return {
        row["employee"]: _summary(row, first=first, last=last)
        for row in rows.annotate(**_COUNTS)
    }


def _summary(counted: Mapping[str, Any], *, first: date, last: date) -> Summary:
    counts = {name: counted[name] for name in _COUNTS}
    told = counts["scheduled_days"]
    share = round(100 * counts["on_time"] / told, 1) if told else None
    return Summary(
        total_days=(last - first).days + 1, on_time_percentage=share, **counts
    )
