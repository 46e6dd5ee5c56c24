"""The roster of many employees, loaded at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, Q, Value

from identity.models import Employee
from streaming.models import STILL_AFTER, Camera, CameraOutage

from .models import AttendanceRecord, Holiday, Leave, ShiftAssignment
from .roster import Occurrence, Plan, occurrence, plan_of, weekday

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Self

    from identity.models.people import EmployeeQuerySet

    from .models import Shift

RowT = TypeVar("RowT", ShiftAssignment, Leave)
Period = tuple[datetime, datetime]
"""[from, to)."""


@dataclass(frozen=True, slots=True)
class Person:
    """An employee as far as the roster knows them."""

    site_id: int
    zone: ZoneInfo
    is_active: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """What was planned for an employee on a date, and why."""

    occurrence: Occurrence
    shift: Shift | None
    is_weekly_off: bool
    """By the shift, whatever else the date is."""
    holiday: Holiday | None
    leave: Leave | None


class Roster:
    """What is planned for these employees on these dates; asking it costs no query.

    A date that has a record keeps the times that the shift had then, as long as it is
    still on that shift.
    """

    def __init__(
        self,
        *,
        people: Mapping[int, Person],
        assignments: Iterable[ShiftAssignment],
        holidays: Iterable[Holiday],
        leaves: Iterable[Leave],
        records: Iterable[AttendanceRecord],
    ) -> None:
        self.people = people
        self.records = {(row.employee_id, row.attendance_date): row for row in records}
        self._holidays = {(row.site_id, row.holiday_date): row for row in holidays}
        self._assignments = _by_employee(assignments)
        self._leaves = _by_employee(leaves)
        self._times: dict[tuple[int, date, ZoneInfo, Plan], Occurrence] = {}

    @classmethod
    def load(cls, *, employees: Collection[int], first: date, last: date) -> Self:
        """Load [first, last], both dates included; five queries for any number."""
        people = Employee.objects.filter(pk__in=employees)
        of_site = Holiday.objects.filter(site__in=people.values("site"))
        rows = AttendanceRecord.objects.of(employees).between(first, last)
        end = last + timedelta(days=1)
        assigned = ShiftAssignment.objects.of(employees).overlapping(first, end)
        return cls(
            people=_people(people),
            assignments=assigned.select_related("shift"),
            holidays=of_site.filter(holiday_date__range=(first, last)),
            leaves=Leave.objects.of(employees).overlapping(first, end),
            records=rows,
        )

    def on(self, employee_id: int, on: date) -> Planned:
        """Return what was planned; `employee_id` and `on` are of what was loaded."""
        person = self.people[employee_id]
        assignment = _holding(self._assignments.get(employee_id, ()), on)
        shift = assignment.shift if assignment else None
        holiday = self._holidays.get((person.site_id, on))
        leave = _holding(self._leaves.get(employee_id, ()), on)
        if shift is None:
            return Planned(
                occurrence=occurrence(None, on, person.zone),
                shift=None,
                is_weekly_off=False,
                holiday=holiday,
                leave=leave,
            )
        kept = self._kept(employee_id, on, shift)
        is_off = kept.is_weekly_off if kept else weekday(on) in shift.weekly_off_days
        plan = plan_of(
            is_holiday=holiday is not None,
            is_weekly_off=is_off,
            is_on_leave=leave is not None,
        )
        occurs = _as_kept(kept, plan) if kept else self._now(shift, on, person, plan)
        return Planned(occurs, shift, is_off, holiday, leave)

    def _kept(
        self, employee_id: int, on: date, shift: Shift
    ) -> AttendanceRecord | None:
        """Return the record whose times stand, whatever became of the shift."""
        record = self.records.get((employee_id, on))
        return record if record and record.shift_id == shift.pk else None

    def _now(self, shift: Shift, on: date, person: Person, plan: Plan) -> Occurrence:
        """Return the shift on a date by its times of now, made once for all on it."""
        key = (shift.pk, on, person.zone, plan)
        if key not in self._times:
            self._times[key] = occurrence(shift.times, on, person.zone, plan=plan)
        return self._times[key]


def _people(rows: EmployeeQuerySet) -> dict[int, Person]:
    found = rows.values_list("pk", "site_id", "site__time_zone", "status")
    return {
        pk: Person(site_id, ZoneInfo(zone), status == Employee.Status.ACTIVE)
        for pk, site_id, zone, status in found
    }


def _as_kept(record: AttendanceRecord, plan: Plan) -> Occurrence:
    return Occurrence(
        date=record.attendance_date,
        start_at=record.start_at,
        end_at=record.end_at,
        grace=timedelta(minutes=record.grace_minutes),
        plan=plan,
    )


def _by_employee(
    rows: Iterable[RowT],
) -> dict[int, list[RowT]]:
    found: dict[int, list[RowT]] = defaultdict(list)
    for row in sorted(rows, key=lambda each: each.starts_on):
        found[row.employee_id].append(row)
    return found


def _holding(rows: Sequence[RowT], on: date) -> RowT | None:
    """Return the row that has the date; they are in order and none overlaps."""
    place = bisect_right(rows, on, key=lambda row: row.starts_on)
    row = rows[place - 1] if place else None
    return row if row and (row.ends_on is None or on < row.ends_on) else None


def outages(
    *, sites: Collection[int], start: datetime, end: datetime
) -> Mapping[int, Sequence[Period]]:
    """Return by site when cameras that count arrivals were down in [start, end).

    An outage that is not over lasts until `end`, unless its camera was switched off.
    That of a camera whose pictures stopped with all the rest, as when the power was
    gone, is noted only when somebody looks after cameras again: it counts before.
    """
    arrivals = Camera.objects.filter(
        site__in=sites, tasks__contains=[Camera.Task.ATTENDANCE.value]
    ).exclude(direction=Camera.Direction.EXIT)
    rows = CameraOutage.objects.between(start, end).filter(
        Q(ended_at__isnull=False) | Q(camera__enabled=True), camera__in=arrivals
    )
    still = arrivals.enabled().filter(
        state=Camera.State.ONLINE, last_frame_at__lt=end - STILL_AFTER
    )
    found: dict[int, list[Period]] = defaultdict(list)
    for site_id, since, until in [
        *rows.values_list("camera__site", "started_at", "ended_at"),
        *still.values_list("site", "last_frame_at", Value(None, DateTimeField())),
    ]:
        found[site_id].append((max(since, start), min(until or end, end)))
    return found
