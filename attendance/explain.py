"""How a day came about, in sentences by the site's clock: values in, text out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from .ledger import CHECK_OUT_WITHIN, Part, Sighting, Way
from .roster import Plan
from .rules import (
    ABSENT_AFTER,
    MINUTE,
    DayResult,
    Review,
    Status,
    arrival_window,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

WAYS: Final = {
    Way.IN: "coming in",
    Way.OUT: "going out",
    Way.EITHER: "coming or going",
}
RESTS: Final = {
    Plan.WEEKLY_OFF: "Weekly off",
    Plan.HOLIDAY: "Holiday",
    Plan.ON_LEAVE: "On leave",
}
REVIEWS: Final = {
    Review.EARLY_EXIT: "To be reviewed: they left before the end of the shift.",
    Review.MISSING_CHECK_OUT: "To be reviewed: nobody saw them leave, and no exit is "
    "invented.",
    Review.EXIT_ONLY: "To be reviewed: somebody saw them leave, but nobody saw them "
    "come.",
    Review.EXIT_BEFORE_CHECK_IN: "To be reviewed: an exit was seen before the arrival.",
    Review.CAME_AFTER_END: "To be reviewed: they came when the shift was over.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of an event beside its instants and its way."""

    words: str
    """Such as "recognised at Gate 1" or "stamped by terminal-1"."""
    similarity: float | None = None
    threshold: float | None = None


