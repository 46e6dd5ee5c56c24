"""Sums over a month, and what each day counts as."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from attendance.roster import Plan
from attendance.summary import Summary, summarise
from tests.sightings import DAY, KOLKATA, ON, instant, result

if TYPE_CHECKING:
    from attendance.rules import DayResult

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
PRESENT = result("> 09:00, < 17:00")
GRACE = result("> 09:15, < 17:00")
LATE = result("> 09:16, < 17:00")
EARLY = result("> 09:00, < 16:00")
ABSENT = result("")
OFF = result("", plan=Plan.WEEKLY_OFF)
CAME_ANYWAY = result("> 09:30, < 12:00", plan=Plan.HOLIDAY)
NOT_YET = result("", now=instant("08:00"))


def over(*results: DayResult) -> Summary:
    return summarise(results, first=FIRST, last=LAST)


class TestSummary:
    def test_counts_each_day_as_one_thing(self) -> None:
        total = over(PRESENT, GRACE, LATE, EARLY, ABSENT, OFF, CAME_ANYWAY, NOT_YET)

        assert total == Summary(
            total_days=30,
            scheduled_days=6,
            on_time=3,
            late=1,
            early_exits=1,
            absent=1,
            unverified=0,
            on_time_percentage=60.0,
        )

    @pytest.mark.parametrize(
        ("days", "percentage"),
        [
            ([], None),
            ([OFF, CAME_ANYWAY, NOT_YET], None),
            ([PRESENT, NOT_YET], 100.0),
            ([ABSENT], 0.0),
            ([PRESENT, LATE, ABSENT], 33.3),
            ([PRESENT, PRESENT, LATE], 66.7),
        ],
    )
    def test_gives_the_share_of_the_days_that_have_a_result(
        self, days: list[DayResult], percentage: float | None
    ) -> None:
        assert over(*days).on_time_percentage == percentage

    @pytest.mark.parametrize(
        ("on", "counted"),
        [
            (date(2026, 10, 31), 0),
            (FIRST, 1),
            (LAST, 1),
            (date(2026, 12, 1), 0),
        ],
    )
    def test_has_both_ends(self, on: date, counted: int) -> None:
        day = result("> 09:00, < 17:00", shift=DAY, zone=KOLKATA, on=on)

        assert over(day).scheduled_days == counted

    def test_of_one_date_has_one_day(self) -> None:
        total = summarise([PRESENT], first=ON, last=ON)

        assert (total.total_days, total.scheduled_days) == (1, 1)
