"""Hours that are not sixty minutes, and days that are not twenty-four hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import periods

ZONES = (
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "America/Santiago",
    "UTC",
)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2039, 12, 30))


class TestHours:
    @given(on=DAYS, zone=st.sampled_from(ZONES).map(ZoneInfo))
    def test_fill_the_day_without_gap_or_overlap(
        self, on: date, zone: ZoneInfo
    ) -> None:
        found = periods.hours(on, zone)

        assert (found[0][0], found[-1][1]) == periods.day(on, zone)
        assert all(before[1] == after[0] for before, after in pairwise(found))
        assert all(start < end for start, end in found)

    @given(on=DAYS, zone=st.sampled_from(ZONES).map(ZoneInfo))
    def test_are_never_longer_than_an_hour_and_begin_on_the_clock(
        self, on: date, zone: ZoneInfo
    ) -> None:
        for start, end in periods.hours(on, zone):
            assert end - start <= timedelta(hours=1)
            local = start.astimezone(zone)
            is_full = (local.minute, local.second) == (0, 0)
            assert (
                is_full
                or local.utcoffset()
                != (start - timedelta(seconds=1)).astimezone(zone).utcoffset()
            )

    @pytest.mark.parametrize(
        ("zone", "on", "count"),
        [
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("America/New_York", date(2026, 3, 8), 23),
            ("America/New_York", date(2026, 11, 1), 25),
            ("Asia/Kolkata", date(2026, 3, 29), 24),
            ("Australia/Lord_Howe", date(2026, 4, 5), 25),
        ],
    )
    def test_are_as_many_as_the_clock_shows(
        self, zone: str, on: date, count: int
    ) -> None:
        assert len(periods.hours(on, ZoneInfo(zone))) == count

    def test_that_are_repeated_are_two(self) -> None:
        zone = ZoneInfo("Europe/Berlin")
        shown = [
            start.astimezone(zone).hour
            for start, _ in periods.hours(date(2026, 10, 25), zone)
        ]

        assert shown[1:5] == [1, 2, 2, 3]


class TestHourStart:
    @given(
        at=st.integers(946_800_000, 2_208_800_000).map(
            lambda seconds: datetime.fromtimestamp(seconds, UTC)
        ),
        zone=st.sampled_from(ZONES).map(ZoneInfo),
    )
    def test_is_the_start_of_the_hour_that_holds_it(
        self, at: datetime, zone: ZoneInfo
    ) -> None:
        start = periods.hour_start(at, zone)

        assert start <= at < start + timedelta(hours=1)


class TestMonth:
    @pytest.mark.parametrize(
        ("on", "hours"),
        [
            (date(2026, 3, 29), 31 * 24 - 1),
            (date(2026, 10, 1), 31 * 24 + 1),
            (date(2026, 12, 31), 31 * 24),
            (date(2024, 2, 29), 29 * 24),
        ],
    )
    def test_is_as_long_as_its_days(self, on: date, hours: int) -> None:
        start, end = periods.month(on, ZoneInfo("Europe/Berlin"))

        assert end - start == timedelta(hours=hours)
