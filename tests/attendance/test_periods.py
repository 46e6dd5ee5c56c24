"""Stretches of dates without others, against the dates counted one by one."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from attendance.periods import Dates

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(40)]
"""An open end is seen as far as these go."""


def held(dates: Dates) -> set[date]:
    return {
        day
        for day in DAYS
        if dates.first <= day and (dates.end is None or day < dates.end)
    }


@st.composite
def stretches(draw: st.DrawFn) -> Dates:
    first = draw(st.integers(0, 30))
    length = draw(st.none() | st.integers(1, 9))
    end = None if length is None else DAYS[first] + timedelta(days=length)
    return Dates(DAYS[first], end)


class TestDates:
    @given(stretches(), st.lists(stretches(), max_size=4))
    def test_without_others_hold_the_dates_that_none_of_them_has(
        self, dates: Dates, taken: list[Dates]
    ) -> None:
        left = dates.without(taken)

        gone = {day for gap in taken for day in held(gap)}
        assert {day for piece in left for day in held(piece)} == held(dates) - gone
        assert left == sorted(left, key=lambda piece: piece.first)
        assert sum(len(held(piece)) for piece in left) == len(held(dates) - gone)

    @given(stretches(), stretches())
    def test_overlap_where_they_share_a_date(self, one: Dates, other: Dates) -> None:
        assert one.overlaps(other) == bool(held(one) & held(other))
        assert one.overlaps(other) == other.overlaps(one)

    @given(stretches(), stretches())
    def test_cover_those_whose_dates_they_all_hold(
        self, one: Dates, other: Dates
    ) -> None:
        assert one.covers(other) == (
            held(other) <= held(one) and (other.end is not None or one.end is None)
        )
