"""Five weeks in which the demo's crew came and went, ending with today so far.

What somebody did on a date is drawn from a seed of their own and the date's, so that a
later start adds what came since and changes nothing of what was.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction

from attendance import corrections, days
from attendance.models import AttendanceRecord, PresenceEvent
from attendance.models.days import Review
from attendance.planning import Roster
from attendance.roster import Plan
from attendance.rules import Way
from identity.models import User
from streaming.models import Camera, CameraOutage
from streaming.vision.trouble import Cause

from . import roster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from attendance.planning import Planned
    from attendance.roster import Occurrence
    from identity.models import Employee
    from streaming.models import Site

NAMESPACE: Final = UUID("6cf4c0ce-0f0c-5c39-9a4b-5c8f2ad1f7a3")
"""Of the ids of the demo's events."""
DOWN_FROM, DOWN_UNTIL = time(8, 10), time(10, 25)


class Habit(Enum):
    """What somebody makes of a day."""

    ON_TIME = auto()
    LATE = auto()
    LEAVES_EARLY = auto()
    FORGETS_TO_STAMP_OUT = auto()
    STAYS_AWAY = auto()


HABITS: Final[Mapping[Habit, int]] = {
    Habit.ON_TIME: 80,
    Habit.LATE: 9,
    Habit.LEAVES_EARLY: 4,
    Habit.FORGETS_TO_STAMP_OUT: 3,
    Habit.STAYS_AWAY: 4,
}
"""How often of 100 days."""
TODAY: Final[Mapping[str, Habit]] = {
    "D-101": Habit.STAYS_AWAY,
    "D-104": Habit.STAYS_AWAY,
    "D-105": Habit.LATE,
    "D-108": Habit.LATE,
    "D-111": Habit.STAYS_AWAY,
    "D-120": Habit.LATE,
}
"""So that each shift has somebody who is late or still expected. The first of them is
seen by the reception's camera."""
MORE: Final = 0.15
"""Share of days with overtime."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody of the crew, with what chance has for them on a date."""

    employee: Employee
    on: date
    chance: random.Random

    @classmethod
    def of(cls, employee: Employee, on: date) -> Worker:
        chance = random.Random(f"{employee.code} {on}")  # noqa: S311 - no secret
        return cls(employee, on, chance)

    def drawn(self) -> Habit:
        return self.chance.choices(list(HABITS), weights=list(HABITS.values()))[0]

    def habit(self, *, today: date) -> Habit:
        drawn = self.drawn()
        if self.on == today:
            return TODAY.get(self.employee.code, Habit.ON_TIME)
        return drawn

    def minutes(self, least: int, most: int) -> timedelta:
        """Return some of these minutes, with some seconds."""
        return timedelta(seconds=self.chance.randint(60 * least, 60 * most))

    def event(self, number: int, way: Way, at: datetime) -> PresenceEvent:
        facts = f"{self.employee.code} {self.on} {number}"
        return PresenceEvent(
            event_id=uuid5(NAMESPACE, facts),
            employee=self.employee,
            source=PresenceEvent.Source.API,
            way=way.value,
            occurred_at=at,
            last_seen_at=at,
        )


@transaction.atomic
def seed(site: Site, *, at: datetime) -> int:
    """Store the roster, and who came and went until now; return how many are new."""
    today = site.local(at).date()
    is_new = roster.seed(site, at=at)
    crew = list(roster.employees(site).values())
    keys = [each.pk for each in crew]
    first = today - timedelta(days=roster.DAYS)
    if is_new:
        _put_camera_out(site, crew, today=today)
    known = PresenceEvent.objects.of(keys)
    before = known.count()
    stamps = list(_stamps(crew, first=first, today=today, now=at))
    PresenceEvent.objects.bulk_create(stamps, ignore_conflicts=True)
    days.recompute_days(employees=keys, first=first, last=today, now=at)
    if is_new:
        _say(keys, at=at)
    return known.count() - before


