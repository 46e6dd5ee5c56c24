"""Putting people on shifts, and every other change of the roster.

Each function writes and says whose dates it touched; the interface that called it
then has them worked out anew with `tasks.all_changed`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from identity.models import Employee
from streaming import locks

from .models import Holiday, Leave, ShiftAssignment
from .periods import Dates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    from identity.models import User

    from .models import Shift

RosterRow = ShiftAssignment | Leave | Holiday
NAMED_MAX: Final = 5
"""People that a refusal names."""
CHANGED_MEANWHILE: Final = (
    "Somebody changed these assignments at the same moment. Look at what would happen "
    "now, and try again."
)


class ShiftNotAssigned(Exception):
    """These people are not put on this shift; the message says why."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Dates [first, last] of employees on which the roster says something else now.

    Without a last date they go on.
    """

    employees: frozenset[int]
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one row of the roster does to those that are there."""

    row: ShiftAssignment
    giving_way: tuple[ShiftAssignment, ...] = ()
    is_there: bool = False
    """Whether they are on this shift on all these dates already."""

    @property
    def words(self) -> str:
        """Say it in sentences."""
        if self.is_there:
            return "On this shift already; nothing changes."
        dates = dates_of(self.row)
        told = [_given_way(old, dates) for old in self.giving_way]
        return " ".join(told) or "Had no shift on these dates."


def dates_of(row: ShiftAssignment | Leave) -> Dates:
    return Dates(row.starts_on, row.ends_on)


def preview(
    *,
    employees: Collection[Employee],
    shift: Shift,
    starts_on: date,
    ends_on: date | None,
) -> list[Effect]:
    """Return what `assign` would do for each, in order of code; write nothing.

    Raises ShiftNotAssigned.
    """
    check(employees, shift, starts_on=starts_on, ends_on=ends_on)
    people = sorted(employees, key=lambda employee: employee.code)
    wanted = [
        ShiftAssignment(
            employee=employee, shift=shift, starts_on=starts_on, ends_on=ends_on
        )
        for employee in people
    ]
    return effects(wanted)


@transaction.atomic
def assign(
    *,
    employees: Collection[Employee],
    shift: Shift,
    starts_on: date,
    ends_on: date | None,
    by: User | None,
    at: datetime,
) -> list[Touched]:
    """Put people on a shift on [starts_on, ends_on); other dates stay as they are.

    What they were on ends before, starts after, is split or goes. Raises
    ShiftNotAssigned.
    """
    check(employees, shift, starts_on=starts_on, ends_on=ends_on)
    lock_rosters(sites={shift.site_id})
    found = preview(
        employees=employees, shift=shift, starts_on=starts_on, ends_on=ends_on
    )
    return write(found, by=by, at=at, reason=f"Put on {shift.shift_name}"[:100])


def lock_rosters(*, sites: Collection[int]) -> None:
    """Keep others from laying assignments at these sites until the transaction ends."""
    locks.hold(*(f"roster:{site}" for site in sites))


def effects(rows: Sequence[ShiftAssignment]) -> list[Effect]:
    """Return what each row would do, new ones and changed ones; one query for all.

    Rows of one employee must not overlap each other.
    """
    there = _there(rows)
    placed = {row.pk for row in rows if row.pk}
    return [
        _effect(row, [old for old in there[row.employee_id] if old.pk not in placed])
        for row in rows
    ]


@transaction.atomic
def write(
    found: Iterable[Effect], *, by: User | None, at: datetime, reason: str
) -> list[Touched]:
    """Write the rows and cut those that give way; a bounded number of queries.

    Raises ShiftNotAssigned where the roster has changed since it was looked at.
    """
    todo = [effect for effect in found if not effect.is_there]
    work = _Work()
    for effects_of_one in _by_employee(todo).values():
        work.take(effects_of_one, by=by)
    try:
        with transaction.atomic():
            work.write(by=by, at=at, reason=reason)
    except IntegrityError:
        raise ShiftNotAssigned(CHANGED_MEANWHILE) from None
    return touched_by(*(effect.row for effect in todo))


@transaction.atomic
def keep(row: RosterRow, *, by: User | None) -> list[Touched]:
    """Save an assignment, a leave or a holiday; return the dates before and after."""
    before = type(row).objects.filter(pk=row.pk).first() if row.pk else None
    if before is None and not isinstance(row, Holiday):
        row.created_by = by
    row.save()
    return touched_by(row, *([before] if before else []))


@transaction.atomic
def remove(rows: Iterable[RosterRow]) -> list[Touched]:
    """Delete assignments, leaves or holidays, with their history."""
    gone = list(rows)
    touched = touched_by(*gone)
    for row in gone:
        row.delete()
    return touched


def touched_by(*rows: RosterRow) -> list[Touched]:
    """Return whose dates hang on these rows."""
    sites = {row.site_id for row in rows if isinstance(row, Holiday)}
    people: dict[int, set[int]] = defaultdict(set)
    if sites:
        here = Employee.objects.present().filter(site__in=sites)
        for employee, site in here.values_list("pk", "site"):
            people[site].add(employee)
    return [
        Touched(frozenset(people[row.site_id]), row.holiday_date, row.holiday_date)
        if isinstance(row, Holiday)
        else _touched_by(row)
        for row in rows
    ]


def _touched_by(row: ShiftAssignment | Leave) -> Touched:
    last = row.ends_on and row.ends_on - timedelta(days=1)
    return Touched(frozenset({row.employee_id}), row.starts_on, last)


