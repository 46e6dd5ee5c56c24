"""Who is here on a day, who is not, and what of it waits for a person."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.db.models import Q

from identity.models import Department, Employee

from .models import CorrectionRequest, Shift, UnknownAttendance
from .models.days import Review
from .planning import Roster
from .roster import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from streaming.models import Site

    from .models import AttendanceRecord
    from .roster import Occurrence

DAY: Final = timedelta(days=1)
NO_DEPARTMENT: Final = "No department"
NO_SHIFT: Final = "No shift"


class Standing(StrEnum):
    """What a day is so far, those first that somebody may have to act upon."""

    MISSING = "missing"
    """Their shift has begun, grace is over, and nobody has seen them."""
    UNVERIFIED = "unverified"
    ABSENT = "absent"
    LATE = "late"
    PRESENT = "present"
    EXPECTED = "expected"
    ON_LEAVE = "on_leave"
    HOLIDAY = "holiday"
    WEEKLY_OFF = "weekly_off"


ORDER: Final = {standing: place for place, standing in enumerate(Standing)}
HERE: Final = frozenset({Standing.PRESENT, Standing.LATE})
OFF: Final = frozenset({Standing.WEEKLY_OFF, Standing.HOLIDAY})
RESTS: Final = OFF | {Standing.ON_LEAVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An employee on a date."""

    employee: Employee
    site: Site
    department: str
    shift: str
    date: date
    start_at: datetime
    end_at: datetime
    standing: Standing
    record: AttendanceRecord | None

    @property
    def is_to_review(self) -> bool:
        return self.record is not None and self.record.is_to_review

    @property
    def reviews(self) -> list[str]:
        """Why somebody has to look at it, in words."""
        found = self.record.reviews if self.record else []
        return [str(Review(one).label) for one in found]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of some rows stand how."""

    by_standing: Mapping[Standing, int]
    to_review: int

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Counts:
        rows = list(rows)
        standings = Counter(row.standing for row in rows)
        return cls(standings, sum(row.is_to_review for row in rows))

    def sum(self, standings: Iterable[Standing]) -> int:
        return sum(self.by_standing.get(standing, 0) for standing in standings)

    @property
    def here(self) -> int:
        """Who came, also those who have left since."""
        return self.sum(HERE)

    @property
    def wanted(self) -> int:
        """Who should have come, and who came though they need not."""
        return self.sum(set(Standing) - RESTS)

    @property
    def late(self) -> int:
        return self.sum([Standing.LATE])

    @property
    def missing(self) -> int:
        return self.sum([Standing.MISSING])

    @property
    def absent(self) -> int:
        return self.sum([Standing.ABSENT])

    @property
    def unverified(self) -> int:
        return self.sum([Standing.UNVERIFIED])

    @property
    def expected(self) -> int:
        return self.sum([Standing.EXPECTED])

    @property
    def on_leave(self) -> int:
        return self.sum([Standing.ON_LEAVE])

    @property
    def off(self) -> int:
        return self.sum(OFF)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a department, or of a shift."""

    name: str
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A day of some sites."""

    rows: Sequence[Row]
    """In order of urgency, then of code."""
    going_on: Sequence[Row]
    """The shifts of the day before that are not over yet."""
    without_shift: int
    """Who works here, has no shift on that day and did not come."""
    unknown: int
    """Faces of that day of which nobody has said whose they are."""
    requests: int
    """Requests that wait for an answer, of any day."""

    @property
    def counts(self) -> Counts:
        return Counts.of(self.rows)

    def by_department(self) -> list[Group]:
        return _groups(self.rows, lambda row: row.department)

    def by_shift(self) -> list[Group]:
        return _groups(self.rows, lambda row: row.shift)


def day_board(*, sites: Sequence[Site], on: date | None = None, now: datetime) -> Board:
    """Return the day of these sites; `on` None is today, at each site its own.

    Takes the same few queries for any number of employees.
    """
    dates = {site.pk: on or site.local(now).date() for site in sites}
    if not dates:
        return Board(rows=[], going_on=[], without_shift=0, unknown=0, requests=0)
    told = _Told.load(sites, first=min(dates.values()) - DAY, last=max(dates.values()))
    found = [(one, told.row(one, dates[one.site_id], now=now)) for one in told.people]
    return Board(
        rows=sorted((row for _, row in found if row), key=_urgency),
        going_on=sorted(told.going_on(dates, now=now), key=_urgency),
        without_shift=sum(row is None and _works(one) for one, row in found),
        unknown=_unknown(sites, dates),
        requests=_requests(sites),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is stored about the people of some sites on some dates."""

    people: Sequence[Employee]
    sites: Mapping[int, Site]
    departments: Mapping[int, str]
    shifts: Mapping[int, str]
    roster: Roster

    @classmethod
    def load(cls, sites: Sequence[Site], *, first: date, last: date) -> _Told:
        known = Employee.objects.filter(site__in=sites).present()
        people = list(known.only("site_id", "department_id", "code", "name", "status"))
        keys = [one.pk for one in people]
        departments = Department.objects.filter(site__in=sites)
        shifts = Shift.objects.filter(site__in=sites)
        return cls(
            people=people,
            sites={site.pk: site for site in sites},
            departments=dict(departments.values_list("pk", "name")),
            shifts=dict(shifts.values_list("pk", "shift_name")),
            roster=Roster.load(employees=keys, first=first, last=last),
        )

    def row(self, employee: Employee, on: date, *, now: datetime) -> Row | None:
        """Return a row; None for whom nothing was planned and who did not come."""
        record = self.roster.records.get((employee.pk, on))
        if record:
            shift = self.shifts.get(record.shift_id or 0, NO_SHIFT)
            standing = Standing(record.status)
            return self._row(
                employee, on, (record.start_at, record.end_at), shift, standing, record
            )
        planned = self.roster.on(employee.pk, on)
        if planned.shift is None or not _works(employee):
            return None
        times = planned.occurrence.start_at, planned.occurrence.end_at
        standing = _so_far(planned.occurrence, now=now)
        return self._row(employee, on, times, planned.shift.shift_name, standing, None)

    def _row(
        self,
        employee: Employee,
        on: date,
        times: tuple[datetime, datetime],
        shift: str,
        standing: Standing,
        record: AttendanceRecord | None,
    ) -> Row:
        return Row(
            employee=employee,
            site=self.sites[employee.site_id],
            department=self.departments.get(employee.department_id or 0, NO_DEPARTMENT),
            shift=shift,
            date=on,
            start_at=times[0],
            end_at=times[1],
            standing=standing,
            record=record,
        )

    def going_on(self, dates: Mapping[int, date], *, now: datetime) -> Iterator[Row]:
        """Yield what began the day before and is not over; nothing of days long ago."""
        today = {pk: site.local(now).date() for pk, site in self.sites.items()}
        for employee in self.people:
            on = dates[employee.site_id]
            if on != today[employee.site_id]:
                continue
            row = self.row(employee, on - DAY, now=now)
            if row and row.end_at > now and row.standing not in RESTS:
                yield row


