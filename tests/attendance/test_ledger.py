"""Which sighting counts for which day, and as what."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from attendance.ledger import Part
from attendance.roster import Plan, Shift
from attendance.rules import Review, Status
from tests.sightings import (
    DAY,
    EVENING,
    NEXT,
    NIGHT,
    ON,
    days,
    instant,
    local,
    result,
    work,
)

EARLY = Shift(time(6), time(14))
LATE = Shift(time(14), time(22))
RESTS = [Plan.WEEKLY_OFF, Plan.HOLIDAY, Plan.ON_LEAVE]


class TestSighting:
    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            ("> 09:00", "check_in"),
            ("> 09:00, > 12:00", "check_in again"),
            ("> 09:00, < 12:00, > 13:00", "check_in exit return"),
            ("> 09:00, < 17:00, > 17:10", "check_in exit again"),
            ("> 09:00, < 17:00, > 22:30", "check_in exit again"),
            ("> 09:00, < 12:00, < 17:00", "check_in exit exit"),
            ("< 08:00, > 09:00", "stray_exit check_in"),
            ("> 17:00", "after_end"),
            ("> 22:30", "after_end"),
            ("< 22:30", "stray_exit"),
            ("~ 09:00, ~ 17:00", "check_in exit"),
            ("~ 09:00, ~ 12:00, ~ 17:00", "check_in again exit"),
            ("~ 09:00, < 12:00, ~ 12:40", "check_in exit exit"),
            ("> 04:00", ""),
            ("< 04:00", ""),
            ("> 05:00 1", ""),
        ],
    )
    def test_is_told_as_what_it_was_counted(self, words: str, parts: str) -> None:
        assert " ".join(part for _, part in result(words).seen) == parts

    @pytest.mark.parametrize(
        ("words", "skipped"),
        [
            ("> 09:00", []),
            ("> 09:00, > 12:00, < 17:00", ["1 > 12:00"]),
            ("> 09:00, < 12:00, > 13:00", ["2 > 13:00"]),
            ("~ 09:00 = ~ 09:01, ~ 17:00", []),
            ("~ 09:00, ~ 12:00 = ~ 12:01, ~ 17:00", ["1 ~ 12:00 = ~ 12:01"]),
        ],
    )
    def test_is_a_second_one_where_they_had_come_already(
        self, words: str, skipped: list[str]
    ) -> None:
        assert sorted(result(words).skipped) == skipped

    def test_counts_for_the_open_shift_before_a_nearer_one(self) -> None:
        first, second = days("> 10:00, > 22:30, < 22:40", work(LATE), work(NIGHT))

        assert (local(first.check_in_at), local(first.check_out_at)) == (
            "10:00",
            "22:40",
        )
        assert second.seen == ()

    @pytest.mark.parametrize(
        ("came", "nearest"), [("09:59", 0), ("10:00", 0), ("10:01", 1), ("13:00", 1)]
    )
    def test_counts_for_the_shift_that_starts_nearest(
        self, came: str, nearest: int
    ) -> None:
        found = days(f"> {came}", work(EARLY), work(LATE))

        assert local(found[nearest].check_in_at) == came
        assert found[1 - nearest].check_in is None

    def test_counts_for_a_shift_before_a_day_without_one(self) -> None:
        night, day = days("> 01:30 1", work(NIGHT), work(None, NEXT))

        assert local(night.check_in_at) == "01:30"
        assert day.status is Status.NONE

    def test_counts_for_nobody_who_was_let_in_long_ago(self) -> None:
        """Twelve hours, and sixteen for an exit, both included."""
        long_day = Shift(time(6), time(20))

        assert result("> 06:00, > 18:00", shift=long_day).skipped
        left = result("> 06:00, < 22:00", shift=long_day)
        assert local(left.check_out_at) == "22:00"
        stayed = result("> 06:00, < 22:00:01", shift=long_day)
        assert stayed.check_out_at is None
        assert stayed.reviews == {Review.MISSING_CHECK_OUT}

    def test_after_half_a_day_without_an_exit_may_open_the_next_shift(self) -> None:
        words = "> 06:00, > {}"
        day, night = days(words.format("18:00"), work(EARLY), work(NIGHT))
        assert (len(day.seen), night.check_in) == (2, None)

        day, night = days(words.format("18:00:01"), work(EARLY), work(NIGHT))
        assert (len(day.seen), local(night.check_in_at)) == (1, "18:00:01")

    def test_of_no_shift_s_time_is_told_with_the_one_that_ended_last(self) -> None:
        day, evening = days("> 02:30 1", work(DAY), work(EVENING))

        assert day.seen == ()
        assert evening.reviews == {Review.CAME_AFTER_END}

    @pytest.mark.parametrize(
        ("came", "is_told"), [("04:59:59 1", True), ("05:00 1", False)]
    )
    def test_half_a_day_after_a_shift_is_told_with_none(
        self,
        came: str,
        is_told: bool,  # noqa: FBT001
    ) -> None:
        assert bool(result(f"> {came}").seen) is is_told

    def test_at_the_very_end_of_a_shift_without_margin_is_told_with_it(self) -> None:
        """A day without a shift has none, and midnight is after its end."""
        (day,) = days("> 00:00 1", work(None))

        assert [part for _, part in day.seen] == [Part.AFTER_END]
        assert day.status is Status.NONE


class TestDayOff:
    @pytest.mark.parametrize("plan", RESTS)
    @pytest.mark.parametrize("came", ["05:00", "09:30", "17:00", "20:59"])
    def test_is_opened_by_whoever_comes_at_any_time(
        self, plan: Plan, came: str
    ) -> None:
        day = result(f"> {came}", plan=plan)

        assert (day.status, day.unscheduled) == (Status.PRESENT, True)
        assert local(day.check_in_at) == came
        assert (day.late_minutes, day.grace_period_applied) == (0, False)

    @pytest.mark.parametrize("plan", RESTS)
    def test_is_not_to_be_reviewed_for_who_passes_by_in_the_night(
        self, plan: Plan
    ) -> None:
        day = result("> 22:30", plan=plan)

        assert day.status not in {Status.PRESENT, Status.ABSENT}
        assert [part for _, part in day.seen] == [Part.AFTER_END]
        assert not day.flagged_for_review

    @pytest.mark.parametrize(
        ("words", "worked", "overtime"),
        [
            ("> 09:00, < 12:00", 180, 0),
            ("> 09:00, < 18:00", 540, 60),
            ("> 18:00, < 20:00", 120, 120),
        ],
    )
    def test_has_as_overtime_what_was_worked_after_the_end(
        self, words: str, worked: int, overtime: int
    ) -> None:
        day = result(words, plan=Plan.WEEKLY_OFF)

        assert (day.worked_minutes, day.overtime_minutes) == (worked, overtime)
        assert (day.early_minutes, day.is_early_exit) == (0, False)

    def test_tells_an_exit_without_an_arrival(self) -> None:
        assert result("< 12:00", plan=Plan.HOLIDAY).reviews == {Review.EXIT_ONLY}


class TestExit:
    def test_in_no_shift_s_time_leaves_the_absence_to_be_reviewed(self) -> None:
        day = result("< 22:30")

        assert day.status is Status.ABSENT
        assert day.reviews == {Review.EXIT_ONLY}

    def test_long_after_the_arrival_is_none_before_it(self) -> None:
        long_day = Shift(time(6), time(20))
        day = result("> 06:00, < 23:30", shift=long_day)

        assert day.seen[-1][1] is Part.STRAY_EXIT
        assert day.reviews == {Review.MISSING_CHECK_OUT}

    @pytest.mark.parametrize(("back", "left"), [("16:59:59", ""), ("17:00", "16:30")])
    def test_is_taken_back_by_who_comes_again_before_the_end(
        self, back: str, left: str
    ) -> None:
        assert local(result(f"> 09:00, < 16:30, > {back}").check_out_at) == left

    def test_at_the_instant_of_the_arrival_is_before_it_or_the_exit(self) -> None:
        """Two events of one instant have an order, though an arbitrary one."""
        assert result("< 09:00, > 09:00").reviews >= {Review.EXIT_BEFORE_CHECK_IN}
        left = result("> 09:00, < 09:00")
        assert (left.check_out_at, left.worked_minutes) == (left.check_in_at, 0)

    def test_counts_for_the_last_shift_that_was_come_for(self) -> None:
        first, second = days(
            "> 09:00, < 17:00, > 17:55, < 22:05", work(DAY), work(EVENING)
        )

        assert local(first.check_out_at) == "17:00"
        assert local(second.check_out_at) == "22:05"


class TestCameraOfBothWays:
    def test_takes_back_what_looked_like_an_exit_when_they_come_in_again(
        self,
    ) -> None:
        day = result("~ 08:55, ~ 10:00, > 12:00")

        assert day.check_out is None
        assert day.reviews == {Review.MISSING_CHECK_OUT}

    def test_takes_back_a_first_exit_after_a_second_that_was_taken_back(self) -> None:
        assert result("~ 08:55, ~ 10:00, < 12:00, > 13:00").check_out is None

    def test_keeps_the_exit_from_who_comes_again_after_the_end(self) -> None:
        assert local(result("~ 08:55, ~ 17:05, > 17:10").check_out_at) == "17:05"

    def test_does_not_take_the_visit_with_which_they_came_for_the_exit(self) -> None:
        day = result("~ 08:55 = ~ 08:56")

        assert day.check_out is None
        assert day.reviews == {Review.MISSING_CHECK_OUT}

    @pytest.mark.parametrize(("until", "left"), [("16:59", ""), ("17:00", "17:00")])
    def test_takes_a_visit_that_lasts_until_the_end_for_both(
        self, until: str, left: str
    ) -> None:
        assert local(result(f"~ 08:55 = ~ {until}").check_out_at) == left

    def test_takes_the_end_of_another_visit_for_the_exit(self) -> None:
        assert local(result("~ 08:55, ~ 16:00 = ~ 16:40").check_out_at) == "16:40"

    def test_opens_the_next_shift_after_an_exit(self) -> None:
        first, second = days(
            "~ 09:00, < 17:00, ~ 17:55, ~ 22:05", work(DAY), work(EVENING)
        )

        assert local(first.check_out_at) == "17:00"
        assert (local(second.check_in_at), local(second.check_out_at)) == (
            "17:55",
            "22:05",
        )


class TestOutOfOrder:
    def test_takes_an_absence_back(self) -> None:
        assert result("").status is Status.ABSENT
        assert result("> 09:00").status is Status.PRESENT

    def test_gives_the_same_day_from_both_ends(self) -> None:
        words = "> 08:50, < 12:00, > 12:30, < 17:10"
        turned = ", ".join(reversed(words.split(", ")))

        one, other = result(words), result(turned)
        assert (one.check_in_at, one.check_out_at, one.reviews) == (
            (other.check_in_at, other.check_out_at, other.reviews)
        )
        assert one.check_out_at == instant("17:10", on=ON)
        assert one.worked_minutes == timedelta(hours=8, minutes=20).seconds // 60
