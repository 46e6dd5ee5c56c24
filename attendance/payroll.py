"""What payroll takes over: a line per employee and day, and what to settle before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, Sum, When

from identity.models import Employee

from .models import AttendanceRecord, CorrectionRequest, Leave
from .models.days import PRESENT, Review, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from .models.days import AttendanceRecordQuerySet
    from .models.shifts import ShiftAssignmentQuerySet

COLUMNS: Final = (
    "code",
    "name",
    "department",
    "site",
    "date",
    "weekday",
    "shift",
    "planned start",
    "planned end",
    "in",
    "out",
    "worked minutes",
    "late minutes",
    "early minutes",
    "overtime minutes",
    "status",
    "leave",
    "unscheduled",
    "flagged",
    "corrected",
)
CHUNK: Final = 2000
"""Rows that are in memory at once."""
_FIELDS: Final = (
    "employee__site__time_zone",
    "employee__code",
    "employee__name",
    "employee__department__name",
    "employee__site__name",
    "attendance_date",
    "shift__shift_name",
    "start_at",
    "end_at",
    "check_in_at",
    "check_out_at",
    "worked_minutes",
    "late_minutes",
    "early_minutes",
    "overtime_minutes",
    "status",
    "leave_kind",
    "unscheduled",
    "reviews",
    "corrected_at",
)


_STATUSES: Final = dict(Status.choices)
_REVIEWS: Final = dict(Review.choices)
_LEAVES: Final = dict(Leave.Kind.choices)
_SUMS: Final = {
    "lines": Count("pk"),
    "employees": Count("employee", distinct=True),
    "worked_minutes": Sum("worked_minutes", default=0),
    "overtime_minutes": Sum("overtime_minutes", default=0),
    "late_minutes": Sum("late_minutes", default=0),
    "present": Count("pk", filter=Q(status__in=PRESENT)),
    "absent": Count("pk", filter=Q(status=Status.ABSENT)),
    "unverified": Count("pk", filter=Q(status=Status.UNVERIFIED)),
    "unsettled": Count("pk", filter=Q(is_settled=False, corrected_at=None)),
    "flagged": Count("pk", filter=~Q(reviews=[]) & Q(corrected_at=None)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An employee's day; instants are in the site's own time."""

    code: str
    name: str
    department: str
    site: str
    date: date
    shift: str
    starts_at: datetime | None
    """Empty, as is the end, where no shift was assigned."""
    ends_at: datetime | None
    check_in_at: datetime | None
    check_out_at: datetime | None
    worked_minutes: int | None
    late_minutes: int
    early_minutes: int
    overtime_minutes: int | None
    status: str
    leave: str
    """Which kind, on a day of leave."""
    unscheduled: bool
    reviews: str
    """Why a person has to look at it, in words; empty where nobody has to."""
    corrected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a period's lines come to, and what may still change them."""

    lines: int
    employees: int
    worked_minutes: int
    overtime_minutes: int
    late_minutes: int
    present: int
    absent: int
    unverified: int
    """Days of which nobody can say, as the cameras were down: to be decided."""
    unsettled: int
    """Days that are not over, or are not worked out yet."""
    flagged: int
    """Days that a person has to look at, and nobody has corrected."""
    open_requests: int


def lines(
    records: AttendanceRecordQuerySet, *, at_most: int | None = None
) -> Iterator[Line]:
    """Yield a line per record, by code and date, a few in memory at a time."""
    kind = Leave.objects.filter(
        employee=OuterRef("employee"),
        starts_on__lte=OuterRef("attendance_date"),
        ends_on__gt=OuterRef("attendance_date"),
    )
    on_leave = When(status=Status.ON_LEAVE, then=Subquery(kind.values("kind")[:1]))
    found = records.annotate(leave_kind=Case(on_leave))
    ordered = found.order_by("employee__code", "attendance_date")[:at_most]
    for zone, *values in ordered.values_list(*_FIELDS).iterator(chunk_size=CHUNK):
        yield _line(ZoneInfo(zone), *values)


def _line(
    zone: ZoneInfo,
    code: str,
    name: str,
    department: str | None,
    site: str,
    on: date,
    shift: str | None,
    start_at: datetime,
    end_at: datetime,
    check_in_at: datetime | None,
    check_out_at: datetime | None,
    worked: int | None,
    late: int,
    early: int,
    overtime: int | None,
    status: str,
    leave: str | None,
    unscheduled: bool,  # noqa: FBT001 - a column of the query
    reviews: list[str],
    corrected_at: datetime | None,
) -> Line:
    return Line(
        code=code,
        name=name,
        department=department or "",
        site=site,
        date=on,
        shift=shift or "",
        starts_at=start_at.astimezone(zone) if shift else None,
        ends_at=end_at.astimezone(zone) if shift else None,
        check_in_at=check_in_at and check_in_at.astimezone(zone),
        check_out_at=check_out_at and check_out_at.astimezone(zone),
        worked_minutes=worked,
        late_minutes=late,
        early_minutes=early,
        overtime_minutes=overtime,
        status=_STATUSES[status],
        leave=_LEAVES[leave] if leave else "",
        unscheduled=unscheduled,
        reviews="; ".join(_REVIEWS[review] for review in reviews),
        corrected=corrected_at is not None,
    )


def totals(records: AttendanceRecordQuerySet) -> Totals:
    """Sum the lines up, in two queries."""
    every = records.order_by()
    counted = every.aggregate(**_SUMS)
    waiting = CorrectionRequest.objects.filter(
        record__in=every.values("pk"), state=CorrectionRequest.State.OPEN
    )
    return Totals(**counted, open_requests=waiting.count())


def without_result(assignments: ShiftAssignmentQuerySet, *, on: date) -> int:
    """Count who is on a shift on a date and has no line for it.

    Their night is not over yet, or nobody worked the date out.
    """
    told = AttendanceRecord.objects.filter(
        employee=OuterRef("employee"), attendance_date=on
    )
    working = assignments.on(on).filter(employee__status=Employee.Status.ACTIVE)
    return working.filter(~Exists(told)).count()
