"""When a shift is, by the clocks of three countries."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.roster import WEEKDAYS, Plan, Shift, occurrence, plan_of, weekday
from tests.sightings import BERLIN, DAY, GRACE, KOLKATA, NEW_YORK, NIGHT, ON, work

CAIRO, LORD_HOWE = ZoneInfo("Africa/Cairo"), ZoneInfo("Australia/Lord_Howe")
HOUR = timedelta(hours=1)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""When Berlin's clocks are put on, and back, at 02:00 and 03:00."""
US_SPRING, US_AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
"""When New York's are, at 02:00."""

clock_times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def lasts(start: str, end: str, on: date, zone: ZoneInfo) -> timedelta:
    shift = Shift(time.fromisoformat(start), time.fromisoformat(end))
    there = occurrence(shift, on, zone)
    return there.end_at - there.start_at


class TestPlan:
    @pytest.mark.parametrize(
        ("holiday", "weekly_off", "leave", "plan"),
        [
            (False, False, False, Plan.WORK),
            (False, False, True, Plan.ON_LEAVE),
            (False, True, False, Plan.WEEKLY_OFF),
            (False, True, True, Plan.WEEKLY_OFF),
            (True, False, False, Plan.HOLIDAY),
            (True, False, True, Plan.HOLIDAY),
            (True, True, False, Plan.HOLIDAY),
            (True, True, True, Plan.HOLIDAY),
        ],
    )
    def test_is_a_holiday_before_a_day_off_before_leave(
        self,
        holiday: bool,  # noqa: FBT001
        weekly_off: bool,  # noqa: FBT001
        leave: bool,  # noqa: FBT001
        plan: Plan,
    ) -> None:
        planned = plan_of(
            is_holiday=holiday, is_weekly_off=weekly_off, is_on_leave=leave
        )
        assert planned is plan


class TestWeekday:
    def test_is_named_as_shifts_name_it(self) -> None:
        monday = date(2026, 11, 16)
        week = [weekday(monday + timedelta(days=day)) for day in range(7)]

        assert week == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        assert tuple(week) == WEEKDAYS


class TestOccurrence:
    def test_is_by_the_clock_of_the_site(self) -> None:
        assert (work(DAY).start_at, work(DAY).end_at) == (
            datetime(2026, 11, 20, 3, 30, tzinfo=UTC),
            datetime(2026, 11, 20, 11, 30, tzinfo=UTC),
        )
        assert (work(DAY).date, work(DAY).grace) == (ON, GRACE)

    @pytest.mark.parametrize(
        ("start", "end", "hours"),
        [
            ("09:00", "17:00", 8),
            ("22:00", "06:00", 8),
            ("09:00", "08:59", 24 - 1 / 60),
            ("09:00", "09:00", 24),
            ("09:00", "09:01", 1 / 60),
            ("00:00", "00:00", 24),
            ("16:00", "00:00", 8),
        ],
    )
    def test_ends_the_next_day_where_the_end_is_not_after_the_start(
        self, start: str, end: str, hours: float
    ) -> None:
        assert lasts(start, end, ON, KOLKATA) == timedelta(hours=hours)

    @pytest.mark.parametrize("plan", [Plan.WORK, Plan.HOLIDAY])
    def test_holds_from_four_hours_before_until_four_hours_after(
        self, plan: Plan
    ) -> None:
        there = work(DAY, plan=plan)
        first, close = there.start_at - 4 * HOUR, there.end_at + 4 * HOUR
        tick = timedelta(microseconds=1)

        assert there.closes_at == close
        held = [there.holds(at) for at in (first - tick, first, close - tick, close)]
        assert held == [False, True, True, False]

    def test_is_the_whole_day_and_no_more_where_no_shift_is_assigned(self) -> None:
        there = occurrence(None, ON, KOLKATA, plan=Plan.HOLIDAY)

        assert there.plan is Plan.NOTHING
        assert there.end_at - there.start_at == 24 * HOUR
        assert there.closes_at == there.end_at
        assert there.holds(there.start_at)
        assert not there.holds(there.end_at)
        assert not there.holds(there.start_at - timedelta(microseconds=1))


