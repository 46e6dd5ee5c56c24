"""What readers of any text tell of a plate's characters."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vehicles.readers.easy import at_least
from vehicles.readers.rapid import RapidReader


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


class TestRapidReader:
    def test_is_sure_of_nothing_where_the_figures_are_of_another_text(self) -> None:
        reader = RapidReader()
        # What the engine answers of text whose characters it does not tell one by one.
        words = SimpleNamespace(confs=[0.9, 0.9])
        said = SimpleNamespace(txts=["AB1"], word_results=[words])
        reader.__dict__["_engine"] = lambda *_, **__: said

        (text,) = reader.read([np.zeros((8, 24, 3), np.uint8)])
        assert (text.text, text.confidences) == ("AB1", (0.0, 0.0, 0.0))
