"""What a day's sightings mean for pay: values in, values out.

An occurrence is a shift on a date; everything is decided from the occurrences of one
employee and the set of sightings, so that order and repetition of events never matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .roster import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from .roster import Occurrence

DUPLICATE_WITHIN: Final = timedelta(hours=12)
"""Until then a check-in without a check-out stands for every further arrival."""
CHECK_OUT_WITHIN: Final = timedelta(hours=16)
OFF_SHIFT_WITHIN: Final = timedelta(hours=12)
"""Who is seen that long after a shift, and before the next, is told of with it."""
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


class Part(StrEnum):
    """What a sighting was to the day that it was counted for."""

    CHECK_IN = "check_in"
    AGAIN = "again"
    """They were here already."""
    RETURN = "return"
    """They had left, and came back before the end: that takes the exit back."""
    EXIT = "exit"
    """The last one is the check-out."""
    STRAY_EXIT = "stray_exit"
    """Nobody had seen them come."""
    AFTER_END = "after_end"
    """They came when the shift was over, which opens nothing."""


class Way(StrEnum):
    """Which way somebody went, as far as that is known."""

    IN = "in"
    OUT = "out"
    EITHER = "either"
    """A camera that looks both ways and has no line."""


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """An employee was seen, or stamped; `at` is in UTC."""

    at: datetime
    event_id: str
    way: Way


def is_in_future(at: datetime, *, now: datetime) -> bool:
    """Whether an instant is too far ahead to be believed."""
    return at - now > FUTURE


@dataclass(slots=True)
class _Day:
    """What was seen for one occurrence so far, sightings being taken in order."""

    occurrence: Occurrence
    check_in: Sighting | None = None
    check_out: Sighting | None = None
    either: Sighting | None = None
    """The last one that may be a check-out, once the occurrence has closed."""
    seen: list[tuple[Sighting, Part]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.check_in is not None and self.check_out is None

    def has(self, part: Part) -> bool:
        return any(each is part for _, each in self.seen)

    def opened_within(self, period: timedelta, at: datetime) -> bool:
        return self.check_in is not None and at - self.check_in.at <= period

    def arrive(self, seen: Sighting) -> None:
        if self.check_in is not None:
            self._come_back(seen)
        elif seen.at >= self.occurrence.end_at:
            self.note(seen, Part.AFTER_END)
        else:
            self.check_in = seen
            self.note(seen, Part.CHECK_IN)

    def leave(self, seen: Sighting) -> None:
        self.check_out = seen
        self.note(seen, Part.EXIT)

    def pass_by(self, seen: Sighting) -> None:
        """Take a sighting without direction after the check-in."""
        self._come_back(seen)
        self.either = seen

    def note(self, seen: Sighting, part: Part) -> None:
        self.seen.append((seen, part))

    def _come_back(self, seen: Sighting) -> None:
        takes_back = self.check_out is not None and seen.at < self.occurrence.end_at
        self.note(seen, Part.RETURN if takes_back else Part.AGAIN)
        if takes_back:
            self.check_out = None


class _Ledger:
    """The days of one employee while sightings are taken, oldest first."""

    def __init__(self, occurrences: Iterable[Occurrence]) -> None:
        ordered = sorted(occurrences, key=lambda each: each.start_at)
        self.days = [_Day(each) for each in ordered]

    def take(self, seen: Sighting) -> None:
        if seen.way is Way.OUT:
            self._take_exit(seen)
        elif day := self._present(seen):
            day.pass_by(seen) if seen.way is Way.EITHER else day.arrive(seen)
        elif day := self._belongs(seen.at):
            takes = day.pass_by if self._may_leave(day, seen) else day.arrive
            takes(seen)
        elif day := self._over_before(seen.at):
            day.note(seen, Part.AFTER_END)

    def _take_exit(self, seen: Sighting) -> None:
        inside = [d for d in self.days if d.opened_within(CHECK_OUT_WITHIN, seen.at)]
        if inside:
            inside[-1].leave(seen)
        elif day := self._belongs(seen.at):
            day.note(seen, Part.STRAY_EXIT)

    def _present(self, seen: Sighting) -> _Day | None:
        """Return the day that somebody came for and did not leave, if lately."""
        found = [
            day
            for day in self.days
            if day.is_open and day.opened_within(DUPLICATE_WITHIN, seen.at)
        ]
        return found[-1] if found else None

    def _over_before(self, at: datetime) -> _Day | None:
        """Return the last day that ended before, if on the same day as it were."""
        over = [
            day
            for day in self.days
            if timedelta() <= at - day.occurrence.end_at < OFF_SHIFT_WITHIN
        ]
        return max(over, key=lambda day: day.occurrence.end_at, default=None)

    def _may_leave(self, day: _Day, seen: Sighting) -> bool:
        return seen.way is Way.EITHER and day.check_in is not None

    def _belongs(self, at: datetime) -> _Day | None:
        """Return the day that is open, else the one starting nearest, roster first."""
        held = [day for day in self.days if day.occurrence.holds(at)]
        return min(
            held,
            key=lambda day: (
                not day.is_open,
                day.occurrence.plan is Plan.NOTHING,
                abs(day.occurrence.start_at - at),
                day.occurrence.start_at,
            ),
            default=None,
        )


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
        """Ids of the events of somebody who was here already."""
        again = {Part.AGAIN, Part.RETURN}
        return frozenset(each.event_id for each, part in self.seen if part in again)


def settle(
    occurrences: Iterable[Occurrence],
    sightings: Iterable[Sighting],
    *,
    now: datetime,
    outages: Sequence[tuple[datetime, datetime]] = (),
    absent_after: timedelta = ABSENT_AFTER,
) -> list[DayResult]:
    """Return the result of each occurrence of one employee, oldest first.

    `outages` are the periods [from, to) in which a camera that counts arrivals at the
    site was down. Sightings that belong to no occurrence change nothing.

    One event may be two sightings, of when somebody came into view and of when they
    were seen last.
    """
    ledger = _Ledger(occurrences)
    for seen in sorted(set(sightings)):
        ledger.take(seen)
    return [
        _result(day, now=now, outages=outages, absent_after=absent_after)
        for day in ledger.days
    ]


def _result(
    day: _Day,
    *,
    now: datetime,
    outages: Sequence[tuple[datetime, datetime]],
    absent_after: timedelta,
) -> DayResult:
    plan = day.occurrence
    if day.check_in is None:
        is_over = now >= plan.end_at + absent_after
        return DayResult(
            occurrence=plan,
            status=_status_of_nobody(plan, is_over=is_over, outages=outages),
            reviews=_reviews(day, None, now=now),
            seen=tuple(day.seen),
        )
    either = day.either if now >= plan.closes_at else None
    check_out = max(filter(None, [day.check_out, either]), default=None)
    came, left = day.check_in.at, check_out.at if check_out else None
    is_work = plan.plan is Plan.WORK
    is_late = is_work and came > plan.start_at + plan.grace
    has_shift = plan.plan is not Plan.NOTHING
    return DayResult(
        occurrence=plan,
        status=Status.LATE if is_late else Status.PRESENT,
        check_in=day.check_in,
        check_out=check_out,
        grace_period_applied=is_work and plan.start_at < came and not is_late,
        late_minutes=(came - plan.start_at) // MINUTE if is_late else 0,
        early_minutes=max((plan.end_at - left) // MINUTE, 0) if left and is_work else 0,
        unscheduled=not is_work,
        worked_minutes=(left - came) // MINUTE if left else None,
        overtime_minutes=max((left - plan.end_at) // MINUTE, 0)
        if left and has_shift
        else None,
        reviews=_reviews(day, left, now=now),
        seen=tuple(day.seen),
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


def is_blind(plan: Occurrence, outages: Sequence[tuple[datetime, datetime]]) -> bool:
    """Whether cameras were down for a minute or more when somebody would have come."""
    first = plan.start_at + ARRIVES_FROM
    last = min(plan.start_at + ARRIVES_UNTIL, plan.end_at)
    return any(
        min(until, last) - max(since, first) >= MINUTE for since, until in outages
    )


def _reviews(day: _Day, left: datetime | None, *, now: datetime) -> frozenset[Review]:
    plan = day.occurrence
    came = day.check_in is not None
    found = {
        Review.EXIT_ONLY: day.has(Part.STRAY_EXIT) and not came,
        Review.EXIT_BEFORE_CHECK_IN: day.has(Part.STRAY_EXIT) and came,
        Review.CAME_AFTER_END: day.has(Part.AFTER_END),
        Review.MISSING_CHECK_OUT: came and left is None and now >= plan.closes_at,
        Review.EARLY_EXIT: plan.plan is Plan.WORK
        and left is not None
        and left < plan.end_at,
    }
    return frozenset(review for review, holds in found.items() if holds)
