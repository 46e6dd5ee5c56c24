"""What holds of a day whatever was seen, in whatever order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from attendance.roster import Occurrence, Plan, Shift, occurrence
from attendance.rules import Review, Sighting, Status, Way, settle
from attendance.summary import summarise

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
            assert (one.status, one.late_minutes, one.reviews, one.proof) == (
                (other.status, other.late_minutes, other.reviews, other.proof)
            )
            assert one.worked_minutes == other.worked_minutes

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
            assert came is None or came < day.occurrence.end_at
            if day.occurrence.plan is not Plan.WORK:
                assert not day.is_late
                assert day.status is not Status.ABSENT

    @given(rosters(), sightings())
    def test_give_each_event_to_one_day_at_most(
        self, roster: list[Occurrence], seen: list[Sighting]
    ) -> None:
        days = settle(roster, seen, now=LONG_AFTER)

        proofs = [event for day in days for event in set(day.proof)]
        assert len(proofs) == len(set(proofs))


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


class TestSummary:
    @given(rosters(), sightings(), minutes)
    def test_adds_up(
        self, roster: list[Occurrence], seen: list[Sighting], now: timedelta
    ) -> None:
        days = settle(roster, seen, now=MIDNIGHT + now)
        last = FIRST + timedelta(days=9)

        total = summarise(days, first=FIRST, last=last)
        told = total.on_time + total.late + total.absent + total.unverified
        assert told <= total.scheduled_days <= len(days) <= total.total_days == 10
        if told:
            assert total.on_time_percentage == round(100 * total.on_time / told, 1)
        else:
            assert total.on_time_percentage is None
