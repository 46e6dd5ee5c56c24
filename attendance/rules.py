"""What a day's sightings mean for pay: values in, values out.

An occurrence is a shift on a date; everything is decided from the occurrences of one
employee and the set of sightings, so that order and repetition of events never matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .ledger import Ledger, Part, Sighting, Way, opens
from .roster import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    from .ledger import Day
    from .roster import Occurrence

__all__ = [
    "DayResult",
    "Part",
    "Review",
    "Sighting",
    "Status",
    "Way",
    "arrival_window",
    "is_blind",
    "is_in_future",
    "judge",
    "opens",
    "settle",
]

FUTURE: Final = timedelta(minutes=5)
"""By how much a clock may be fast before its events are refused."""
ABSENT_AFTER: Final = timedelta(minutes=60)
ARRIVES_FROM: Final = timedelta(hours=-1)
ARRIVES_UNTIL: Final = timedelta(hours=2)
"""When, from the start of a shift, a camera that is down may have hidden an arrival."""
MINUTE: Final = timedelta(minutes=1)


class Status(StrEnum):
    """The one result of a date."""

    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    UNVERIFIED = "unverified"
    """Nobody can say: the cameras were down when they would have come."""
    WEEKLY_OFF = "weekly_off"
    HOLIDAY = "holiday"
    ON_LEAVE = "on_leave"
    EXPECTED = "expected"
    """Not seen yet, and it is too early to say more."""
    NONE = "none"
    """Nothing was planned and nobody came: there is no record."""


RESTS: Final = {
    Plan.WEEKLY_OFF: Status.WEEKLY_OFF,
    Plan.HOLIDAY: Status.HOLIDAY,
    Plan.ON_LEAVE: Status.ON_LEAVE,
    Plan.NOTHING: Status.NONE,
}


class Review(StrEnum):
    """Why a person has to look at a day."""

    EARLY_EXIT = "early_exit"
    MISSING_CHECK_OUT = "missing_check_out"
    EXIT_ONLY = "exit_only"
    """Somebody left who was not seen to come."""
    EXIT_BEFORE_CHECK_IN = "exit_before_check_in"
    CAME_AFTER_END = "came_after_end"


def is_in_future(at: datetime, *, now: datetime) -> bool:
    """Whether an instant is too far ahead to be believed."""
    return at - now > FUTURE


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResult:
    """What is known of an employee and a date; instants are UTC, minutes are whole."""

    occurrence: Occurrence
    status: Status
    check_in: Sighting | None = None
    check_out: Sighting | None = None
    grace_period_applied: bool = False
    late_minutes: int = 0
    early_minutes: int = 0
    unscheduled: bool = False
    """They came though nothing was planned."""
    worked_minutes: int | None = None
    """From the first check-in to the last exit."""
    overtime_minutes: int | None = None
    """After the end of the shift."""
    reviews: frozenset[Review] = frozenset()
    seen: tuple[tuple[Sighting, Part], ...] = ()
    """Every sighting that was counted for this day, oldest first."""

    @property
    def check_in_at(self) -> datetime | None:
        return self.check_in.at if self.check_in else None

    @property
    def check_out_at(self) -> datetime | None:
        return self.check_out.at if self.check_out else None

    @property
    def is_late(self) -> bool:
        return self.status is Status.LATE

    @property
    def is_early_exit(self) -> bool:
        return Review.EARLY_EXIT in self.reviews

    @property
    def flagged_for_review(self) -> bool:
        return bool(self.reviews)

    @property
    def skipped(self) -> frozenset[str]:
        """Ids of the events that were of somebody who had come already."""
        again, counted = {Part.AGAIN, Part.RETURN}, {Part.CHECK_IN, Part.EXIT}
        return self._events(again) - self._events(counted)

    def _events(self, parts: Collection[Part]) -> frozenset[str]:
        return frozenset(each.event_id for each, part in self.seen if part in parts)


def settle(
    occurrences: Iterable[Occurrence],
    sightings: Iterable[Sighting],
    *,
    now: datetime,
    outages: Sequence[tuple[datetime, datetime]] = (),
    absent_after: timedelta = ABSENT_AFTER,
    only: date | None = None,
) -> list[DayResult]:
    """Return the result of each occurrence of one employee, oldest first.

    With `only` that of this date alone; it takes the others to tell it.

    `outages` are the periods [from, to) in which a camera that counts arrivals at the
    site was down. Sightings that belong to no occurrence change nothing.

    One event may be two sightings, of when somebody came into view and of when they
    were seen last.
    """
    ledger = Ledger(occurrences)
    for seen in sorted(set(sightings)):
        ledger.take(seen)
    return [
        _result(day, now=now, outages=outages, absent_after=absent_after)
        for day in ledger.days
        if only is None or day.occurrence.date == only
    ]


def judge(
    occurrence: Occurrence, came: datetime, left: datetime | None = None
) -> DayResult:
    """Return what an arrival and an exit that a person gives make of an occurrence.

    `came` is one that `opens` it and `left` is not before it: the caller refuses all
    else. A missing exit is not to be reviewed, since a person has left it out.
    """
    check_in = Sighting(came, "", Way.IN)
    check_out = Sighting(left, "", Way.OUT) if left else None
    reviews = {Review.EARLY_EXIT} if _is_early(occurrence, left) else set()
    return replace(
        _of_somebody(occurrence, check_in, check_out), reviews=frozenset(reviews)
    )


def _result(
    day: Day,
    *,
    now: datetime,
    outages: Sequence[tuple[datetime, datetime]],
    absent_after: timedelta,
) -> DayResult:
    plan, check_out = day.occurrence, day.exit_by(now)
    if day.check_in:
        result = _of_somebody(plan, day.check_in, check_out)
    else:
        is_over = now >= plan.end_at + absent_after
        status = _status_of_nobody(plan, is_over=is_over, outages=outages)
        result = DayResult(occurrence=plan, status=status)
    parts = (
        (seen, Part.EXIT if seen == check_out else part) for seen, part in day.seen
    )
    reviews = _reviews(day, check_out, now=now)
    return replace(result, reviews=reviews, seen=tuple(parts))


def _of_somebody(
    plan: Occurrence, check_in: Sighting, check_out: Sighting | None
) -> DayResult:
    """Return the figures of somebody who came, without reviews."""
    came, left = check_in.at, check_out.at if check_out else None
    is_work = plan.plan is Plan.WORK
    is_late = is_work and came > plan.start_at + plan.grace
    figures = DayResult(
        occurrence=plan,
        status=Status.LATE if is_late else Status.PRESENT,
        check_in=check_in,
        check_out=check_out,
        grace_period_applied=is_work and plan.start_at < came and not is_late,
        late_minutes=(came - plan.start_at) // MINUTE if is_late else 0,
        unscheduled=not is_work,
    )
    if left is None:
        return figures
    has_shift = plan.plan is not Plan.NOTHING
    overtime = max((left - max(plan.end_at, came)) // MINUTE, 0)
    return replace(
        figures,
        early_minutes=max((plan.end_at - left) // MINUTE, 0) if is_work else 0,
        worked_minutes=(left - came) // MINUTE,
        overtime_minutes=overtime if has_shift else None,
    )


def _status_of_nobody(
    plan: Occurrence, *, is_over: bool, outages: Sequence[tuple[datetime, datetime]]
) -> Status:
    """Return the status of somebody who was not seen to come."""
    if plan.plan is not Plan.WORK:
        return RESTS[plan.plan]
    if not is_over:
        return Status.EXPECTED
    return Status.UNVERIFIED if is_blind(plan, outages) else Status.ABSENT


def arrival_window(plan: Occurrence) -> tuple[datetime, datetime]:
    """Return [from, to) in which most people come."""
    return plan.start_at + ARRIVES_FROM, min(plan.start_at + ARRIVES_UNTIL, plan.end_at)


def is_blind(plan: Occurrence, outages: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether cameras were down for a minute or more when somebody would have come.

    Short outages add up; what several cameras were down at once counts once.
    """
    first, last = arrival_window(plan)
    blind, told_until = timedelta(), first
    for since, until in sorted(outages):
        end = min(until, last)
        blind += max(end - max(since, told_until), timedelta())
        told_until = max(told_until, end)
    return blind >= MINUTE


def _is_early(plan: Occurrence, left: datetime | None) -> bool:
    return plan.plan is Plan.WORK and left is not None and left < plan.end_at


def _reviews(
    day: Day, check_out: Sighting | None, *, now: datetime
) -> frozenset[Review]:
    plan, came = day.occurrence, day.check_in
    strays = [seen for seen, part in day.seen if part is Part.STRAY_EXIT]
    came_late = plan.plan is Plan.WORK and day.has(Part.AFTER_END)
    found = {
        Review.EXIT_ONLY: came is None and bool(strays),
        Review.EXIT_BEFORE_CHECK_IN: came is not None
        and any(stray.at <= came.at for stray in strays),
        Review.CAME_AFTER_END: came_late,
        Review.MISSING_CHECK_OUT: came is not None
        and check_out is None
        and now >= plan.closes_at,
        Review.EARLY_EXIT: _is_early(plan, check_out.at if check_out else None),
    }
    return frozenset(review for review, holds in found.items() if holds)
