from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.types import Label
from streaming.vision.yolo import (
    Candidates,
    Letterbox,
    decode_columns,
    decode_rows,
    fit,
    grid_decoder,
    rectangle,
    to_detections,
)

LABELS = {0: Label.PERSON, 2: Label.CAR, 7: Label.TRUCK}
WHOLE = Letterbox(100, 100, 0, 0)


def candidates(*found: tuple[list[float], float, int]) -> Candidates:
    corners, scores, classes = zip(*found, strict=True)
    return Candidates(
        np.array(corners, np.float32),
        np.array(scores, np.float32),
        np.array(classes, np.intp),
    )


def labels_of(found: Candidates, *, max_overlap: float = 0.7) -> list[Label]:
    named = to_detections(found, WHOLE, labels=LABELS, max_overlap=max_overlap)
    return [each.label for each in named]


class TestFit:
    def test_pads_a_wide_picture_above_and_below(self) -> None:
        picture = np.full((90, 160, 3), 255, np.uint8)
        fitted, box = fit(picture, width=64, height=64, centred=True)
        assert fitted.shape == (64, 64, 3)
        assert box == Letterbox(64, 36, 0, 14)
        assert (fitted[14:50] == 255).all()
        assert (fitted[:14] == 114).all()
        assert (fitted[50:] == 114).all()

    def test_puts_the_picture_into_the_corner_when_not_centred(self) -> None:
        picture = np.full((160, 90, 3), 255, np.uint8)
        _, box = fit(picture, width=64, height=64, centred=False)
        assert (box.left, box.top) == (0, 0)

    @given(st.integers(8, 300), st.integers(8, 300))
    def test_is_undone_by_to_picture(self, width: int, height: int) -> None:
        picture = np.zeros((height, width, 3), np.uint8)
        _, box = fit(picture, width=64, height=48, centred=True)
        right, bottom = box.left + box.inner_width, box.top + box.inner_height
        corners = np.array([[box.left, box.top, right, bottom]], np.float32)
        assert box.to_picture(corners) == pytest.approx(np.array([[0, 0, 1, 1]]))


class TestRectangle:
    @pytest.mark.parametrize(
        ("size", "expected"),
        [
            ((1080, 1920), (384, 640)),
            ((576, 768), (480, 640)),
            ((1920, 1080), (640, 384)),
            ((500, 500), (640, 640)),
            ((1, 2000), (32, 640)),
        ],
    )
    def test_holds_the_picture_in_whole_strides(
        self, size: tuple[int, int], expected: tuple[int, int]
    ) -> None:
        picture = np.zeros((*size, 3), np.uint8)
        assert rectangle(picture, side=640, stride=32) == expected


class TestDecode:
    def test_reads_columns_of_centre_size_and_class_scores(self) -> None:
        output = np.zeros((4 + 3, 5), np.float32)
        output[:, 2] = [50, 40, 20, 10, 0.1, 0.8, 0.2]
        output[:, 4] = [50, 40, 20, 10, 0.1, 0.2, 0.2]
        found = decode_columns(output, 0.5)
        assert found.corners.tolist() == [[40, 35, 60, 45]]
        assert found.scores.tolist() == pytest.approx([0.8])
        assert found.classes.tolist() == [1]

    def test_reads_rows_that_are_finished(self) -> None:
        output = np.array(
            [[1, 2, 3, 4, 0.9, 7], [0, 0, 0, 0, 0.01, 0]], dtype=np.float32
        )
        found = decode_rows(output, 0.5)
        assert found.corners.tolist() == [[1, 2, 3, 4]]
        assert found.classes.tolist() == [7]

    def test_reads_cells_of_a_grid(self) -> None:
        decode = grid_decoder(width=64, height=32)
        cells = 8 * 4 + 4 * 2 + 2 * 1
        output = np.zeros((cells, 5 + 2), np.float32)
        second_row_third_cell = 1 * 8 + 2
        coarsest_last_cell = cells - 1
        output[second_row_third_cell] = [0.5, 0.5, np.log(2), 0, 0.9, 0.1, 1.0]
        output[coarsest_last_cell] = [0, 0, 0, 0, 1.0, 0.8, 0.1]
        found = decode(output, 0.5)
        assert found.corners.tolist() == [
            pytest.approx([12, 8, 28, 16]),
            pytest.approx([16, -16, 48, 16]),
        ]
        assert found.scores.tolist() == pytest.approx([0.9, 0.8])
        assert found.classes.tolist() == [1, 0]


class TestToDetections:
    def test_gives_relative_boxes_cut_off_at_the_edges(self) -> None:
        found = candidates(([-10, 20, 50, 120], 0.75, 0))
        (person,) = to_detections(found, WHOLE, labels=LABELS, max_overlap=0.7)
        box = person.box
        assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((0.0, 0.2, 0.5, 1.0))
        assert (person.label, person.confidence) == (Label.PERSON, 0.75)

    def test_drops_classes_that_are_not_wanted(self) -> None:
        assert labels_of(candidates(([0, 0, 50, 50], 0.9, 1))) == []

    def test_keeps_the_surer_of_two_boxes_of_one_thing(self) -> None:
        found = candidates(([0, 0, 50, 50], 0.6, 7), ([1, 0, 50, 50], 0.9, 2))
        assert labels_of(found) == [Label.CAR]

    def test_keeps_a_person_in_front_of_a_car(self) -> None:
        found = candidates(([0, 0, 50, 50], 0.6, 0), ([1, 0, 50, 50], 0.9, 2))
        assert sorted(labels_of(found)) == [Label.CAR, Label.PERSON]

    def test_keeps_neighbours_that_overlap_little(self) -> None:
        found = candidates(([0, 0, 50, 50], 0.6, 0), ([25, 0, 75, 50], 0.9, 0))
        assert labels_of(found) == [Label.PERSON] * 2
        assert labels_of(found, max_overlap=0.2) == [Label.PERSON]

    def test_gives_nothing_for_nothing(self) -> None:
        nothing = decode_rows(np.zeros((3, 6), np.float32), 0.5)
        assert to_detections(nothing, WHOLE, labels=LABELS, max_overlap=0.7) == []
