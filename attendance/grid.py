"""The month at a glance: employee by day, a letter each, and what they add up to."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from .models import AttendanceRecord
from .models.days import Review, Status
from .roster import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from identity.models import Employee
    from streaming.models import Site

LETTERS: Final[Mapping[str, str]] = {
    Status.PRESENT: "P",
    Status.LATE: "L",
    Status.ABSENT: "A",
    Status.UNVERIFIED: "U",
    Status.WEEKLY_OFF: "W",
    Status.HOLIDAY: "H",
    Status.ON_LEAVE: "V",
}
NO_LETTER: Final = "·"
"""Work is planned, and it is too early to say more."""
_PLANNED: Final[Mapping[Plan, tuple[str, str]]] = {
    Plan.WORK: (NO_LETTER, "work planned"),
    Plan.WEEKLY_OFF: (LETTERS[Status.WEEKLY_OFF], "weekly off, planned"),
    Plan.HOLIDAY: (LETTERS[Status.HOLIDAY], "holiday, planned"),
    Plan.ON_LEAVE: (LETTERS[Status.ON_LEAVE], "leave, planned"),
}


@dataclass(frozen=True, slots=True)
class Day:
    """A column."""

    date: date
    is_today: bool
    is_past: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a day was to somebody."""

    date: date
    status: str = ""
    """Empty where there is no record."""
    letter: str = ""
    words: str = ""
    """All of it, for whoever points at the letter or has it read out."""
    is_corrected: bool = False
    is_to_review: bool = False
    is_unscheduled: bool = False
    is_planned: bool = False
    """The letter is what the roster says; nothing has happened yet."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over somebody's month."""

    by_status: Mapping[str, int]
    worked_minutes: int
    overtime_minutes: int

    @property
    def counts(self) -> list[int]:
        """How many days of each status, in the order of the letters."""
        return [self.by_status.get(status, 0) for status in LETTERS]

    @property
    def worked(self) -> str:
        return hours(self.worked_minutes)

    @property
    def overtime(self) -> str:
        return hours(self.overtime_minutes)


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody's month."""

    employee: Employee
    cells: Sequence[Cell]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Month:
    """The grid; `rows` are of one page, or of all."""

    days: Sequence[Day]
    rows: Sequence[Row]


def days_of(month: date, *, today: date) -> list[Day]:
    """Return the columns of the month that this date lies in."""
    first, last = bounds(month)
    return [
        Day(on, is_today=on == today, is_past=on < today)
        for on in (first + timedelta(days=n) for n in range((last - first).days + 1))
    ]


def bounds(month: date) -> tuple[date, date]:
    """Return its first and its last date."""
    first = month.replace(day=1)
    return first, next_month(first) - timedelta(days=1)


def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def month(
    *,
    employees: Sequence[Employee],
    month: date,
    today: date,
    plan: Callable[[int, date], Plan],
) -> Month:
    """Return the grid of these employees, loaded with their site, in one query.

    `plan` says what was planned for an employee, by key, on a date without a record.
    """
    days = days_of(month, today=today)
    records = AttendanceRecord.objects.of([one.pk for one in employees]).between(
        days[0].date, days[-1].date
    )
    by_employee: dict[int, dict[date, AttendanceRecord]] = defaultdict(dict)
    for record in records:
        by_employee[record.employee_id][record.attendance_date] = record
    rows = [_row(one, by_employee[one.pk], days=days, plan=plan) for one in employees]
    return Month(days, rows)


def _row(
    employee: Employee,
    records: Mapping[date, AttendanceRecord],
    *,
    days: Sequence[Day],
    plan: Callable[[int, date], Plan],
) -> Row:
    cells = [
        _cell(records[day.date], employee.site)
        if day.date in records
        else _planned(day, plan(employee.pk, day.date))
        for day in days
    ]
    return Row(employee, cells, _totals(records.values()))


def _planned(day: Day, plan: Plan) -> Cell:
    letter, words = _PLANNED.get(plan, ("", "no shift"))
    if day.is_past and letter:
        words = "no result yet"
    return Cell(date=day.date, letter=letter, words=words, is_planned=True)


def _cell(record: AttendanceRecord, site: Site) -> Cell:
    return Cell(
        date=record.attendance_date,
        status=record.status,
        letter=LETTERS[record.status],
        words=", ".join(_words(record, site)),
        is_corrected=record.is_corrected,
        is_to_review=record.is_to_review,
        is_unscheduled=record.unscheduled,
    )


def _words(record: AttendanceRecord, site: Site) -> Iterable[str]:
    yield str(Status(record.status).label)
    if record.check_in_at:
        yield f"in {_clock(record.check_in_at, record.attendance_date, site)}"
    if record.check_out_at:
        yield f"out {_clock(record.check_out_at, record.attendance_date, site)}"
    if record.late_minutes:
        yield f"{record.late_minutes} min late"
    if record.unscheduled:
        yield "not planned"
    for review in record.reviews:
        label = str(Review(review).label)
        yield f"to review: {label}" if record.is_to_review else label.lower()
    if record.is_corrected:
        yield "corrected"


def _clock(at: datetime, on: date, site: Site) -> str:
    """Return the time there, and how many dates later that was."""
    local = site.local(at)
    later = (local.date() - on).days
    return f"{local:%H:%M}" + (f" ({later:+d} day)" if later else "")


def _totals(records: Iterable[AttendanceRecord]) -> Totals:
    known = list(records)
    return Totals(
        Counter(record.status for record in known),
        sum(record.worked_minutes or 0 for record in known),
        sum(record.overtime_minutes or 0 for record in known),
    )


def hours(minutes: int) -> str:
    """Write minutes as hours and minutes: 171:05."""
    return f"{minutes // 60}:{minutes % 60:02d}"
