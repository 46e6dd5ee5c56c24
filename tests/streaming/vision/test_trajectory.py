from __future__ import annotations

import pytest

from streaming.vision.trajectory import Trajectory
from streaming.vision.types import Box
from tests.scenes import ASPECT, box_at

STEP_S = 0.1


def walked(steps: int, *, step_x: float = 0.01) -> Trajectory:
    """Follow somebody who walks to the right from x = 0.2."""
    trajectory = Trajectory.starting_at(box_at(0.2, 0.8), ASPECT)
    for step in range(1, steps + 1):
        trajectory.predict(STEP_S)
        trajectory.correct(box_at(0.2 + step * step_x, 0.8), ASPECT)
    return trajectory


def cut_off(box: Box, *, share: float) -> Box:
    """Hide the lower part of a box."""
    return Box(box.x1, box.y1, box.x2, box.y2 - share * box.height)


def feet(trajectory: Trajectory) -> float:
    return trajectory.box(ASPECT).ground.y


class TestPredict:
    def test_keeps_the_speed_that_was_measured(self) -> None:
        trajectory = walked(20)
        before = trajectory.x
        trajectory.predict(1.0)
        assert (trajectory.x - before) / ASPECT == pytest.approx(0.1, rel=0.1)
        assert trajectory.speed_y == pytest.approx(0, abs=1e-9)

    def test_is_the_same_in_one_step_as_in_many(self) -> None:
        once, often = walked(5), walked(5)
        once.predict(1.0)
        for _ in range(10):
            often.predict(0.1)
        assert often.x == pytest.approx(once.x)
        assert often.variance == pytest.approx(once.variance)
        assert often.speed_variance == pytest.approx(once.speed_variance)

    def test_grows_less_sure_with_time(self) -> None:
        trajectory = walked(5)
        before = trajectory.variance
        trajectory.predict(0.5)
        assert trajectory.variance > before

    def test_of_no_time_changes_nothing(self) -> None:
        trajectory = walked(5)
        before = trajectory.corners(), trajectory.variance
        trajectory.predict(0.0)
        assert (trajectory.corners(), trajectory.variance) == before


class TestCorrect:
    def test_grows_surer(self) -> None:
        trajectory = walked(5)
        trajectory.predict(STEP_S)
        before = trajectory.variance
        trajectory.correct(box_at(0.26, 0.8), ASPECT)
        assert trajectory.variance < before

    def test_finds_the_feet_of_who_is_suddenly_half_hidden(self) -> None:
        trajectory = walked(10)
        trajectory.predict(STEP_S)
        trajectory.correct(cut_off(box_at(0.31, 0.8), share=0.5), ASPECT)
        assert feet(trajectory) == pytest.approx(0.8, abs=0.01)

    def test_takes_a_box_for_what_it_is_when_the_head_moves_as_well(self) -> None:
        trajectory = walked(10)
        before = trajectory.height
        trajectory.predict(STEP_S)
        trajectory.correct(box_at(0.31, 0.8, height=0.15), ASPECT)
        assert trajectory.height < 0.9 * before

    def test_takes_a_slow_change_of_size_for_real(self) -> None:
        trajectory = walked(10)
        for step in range(1, 40):
            trajectory.predict(STEP_S)
            ground_y = 0.8 - 0.002 * step
            farther = box_at(0.3, ground_y, height=0.3 - 0.004 * step)
            trajectory.correct(farther, ASPECT)
            assert feet(trajectory) == pytest.approx(ground_y, abs=0.02)
        assert trajectory.body == pytest.approx(0.3 - 0.004 * 39, abs=0.03)

    def test_stops_believing_in_hidden_feet_after_long(self) -> None:
        trajectory = walked(10)
        seen = cut_off(box_at(0.3, 0.8), share=0.3)
        at = []
        for _ in range(200):
            trajectory.predict(STEP_S)
            trajectory.correct(seen, ASPECT)
            at.append(feet(trajectory))
        assert at[0] == pytest.approx(0.8, abs=0.01)
        assert at[-1] == pytest.approx(seen.y2, abs=0.01)

    def test_steadies_the_feet_of_who_stands_and_wavers(self) -> None:
        trajectory = walked(20, step_x=0.0)
        at = []
        for step in range(40):
            trajectory.predict(STEP_S)
            off = 0.02 if step % 2 else -0.02
            trajectory.correct(box_at(0.2, 0.8 + off, height=0.3 + off), ASPECT)
            at.append(feet(trajectory))
        assert all(abs(each - 0.8) < 0.01 for each in at)

    def test_keeps_up_with_the_feet_of_a_walker(self) -> None:
        trajectory = walked(20)
        assert trajectory.box(ASPECT).ground.x == pytest.approx(0.4, abs=0.003)


class TestDistance:
    def test_is_none_anywhere_on_the_way_since_it_was_seen(self) -> None:
        trajectory = walked(20)
        start_x, y = trajectory.x, trajectory.y
        trajectory.predict(1.0)
        halfway = (start_x + trajectory.x) / 2
        for x in (start_x, halfway, trajectory.x):
            assert trajectory.distance(x, y) == pytest.approx(0, abs=1e-9)

    def test_is_in_body_heights_beside_the_way(self) -> None:
        trajectory = walked(20)
        trajectory.predict(1.0)
        beside = trajectory.distance(trajectory.x, trajectory.y + 0.15)
        assert beside == pytest.approx(0.5, rel=0.05)
