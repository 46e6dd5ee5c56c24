from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.geometry import Line, ZeroLengthLine, pairwise_iou
from streaming.vision.types import Point

coordinates = st.floats(0, 1, allow_subnormal=False)
points = st.builds(Point, coordinates, coordinates)
aspects = st.floats(0.5, 3)

DOWNWARDS = Line(Point(0.5, 0), Point(0.5, 1))
RIGHTWARDS = Line(Point(0, 0.5), Point(1, 0.5))


class TestLine:
    def test_refuses_two_ends_at_the_same_point(self) -> None:
        with pytest.raises(ZeroLengthLine):
            Line(Point(0.3, 0.3), Point(0.3, 0.3))

    def test_drawn_downwards_has_screen_right_on_its_in_side(self) -> None:
        assert DOWNWARDS.distance(Point(0.9, 0.5), 1.0) > 0
        assert DOWNWARDS.distance(Point(0.1, 0.5), 1.0) < 0

    def test_drawn_rightwards_has_the_upper_part_on_its_in_side(self) -> None:
        assert RIGHTWARDS.distance(Point(0.5, 0.1), 1.0) > 0
        assert RIGHTWARDS.distance(Point(0.5, 0.9), 1.0) < 0

    @pytest.mark.parametrize("aspect", [1.0, 16 / 9])
    def test_measures_distance_in_picture_heights(self, aspect: float) -> None:
        beside = Point(0.5 + 0.2, 0.7)
        below = Point(0.3, 0.5 + 0.2)
        assert DOWNWARDS.distance(beside, aspect) == pytest.approx(0.2 * aspect)
        assert RIGHTWARDS.distance(below, aspect) == pytest.approx(-0.2)

    def test_says_how_far_along_it_a_point_is(self) -> None:
        assert RIGHTWARDS.position(Point(0.25, 0.9), 2.0) == pytest.approx(0.25)
        assert RIGHTWARDS.position(Point(1.5, 0.1), 2.0) == pytest.approx(1.5)

    def test_is_as_long_as_it_looks(self) -> None:
        assert RIGHTWARDS.length(16 / 9) == pytest.approx(16 / 9)
        assert DOWNWARDS.length(16 / 9) == pytest.approx(1.0)

    @given(a=points, b=points, point=points, aspect=aspects)
    def test_flipped_swaps_the_sides(
        self, a: Point, b: Point, point: Point, aspect: float
    ) -> None:
        if abs(a.x - b.x) + abs(a.y - b.y) < 0.01:
            return
        line = Line(a, b)
        there = line.distance(point, aspect)
        assert line.flipped().distance(point, aspect) == pytest.approx(-there, abs=1e-9)


class TestPairwiseIou:
    def test_compares_each_with_each(self) -> None:
        first = np.array([[0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
        second = np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 3.0, 2.0], [9, 9, 10, 10]])
        assert pairwise_iou(first, second) == pytest.approx(
            np.array([[1.0, 1 / 3, 0.0], [0.0, 0.0, 0.0]])
        )

    def test_calls_two_empty_boxes_apart(self) -> None:
        empty = np.zeros((1, 4))
        assert pairwise_iou(empty, empty) == pytest.approx(np.zeros((1, 1)))