AGAIN: Final = "they had come already, which changes nothing"
TOLD_ALONE: Final = 2
"""So many sightings in a row that change nothing are told one by one."""
UNKNOWN: Final = Evidence(words="seen")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened at an instant, as words without a full stop."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that a day is explained by; instants are UTC."""

    result: DayResult
    zone: ZoneInfo
    shift_name: str = ""
    rest: str = ""
    """Which holiday or leave it is."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """By event id."""
    elsewhere: Sequence[tuple[Sighting, date | None]] = ()
    """What was seen around, and the date it was counted for, if for any."""
    outages: Sequence[tuple[datetime, datetime]] = ()
    notes: Sequence[Note] = ()
    """What is no attendance, such as a refusal."""
    corrected: Note | None = None
    """What a person said of the day last, where that stands."""
    absent_after: timedelta = ABSENT_AFTER


def explain(known: Known) -> list[str]:
    """Return what the roster says, what was seen, and what that made of the day."""
    clock = _Clock(known.result, known.zone)
    return [
        *_roster(known, clock),
        *_seen(known, clock),
        *_status(known, clock),
        *(REVIEWS[each] for each in Review if each in known.result.reviews),
        *_minutes(known.result, clock),
        *_corrected(known, clock),
    ]


class _Clock:
    """Tells instants of a day as short as they are unambiguous."""

    def __init__(self, result: DayResult, zone: ZoneInfo) -> None:
        self.zone = zone
        self.on = result.occurrence.date
        start, end = (
            at.astimezone(zone)
            for at in (result.occurrence.start_at, result.occurrence.end_at)
        )
        self.changed = (end.utcoffset() or timedelta()) - (
            start.utcoffset() or timedelta()
        )

    def hour(self, at: datetime) -> str:
        return self._told(at, "%H:%M")

    def second(self, at: datetime) -> str:
        return self._told(at, "%H:%M:%S")

    def _told(self, at: datetime, form: str) -> str:
        # In the night of a clock change an hour comes twice.
        zone = " %Z" if self.changed else ""
        there = at.astimezone(self.zone)
        day = "" if there.date() == self.on else "%Y-%m-%d "
        return there.strftime(f"{day}{form}{zone}")


def _roster(known: Known, clock: _Clock) -> Iterator[str]:
    plan = known.result.occurrence
    if plan.plan is Plan.NOTHING:
        yield "No shift was assigned: the day is from midnight to midnight."
        return
    name = known.shift_name or "The shift"
    hours = f"{name}, {clock.hour(plan.start_at)} to {clock.hour(plan.end_at)}"
    if plan.plan is Plan.WORK:
        yield f"{hours}, with {_minutes_of(plan.grace)} of grace."
    else:
        which = f" ({known.rest})" if known.rest else ""
        yield f"{RESTS[plan.plan]}{which}; the shift would have been {hours}."
    if clock.changed:
        lasted = _hours(plan.end_at - plan.start_at)
        yield f"Clocks were changed meanwhile: the shift lasted {lasted}."


def _seen(known: Known, clock: _Clock) -> Iterator[str]:
    """Tell every event and what it was counted as, oldest first.

    Who is about all day passes cameras often: those that changed nothing are told as
    one, where there are many in a row.
    """
    told = sorted(
        [
            *(_counted(known, clock, seen, part) for seen, part in known.result.seen),
            *_others(known, clock),
        ],
        key=lambda each: (each.at, each.words),
    )
    for changes, run in groupby(told, key=lambda each: each.changes):
        row = list(run)
        if changes or len(row) <= TOLD_ALONE:
            yield from (each.words for each in row)
        else:
            first, last = clock.second(row[0].at), clock.second(row[-1].at)
            yield f"{first} to {last} seen {len(row)} times more: {AGAIN}."


@dataclass(frozen=True, slots=True)
class _Line:
    """What happened at an instant."""

    at: datetime
    words: str
    changes: bool = True
    """Whether it is worth a line of its own among others."""


def _counted(known: Known, clock: _Clock, seen: Sighting, part: Part) -> _Line:
    words = _event(known, clock, seen, _as_what(known.result, seen, part))
    return _Line(seen.at, words, changes=part is not Part.AGAIN)


def _others(known: Known, clock: _Clock) -> Iterator[_Line]:
    """Tell what was counted for other dates, or for none."""
    for seen, on in known.elsewhere:
        yield _Line(seen.at, _event(known, clock, seen, _counted_on(on)))
    for note in known.notes:
        yield _Line(note.at, f"{clock.second(note.at)} {note.words}.")


def _event(known: Known, clock: _Clock, seen: Sighting, counted: str) -> str:
    evidence = known.evidence.get(seen.event_id, UNKNOWN)
    words = f"{evidence.words}{_score(evidence)}, {WAYS[seen.way]}"
    return f"{clock.second(seen.at)} {words}: {counted}."


def _score(evidence: Evidence) -> str:
    if evidence.similarity is None:
        return ""
    needed = f", needed {evidence.threshold:.2f}" if evidence.threshold else ""
    return f" (similarity {evidence.similarity:.2f}{needed})"


def _as_what(result: DayResult, seen: Sighting, part: Part) -> str:
    if part is Part.EXIT:
        return _as_exit(result, seen)
    if part is Part.STRAY_EXIT:
        came = result.check_in
        if came is None or seen.at <= came.at:
            return "an exit before any arrival, which counts for nothing"
        hours = _hours(CHECK_OUT_WITHIN)
        return f"more than {hours} after the arrival, which is no exit of it"
    return {
        Part.CHECK_IN: "the arrival",
        Part.AGAIN: AGAIN,
        Part.RETURN: "they came back before the end, which takes the exit back",
        Part.AFTER_END: "after the end, which opens nothing",
    }[part]


def _as_exit(result: DayResult, seen: Sighting) -> str:
    if seen == result.check_out:
        return "the exit"
    later = [part for each, part in result.seen if each.at > seen.at]
    if Part.RETURN in later:
        return "an exit that was taken back"
    return "an exit, but not the last one"


def _counted_on(on: date | None) -> str:
    return f"counted for {on}" if on else "in no shift's time, which counts for nothing"


def _status(known: Known, clock: _Clock) -> Iterator[str]:
    """Tell the rule that decided."""
    result = known.result
    if result.check_in is not None:
        yield _arrived(result, clock)
    elif result.status in {Status.ABSENT, Status.UNVERIFIED, Status.EXPECTED}:
        yield from _missing(known, clock)
    elif result.status is Status.NONE:
        yield "Nothing was planned and nobody saw them come: there is no record."
    else:
        yield f"{RESTS[result.occurrence.plan]}: nobody saw them come at its hours."


def _arrived(result: DayResult, clock: _Clock) -> str:
    plan, came = result.occurrence, result.check_in_at
    if came is None or result.unscheduled:
        return "Present, though they did not have to come: neither late nor early."
    start = clock.hour(plan.start_at)
    grace_ends = clock.hour(plan.start_at + plan.grace)
    after = f"{_span(came - plan.start_at)} after {start}"
    if result.is_late:
        return f"Late: {after}, and grace ended at {grace_ends}."
    if result.grace_period_applied:
        return f"Present: {after}, within the grace until {grace_ends}."
    return f"Present: they came by {start}."


def _missing(known: Known, clock: _Clock) -> Iterator[str]:
    result, end = known.result, known.result.occurrence.end_at
    if result.status is Status.EXPECTED:
        told_at = clock.hour(end + known.absent_after)
        yield f"Expected: nobody saw them come yet. They are absent from {told_at} on."
    elif result.status is Status.ABSENT:
        yield f"Absent: nobody saw them come before the end at {clock.hour(end)}."
    else:
        since, until = (clock.hour(at) for at in arrival_window(result.occurrence))
        yield (
            f"Unverified: nobody saw them come, but between {since} and {until}, when "
            "they would have, cameras were down for a minute or more."
        )
    yield from _outages(known, clock)


def _outages(known: Known, clock: _Clock) -> Iterator[str]:
    first, last = arrival_window(known.result.occurrence)
    for since, until in sorted(known.outages):
        if since < last and until > first:
            span = f"{clock.second(since)} to {clock.second(until)}"
            yield f"A camera that sees arrivals was down from {span}."


def _minutes(result: DayResult, clock: _Clock) -> Iterator[str]:
    came, left = result.check_in_at, result.check_out_at
    if came is None or left is None:
        return
    span = f"{clock.second(came)} to {clock.second(left)}"
    after = (
        f", {_count(result.overtime_minutes)} of them after the end"
        if result.overtime_minutes
        else ""
    )
    yield f"Worked {_count(result.worked_minutes or 0)}, from {span}{after}."
    if result.early_minutes:
        yield f"Left {_count(result.early_minutes)} before the end."


def _corrected(known: Known, clock: _Clock) -> Iterator[str]:
    if note := known.corrected:
        told = f"{clock.second(note.at)} {note.words}"
        yield f"{told}. That stands, whatever the rules say."


def _minutes_of(span: timedelta) -> str:
    return _count(span // MINUTE)


def _span(span: timedelta) -> str:
    """Tell minutes, and seconds where it is less than one."""
    return _minutes_of(span) if span >= MINUTE else f"{span.seconds} s"


def _count(minutes: int) -> str:
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _hours(span: timedelta) -> str:
    hours, rest = divmod(span, timedelta(hours=1))
    minutes = f" {rest // MINUTE} min" if rest else ""
    return f"{hours} h{minutes}"
