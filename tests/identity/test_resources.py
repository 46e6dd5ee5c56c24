from __future__ import annotations

import pytest

from identity.resources import YesOrNo


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
