"""What the cells of a table say, and what of them is refused."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.sheets import FORMULA_STARTS, Day, OneOf, harmless, plain


class TestHarmless:
    @given(st.text())
    def test_is_no_formula_and_says_the_same(self, text: str) -> None:
        assert not harmless(text).startswith(FORMULA_STARTS)
        assert plain(harmless(text.strip())) == plain(text)


class TestPlain:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [(None, ""), (104, "104"), (104.0, "104"), (" E-1 ", "E-1"), ("'=x", "=x")],
    )
    def test_reads_what_a_sheet_holds(self, cell: object, text: str) -> None:
        assert plain(cell) == text


class TestOneOf:
    def test_reads_its_words_in_any_case(self) -> None:
        status = OneOf(["active", "inactive"], "status")

        assert status.clean("Inactive") == "inactive"
        assert status.clean("") is None

    def test_names_its_words(self) -> None:
        kind = OneOf(["paid", "unpaid", "sick"], "kind of leave")

        with pytest.raises(ValueError, match=r"Write paid, unpaid or sick\.$"):
            kind.clean("gone")


class TestDay:
    @pytest.mark.parametrize(
        "cell",
        [
            date(2026, 3, 5),
            datetime(2026, 3, 5),  # noqa: DTZ001 - a sheet's dates have no zone
            "2026-03-05",
            " 2026-03-05 ",
            "2026-03-05 00:00:00",
        ],
    )
    def test_reads_what_is_a_date_beyond_doubt(self, cell: object) -> None:
        assert Day().clean(cell) == date(2026, 3, 5)

    @pytest.mark.parametrize("cell", ["", None, "  "])
    def test_is_nothing_where_the_cell_is_empty(self, cell: object) -> None:
        assert Day().clean(cell) is None

    @pytest.mark.parametrize(
        "cell", ["05/03/2026", "3/5/26", "5.3.2026", "46086", "soon", "2026-02-30"]
    )
    def test_refuses_what_can_be_read_in_two_ways(self, cell: str) -> None:
        with pytest.raises(ValueError, match=f"'{cell}' is no date that can be read"):
            Day().clean(cell)

    @given(st.dates())
    def test_reads_what_it_wrote(self, day: date) -> None:
        assert Day().clean(Day().render(day)) == day
