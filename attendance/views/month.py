"""The month grid: who was here on which day, as a page, on paper and as XLSX."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from attendance import grid
from attendance.models import AttendanceRecord, Shift, ShiftAssignment
from attendance.models.days import Status
from attendance.planning import Roster
from identity.models import Department, Employee
from identity.views.filters import YEARS, storable
from streaming.models import Site

from . import sheets
from .downloads import XLSX, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from attendance.roster import Plan
    from identity.models.people import EmployeeQuerySet

PEOPLE_PER_PAGE: Final = 50
BATCH: Final = 200
"""People of a sheet who are in memory at once."""
PEOPLE_MAX: Final = 5_000
TOO_MANY: Final = (
    f"That is more than {PEOPLE_MAX:,} people. Choose a site or a department, then "
    "XLSX again."
)
NO_MONTH: Final = "Write the month as 2026-11."
FIELDS: Final = ("month", "site", "department", "shift")
TOTALS: Final = (
    *(Status(status).label for status in grid.LETTERS),
    "Hours",
    "Overtime",
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the grid shows; each value is empty where nothing is asked for."""

    values: Mapping[str, str]
    month: date
    today: date
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, asked: Mapping[str, str], *, sites: Sequence[Site], now: datetime
    ) -> Filters:
        values = {name: storable(asked.get(name, "")).strip() for name in FIELDS}
        chosen = [site for site in sites if site.slug == values["site"]] or sites
        today = chosen[0].local(now).date() if chosen else now.date()
        month = month_of(values["month"])
        wrong = bool(values["month"]) and month is None
        errors = {"month": NO_MONTH} if wrong else {}
        return cls(values, month or today.replace(day=1), today, errors)

    def __bool__(self) -> bool:
        return any(self.values[name] for name in ("site", "department", "shift"))

    def apply(self, people: EmployeeQuerySet) -> EmployeeQuerySet:
        """Keep who worked here in that month, by what is asked for."""
        first, last = grid.bounds(self.month)
        mine = OuterRef("pk")
        records = AttendanceRecord.objects.filter(employee=mine).between(first, last)
        end = datetime.combine(last + timedelta(days=1), time.min, UTC)
        people = people.filter(
            Q(status=Employee.Status.ACTIVE, created_at__lt=end) | Exists(records)
        )
        if self.values["site"]:
            people = people.filter(site__slug=self.values["site"])
        if self.values["department"]:
            people = people.filter(department__name=self.values["department"])
        if self.shift_id:
            on_it = ShiftAssignment.objects.filter(employee=mine, shift=self.shift_id)
            people = people.filter(
                Exists(on_it.overlapping(first, last + timedelta(days=1)))
                | Exists(records.filter(shift=self.shift_id))
            )
        return people

    @property
    def shift_id(self) -> int | None:
        text = self.values["shift"]
        is_number = text.isascii() and text.isdigit() and len(text) < 18
        return int(text) if is_number else None

    def query(self, *, month: date | None = None) -> str:
        """Return them as they stand in the address, perhaps with another month."""
        values = {**self.values, "month": f"{month or self.month:%Y-%m}"}
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def earlier(self) -> str:
        return self.query(month=self.month - timedelta(days=1))

    @property
    def later(self) -> str:
        return self.query(month=grid.next_month(self.month))


def month_of(text: str) -> date | None:
    """Read a month; None for what is none, or none that a camera can have seen."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return first if first.year in YEARS else None


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def month(request: HttpRequest) -> HttpResponseBase:
    """Show a letter for each employee and day of a month."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    filters = Filters.of(request.GET, sites=sites, now=timezone.now())
    people = people_of(request, filters)
    page = Paginator(people, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "attendance/month.html",
        {
            "sites": sites,
            "departments": department_names(request),
            "shifts": shifts_of(request, sites),
            "filters": filters,
            "page": page,
            "grid": grid_of(list(page), filters),
            "sums": sums_of(people, filters),
        },
    )


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def month_xlsx(request: HttpRequest) -> HttpResponseBase:
    """Return the whole month, however many pages it has, as a workbook."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    filters = Filters.of(request.GET, sites=sites, now=timezone.now())
    people = people_of(request, filters)
    if people[PEOPLE_MAX:].exists():
        messages.error(request, TOO_MANY)
        return redirect(f"{reverse('attendance-month')}?{filters.query()}")
    name = f"{filters.month:%Y-%m}"
    days = grid.days_of(filters.month, today=filters.today)
    rows = all_rows(people, filters)
    file = sheets.month_table(days, rows, title=name, totals=TOTALS)
    return send(file, name=f"attendance-{name}.xlsx", content_type=XLSX)


def people_of(request: HttpRequest, filters: Filters) -> EmployeeQuerySet:
    people = Employee.objects.visible_to(request.user).present()
    named = filters.apply(people).select_related("site", "department")
    return named.order_by("code")


def grid_of(people: Sequence[Employee], filters: Filters) -> grid.Month:
    first, last = grid.bounds(filters.month)
    roster = Roster.load(employees=[one.pk for one in people], first=first, last=last)

    def plan(employee_id: int, on: date) -> Plan:
        return roster.on(employee_id, on).occurrence.plan

    return grid.month(
        employees=people, month=filters.month, today=filters.today, plan=plan
    )


def sums_of(
    people: EmployeeQuerySet, filters: Filters
) -> Sequence[tuple[str, str, int]]:
    """Return letter, word and number of days of each status, of all pages together."""
    records = AttendanceRecord.objects.filter(employee__in=people.order_by())
    days = records.between(*grid.bounds(filters.month)).order_by()
    counts = dict(days.values_list("status").annotate(Count("pk")))
    return [
        (letter, str(Status(status).label), counts.get(status, 0))
        for status, letter in grid.LETTERS.items()
    ]


def all_rows(people: EmployeeQuerySet, filters: Filters) -> Iterator[grid.Row]:
    pages = Paginator(people, BATCH)
    for number in pages.page_range:
        yield from grid_of(list(pages.page(number)), filters).rows


def department_names(request: HttpRequest) -> Sequence[str]:
    """Return their names; two sites may each have a Stores."""
    seen = Department.objects.visible_to(request.user).order_by("name")
    return list(seen.values_list("name", flat=True).distinct())


def shifts_of(request: HttpRequest, sites: Sequence[Site]) -> Sequence[tuple[str, str]]:
    """Return each shift's key and name, with its site where there are several."""
    seen = Shift.objects.visible_to(request.user).select_related("site")
    return [
        (str(one.pk), f"{one}, {one.site.name}" if len(sites) > 1 else str(one))
        for one in seen.order_by("site__name", "start_time", "shift_name", "pk")
    ]
