"""What easyocr's one figure for a text says of its characters."""

from __future__ import annotations

import pytest

from vehicles.readers.easy import at_least


class TestEasyConfidence:
    @pytest.mark.parametrize(
        "characters", [(0.9,) * 10, (0.99,) * 9 + (0.5,), (1.0, 0.2, 1.0), (0.7,)]
    )
    def test_of_a_text_is_at_most_that_of_each_character(
        self, characters: tuple[float, ...]
    ) -> None:
        product = 1.0
        for each in characters:
            product *= each
        told = product ** (2 / len(characters) ** 0.5)

        assert at_least(told, len(characters)) <= min(characters) + 1e-9