def _works(employee: Employee) -> bool:
    return employee.status == Employee.Status.ACTIVE


def _so_far(plan: Occurrence, *, now: datetime) -> Standing:
    """Return how somebody stands whom nobody has seen."""
    if plan.plan is not Plan.WORK:
        return Standing(plan.plan.value)
    return Standing.MISSING if now > plan.start_at + plan.grace else Standing.EXPECTED


def _urgency(row: Row) -> tuple[int, str]:
    return ORDER[row.standing], row.employee.code


def _groups(rows: Iterable[Row], name: Callable[[Row], str]) -> list[Group]:
    named: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        named[name(row)].append(row)
    return [Group(name, Counts.of(named[name])) for name in sorted(named)]


def _unknown(sites: Sequence[Site], dates: Mapping[int, date]) -> int:
    days = (_seen_on(site, dates[site.pk]) for site in sites)
    return UnknownAttendance.objects.open().filter(reduce(or_, days)).count()


def _seen_on(site: Site, on: date) -> Q:
    zone = ZoneInfo(site.time_zone)
    start, end = (datetime.combine(one, time(), zone) for one in (on, on + DAY))
    return Q(camera__site=site, occurred_at__gte=start, occurred_at__lt=end)


def _requests(sites: Sequence[Site]) -> int:
    waiting = CorrectionRequest.objects.open()
    return waiting.filter(record__employee__site__in=sites).count()
