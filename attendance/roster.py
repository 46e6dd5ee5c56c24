"""When somebody should be there: shifts on dates, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WINDOW: Final = timedelta(hours=4)
"""How long before its start and after its end an occurrence takes sightings."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Plan(StrEnum):
    """What the roster says of a date."""

    WORK = "work"
    WEEKLY_OFF = "weekly_off"
    HOLIDAY = "holiday"
    ON_LEAVE = "on_leave"
    NOTHING = "nothing"
    """No shift is assigned; the occurrence is the whole local day."""


def plan_of(*, is_holiday: bool, is_weekly_off: bool, is_on_leave: bool) -> Plan:
    """Return what a date with a shift is: whoever has leave has none on a day off."""
    if is_holiday:
        return Plan.HOLIDAY
    if is_weekly_off:
        return Plan.WEEKLY_OFF
    return Plan.ON_LEAVE if is_on_leave else Plan.WORK


def weekday(on: date) -> str:
    """Return the name that shifts have for a day of the week, such as "mon"."""
    return WEEKDAYS[on.weekday()]


@dataclass(frozen=True, slots=True)
class Shift:
    """The times of work by the site's clock; an end not after the start is next day."""

    start: time
    end: time
    grace: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A shift on a date, [start_at, end_at) in UTC; it belongs to where it starts."""

    date: date
    start_at: datetime
    end_at: datetime
    grace: timedelta = timedelta()
    plan: Plan = Plan.WORK

    @property
    def closes_at(self) -> datetime:
        """When no further sighting can belong to it."""
        return self.end_at + self._margin

    def holds(self, at: datetime) -> bool:
        """Whether a sighting then may belong to it."""
        return self.start_at - self._margin <= at < self.closes_at

    @property
    def _margin(self) -> timedelta:
        return timedelta() if self.plan is Plan.NOTHING else WINDOW


def occurrence(
    shift: Shift | None, on: date, zone: ZoneInfo, *, plan: Plan = Plan.WORK
) -> Occurrence:
    """Return the shift on a date, or the whole day where there is none.

    A time that a clock change skips is taken as if the clock had not been changed, one
    that comes twice as the first of the two.
    """
    start = shift.start if shift else time()
    end = shift.end if shift else time()
    last = on if end > start else on + timedelta(days=1)
    begins = datetime.combine(on, start)
    ends = datetime.combine(last, end)
    start_at, end_at = (
        local.replace(tzinfo=zone).astimezone(UTC) for local in (begins, ends)
    )
    if end_at <= start_at:
        # It begins in the skipped hour and would be over before.
        end_at = start_at + (ends - begins)
    return Occurrence(
        date=on,
        start_at=start_at,
        end_at=end_at,
        grace=shift.grace if shift else timedelta(),
        plan=plan if shift else Plan.NOTHING,
    )
