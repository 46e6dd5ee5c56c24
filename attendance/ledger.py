"""Which sighting counts for which day, and as what; taken oldest first.

They are put in that order here, so that the one of delivery never matters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .roster import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .roster import Occurrence

DUPLICATE_WITHIN: Final = timedelta(hours=12)
"""Until then a check-in without a check-out stands for every further arrival."""
CHECK_OUT_WITHIN: Final = timedelta(hours=16)
OFF_SHIFT_WITHIN: Final = timedelta(hours=12)
"""Who is seen that long after a shift, and before the next, is told of with it."""


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
    """Nobody had seen them come, or only too long before."""
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


def opens(occurrence: Occurrence, at: datetime) -> bool:
    """Whether an arrival then opens it: work is over at its end, a day off never is."""
    return at < occurrence.end_at or occurrence.plan is not Plan.WORK


@dataclass(slots=True)
class Day:
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
        elif opens(self.occurrence, seen.at):
            self.check_in = seen
            self.note(seen, Part.CHECK_IN)
        else:
            self.note(seen, Part.AFTER_END)

    def leave(self, seen: Sighting) -> None:
        self.check_out = seen
        self.note(seen, Part.EXIT)

    def pass_by(self, seen: Sighting) -> None:
        """Take a sighting without direction after the check-in."""
        self._come_back(seen)
        self.either = seen

    def linger(self, seen: Sighting) -> None:
        """Take somebody whom no window holds any more."""
        self.note(seen, Part.AGAIN if self.check_in else Part.AFTER_END)

    def note(self, seen: Sighting, part: Part) -> None:
        self.seen.append((seen, part))

    def exit_by(self, now: datetime) -> Sighting | None:
        """Return the check-out, which a visit of no direction is once all is over.

        The visit with which they came is none before the end: its end says that the
        camera lost sight of them, not that they left.
        """
        if self.either is None or now < self.occurrence.closes_at:
            return self.check_out
        came_with = self.check_in is not None and (
            self.either.event_id == self.check_in.event_id
        )
        if came_with and self.either.at < self.occurrence.end_at:
            return self.check_out
        return max(filter(None, [self.check_out, self.either]))

    def _come_back(self, seen: Sighting) -> None:
        if seen.at >= self.occurrence.end_at:
            self.note(seen, Part.AGAIN)
            return
        self.note(seen, Part.RETURN if self.check_out else Part.AGAIN)
        self.check_out = self.either = None


class Ledger:
    """The days of one employee while sightings are taken, oldest first."""

    def __init__(self, occurrences: Iterable[Occurrence]) -> None:
        ordered = sorted(occurrences, key=lambda each: each.start_at)
        self.days = [Day(each) for each in ordered]

    def take(self, seen: Sighting) -> None:
        if seen.way is Way.OUT:
            self._take_exit(seen)
        elif day := self._present(seen):
            day.pass_by(seen) if seen.way is Way.EITHER else day.arrive(seen)
        elif day := self._belongs(seen.at):
            takes = day.pass_by if self._may_leave(day, seen) else day.arrive
            takes(seen)
        elif day := self._over_before(seen.at):
            day.linger(seen)

    def _take_exit(self, seen: Sighting) -> None:
        inside = [d for d in self.days if d.opened_within(CHECK_OUT_WITHIN, seen.at)]
        if inside:
            inside[-1].leave(seen)
        elif day := self._belongs(seen.at) or self._over_before(seen.at):
            day.note(seen, Part.STRAY_EXIT)

    def _present(self, seen: Sighting) -> Day | None:
        """Return the day that somebody came for and did not leave, if lately.

        There is one at most: until then nothing else is opened.
        """
        open_days = (
            day
            for day in self.days
            if day.is_open and day.opened_within(DUPLICATE_WITHIN, seen.at)
        )
        return next(open_days, None)

    def _over_before(self, at: datetime) -> Day | None:
        """Return the last day that ended before, if on the same day as it were."""
        over = [
            day
            for day in self.days
            if timedelta() <= at - day.occurrence.end_at < OFF_SHIFT_WITHIN
        ]
        return max(over, key=lambda day: day.occurrence.end_at, default=None)

    def _may_leave(self, day: Day, seen: Sighting) -> bool:
        return seen.way is Way.EITHER and day.check_in is not None

    def _belongs(self, at: datetime) -> Day | None:
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
