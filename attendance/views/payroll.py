"""Payroll: a period's days, what is still to be settled in it, and the file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from attendance import payroll as lines_of
from attendance.grid import hours
from attendance.models import AttendanceRecord, ShiftAssignment
from identity.sheets import harmless
from identity.views.filters import NO_DATE, NO_ORDER, day_of, storable
from streaming.models import Site

from . import sheets
from .downloads import CSV, XLSX, csv_file, send
from .month import department_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from attendance.models.days import AttendanceRecordQuerySet
    from attendance.models.shifts import ShiftAssignmentQuerySet

RowsT = TypeVar("RowsT", "AttendanceRecordQuerySet", "ShiftAssignmentQuerySet")
DAYS_MAX: Final = 366
TOO_LONG: Final = (
    f"A payroll is of at most {DAYS_MAX} days. Choose a shorter period, and take the "
    "rest as another file."
)
TOO_MANY: Final = (
    f"A sheet is of at most {sheets.ROWS_MAX:,} lines. Choose a shorter period or a "
    "department, or take the CSV."
)
LINES_SHOWN: Final = 20
FIELDS: Final = ("from", "to", "site", "department")
_VALUES: Final = attrgetter(*(each.name for each in fields(lines_of.Line)))


@dataclass(frozen=True, slots=True)
class Period:
    """The dates [first, last] and whose; without errors it can be paid by."""

    values: Mapping[str, str]
    first: date
    last: date
    today: date
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Mapping[str, str], *, today: date) -> Period:
        """Read it; where nothing is asked for it is the last month."""
        values = {name: storable(asked.get(name, "")).strip() for name in FIELDS}
        month_end = today.replace(day=1) - timedelta(days=1)
        usual = {"from": month_end.replace(day=1), "to": month_end}
        days = {
            name: day_of(values[name]) if values[name] else usual[name]
            for name in usual
        }
        errors = {name: NO_DATE for name, day in days.items() if day is None}
        first, last = (days[name] or usual[name] for name in usual)
        if not errors and last < first:
            errors["to"] = NO_ORDER
        elif not errors and (last - first).days >= DAYS_MAX:
            errors["to"] = TOO_LONG
        return cls(values, first, last, today, errors)

    def shown(self, name: str) -> str:
        """Return what stands in a field: what was typed, else what it stands for."""
        usual = {"from": self.first, "to": self.last}
        return self.values[name] or usual[name].isoformat()

    @property
    def shown_from(self) -> str:
        return self.shown("from")

    @property
    def shown_to(self) -> str:
        return self.shown("to")

    @property
    def is_over(self) -> bool:
        return self.last < self.today

    @property
    def name(self) -> str:
        return f"payroll-{self.first}-to-{self.last}"

    def of_people(self, rows: RowsT) -> RowsT:
        """Keep the rows of the site's and the department's people."""
        if self.values["site"]:
            rows = rows.filter(employee__site__slug=self.values["site"])
        if self.values["department"]:
            rows = rows.filter(employee__department__name=self.values["department"])
        return rows

    def query(self) -> str:
        """Return it as it stands in the address."""
        return urlencode({name: value for name, value in self.values.items() if value})


@dataclass(frozen=True, slots=True)
class Caution:
    """What may still change the figures, and where it is put right."""

    words: str
    address: str = ""


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def payroll(request: HttpRequest) -> HttpResponseBase:
    """Show what the file will hold, and what may still change it."""
    period = period_of(request)
    told: dict[str, object] = {
        "period": period,
        "sites": Site.objects.visible_to(request.user).order_by("name"),
        "departments": department_names(request),
    }
    if period.errors:
        return render(request, "attendance/payroll.html", told, status=400)
    records = records_of(request, period)
    totals = lines_of.totals(records)
    told |= {
        "totals": totals,
        "worked": hours(totals.worked_minutes),
        "overtime": hours(totals.overtime_minutes),
        "cautions": list(cautions(period, totals, without_result(request, period))),
        "lines": list(lines_of.lines(records, at_most=LINES_SHOWN)),
    }
    return render(request, "attendance/payroll.html", told)


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def payroll_csv(request: HttpRequest) -> HttpResponseBase:
    """Return the period as a file that Excel and payroll programs open."""
    period = period_of(request)
    if period.errors:
        return back(period)
    file = csv_file(csv_rows(records_of(request, period)))
    return send(file, name=f"{period.name}.csv", content_type=CSV)


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def payroll_xlsx(request: HttpRequest) -> HttpResponseBase:
    """Return the period as a workbook with typed cells."""
    period = period_of(request)
    if period.errors:
        return back(period)
    records = records_of(request, period)
    if records.order_by()[sheets.ROWS_MAX :].exists():
        messages.error(request, TOO_MANY)
        return back(period)
    rows = (values_of(line) for line in lines_of.lines(records))
    file = sheets.table(lines_of.COLUMNS, rows, title="Payroll")
    return send(file, name=f"{period.name}.xlsx", content_type=XLSX)


def period_of(request: HttpRequest) -> Period:
    site = Site.objects.visible_to(request.user).order_by("name").first()
    now = timezone.now()
    today = site.local(now).date() if site else now.date()
    return Period.of(request.GET, today=today)


def records_of(request: HttpRequest, period: Period) -> AttendanceRecordQuerySet:
    seen = AttendanceRecord.objects.visible_to(request.user)
    return period.of_people(seen.between(period.first, period.last))


def without_result(request: HttpRequest, period: Period) -> int:
    """Count who still lacks a line of the last date: the run that makes it is late."""
    assignments = ShiftAssignment.objects.visible_to(request.user)
    return lines_of.without_result(period.of_people(assignments), on=period.last)


def back(period: Period) -> HttpResponseBase:
    """Lead to the page, which says what is wrong."""
    return redirect(f"{reverse('attendance-payroll')}?{period.query()}")


def cautions(
    period: Period, totals: lines_of.Totals, without_result: int
) -> Iterator[Caution]:
    """Yield a sentence for each thing that is still open in the period."""
    month = f"{reverse('attendance-month')}?month={period.first:%Y-%m}"
    if not period.is_over:
        yield Caution(f"The period is not over: it ends on {period.last:%d %b %Y}.")
    elif without_result:
        who = "1 person has" if without_result == 1 else f"{without_result} people have"
        yield Caution(
            f"{who} no line of {period.last:%d %b %Y} yet: a night may not be over, or "
            "the day is not worked out.",
            f"{reverse('attendance')}?date={period.last}",
        )
    if totals.unsettled:
        yield Caution(
            f"{days(totals.unsettled)} not settled: exits may still be seen.", month
        )
    if totals.unverified:
        yield Caution(
            f"{days(totals.unverified)} unverified, as cameras were down: decide "
            "whether they came.",
            month,
        )
    if totals.flagged:
        yield Caution(f"{days(totals.flagged)} flagged for review.", month)
    if totals.open_requests:
        number = totals.open_requests
        waiting = "requests wait" if number > 1 else "request waits"
        address = reverse("attendance-requests")
        yield Caution(f"{number} {waiting} for an answer.", address)


def days(number: int) -> str:
    return f"{number} day is" if number == 1 else f"{number} days are"


def values_of(line: lines_of.Line) -> Sequence[object]:
    """Return a line in the order of the columns."""
    values = _VALUES(line)
    return (*values[:5], f"{line.date:%a}", *values[5:])


def csv_rows(records: AttendanceRecordQuerySet) -> Iterator[Sequence[object]]:
    """Yield the heading and a line per day, times as the site's own with their zone."""
    yield lines_of.COLUMNS
    for line in lines_of.lines(records):
        yield [written(value) for value in values_of(line)]


def written(value: object) -> object:
    """Return what stands in a CSV: an instant with its offset, yes for what holds."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
