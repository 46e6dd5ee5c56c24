"""What is said of texts that are tried on formats."""

from __future__ import annotations

import re

import pytest

from vehicles.format_trial import TEXTS_MAX, try_texts
from vehicles.formats import INDIA, BadFormat, Format


class TestTryTexts:
    @pytest.mark.parametrize(
        ("text", "plate", "why"),
        [
            ("mh 12 ab-1234", "MH12AB1234", "a plate of India as it stands"),
            ("MHI2ABI234", "MH12AB1234", "1 for I at place 3, 1 for I at place 7"),
            ("MH12AB12", "", "It has 8 letters and digits; .* has 9 or 10"),
            ("MHXXAB1234", "", "stand where India or India, BH series has none"),
            ("...", "", "no letter A to Z and no digit"),
        ],
    )
    def test_says_what_becomes_of_each_and_why(
        self, text: str, plate: str, why: str
    ) -> None:
        (tried,) = try_texts(text, INDIA)

        assert tried.plate == plate
        assert re.search(why, tried.why), tried.why

    def test_says_between_what_it_does_not_choose(self) -> None:
        formats = [Format("One", "[0-9][A-Z]"), Format("Other", "[A-Z][0-9]")]

        (tried,) = try_texts("88", formats)

        assert (tried.plate, tried.why) == (
            "",
            "It could be 8B or B8, so it is neither.",
        )

    def test_passes_over_empty_lines_and_ends_somewhere(self) -> None:
        tried = try_texts("\n\n".join(["MH12AB1234"] * (TEXTS_MAX + 1)), INDIA)

        assert len(tried) == TEXTS_MAX

    def test_refuses_a_pattern_that_is_none(self) -> None:
        with pytest.raises(BadFormat):
            try_texts("AB", [Format("Own", "[A-Z]+")])
