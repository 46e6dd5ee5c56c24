"""What a person says that a day was, and whether it can have been."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from . import rules
from .models.days import PRESENT, Status
from .roster import Plan

if TYPE_CHECKING:
    from .planning import Planned
    from .rules import DayResult

EARLIEST: Final = timedelta(hours=12)
"""Before its shift nobody comes earlier: then a date was mistyped."""
LONGEST: Final = timedelta(hours=24)
"""Nobody stays longer: the same."""
NO_ARRIVAL: Final = "Give the time they came."
NO_TIMES: Final = "Whoever was not there has no times. Leave them out."
NOBODY_KNOWS: Final = (
    "A person cannot leave a day unverified. Say what it was, or give it back to the "
    "rules."
)
ON_TIME: Final = "By the shift's start and grace that is on time, not late."
NO_SHIFT: Final = "No shift was planned that day, so nobody was absent."
NOT_BEGUN: Final = "The shift has not begun: nobody is absent yet."
TOO_EARLY: Final = "That is more than 12 h before the shift. Check the date."
DAY_OVER: Final = "That is after the end of the day's work. Check the date."
FUTURE: Final = "That time has not come yet."
EXIT_FIRST: Final = "The exit is before the arrival."
TOO_LONG: Final = "That is more than 24 h after the arrival. Check the date."


class NotCorrected(Exception):
    """The day stays as it is; the message says why, and what to do.

    `field` names the argument that is wrong, where it is one.
    """

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says that a day was."""

    status: str | None
    check_in_at: datetime | None
    check_out_at: datetime | None

    def judged(self, planned: Planned, *, at: datetime) -> DayResult:
        """Return it with its figures; raise NotCorrected for what cannot be."""
        if self.status in (None, *PRESENT):
            return self._of_somebody(planned, at=at)
        if self.check_in_at or self.check_out_at:
            raise NotCorrected(NO_TIMES, "status")
        return self._of_nobody(planned, Status(self.status), at=at)

    def _of_somebody(self, planned: Planned, *, at: datetime) -> DayResult:
        came, left = self.check_in_at, self.check_out_at
        if came is None:
            raise NotCorrected(NO_ARRIVAL, "check_in_at")
        _check_arrival(planned, came, at=at)
        if left:
            _check_exit(came, left, at=at)
        found = rules.judge(planned.occurrence, came, left)
        if self.status == Status.LATE and not found.is_late:
            raise NotCorrected(ON_TIME, "status")
        if self.status == Status.PRESENT and found.is_late:
            return replace(found, status=rules.Status.PRESENT, late_minutes=0)
        return found

    def _of_nobody(
        self, planned: Planned, status: Status, *, at: datetime
    ) -> DayResult:
        if status is Status.UNVERIFIED:
            raise NotCorrected(NOBODY_KNOWS, "status")
        if status is Status.ABSENT and planned.shift is None:
            raise NotCorrected(NO_SHIFT, "status")
        if status is Status.ABSENT and at < planned.occurrence.start_at:
            raise NotCorrected(NOT_BEGUN, "status")
        # So that the day counts among the scheduled ones, or does not.
        plan = Plan.WORK if status is Status.ABSENT else Plan(status.value)
        occurrence = replace(planned.occurrence, plan=plan)
        return rules.DayResult(occurrence=occurrence, status=rules.Status(status.value))


def _check_arrival(planned: Planned, came: datetime, *, at: datetime) -> None:
    plan = planned.occurrence
    earliest = plan.start_at - (EARLIEST if planned.shift else timedelta())
    if came < earliest:
        raise NotCorrected(TOO_EARLY, "check_in_at")
    if came >= plan.closes_at or not rules.opens(plan, came):
        raise NotCorrected(DAY_OVER, "check_in_at")
    if rules.is_in_future(came, now=at):
        raise NotCorrected(FUTURE, "check_in_at")


def _check_exit(came: datetime, left: datetime, *, at: datetime) -> None:
    if left < came:
        raise NotCorrected(EXIT_FIRST, "check_out_at")
    if left - came > LONGEST:
        raise NotCorrected(TOO_LONG, "check_out_at")
    if rules.is_in_future(left, now=at):
        raise NotCorrected(FUTURE, "check_out_at")
