from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.resources import FORMULA_STARTS, StatusWord, YesOrNo, harmless, plain


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


class TestYesOrNo:
    @pytest.mark.parametrize(
        ("cell", "said"),
        [("yes", True), ("No", False), (True, True), (0, False), ("", None)],
    )
    def test_reads_both_and_leaves_what_is_empty(
        self,
        cell: object,
        said: bool | None,  # noqa: FBT001 - a column of the table
    ) -> None:
        assert YesOrNo().clean(cell) is said

    def test_refuses_anything_else(self) -> None:
        with pytest.raises(ValueError, match="'ja' is neither yes nor no"):
            YesOrNo().clean("ja")


class TestStatusWord:
    def test_reads_its_words_in_any_case(self) -> None:
        assert StatusWord().clean("Inactive") == "inactive"
        assert StatusWord().clean("") is None
