"""What went wrong in other systems that keep attendance, each as a test of ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from attendance.roster import Plan, Shift, occurrence
from attendance.rules import Review, Status, is_in_future, judge, settle
from tests.sightings import (
    BERLIN,
    DAY,
    EVENING,
    GRACE,
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
    seen,
    work,
)

TOKYO = ZoneInfo("Asia/Tokyo")
SINGAPORE = ZoneInfo("Asia/Singapore")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
EARLY, LATE = Shift(time(6), time(14)), Shift(time(14), time(22))


class TestNight:
    """Nights, and shifts that follow one another: what others get wrong most."""

    def test_is_one_day_however_its_events_are_ordered(self) -> None:
        """Events that were not sorted split one shift into several days."""
        events = seen("> 21:55, < 02:00 1, > 02:30 1, < 06:05 1")
        planned = [work(NIGHT), work(NIGHT, NEXT)]

        told = {
            tuple(settle(planned, order, now=LATER)) for order in permutations(events)
        }
        ((night, next_night),) = told
        assert (local(night.check_in_at), local(night.check_out_at)) == (
            "21:55",
            "06:05",
        )
        assert next_night.seen == ()

    def test_of_an_evening_until_half_past_eleven_is_present(self) -> None:
        """The time after the end until which an exit counts is after midnight."""
        evening = Shift(time(15), time(23, 30))
        day = result("> 14:58, < 01:20 1", shift=evening)

        assert (day.status, local(day.check_out_at)) == (Status.PRESENT, "01:20")

    def test_that_overlaps_the_day_before_leaves_that_alone(self) -> None:
        """Of two shifts whose times overlap the earlier one was called absent."""
        overlapping = Shift(time(12), time(20))
        day, later = days("> 08:55, < 17:05", work(DAY), work(overlapping))

        assert (day.status, later.status) == (Status.PRESENT, Status.ABSENT)
        assert later.seen == ()

    def test_exit_is_not_one_of_the_next_day_s_other_shift(self) -> None:
        night, early = days("> 21:50, < 06:10 1", work(NIGHT), work(EARLY, NEXT))

        assert local(night.check_out_at) == "06:10"
        assert (early.status, early.reviews) == (Status.ABSENT, frozenset())

    def test_arrival_and_exit_are_of_one_shift(self) -> None:
        """They were of two shifts, and both days were absent."""
        early, late = days("> 05:50, < 14:20", work(EARLY), work(LATE))

        assert (local(early.check_in_at), local(early.check_out_at)) == (
            "05:50",
            "14:20",
        )
        assert late.seen == ()

    def test_is_one_row(self) -> None:
        """Arrival and exit, on two dates, were two rows."""
        first, second = days("> 22:00, < 06:00 1", work(NIGHT), work(NIGHT, NEXT))

        assert (first.check_in is None, first.check_out is None) == (False, False)
        assert second.check_in is second.check_out is None

    def test_is_closed_by_an_exit_after_midnight(self) -> None:
        day = result("> 22:00, < 00:01 1", shift=NIGHT)

        assert local(day.check_out_at) == "00:01"
        assert day.early_minutes == 359

    def test_has_eight_hours_from_ten_to_six(self) -> None:
        """It was counted one hour short."""
        assert result("> 22:00, < 06:00 1", shift=NIGHT).worked_minutes == 480

    @pytest.mark.parametrize("zone", [KOLKATA, TOKYO, SINGAPORE, BERLIN, NEW_YORK])
    def test_east_and_west_of_greenwich_has_no_overtime_in_its_second_half(
        self, zone: ZoneInfo
    ) -> None:
        day = result("> 22:00, < 06:00 1", shift=NIGHT, zone=zone)

        assert (day.overtime_minutes, day.early_minutes) == (0, 0)

    def test_does_not_hide_the_shift_after_it(self) -> None:
        """What came after an attendance over midnight was not looked at."""
        night, day = days(
            "> 22:00, < 06:00 1, > 13:55 1, < 22:00 1", work(NIGHT), work(LATE, NEXT)
        )

        assert (night.worked_minutes, day.worked_minutes) == (480, 485)

    @pytest.mark.parametrize(
        ("words", "status", "early"),
        [
            ("> 22:05, < 06:00 1", Status.PRESENT, 0),
            ("> 00:30 1, < 06:00 1", Status.LATE, 0),
            ("> 22:00, < 23:30", Status.PRESENT, 390),
        ],
    )
    def test_is_not_judged_by_times_of_the_day(
        self, words: str, status: Status, early: int
    ) -> None:
        """22:05 was after the end at 06:00, 00:30 early, and 23:30 no early exit."""
        day = result(words, shift=NIGHT)

        assert (day.status, day.early_minutes) == (status, early)

    def test_has_its_grace_across_midnight(self) -> None:
        """Grace that ended at 00:05 was over at 23:56."""
        shift = Shift(time(23, 55), time(8), timedelta(minutes=10))

        assert result("> 00:05 1", shift=shift).status is Status.PRESENT


class TestAbsence:
    @pytest.mark.parametrize("hour", range(24))
    def test_is_told_of_every_shift(self, hour: int) -> None:
        """Some shifts were never called absent."""
        shift = Shift(time(hour), time((hour + 8) % 24))
        told_at = occurrence(shift, ON, KOLKATA).end_at + timedelta(minutes=60)

        assert result("", shift=shift, now=told_at).status is Status.ABSENT
        before = told_at - timedelta(seconds=1)
        assert result("", shift=shift, now=before).status is Status.EXPECTED

    def test_is_none_on_a_weekly_off(self) -> None:
        assert result("", plan=Plan.WEEKLY_OFF).status is Status.WEEKLY_OFF

    def test_is_none_on_approved_leave(self) -> None:
        assert result("", plan=Plan.ON_LEAVE).status is Status.ON_LEAVE

    def test_is_none_on_a_holiday(self) -> None:
        assert result("", plan=Plan.HOLIDAY).status is Status.HOLIDAY

    @pytest.mark.parametrize("minute", range(0, 12 * 60, 15))
    def test_is_none_after_any_arrival_before_the_end(self, minute: int) -> None:
        """Arrivals that counted were skipped."""
        at = datetime(2026, 11, 20, 5) + timedelta(minutes=minute)  # noqa: DTZ001

        assert result(f"> {at:%H:%M}").check_in is not None

    def test_is_taken_back_by_what_arrives_later(self) -> None:
        assert [result(words).status for words in ("", "> 09:05, < 17:00")] == [
            Status.ABSENT,
            Status.PRESENT,
        ]

    def test_is_of_the_site_s_date_west_of_greenwich(self) -> None:
        """It was written for the date that it was in London."""
        day = result("", zone=LOS_ANGELES, shift=LATE)

        assert day.occurrence.end_at.date() == NEXT
        assert day.occurrence.date == ON

    def test_is_told_after_days_without_a_run(self) -> None:
        """What nobody worked out in time was never worked out."""
        for later in (timedelta(hours=3), timedelta(days=40)):
            now = instant("17:00") + later
            assert result("", now=now).status is Status.ABSENT

    def test_is_not_told_before_the_shift_is_over(self) -> None:
        """Whoever was not there yet was absent at any hour."""
        assert result("", now=instant("17:59:59")).status is Status.EXPECTED


class TestRepetition:
    def test_of_an_event_counts_once(self) -> None:
        """Workers that took the same event within milliseconds made two."""
        events = seen("> 09:00, < 17:00")

        assert settle([work(DAY)], events * 5, now=LATER) == [
            result("> 09:00, < 17:00")
        ]

    def test_of_a_check_in_is_no_check_out(self) -> None:
        day = result("> 09:00, > 09:00:04, > 14:00")

        assert day.check_out is None
        assert len(day.skipped) == 2

    def test_by_a_face_before_a_camera_all_day_is_one_arrival(self) -> None:
        words = ", ".join(
            f"> {9 + at // 60:02}:{at % 60:02}" for at in range(0, 450, 2)
        )
        day = result(words)

        assert local(day.check_in_at) == "09:00"
        assert (day.check_out, len(day.skipped)) == (None, 224)

    def test_of_the_work_changes_nothing(self) -> None:
        """Overtime doubled when days were worked out again near midnight."""
        words = "> 08:50, < 19:30"
        instants = [instant(at) for at in ("21:00", "23:59", "00:00 1", "00:01 1")]

        assert len({result(words, now=now) for now in instants}) == 1

    def test_older_than_what_is_known_is_the_arrival(self) -> None:
        """An event that was older than the last one was called a repetition."""
        assert local(result("> 11:00, > 08:59").check_in_at) == "08:59"


class TestExit:
    def test_is_the_last_one(self) -> None:
        """Later ones did not move it."""
        day = result("> 09:00, < 12:00, < 17:00, < 19:00")

        assert local(day.check_out_at) == "19:00"

    def test_that_was_forgotten_does_not_turn_all_later_events_round(self) -> None:
        """Every further arrival was an exit, and every exit an arrival."""
        first, second = days(
            "> 09:00, > 08:58 1, < 17:03 1", work(DAY), work(DAY, NEXT)
        )

        assert (first.check_out, first.reviews) == (
            None,
            frozenset({Review.MISSING_CHECK_OUT}),
        )
        assert local(second.check_in_at) == "08:58"
        assert local(second.check_out_at) == "17:03"

    @pytest.mark.parametrize("zone", [SINGAPORE, TOKYO, LOS_ANGELES])
    def test_is_never_made_up(self, zone: ZoneInfo) -> None:
        """Early arrivals were signed out at once, by the date in London."""
        day = result("> 06:00", shift=Shift(time(7), time(15)), zone=zone)

        assert (day.check_out, day.worked_minutes) == (None, None)

    def test_of_overtime_counts(self) -> None:
        """Exits later than half an hour after the end were refused."""
        day = result("> 09:00, < 20:30")

        assert (day.overtime_minutes, local(day.check_out_at)) == (210, "20:30")

    def test_counts_though_an_arrival_was_repeated(self) -> None:
        """A check-out in the event that repeated the check-in was dropped with it."""
        assert local(result("> 09:00, > 09:10, < 17:00").check_out_at) == "17:00"


class TestDate:
    def test_is_the_site_s_east_of_greenwich(self) -> None:
        """05:00 in Japan is the day before in London."""
        day = result("> 04:55", shift=Shift(time(5), time(13)), zone=TOKYO)

        assert day.check_in_at == datetime(2026, 11, 19, 19, 55, tzinfo=UTC)
        assert day.occurrence.date == ON

    @pytest.mark.parametrize("on", [date(2026, 1, 31), date(2026, 12, 31)])
    def test_may_be_the_last_of_a_month_or_a_year(self, on: date) -> None:
        """Adding one to the month failed in December."""
        day = result("> 22:00, < 06:00 1", shift=NIGHT, on=on)

        assert (day.occurrence.date, day.worked_minutes) == (on, 480)


class TestFigures:
    def test_of_late_arrivals_do_not_depend_on_who_entered_them(self) -> None:
        """What was entered by hand was on time."""
        given = judge(work(DAY), instant("09:40"), instant("17:00"))

        assert (given.status, given.late_minutes) == (Status.LATE, 40)

    def test_of_a_day_off_have_no_overtime_from_the_first_minute(self) -> None:
        off = result("> 09:00, < 12:00", plan=Plan.WEEKLY_OFF)
        nothing = result("> 09:00, < 12:00", shift=None)

        assert (off.worked_minutes, off.overtime_minutes) == (180, 0)
        assert (nothing.worked_minutes, nothing.overtime_minutes) == (180, None)

    def test_count_each_day_once(self) -> None:
        """A day was present and absent. The rate of late people: test_totals.py."""
        events = ["> 09:00, < 17:00", "> 10:00, < 16:00", "", "< 17:00"]

        assert [result(words).status for words in events] == [
            Status.PRESENT,
            Status.LATE,
            Status.ABSENT,
            Status.ABSENT,
        ]

    def test_know_grace_from_lateness(self) -> None:
        within = result("> 09:15")
        beyond = result("> 09:15:01")

        assert (within.grace_period_applied, within.is_late) == (True, False)
        assert (beyond.grace_period_applied, beyond.is_late) == (False, True)
        assert beyond.occurrence.grace == GRACE

    def test_of_the_next_shift_start_anew(self) -> None:
        day, evening = days(
            "> 09:00, < 17:00, > 17:50, < 22:00", work(DAY), work(EVENING)
        )

        assert (day.worked_minutes, evening.worked_minutes) == (480, 250)


class TestClock:
    def test_that_is_hours_fast_is_not_believed(self) -> None:
        """A device whose zone was set anew sent times that were still to come."""
        assert is_in_future(LATER + timedelta(hours=2, minutes=30), now=LATER)

    def test_that_changes_moves_no_day(self) -> None:
        """A zone's offset of another season was applied."""
        for on, hours in [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9)]:
            day = result("> 22:00, < 06:00 1", shift=NIGHT, zone=BERLIN, on=on)
            assert (day.worked_minutes, day.early_minutes) == (hours * 60, 0)
            assert (day.status, day.overtime_minutes) == (Status.PRESENT, 0)
