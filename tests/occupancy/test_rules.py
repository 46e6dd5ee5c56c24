from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from occupancy.rules import DEAD_BAND_BODIES, CrossingCounter, Direction, next_count
from streaming.vision.geometry import Line
from streaming.vision.types import Point
from tests.scenes import ASPECT, track

if TYPE_CHECKING:
    from collections.abc import Iterable

IN, OUT = Direction.IN, Direction.OUT
DOWNWARDS = Line(Point(0.5, 0), Point(0.5, 1))
RIGHTWARDS = Line(Point(0, 0.5), Point(1, 0.5))
DOOR = Line(Point(0.5, 0.6), Point(0.5, 0.9))
BODY = 0.3
BAND = DEAD_BAND_BODIES * BODY / ASPECT
"""The dead band of a person of `BODY` height, as a share of the picture's width."""


def crossings(
    line: Line, path: Iterable[tuple[float, float]], *, confirmed: bool = True
) -> list[Direction]:
    counter = CrossingCounter(line)
    told = [
        counter.observe(track(x, y, height=BODY, confirmed=confirmed), aspect=ASPECT)
        for x, y in path
    ]
    return [each for each in told if each]


def at_height(y: float, *xs: float) -> list[tuple[float, float]]:
    return [(x, y) for x in xs]


class TestCrossingCounter:
    def test_tells_in_from_screen_left_to_right_of_a_line_drawn_downwards(self) -> None:
        assert crossings(DOWNWARDS, at_height(0.8, 0.4, 0.48, 0.52, 0.6)) == [IN]

    def test_tells_out_from_screen_right_to_left_of_a_line_drawn_downwards(
        self,
    ) -> None:
        assert crossings(DOWNWARDS, at_height(0.8, 0.6, 0.52, 0.48, 0.4)) == [OUT]

    def test_tells_in_upwards_of_a_line_drawn_rightwards(self) -> None:
        assert crossings(RIGHTWARDS, [(0.5, 0.7), (0.5, 0.3)]) == [IN]
        assert crossings(RIGHTWARDS, [(0.5, 0.3), (0.5, 0.7)]) == [OUT]

    def test_tells_nothing_for_one_who_only_comes_near(self) -> None:
        near = 0.5 + 0.9 * BAND
        assert crossings(DOWNWARDS, at_height(0.8, 0.4, 0.5, near, 0.5, 0.4)) == []

    def test_tells_it_once_the_dead_band_is_left(self) -> None:
        far = 0.5 + 1.1 * BAND
        assert crossings(DOWNWARDS, at_height(0.8, 0.4, 0.5, far)) == [IN]

    def test_tells_nothing_for_standing_on_the_line(self) -> None:
        wavering = [0.5 + BAND * share for share in (-0.9, 0.9, -0.5, 0.7, -0.9, 0.9)]
        assert crossings(DOWNWARDS, at_height(0.8, *wavering)) == []

    def test_tells_one_crossing_for_lingering_on_the_way(self) -> None:
        wavering = [0.5 + BAND * share for share in (-0.9, 0.9, -0.5, 0.7)]
        assert crossings(DOWNWARDS, at_height(0.8, 0.4, *wavering, 0.6)) == [IN]

    def test_tells_both_for_one_who_comes_back(self) -> None:
        assert crossings(DOWNWARDS, at_height(0.8, 0.4, 0.6, 0.4)) == [IN, OUT]

    def test_has_a_wider_band_for_a_nearer_person(self) -> None:
        path = [0.4, 0.5 + 2 * BAND]
        for height, expected in ((BODY, [IN]), (3 * BODY, [])):
            counter = CrossingCounter(DOWNWARDS)
            told = [
                counter.observe(track(x, 0.95, height=height), aspect=ASPECT)
                for x in path
            ]
            assert [each for each in told if each] == expected

    def test_tells_nothing_past_the_ends_of_the_line(self) -> None:
        assert crossings(DOOR, at_height(0.75, 0.4, 0.6)) == [IN]
        assert crossings(DOOR, at_height(0.35, 0.4, 0.6)) == []

    def test_goes_by_where_the_line_was_met_not_by_where_it_was_left(self) -> None:
        through_and_up = [(0.4, 0.75), (0.49, 0.7), (0.51, 0.65), (0.6, 0.3)]
        around_and_down = [(0.4, 0.3), (0.49, 0.35), (0.51, 0.4), (0.6, 0.75)]
        assert crossings(DOOR, through_and_up) == [IN]
        assert crossings(DOOR, around_and_down) == []

    def test_tells_nothing_for_walking_around_and_back_through(self) -> None:
        around = at_height(0.3, 0.4, 0.6)
        back_through = at_height(0.75, 0.6, 0.4)
        assert crossings(DOOR, around + back_through) == [OUT]

    def test_tells_nothing_of_a_track_that_is_not_confirmed(self) -> None:
        path = at_height(0.8, 0.4, 0.6, 0.4)
        assert crossings(DOWNWARDS, path, confirmed=True) == [IN, OUT]
        assert crossings(DOWNWARDS, path, confirmed=False) == []

    def test_tells_a_crossing_once_the_track_is_confirmed(self) -> None:
        counter = CrossingCounter(DOWNWARDS)
        steps = [(0.4, False), (0.6, False), (0.62, True), (0.64, True)]
        told = [
            counter.observe(track(x, confirmed=confirmed), aspect=ASPECT)
            for x, confirmed in steps
        ]
        assert told == [None, None, IN, None]

    def test_tells_nothing_of_what_has_no_id(self) -> None:
        counter = CrossingCounter(DOWNWARDS)
        for x in (0.4, 0.6, 0.4, 0.6):
            assert counter.observe(track(x, track_id=-1), aspect=ASPECT) is None

    def test_keeps_tracks_apart(self) -> None:
        counter = CrossingCounter(DOWNWARDS)
        counter.observe(track(0.4, track_id=1), aspect=ASPECT)
        assert counter.observe(track(0.6, track_id=2), aspect=ASPECT) is None
        assert counter.observe(track(0.6, track_id=1), aspect=ASPECT) is IN

    def test_knows_nothing_of_a_track_that_it_forgot(self) -> None:
        counter = CrossingCounter(DOWNWARDS)
        counter.observe(track(0.4), aspect=ASPECT)
        counter.forget(1)
        assert counter.observe(track(0.6), aspect=ASPECT) is None

    def test_forgets_what_it_never_saw(self) -> None:
        CrossingCounter(DOWNWARDS).forget(7)


class TestNextCount:
    @pytest.mark.parametrize(
        ("current", "direction", "expected"),
        [
            (0, IN, (1, False)),
            (4, IN, (5, False)),
            (4, OUT, (3, False)),
            (1, OUT, (0, False)),
            (0, OUT, (0, True)),
        ],
    )
    def test_counts_and_says_whether_it_drifts(
        self, current: int, direction: Direction, expected: tuple[int, bool]
    ) -> None:
        assert next_count(current, direction) == expected
