"""The worked examples of a day, in three time zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from attendance.roster import Plan, Shift, occurrence
from attendance.rules import Review, Status, is_in_future, judge, opens, settle
from tests.sightings import (
    BERLIN,
    DAY,
    EVENING,
    KOLKATA,
    LATER,
    NEW_YORK,
    NEXT,
    NIGHT,
    ON,
    days,
    instant,
    local,
    result,
    spans,
    work,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class TestArrival:
    @pytest.mark.parametrize(
        ("came", "status", "grace", "late_minutes"),
        [
            ("05:00", Status.PRESENT, False, 0),
            ("08:59:59", Status.PRESENT, False, 0),
            ("09:00", Status.PRESENT, False, 0),
            ("09:00:01", Status.PRESENT, True, 0),
            ("09:15", Status.PRESENT, True, 0),
            ("09:15:01", Status.LATE, False, 15),
            ("09:16", Status.LATE, False, 16),
            ("16:59:59", Status.LATE, False, 479),
        ],
    )
    def test_is_judged_by_start_and_grace(
        self,
        came: str,
        status: Status,
        grace: bool,  # noqa: FBT001
        late_minutes: int,
    ) -> None:
        day = result(f"> {came}")

        assert day.status is status
        assert day.is_late is (status is Status.LATE)
        assert day.grace_period_applied is grace
        assert day.late_minutes == late_minutes
        assert local(day.check_in_at) == came

    @pytest.mark.parametrize("came", ["17:00", "17:00:01", "20:59:59"])
    def test_at_or_after_the_end_opens_nothing(self, came: str) -> None:
        day = result(f"> {came}")

        assert day.status is Status.ABSENT
        assert day.check_in_at is None
        assert day.reviews == {Review.CAME_AFTER_END}

    @pytest.mark.parametrize("came", ["04:59:59", "05:00 1"])
    def test_outside_the_window_says_nothing(self, came: str) -> None:
        day = result(f"> {came}")

        assert (day.status, day.reviews) == (Status.ABSENT, frozenset())

    @pytest.mark.parametrize(
        ("came", "status", "late_minutes"),
        [
            ("> 21:50", Status.PRESENT, 0),
            ("> 22:05", Status.PRESENT, 0),
            ("> 00:30 1", Status.LATE, 150),
            ("> 05:59 1", Status.LATE, 479),
            ("> 06:00 1", Status.ABSENT, 0),
        ],
    )
    def test_at_night_is_judged_by_the_night_before(
        self, came: str, status: Status, late_minutes: int
    ) -> None:
        day = result(came, shift=NIGHT)

        assert (day.status, day.late_minutes) == (status, late_minutes)
        assert day.occurrence.date == ON

    def test_within_grace_across_midnight_is_on_time(self) -> None:
        late_evening = Shift(time(23, 55), time(8), timedelta(minutes=10))

        assert result("> 00:05 1", shift=late_evening).status is Status.PRESENT
        assert result("> 00:06 1", shift=late_evening).status is Status.LATE


class TestSecondDetection:
    @pytest.mark.parametrize("again", ["> 09:00:02", "> 12:00", "> 16:59", "> 20:30"])
    def test_changes_nothing_and_is_told(self, again: str) -> None:
        first, both = result("> 09:00"), result(f"> 09:00, {again}")

        assert replace(both, seen=first.seen) == first
        assert both.skipped == {f"1 {again}"}

    def test_within_twelve_hours_does_not_open_the_next_shift(self) -> None:
        first, second = days("> 09:00, > 17:55", work(DAY), work(EVENING))

        assert first.skipped == {"1 > 17:55"}
        assert second.status is Status.ABSENT

    def test_after_a_check_out_opens_the_shift_it_belongs_to(self) -> None:
        first, second = days("> 09:00, < 17:00, > 17:55", work(DAY), work(EVENING))

        assert local(first.check_out_at) == "17:00"
        assert (second.status, local(second.check_in_at)) == (Status.PRESENT, "17:55")


class TestExit:
    @pytest.mark.parametrize(
        ("words", "left"),
        [
            ("> 09:00, < 17:00", "17:00"),
            ("> 09:00, < 12:00, < 17:05", "17:05"),
            ("> 09:00, < 12:00, > 12:30, < 17:00", "17:00"),
            ("> 09:00, < 12:00, > 12:30", ""),
            ("> 09:00, < 17:00, > 17:10", "17:00"),
            ("> 09:00, < 17:00, > 17:10, < 17:20", "17:20"),
            ("> 09:00, < 01:00 1", "01:00"),
            ("> 09:00, < 01:00:01 1", ""),
        ],
    )
    def test_is_the_last_one_after_which_nobody_came_back(
        self, words: str, left: str
    ) -> None:
        day = result(words)

        assert local(day.check_out_at) == left
        assert (Review.MISSING_CHECK_OUT in day.reviews) is (not left)

    def test_before_the_end_is_early_and_reviewed(self) -> None:
        day = result("> 09:00, < 16:59:59")

        assert day.is_early_exit
        assert day.flagged_for_review
        assert day.status is Status.PRESENT
        assert not result("> 09:00, < 17:00").is_early_exit

    def test_before_the_check_in_is_ignored_and_reviewed(self) -> None:
        day = result("< 08:50, > 09:00, < 17:00")

        assert local(day.check_out_at) == "17:00"
        assert day.reviews == {Review.EXIT_BEFORE_CHECK_IN}

    def test_is_missed_once_the_shift_has_closed(self) -> None:
        before, closed = (
            result("> 09:00", now=instant(at)).reviews for at in ("20:59:59", "21:00")
        )

        assert before == frozenset()
        assert closed == {Review.MISSING_CHECK_OUT}

    def test_alone_leaves_an_absence_to_be_reviewed(self) -> None:
        day = result("< 17:00")

        assert day.status is Status.ABSENT
        assert day.reviews == {Review.EXIT_ONLY}

    def test_of_the_night_belongs_to_the_night_and_not_to_the_next_shift(self) -> None:
        night, day = days("> 21:55, < 06:10 1", work(NIGHT), work(DAY, NEXT))

        assert local(night.check_out_at) == "06:10"
        assert night.overtime_minutes == 10
        assert day.reviews == frozenset()

    @pytest.mark.parametrize(
        ("words", "worked", "overtime"),
        [
            ("> 09:00, < 17:00", 480, 0),
            ("> 08:30, < 17:00:59", 510, 0),
            ("> 09:10:30, < 18:45:29", 574, 105),
            ("> 09:00", None, None),
        ],
    )
    def test_gives_whole_minutes_of_work_and_overtime(
        self, words: str, worked: int | None, overtime: int | None
    ) -> None:
        day = result(words)

        assert (day.worked_minutes, day.overtime_minutes) == (worked, overtime)


class TestCameraOfBothWays:
    @pytest.mark.parametrize(
        ("words", "came", "left"),
        [
            ("~ 08:55", "08:55", ""),
            ("~ 08:55, ~ 12:00, ~ 17:05", "08:55", "17:05"),
            ("~ 08:55, ~ 17:05, < 17:06", "08:55", "17:06"),
            ("~ 08:55, < 12:00, ~ 12:40", "08:55", "12:40"),
            ("~ 08:55, < 17:00, ~ 17:30", "08:55", "17:30"),
        ],
    )
    def test_takes_the_first_as_arrival_and_the_last_as_exit(
        self, words: str, came: str, left: str
    ) -> None:
        day = result(words)

        assert (local(day.check_in_at), local(day.check_out_at)) == (came, left)

    def test_tells_no_exit_before_the_shift_has_closed(self) -> None:
        closed = datetime(2026, 11, 20, 21, tzinfo=KOLKATA)
        words = "~ 08:55, ~ 17:05"

        assert result(words, now=closed - timedelta(seconds=1)).check_out_at is None
        assert local(result(words, now=closed).check_out_at) == "17:05"


class TestNobody:
    def test_is_absent_an_hour_after_the_end(self) -> None:
        at = datetime(2026, 11, 20, 18, tzinfo=KOLKATA)

        assert result("", now=at - timedelta(seconds=1)).status is Status.EXPECTED
        assert result("", now=at).status is Status.ABSENT

    @pytest.mark.parametrize("words", ["", "< 17:00"])
    @pytest.mark.parametrize("plan", [Plan.WORK, Plan.HOLIDAY])
    def test_has_no_figures(self, words: str, plan: Plan) -> None:
        day = result(words, plan=plan)

        assert (day.grace_period_applied, day.unscheduled) == (False, False)
        assert (day.late_minutes, day.early_minutes) == (0, 0)
        assert (day.worked_minutes, day.overtime_minutes) == (None, None)
        assert (day.check_in, day.check_out) == (None, None)

    @pytest.mark.parametrize(
        ("down", "status"),
        [
            (("08:50", "08:51"), Status.UNVERIFIED),
            (("08:50", "08:50:59"), Status.ABSENT),
            (("07:00", "08:00:59"), Status.ABSENT),
            (("07:00", "08:01"), Status.UNVERIFIED),
            (("10:59", "12:00"), Status.UNVERIFIED),
            (("10:59:01", "12:00"), Status.ABSENT),
            (("00:00", "23:00"), Status.UNVERIFIED),
        ],
    )
    def test_is_unverified_where_cameras_were_down(
        self, down: tuple[str, str], status: Status
    ) -> None:
        (day,) = settle([work(DAY)], [], now=LATER, outages=spans(down))
        assert day.status is status

    @pytest.mark.parametrize(
        ("down", "status"),
        [
            ((("08:10", "08:10:30"), ("09:10", "09:10:30")), Status.UNVERIFIED),
            ((("08:10", "08:10:30"), ("09:10", "09:10:29")), Status.ABSENT),
            # Two cameras at once are down but once.
            ((("08:10", "08:10:40"), ("08:10:10", "08:10:50")), Status.ABSENT),
            ((("08:10", "08:10:40"), ("08:10:10", "08:11")), Status.UNVERIFIED),
            ((("08:10", "08:10:50"), ("08:10:10", "08:10:20")), Status.ABSENT),
            ((("09:10", "09:10:30"), ("08:10", "08:10:30")), Status.UNVERIFIED),
        ],
    )
    def test_is_unverified_where_short_outages_add_up_to_a_minute(
        self, down: tuple[tuple[str, str], ...], status: Status
    ) -> None:
        (day,) = settle([work(DAY)], [], now=LATER, outages=spans(*down))

        assert day.status is status

    def test_is_absent_where_cameras_were_down_after_a_short_shift(self) -> None:
        short = work(Shift(time(9), time(9, 30)))
        (day,) = settle([short], [], now=LATER, outages=spans(("09:30", "11:00")))

        assert day.status is Status.ABSENT

    @pytest.mark.parametrize("plan", [Plan.WEEKLY_OFF, Plan.NOTHING])
    def test_is_off_on_a_day_off_whatever_was_down(self, plan: Plan) -> None:
        off = work(DAY if plan is Plan.WEEKLY_OFF else None, plan=plan)
        (day,) = settle([off], [], now=LATER, outages=spans(("00:00", "23:00")))

        assert day.status in {Status.WEEKLY_OFF, Status.NONE}

    @pytest.mark.parametrize(
        ("plan", "status"),
        [
            (Plan.WEEKLY_OFF, Status.WEEKLY_OFF),
            (Plan.HOLIDAY, Status.HOLIDAY),
            (Plan.ON_LEAVE, Status.ON_LEAVE),
        ],
    )
    def test_is_what_was_planned(self, plan: Plan, status: Status) -> None:
        assert result("", plan=plan).status is status
        assert result("", plan=plan, now=instant("08:00")).status is status
        came = result("> 09:40, < 12:00", plan=plan)
        assert (came.status, came.unscheduled) == (Status.PRESENT, True)
        assert came.reviews == frozenset()

    def test_leaves_no_record_where_no_shift_is_assigned(self) -> None:
        assert result("", shift=None).status is Status.NONE
        came = result("> 07:40, < 12:00", shift=None)
        assert (came.status, came.unscheduled) == (Status.PRESENT, True)
        assert (came.worked_minutes, came.overtime_minutes) == (260, None)


class TestClockChange:
    @pytest.mark.parametrize(
        ("zone", "on", "hours"),
        [
            (BERLIN, date(2026, 3, 28), 7),
            (BERLIN, date(2026, 10, 24), 9),
            (NEW_YORK, date(2026, 3, 7), 7),
            (NEW_YORK, date(2026, 10, 31), 9),
            (KOLKATA, date(2026, 3, 28), 8),
        ],
    )
    def test_makes_a_night_an_hour_shorter_or_longer(
        self, zone: ZoneInfo, on: date, hours: int
    ) -> None:
        night = occurrence(NIGHT, on, zone)
        day = result("> 22:00, < 06:00 1", shift=NIGHT, zone=zone, on=on)

        assert night.end_at - night.start_at == timedelta(hours=hours)
        assert day.worked_minutes == hours * 60
        assert (day.overtime_minutes, day.is_early_exit) == (0, False)


class TestGiven:
    """By a person, who corrects a day, or by a caller, who asks what would be."""

    @pytest.mark.parametrize(
        ("came", "left"),
        [
            ("08:59", "17:00"),
            ("09:15", "17:30"),
            ("09:15:01", "16:59:59"),
            ("16:59", None),
            ("09:00", "01:00 1"),
        ],
    )
    @pytest.mark.parametrize("plan", [Plan.WORK, Plan.HOLIDAY])
    def test_is_judged_like_what_was_seen(
        self, came: str, left: str | None, plan: Plan
    ) -> None:
        words = f"> {came}" + (f", < {left}" if left else "")
        by_events = result(words, plan=plan, now=instant("17:30"))
        given = judge(
            work(DAY, plan=plan), instant(came), instant(left) if left else None
        )

        same = replace(
            by_events, check_in=given.check_in, check_out=given.check_out, seen=()
        )
        assert given == same
        assert given.check_in_at == by_events.check_in_at
        assert given.check_out_at == by_events.check_out_at

    def test_without_an_exit_is_not_to_be_reviewed(self) -> None:
        given = judge(work(DAY), instant("09:00"))

        assert (given.check_out, given.reviews) == (None, frozenset())
        assert result("> 09:00").reviews == {Review.MISSING_CHECK_OUT}

    @pytest.mark.parametrize(
        ("plan", "came", "allowed"),
        [
            (Plan.WORK, "04:00", True),
            (Plan.WORK, "16:59:59", True),
            (Plan.WORK, "17:00", False),
            (Plan.HOLIDAY, "17:00", True),
        ],
    )
    def test_opens_a_shift_before_its_end_and_a_day_off_always(
        self,
        plan: Plan,
        came: str,
        allowed: bool,  # noqa: FBT001
    ) -> None:
        assert opens(work(DAY, plan=plan), instant(came)) is allowed


class TestFuture:
    def test_begins_five_minutes_ahead(self) -> None:
        assert not is_in_future(LATER + timedelta(minutes=5), now=LATER)
        assert is_in_future(LATER + timedelta(minutes=5, seconds=1), now=LATER)
