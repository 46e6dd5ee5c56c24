"""What is told of a day, sentence by sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.explain import Evidence, Known, Note, explain
from attendance.roster import Plan, Shift
from attendance.rules import DayResult, settle
from tests.sightings import (
    BERLIN,
    DAY,
    KOLKATA,
    LATER,
    NIGHT,
    ON,
    instant,
    result,
    seen,
    spans,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

GATE = Evidence(words="recognised at Gate 1", similarity=0.714, threshold=0.45)


def told(day: DayResult, **values: Any) -> list[str]:
    evidence = {each.event_id: GATE for each, _ in day.seen}
    known = Known(result=day, zone=KOLKATA, shift_name="Early", evidence=evidence)
    return explain(replace(known, **values))


class TestRoster:
    @pytest.mark.parametrize(
        ("plan", "rest", "line"),
        [
            (Plan.WORK, "", "Early, 09:00 to 17:00, with 15 minutes of grace."),
            (
                Plan.HOLIDAY,
                "Republic Day",
                "Holiday (Republic Day); the shift would have been Early, 09:00 to "
                "17:00.",
            ),
            (
                Plan.WEEKLY_OFF,
                "",
                "Weekly off; the shift would have been Early, 09:00 to 17:00.",
            ),
            (
                Plan.ON_LEAVE,
                "Sick leave",
                "On leave (Sick leave); the shift would have been Early, 09:00 to "
                "17:00.",
            ),
        ],
    )
    def test_is_told_first(self, plan: Plan, rest: str, line: str) -> None:
        assert told(result("", plan=plan), rest=rest)[0] == line

    def test_has_the_date_where_it_is_another(self) -> None:
        assert told(result("", shift=NIGHT), shift_name="Night")[0] == (
            "Night, 22:00 to 2026-11-21 06:00, with 15 minutes of grace."
        )

    def test_tells_that_there_was_none(self) -> None:
        assert told(result("", shift=None)) == [
            "No shift was assigned: the day is from midnight to midnight.",
            "Nothing was planned and nobody saw them come: there is no record.",
        ]

    def test_has_the_zone_in_the_night_of_a_clock_change(self) -> None:
        day = result("> 22:10", shift=NIGHT, zone=BERLIN, on=date(2026, 10, 24))
        lines = told(day, zone=BERLIN)

        assert lines[0].startswith("Early, 22:00 CEST to 2026-10-25 06:00 CET,")
        assert lines[1] == "Clocks were changed meanwhile: the shift lasted 9 h."
        assert lines[2].startswith("22:10:00 CEST recognised at Gate 1")

    def test_counts_one_minute_as_one(self) -> None:
        shift = Shift(DAY.start, DAY.end, DAY.grace / 15)

        assert told(result("", shift=shift))[0].endswith("with 1 minute of grace.")


class TestEvents:
    def test_have_their_time_place_score_way_and_what_they_counted_as(self) -> None:
        lines = told(result("> 09:12:31"))

        assert lines[1] == (
            "09:12:31 recognised at Gate 1 (similarity 0.71, needed 0.45), coming in: "
            "the arrival."
        )

    @pytest.mark.parametrize(
        ("evidence", "words"),
        [
            (Evidence(words="stamped by gate-1"), "stamped by gate-1, coming in"),
            (
                Evidence(words="seen at Gate 1", similarity=0.5),
                "seen at Gate 1 (similarity 0.50), coming in",
            ),
            (None, "seen, coming in"),
        ],
    )
    def test_say_what_is_known(self, evidence: Evidence | None, words: str) -> None:
        day = result("> 09:00")
        known = {"0 > 09:00": evidence} if evidence else {}

        assert told(day, evidence=known)[1] == f"09:00:00 {words}: the arrival."

    def test_that_change_nothing_are_told_as_one_where_many_follow(self) -> None:
        lines = told(result("> 09:00, > 10:00, > 11:00, > 12:30, < 17:00"))

        assert lines[2] == (
            "10:00:00 to 12:30:00 seen 3 times more: they had come already, which "
            "changes nothing."
        )
        assert lines[3].endswith(": the exit.")

    @pytest.mark.parametrize(
        ("words", "counted"),
        [
            (
                "> 09:00, > 10:00",
                ["the arrival", "they had come already, which changes nothing"],
            ),
            (
                "> 09:00, < 12:00, > 13:00, < 17:00",
                [
                    "the arrival",
                    "an exit that was taken back",
                    "they came back before the end, which takes the exit back",
                    "the exit",
                ],
            ),
            (
                "> 09:00, < 17:00, < 17:10",
                ["the arrival", "an exit, but not the last one", "the exit"],
            ),
            (
                "< 08:00, > 09:00",
                ["an exit before any arrival, which counts for nothing", "the arrival"],
            ),
            ("< 12:00", ["an exit before any arrival, which counts for nothing"]),
            ("> 17:30", ["after the end, which opens nothing"]),
            (
                "> 05:00, < 21:00:01",
                [
                    "the arrival",
                    "more than 16 h after the arrival, which is no exit of it",
                ],
            ),
        ],
    )
    def test_are_told_by_what_they_counted_as(
        self, words: str, counted: list[str]
    ) -> None:
        lines = told(result(words))[1 : 1 + len(counted)]

        assert [line.rsplit(": ", 1)[1].rstrip(".") for line in lines] == counted

    def test_of_other_days_and_of_no_attendance_stand_between_them(self) -> None:
        early, late = seen("> 05:10, < 20:00")
        lines = told(
            result("> 09:00, < 17:00"),
            elsewhere=[(late, None), (early, date(2026, 11, 19))],
            notes=[Note(instant("12:00"), "refused at Gate 2")],
        )

        assert lines[1] == "05:10:00 seen, coming in: counted for 2026-11-19."
        assert lines[3] == "12:00:00 refused at Gate 2."
        assert lines[5] == (
            "20:00:00 seen, going out: in no shift's time, which counts for nothing."
        )


class TestResult:
    @pytest.mark.parametrize(
        ("words", "line"),
        [
            ("> 09:00", "Present: they came by 09:00."),
            ("> 09:00:31", "Present: 31 s after 09:00, within the grace until 09:15."),
            ("> 09:12", "Present: 12 minutes after 09:00, within the grace until"),
            ("> 09:20:59", "Late: 20 minutes after 09:00, and grace ended at 09:15."),
            ("", "Absent: nobody saw them come before the end at 17:00."),
            ("< 17:00", "Absent: nobody saw them come before the end at 17:00."),
        ],
    )
    def test_is_told_with_the_rule_that_decided(self, words: str, line: str) -> None:
        assert any(each.startswith(line) for each in told(result(words)))

    def test_is_still_to_come_before_the_end(self) -> None:
        lines = told(result("", now=instant("10:00")))

        assert lines[1] == (
            "Expected: nobody saw them come yet. They are absent from 18:00 on."
        )

    @pytest.mark.parametrize(
        ("plan", "line"),
        [
            (Plan.WEEKLY_OFF, "Weekly off: nobody saw them come at its hours."),
            (Plan.HOLIDAY, "Holiday: nobody saw them come at its hours."),
            (Plan.ON_LEAVE, "On leave: nobody saw them come at its hours."),
        ],
    )
    def test_of_a_day_off_is_that(self, plan: Plan, line: str) -> None:
        assert told(result("", plan=plan))[-1] == line
        came = told(result("> 09:40", plan=plan, now=instant("10:00")))
        assert came[-1] == (
            "Present, though they did not have to come: neither late nor early."
        )

    def test_is_unverified_by_the_outages_that_hid_arrivals(self) -> None:
        down = spans(("07:50", "08:20"), ("12:00", "12:30"))
        (day,) = settle([work(DAY)], [], now=LATER, outages=down)

        assert told(day, outages=down)[1:] == [
            "Unverified: nobody saw them come, but between 08:00 and 11:00, when they "
            "would have, cameras were down for a minute or more.",
            "A camera that sees arrivals was down from 07:50:00 to 08:20:00.",
        ]

    @pytest.mark.parametrize(
        ("words", "lines"),
        [
            ("> 09:00", ["nobody saw them leave, and no exit is invented."]),
            ("> 09:00, < 16:00", ["they left before the end of the shift."]),
            ("< 16:00", ["somebody saw them leave, but nobody saw them come."]),
            ("> 17:30", ["they came when the shift was over."]),
            (
                "< 08:00, > 09:00, < 17:00",
                ["an exit was seen before the arrival."],
            ),
            ("> 09:00, < 17:00", []),
        ],
    )
    def test_tells_why_it_is_to_be_reviewed(self, words: str, lines: list[str]) -> None:
        found = [
            line.removeprefix("To be reviewed: ")
            for line in told(result(words))
            if line.startswith("To be reviewed: ")
        ]

        assert found == lines

    @pytest.mark.parametrize(
        ("words", "lines"),
        [
            ("> 09:00", []),
            (
                "> 09:00, < 17:00",
                ["Worked 480 minutes, from 09:00:00 to 17:00:00."],
            ),
            (
                "> 09:00, < 17:01",
                [
                    "Worked 481 minutes, from 09:00:00 to 17:01:00, 1 minute of them "
                    "after the end."
                ],
            ),
            (
                "> 09:00, < 16:00",
                [
                    "Worked 420 minutes, from 09:00:00 to 16:00:00.",
                    "Left 60 minutes before the end.",
                ],
            ),
        ],
    )
    def test_tells_the_minutes(self, words: str, lines: list[str]) -> None:
        found = [
            line for line in told(result(words)) if line.startswith(("Worked", "Left"))
        ]

        assert found == lines

    def test_that_a_person_corrected_is_told_last(self) -> None:
        said = Note(instant("10:05 1"), 'corrected by hr: "was at the dentist"')

        assert told(result(""), corrected=said)[-1] == (
            '2026-11-21 10:05:00 corrected by hr: "was at the dentist". That stands, '
            "whatever the rules say."
        )


class TestSentences:
    @given(
        st.lists(
            st.tuples(st.sampled_from("><~"), st.times(), st.sampled_from(["", " 1"])),
            max_size=6,
        ),
        st.sampled_from(list(Plan)),
        st.sampled_from([DAY, NIGHT]),
    )
    def test_tell_every_event_once_and_end_with_a_full_stop(
        self, drawn: Sequence[tuple[str, Any, str]], plan: Plan, shift: Shift
    ) -> None:
        words = ", ".join(f"{way} {at:%H:%M}{day}" for way, at, day in drawn)
        day = result(words, shift=shift, plan=plan, on=ON)
        lines = told(day)

        assert all(line.endswith(".") for line in lines)
        alone = sum("recognised at Gate 1" in line for line in lines)
        more = (re.search(r"seen (\d+) times more", line) for line in lines)
        assert alone + sum(int(each[1]) for each in more if each) == len(day.seen)
