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


class Plan(StrEnum):
    """What the roster says of a date."""

    WORK = "work"
    WEEKLY_OFF = "weekly_off"
    HOLIDAY = "holiday"
    ON_LEAVE = "on_leave"
    NOTHING = "nothing"
    """No shift is assigned; the occurrence is the whole local day."""


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
    return Occurrence(
        date=on,
        start_at=datetime.combine(on, start, zone).astimezone(UTC),
        end_at=datetime.combine(last, end, zone).astimezone(UTC),
        grace=shift.grace if shift else timedelta(),
        plan=plan if shift else Plan.NOTHING,
    )