class TestClockChange:
    @pytest.mark.parametrize(
        ("zone", "on", "hours"),
        [
            (BERLIN, SPRING - timedelta(days=1), 7),
            (BERLIN, SPRING, 8),
            (BERLIN, AUTUMN - timedelta(days=1), 9),
            (BERLIN, AUTUMN, 8),
            (NEW_YORK, US_SPRING - timedelta(days=1), 7),
            (NEW_YORK, US_SPRING, 8),
            (NEW_YORK, US_AUTUMN - timedelta(days=1), 9),
            (NEW_YORK, US_AUTUMN, 8),
            (KOLKATA, SPRING - timedelta(days=1), 8),
            (KOLKATA, AUTUMN - timedelta(days=1), 8),
            (LORD_HOWE, date(2026, 4, 4), 8.5),
            (LORD_HOWE, date(2026, 10, 3), 7.5),
        ],
    )
    def test_makes_the_night_across_it_shorter_or_longer(
        self, zone: ZoneInfo, on: date, hours: float
    ) -> None:
        assert lasts("22:00", "06:00", on, zone) == timedelta(hours=hours)

    @pytest.mark.parametrize(
        ("zone", "on", "start", "utc"),
        [
            # Skipped: as if the clocks had not been changed.
            (BERLIN, SPRING, "02:00", "01:00"),
            (BERLIN, SPRING, "02:30", "01:30"),
            (BERLIN, SPRING, "02:59", "01:59"),
            (BERLIN, SPRING, "03:00", "01:00"),
            (NEW_YORK, US_SPRING, "02:30", "07:30"),
            # Twice: the first of the two.
            (BERLIN, AUTUMN, "01:59", "23:59"),
            (BERLIN, AUTUMN, "02:00", "00:00"),
            (BERLIN, AUTUMN, "02:30", "00:30"),
            (BERLIN, AUTUMN, "03:00", "02:00"),
            (NEW_YORK, US_AUTUMN, "01:00", "05:00"),
            (NEW_YORK, US_AUTUMN, "01:30", "05:30"),
            (NEW_YORK, US_AUTUMN, "02:00", "07:00"),
        ],
    )
    def test_leaves_no_start_in_doubt(
        self, zone: ZoneInfo, on: date, start: str, utc: str
    ) -> None:
        shift = Shift(time.fromisoformat(start), time(10))

        assert f"{occurrence(shift, on, zone).start_at:%H:%M}" == utc

    @pytest.mark.parametrize(
        ("zone", "on", "start", "end", "hours"),
        [
            (BERLIN, SPRING, "02:30", "10:30", 7),
            (BERLIN, SPRING, "18:30", "02:30", 8),
            (BERLIN, SPRING - timedelta(days=1), "18:30", "02:30", 8),
            (BERLIN, AUTUMN, "02:30", "10:30", 9),
            (BERLIN, AUTUMN - timedelta(days=1), "18:30", "02:30", 8),
            (BERLIN, AUTUMN - timedelta(days=1), "18:30", "03:00", 9.5),
            (NEW_YORK, US_SPRING, "02:30", "10:30", 7),
            (NEW_YORK, US_AUTUMN, "01:30", "09:30", 9),
            (NEW_YORK, US_AUTUMN - timedelta(days=1), "17:30", "01:30", 8),
            # It would be over before it starts.
            (BERLIN, SPRING, "02:30", "03:15", 0.75),
            (BERLIN, SPRING, "02:00", "03:00", 1),
        ],
    )
    def test_leaves_every_shift_its_length(
        self, zone: ZoneInfo, on: date, start: str, end: str, hours: float
    ) -> None:
        assert lasts(start, end, on, zone) == timedelta(hours=hours)

    @given(
        st.builds(Shift, clock_times, clock_times),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.sampled_from([BERLIN, NEW_YORK, KOLKATA, CAIRO, LORD_HOWE]),
    )
    def test_never_makes_a_shift_end_before_it_starts(
        self, shift: Shift, on: date, zone: ZoneInfo
    ) -> None:
        there = occurrence(shift, on, zone)

        assert timedelta() < there.end_at - there.start_at <= 25 * HOUR

    @pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, KOLKATA, CAIRO, LORD_HOWE])
    def test_leaves_no_gap_between_days_without_a_shift(self, zone: ZoneInfo) -> None:
        first = date(2026, 1, 1)
        year = [
            occurrence(None, first + timedelta(days=day), zone) for day in range(365)
        ]

        assert all(one.end_at == other.start_at for one, other in pairwise(year))
        lengths = {one.end_at - one.start_at for one in year}
        assert min(lengths) >= 23 * HOUR
        assert max(lengths) <= 25 * HOUR


class TestNight:
    @pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, KOLKATA])
    @pytest.mark.parametrize("on", [date(2026, 2, 28), date(2026, 12, 31)])
    def test_belongs_to_the_date_on_which_it_starts(
        self, zone: ZoneInfo, on: date
    ) -> None:
        night = occurrence(NIGHT, on, zone)

        assert night.date == on == night.start_at.astimezone(zone).date()
        assert night.end_at.astimezone(zone).date() == on + timedelta(days=1)