class _Work:
    """Rows to write, so ordered that none overlaps another meanwhile."""

    def __init__(self) -> None:
        self.gone: list[ShiftAssignment] = []
        self.shorter: list[ShiftAssignment] = []
        self.changed: list[ShiftAssignment] = []
        self.new: list[ShiftAssignment] = []

    def take(self, found: Sequence[Effect], *, by: User | None) -> None:
        """Add what the rows of one employee do."""
        taken = [dates_of(effect.row) for effect in found]
        olds = {old.pk: old for effect in found for old in effect.giving_way}
        for old in olds.values():
            left = dates_of(old).without(taken)
            if not left:
                self.gone.append(old)
                continue
            self.new += [_copy(old, dates, by) for dates in left[1:]]
            old.starts_on, old.ends_on = left[0].first, left[0].end
            self.shorter.append(old)
        for effect in found:
            if effect.row.pk:
                self.changed.append(effect.row)
            else:
                effect.row.created_by = by
                self.new.append(effect.row)

    def write(self, *, by: User | None, at: datetime, reason: str) -> None:
        rows, fields = ShiftAssignment, ["shift", "starts_on", "ends_on"]
        told = {
            "default_user": by,
            "default_change_reason": reason,
            "default_date": at,
            "batch_size": 1000,
        }
        _forget(self.gone, by=by, at=at, reason=reason)
        for changed in (self.shorter, self.changed):
            if changed:
                bulk_update_with_history(changed, rows, fields, **told)
        if self.new:
            bulk_create_with_history(self.new, rows, **told)


def _forget(
    rows: Sequence[ShiftAssignment], *, by: User | None, at: datetime, reason: str
) -> None:
    """Delete rows with their history, in two queries."""
    kept: Any = ShiftAssignment.history.model
    history = [
        kept(
            history_type="-",
            history_date=at,
            history_user=by,
            history_change_reason=reason,
            **{
                field.attname: getattr(row, field.attname)
                for field in kept.tracked_fields
            },
        )
        for row in rows
    ]
    kept.objects.bulk_create(history, batch_size=1000)
    # delete() would write the history once more, row by row.
    gone = ShiftAssignment.objects.filter(pk__in=[row.pk for row in rows])
    gone._raw_delete(gone.db)


def _there(rows: Sequence[ShiftAssignment]) -> dict[int, list[ShiftAssignment]]:
    """Return the stored rows that share dates with these, by employee."""
    there: dict[int, list[ShiftAssignment]] = defaultdict(list)
    if not rows:
        return there
    ends = [row.ends_on for row in rows]
    last = None if None in ends else max(end for end in ends if end)
    stored = (
        ShiftAssignment.objects.of({row.employee_id for row in rows})
        .overlapping(min(row.starts_on for row in rows), last)
        .select_related("shift")
        .order_by("starts_on")
    )
    for one in stored:
        there[one.employee_id].append(one)
    return there


def _effect(row: ShiftAssignment, there: Sequence[ShiftAssignment]) -> Effect:
    dates = dates_of(row)
    met = [old for old in there if dates_of(old).overlaps(dates)]
    for old in met:
        if not row.pk and old.shift_id == row.shift_id and dates_of(old).covers(dates):
            return Effect(row, is_there=True)
    return Effect(row, tuple(met))


def _by_employee(found: Iterable[Effect]) -> dict[int, list[Effect]]:
    by_employee: dict[int, list[Effect]] = defaultdict(list)
    for effect in found:
        by_employee[effect.row.employee_id].append(effect)
    return by_employee


def _copy(row: ShiftAssignment, dates: Dates, by: User | None) -> ShiftAssignment:
    return ShiftAssignment(
        employee_id=row.employee_id,
        shift=row.shift,
        starts_on=dates.first,
        ends_on=dates.end,
        created_by=by,
    )


def _given_way(old: ShiftAssignment, dates: Dates) -> str:
    """Say what becomes of a row where these dates are taken from it."""
    left = dates_of(old).without([dates])
    if not left:
        until = f"until {old.ends_on}" if old.ends_on else "until further notice"
        return f"Replaces {old.shift} (from {old.starts_on} {until})."
    if len(left) > 1:
        return f"Interrupts {old.shift}, which goes on from {left[1].first}."
    if left[0].first == old.starts_on:
        return f"Ends {old.shift} on {dates.first}."
    return f"{old.shift} starts on {left[0].first} instead of {old.starts_on}."


def check(
    employees: Collection[Employee],
    shift: Shift,
    *,
    starts_on: date,
    ends_on: date | None,
) -> None:
    """Refuse what nobody is put on; raises ShiftNotAssigned."""
    if not employees:
        raise ShiftNotAssigned("Choose at least one employee.")
    if ends_on and ends_on <= starts_on:
        raise ShiftNotAssigned("The period ends before it starts.")
    if not shift.is_active:
        raise ShiftNotAssigned(
            f"{shift.shift_name} is not active: nobody is put on it any more."
        )
    elsewhere = [one.code for one in employees if one.site_id != shift.site_id]
    if elsewhere:
        raise ShiftNotAssigned(
            f"{shift.shift_name} is a shift of another site than that of "
            f"{_some(elsewhere)}."
        )
    left = [one.code for one in employees if one.status != Employee.Status.ACTIVE]
    if left:
        raise ShiftNotAssigned(f"Not active: {_some(left)}. Leave them out.")


def _some(codes: Sequence[str]) -> str:
    named = sorted(codes)[:NAMED_MAX]
    more = len(codes) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
