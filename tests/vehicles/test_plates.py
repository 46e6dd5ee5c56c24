"""Plates cut out of pictures and read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from streaming.vision.types import Box
from vehicles.formats import INDIA
from vehicles.plate_model import RAPID, load_reader
from vehicles.plates import MARGINS, SPLITS, FoundPlate, PlateModel, ReadText, cuts
from vehicles.rules import GatePolicy, refusal
from vehicles.voting import vote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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


class UpperLines:
    """Reads every other cut."""

    name = "upper lines"

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        return [ReadText("A" if n % 2 == 0 else "", (0.9,)) for n in range(len(cuts))]


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


class TestTwoLines:
    def test_are_read_one_by_one_and_put_together(self) -> None:
        model = PlateModel(Nowhere(), Sizes(), line_reader=Sizes())
        square = FoundPlate(Box(0.4, 0.3, 0.6, 0.7), 0.9)

        reads = model.reads(PICTURE, square)
        assert len(reads) == 4 + len(SPLITS)
        first, *_, last = reads[4:]
        assert (first.text, last.text) == ("41X2041X21", "41X1841X23")

    @pytest.mark.parametrize("box", [Box(0.4, 0.4, 0.6, 0.5), Box(0.4, 0.4, 0.51, 0.5)])
    def test_are_not_looked_for_in_a_long_plate(self, box: Box) -> None:
        model = PlateModel(Nowhere(), Sizes(), line_reader=Sizes())

        assert len(model.reads(PICTURE, FoundPlate(box, 0.9))) == 4

    def test_of_which_one_says_nothing_are_no_read(self) -> None:
        model = PlateModel(Nowhere(), Sizes(), line_reader=UpperLines())
        square = FoundPlate(Box(0.4, 0.3, 0.6, 0.7), 0.9)

        assert len(model.reads(PICTURE, square)) == 4


@pytest.mark.weights
class TestRealPlateOfTwoLines:
    @pytest.mark.parametrize("plate", ["KA04AA2801", "KA02AC9015"])
    def test_is_read(self, shared: Path, plate: str) -> None:
        image, box = labelled(shared / "samples/plates/indian/auto_rickshaw_ka", plate)
        models = shared / "models"
        model = PlateModel(Nowhere(), load_reader(models), load_reader(models, RAPID))

        found = vote(model.reads(image, FoundPlate(box, 1.0)), INDIA)
        assert found is not None
        assert found.text == plate
        assert refusal(found, GatePolicy()) is None


def labelled(folder: Path, plate: str) -> tuple[Image, Box]:
    """Return a photo and where in it the plate is, by its label."""
    labels = json.loads((folder / "via_boxes_and_texts.json").read_text())
    for photo in labels["_via_img_metadata"].values():
        for region in photo["regions"]:
            if region["region_attributes"].get("Class") == plate:
                image = np.asarray(
                    cv2.imread(str(folder / photo["filename"])), np.uint8
                )
                height, width = image.shape[:2]
                at = region["shape_attributes"]
                x, y = at["x"] / width, at["y"] / height
                box = Box(x, y, x + at["width"] / width, y + at["height"] / height)
                return image, box
    raise LookupError(plate)
