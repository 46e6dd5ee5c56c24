"""What holds of a day whatever was seen, in whatever order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from attendance.roster import Occurrence, Plan, Shift, occurrence
from attendance.rules import (
    DayResult,
    Review,
    Sighting,
    Status,
    Way,
    is_blind,
    opens,
    settle,
)

if TYPE_CHECKING:
    from random import Random

UTC_ZONE = ZoneInfo("UTC")
FIRST = date(2026, 11, 2)
LONG_AFTER = datetime(2026, 12, 24, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)

minutes = st.integers(-6 * 60, 72 * 60).map(lambda count: timedelta(minutes=count))
shifts = st.builds(
    Shift,
    start=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    end=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    grace=st.integers(0, 60).map(lambda count: timedelta(minutes=count)),
)
plans = st.sampled_from(Plan)
ids = st.uuids().map(str)


def sightings(*ways: Way) -> st.SearchStrategy[list[Sighting]]:
    one = st.builds(
        Sighting,
        at=minutes.map(MIDNIGHT.__add__),
        event_id=ids,
        way=st.sampled_from(ways or tuple(Way)),
    )
    return st.lists(one, max_size=10, unique_by=lambda each: each.event_id)


def rosters() -> st.SearchStrategy[list[Occurrence]]:
    """Return three days in a row, each with a shift and a plan of its own."""
    days = st.lists(st.tuples(shifts, plans), min_size=3, max_size=3)
    return days.map(
        lambda drawn: [
            occurrence(shift, FIRST + timedelta(days=day), UTC_ZONE, plan=plan)
            for day, (shift, plan) in enumerate(drawn)
        ]
    )


def _left(
    planned: Occurrence, seen: list[Sighting], came: datetime | None
) -> datetime | None:
    """Return the last exit of the 16 hours, if nobody came back before the end."""
    if came is None:
        return None
    within = timedelta(hours=16)
    exits = [
        each.at
        for each in seen
        if each.way is Way.OUT and came <= each.at <= came + within
    ]
    last = max(exits, default=None)
    came_back = last is not None and any(
        each.way is Way.IN and last < each.at < planned.end_at for each in seen
    )
    return None if came_back else last


def _figures(day: DayResult) -> tuple[object, ...]:
    minutes = (day.late_minutes, day.early_minutes)
    return (day.status, *minutes, day.worked_minutes, day.overtime_minutes, day.reviews)


class TestDays:
    @given(rosters(), sightings(), st.randoms(use_true_random=False))
    def test_do_not_depend_on_order_or_repetition(
        self, roster: list[Occurrence], seen: list[Sighting], random: Random
    ) -> None:
        shuffled = seen + seen
        random.shuffle(shuffled)
        turned = list(reversed(roster))

        assert settle(roster, seen, now=LONG_AFTER) == settle(
            turned, shuffled, now=LONG_AFTER
        )

    @given(rosters(), sightings(), st.integers(-3000, 3000))
    def test_move_with_their_shift_and_events(
        self, roster: list[Occurrence], seen: list[Sighting], days: int
    ) -> None:
        by = timedelta(days=days)
        moved = [
            Occurrence(o.date + by, o.start_at + by, o.end_at + by, o.grace, o.plan)
            for o in roster
        ]
        events = [Sighting(each.at + by, each.event_id, each.way) for each in seen]

        before = settle(roster, seen, now=LONG_AFTER)
        after = settle(moved, events, now=LONG_AFTER + by)
        for one, other in zip(before, after, strict=True):
            assert _figures(one) == _figures(other)
            assert [(seen.event_id, part) for seen, part in one.seen] == [
                (seen.event_id, part) for seen, part in other.seen
            ]

    @given(rosters(), sightings(), minutes)
    def test_tell_figures_that_fit_together(
        self, roster: list[Occurrence], seen: list[Sighting], now: timedelta
    ) -> None:
        for day in settle(roster, seen, now=MIDNIGHT + now):
            came, left = day.check_in_at, day.check_out_at
            assert (came is not None) == (day.status in {Status.PRESENT, Status.LATE})
            assert left is None or (came is not None and left >= came)
            assert (left is None) == (day.worked_minutes is None)
            assert day.is_late or day.late_minutes == 0
            assert not (day.is_late and day.grace_period_applied)
            assert day.is_early_exit == (Review.EARLY_EXIT in day.reviews)
            assert came is None or opens(day.occurrence, came)
            if day.occurrence.plan is not Plan.WORK:
                assert not day.is_late
                assert day.status is not Status.ABSENT

    @given(rosters(), sightings())
    def test_give_each_event_to_one_day_at_most(
        self, roster: list[Occurrence], seen: list[Sighting]
    ) -> None:
        days = settle(roster, seen, now=LONG_AFTER)

        counted = [each for day in days for each, _ in day.seen]
        assert len(counted) == len(set(counted))
        assert set(counted) <= set(seen)


class TestShift:
    @given(shifts, sightings(Way.IN, Way.OUT))
    def test_is_what_the_table_of_rules_says(
        self, shift: Shift, seen: list[Sighting]
    ) -> None:
        """Told anew, event by event, without taking them in order."""
        planned = occurrence(shift, FIRST, UTC_ZONE)
        seen = list({each.at: each for each in seen}.values())
        (day,) = settle([planned], seen, now=LONG_AFTER)

        arrivals = [
            each.at
            for each in seen
            if each.way is Way.IN and planned.holds(each.at) and opens(planned, each.at)
        ]
        assert day.check_in_at == min(arrivals, default=None)
        assert day.check_out_at == _left(planned, seen, day.check_in_at)
        grace_ends = planned.start_at + shift.grace
        came = day.check_in_at
        assert day.status is (
            Status.ABSENT
            if came is None
            else Status.PRESENT
            if came <= grace_ends
            else Status.LATE
        )

    @given(shifts, st.lists(st.tuples(minutes, minutes), max_size=5))
    def test_is_unverified_by_the_minutes_that_nobody_saw(
        self, shift: Shift, down: list[tuple[timedelta, timedelta]]
    ) -> None:
        planned = occurrence(shift, FIRST, UTC_ZONE)
        outages = [(MIDNIGHT + min(each), MIDNIGHT + max(each)) for each in down]
        (day,) = settle([planned], [], now=LONG_AFTER, outages=outages)

        first = planned.start_at - timedelta(hours=1)
        last = min(planned.start_at + timedelta(hours=2), planned.end_at)
        minute = timedelta(minutes=1)
        unseen = {
            at
            for at in (first + count * minute for count in range(180))
            if at < last and any(since <= at < until for since, until in outages)
        }
        assert day.status is (Status.UNVERIFIED if unseen else Status.ABSENT)

    @given(shifts, st.lists(st.tuples(minutes, minutes), max_size=5), st.data())
    def test_is_not_absent_for_more_outages(
        self, shift: Shift, down: list[tuple[timedelta, timedelta]], data: st.DataObject
    ) -> None:
        planned = occurrence(shift, FIRST, UTC_ZONE)
        all_of_them = [(MIDNIGHT + min(each), MIDNIGHT + max(each)) for each in down]
        some = data.draw(
            st.lists(st.sampled_from(all_of_them)) if down else st.just([])
        )

        if is_blind(planned, some):
            assert is_blind(planned, all_of_them)

    @given(rosters(), sightings(), minutes, minutes)
    def test_is_decided_once(
        self,
        roster: list[Occurrence],
        seen: list[Sighting],
        one: timedelta,
        other: timedelta,
    ) -> None:
        """Time alone turns "expected" into a result, and no result into another."""
        sooner, later = sorted([MIDNIGHT + one, MIDNIGHT + other])
        before = settle(roster, seen, now=sooner)
        after = settle(roster, seen, now=later)

        for was, is_now in zip(before, after, strict=True):
            assert was.status in {is_now.status, Status.EXPECTED}
            assert was.check_in == is_now.check_in
            assert was.reviews - is_now.reviews <= {Review.EARLY_EXIT}


class TestExtraSighting:
    @given(
        shifts,
        sightings(Way.IN, Way.OUT),
        minutes.map(MIDNIGHT.__add__),
        ids,
    )
    def test_never_makes_an_arrival_later(
        self, shift: Shift, seen: list[Sighting], at: datetime, event_id: str
    ) -> None:
        roster = [occurrence(shift, FIRST, UTC_ZONE)]
        extra = Sighting(at, event_id, Way.IN)

        (before,) = settle(roster, seen, now=LONG_AFTER)
        (after,) = settle(roster, [*seen, extra], now=LONG_AFTER)
        if before.check_in_at:
            assert after.check_in_at is not None
            assert after.check_in_at <= before.check_in_at

    @given(shifts, sightings(), st.integers(0, 16 * 60), ids)
    def test_of_an_exit_never_makes_a_departure_earlier(
        self, shift: Shift, seen: list[Sighting], after_minutes: int, event_id: str
    ) -> None:
        roster = [occurrence(shift, FIRST, UTC_ZONE)]
        (before,) = settle(roster, seen, now=LONG_AFTER)
        if before.check_out_at is None or before.check_in_at is None:
            return
        at = before.check_in_at + timedelta(minutes=after_minutes)

        (after,) = settle(
            roster, [*seen, Sighting(at, event_id, Way.OUT)], now=LONG_AFTER
        )
        assert after.check_out_at is not None
        assert after.check_out_at >= before.check_out_at