def _put_camera_out(site: Site, crew: Sequence[Employee], *, today: date) -> None:
    """Have had the reception's camera down when somebody of the day shift was missing.

    That makes the day unverified, where else it would be an absence.
    """
    first, last = today - timedelta(days=roster.DAYS), today - timedelta(days=8)
    keys = [each.pk for each in crew]
    plans = Roster.load(employees=keys, first=first, last=last)
    missing = (
        on
        for on in (last - timedelta(days=number) for number in range(roster.DAYS - 7))
        for employee in crew
        if _is_missing(Worker.of(employee, on), plans.on(employee.pk, on))
    )
    on = next(missing, last)
    zone = ZoneInfo(site.time_zone)
    for camera in site.cameras.filter(tasks__contains=[Camera.Task.ATTENDANCE.value]):
        CameraOutage.objects.create(
            camera=camera,
            cause=Cause.REFUSED.value,
            reason="The camera refuses the connection.",
            started_at=datetime.combine(on, DOWN_FROM, zone),
            ended_at=datetime.combine(on, DOWN_UNTIL, zone),
        )


def _is_missing(worker: Worker, planned: Planned) -> bool:
    is_due = planned.occurrence.plan is Plan.WORK
    is_of_day = planned.shift is not None and planned.shift.shift_name == roster.DAY
    return is_due and is_of_day and worker.drawn() is Habit.STAYS_AWAY


def _stamps(
    crew: Sequence[Employee], *, first: date, today: date, now: datetime
) -> Iterator[PresenceEvent]:
    """Give the stamps of all dates, as far as it is their time."""
    keys = [each.pk for each in crew]
    plans = Roster.load(employees=keys, first=first, last=today)
    for employee in crew:
        for number in range((today - first).days + 1):
            worker = Worker.of(employee, first + timedelta(days=number))
            occurrence = plans.on(employee.pk, worker.on).occurrence
            went = _went(worker, occurrence, today=today)
            for place, (way, at) in enumerate(went):
                if at <= now:
                    yield worker.event(place, way, at)


def _went(
    worker: Worker, occurrence: Occurrence, *, today: date
) -> Iterator[tuple[Way, datetime]]:
    """Give when somebody came and went for an occurrence."""
    habit = worker.habit(today=today)
    if habit is Habit.STAYS_AWAY or not _works(worker, occurrence):
        return
    start, end = occurrence.start_at, occurrence.end_at
    if habit is Habit.LATE:
        yield Way.IN, start + occurrence.grace + worker.minutes(2, 30)
    else:
        yield Way.IN, start - worker.minutes(1, 18)
    middle = start + (end - start) / 2
    yield Way.OUT, middle - worker.minutes(1, 10)
    yield Way.IN, middle + worker.minutes(20, 28)
    if habit is Habit.LEAVES_EARLY:
        yield Way.OUT, end - worker.minutes(25, 110)
    elif habit is not Habit.FORGETS_TO_STAMP_OUT:
        longer = worker.minutes(30, 140) if worker.chance.random() < MORE else None
        yield Way.OUT, end + (longer or worker.minutes(1, 14))


def _works(worker: Worker, occurrence: Occurrence) -> bool:
    """Whether they come: on days off only now and then."""
    if occurrence.plan is Plan.WORK:
        return True
    return occurrence.plan is Plan.WEEKLY_OFF and worker.chance.random() < 0.05


def _say(keys: Sequence[int], *, at: datetime) -> None:
    """Have a worker dispute a day, and HR have corrected another one."""
    rows = AttendanceRecord.objects.of(keys).filter(
        closes_at__lt=at, reviews__contains=[Review.MISSING_CHECK_OUT]
    )
    newest = rows.select_related("employee").order_by("-attendance_date", "pk")
    hana = User.objects.filter(username="hana").first()
    for row, say in zip(newest[:2], (_dispute, _correct), strict=False):
        say(row, by=hana, at=at)


def _dispute(row: AttendanceRecord, *, by: User | None, at: datetime) -> None:
    corrections.request_correction(
        record=row,
        text="I went out by the back gate with the delivery van.",
        check_in_at=row.check_in_at,
        check_out_at=row.end_at + timedelta(minutes=10),
        by=by,
        at=at,
    )


def _correct(row: AttendanceRecord, *, by: User | None, at: datetime) -> None:
    corrections.correct_day(
        employee=row.employee,
        on=row.attendance_date,
        status=None,
        check_in_at=row.check_in_at,
        check_out_at=row.end_at,
        reason="The shift leader saw them leave at the end of the shift.",
        by=by,
        at=at,
    )
