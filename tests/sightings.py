"""Days of work in few words, for tests of the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from attendance.roster import Occurrence, Plan, Shift, occurrence
from attendance.rules import DayResult, Sighting, Way, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

KOLKATA: Final = ZoneInfo("Asia/Kolkata")
BERLIN: Final = ZoneInfo("Europe/Berlin")
NEW_YORK: Final = ZoneInfo("America/New_York")
GRACE: Final = timedelta(minutes=15)
DAY: Final = Shift(time(9), time(17), GRACE)
NIGHT: Final = Shift(time(22), time(6), GRACE)
EVENING: Final = Shift(time(18), time(22))
ON: Final = date(2026, 11, 20)
NEXT: Final = date(2026, 11, 21)
LATER: Final = datetime(2026, 12, 24, tzinfo=UTC)
WAYS: Final = {">": Way.IN, "<": Way.OUT, "~": Way.EITHER}


def instant(words: str, *, on: date = ON, zone: ZoneInfo = KOLKATA) -> datetime:
    """Return the instant of "09:05" on a date, of "06:00 1" on the next."""
    clock, *days = words.split()
    day = on + timedelta(days=int(days[0]) if days else 0)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def seen(words: str, *, on: date = ON, zone: ZoneInfo = KOLKATA) -> list[Sighting]:
    """Return sightings: "> 09:05" came, "< 17:00" left, "~" either, "+1" next day.

    Each is an event of its own, called by its number and words; "=" instead of a comma
    before it makes it one more of the event before.
    """
    found: list[Sighting] = []
    for number, word in enumerate(words.split(", ") if words else []):
        for part in word.split(" = "):
            way, clock = part.split(" ", 1)
            at = instant(clock, on=on, zone=zone)
            found.append(Sighting(at, f"{number} {word}", WAYS[way]))
    return found


def result(
    words: str,
    *,
    shift: Shift | None = DAY,
    plan: Plan = Plan.WORK,
    zone: ZoneInfo = KOLKATA,
    on: date = ON,
    now: datetime = LATER,
) -> DayResult:
    """Return what a date alone comes to."""
    planned = occurrence(shift, on, zone, plan=plan)
    (only,) = settle([planned], seen(words, on=on, zone=zone), now=now)
    return only


def days(
    words: str, *occurrences: Occurrence, zone: ZoneInfo = KOLKATA
) -> list[DayResult]:
    """Return what several come to, of events whose "0" is the day `ON`."""
    return settle(occurrences, seen(words, zone=zone), now=LATER)


def work(shift: Shift | None, on: date = ON, *, plan: Plan = Plan.WORK) -> Occurrence:
    return occurrence(shift, on, KOLKATA, plan=plan)


def local(at: datetime | None, zone: ZoneInfo = KOLKATA) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}".removesuffix(":00") if at else ""


def spans(
    *words: tuple[str, str], on: date = ON, zone: ZoneInfo = KOLKATA
) -> Sequence[tuple[datetime, datetime]]:
    """Return periods of a date by the clock, such as those of outages."""
    return [
        (instant(since, on=on, zone=zone), instant(until, on=on, zone=zone))
        for since, until in words
    ]
