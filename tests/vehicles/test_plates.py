"""Plates cut out of pictures and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from streaming.vision.types import Box
from vehicles.plates import MARGINS, FoundPlate, PlateModel, ReadText, cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.vision.types import Image

PICTURE: Image = np.zeros((100, 200, 3), np.uint8)


class Sizes:
    """Reads how wide and how high a cut is, and nothing in very small ones."""

    name = "sizes"

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        return [
            ReadText(f"{cut.shape[1]}X{cut.shape[0]}" if cut.size > 30 else "", ())
            for cut in cuts
        ]


class Nowhere:
    name = "nowhere"

    def find(self, image: Image) -> list[FoundPlate]:
        return []


class TestCuts:
    def test_leave_more_and_more_around_a_plate(self) -> None:
        sizes = [cut.shape[:2] for cut in cuts(PICTURE, Box(0.4, 0.4, 0.6, 0.6))]

        assert sizes == [(21, 41), (23, 45), (27, 42), (25, 49)]

    @pytest.mark.parametrize(
        "box", [Box(0, 0, 1, 1), Box(-0.1, -0.1, 1.1, 1.1), Box(0.99, 0.99, 1.2, 1.2)]
    )
    def test_stay_inside_the_picture(self, box: Box) -> None:
        found = list(cuts(PICTURE, box))

        assert len(found) == len(MARGINS)
        assert all(cut.shape[0] <= 100 and cut.shape[1] <= 200 for cut in found)

    @pytest.mark.parametrize("x", [1.5, -0.7])
    def test_of_what_lies_outside_are_none(self, x: float) -> None:
        assert list(cuts(PICTURE, Box(x, 0.2, x + 0.2, 0.4))) == []


class TestReads:
    def test_are_one_for_each_cut_that_says_something(self) -> None:
        model = PlateModel(Nowhere(), Sizes())
        plate = FoundPlate(Box(0.4, 0.4, 0.6, 0.6), 0.9)
        speck = FoundPlate(Box(0.5, 0.5, 0.5, 0.5), 0.9)

        reads = model.reads(PICTURE, plate, frame_index=7)
        assert [read.text for read in reads] == ["41X21", "45X23", "42X27", "49X25"]
        assert {read.frame_index for read in reads} == {7}
        assert model.reads(PICTURE, speck) == []
