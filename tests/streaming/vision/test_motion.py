from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from streaming.vision.motion import MotionGate, MotionSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streaming.vision.types import Image

FPS = 10
HEIGHT, WIDTH = 200, 320
NOISE_LEVELS = 3.0


def stills(seconds: float, *, seed: int = 1) -> Iterator[Image]:
    """Give pictures of an empty yard with a camera's noise."""
    noisy = np.random.default_rng(seed).normal(110, NOISE_LEVELS, (7, HEIGHT, WIDTH, 3))
    pictures = noisy.clip(0, 255).astype(np.uint8)
    for index in range(round(seconds * FPS)):
        yield pictures[index % 7].copy()


def walking(pictures: Iterable[Image], *, body: float, grey: int) -> Iterator[Image]:
    """Draw somebody who walks 0.8 body heights a second, `body` being their height."""
    tall = round(body * HEIGHT)
    for index, picture in enumerate(pictures):
        left = round(20 + 0.8 * tall * index / FPS)
        picture[30 : 30 + tall, left : left + max(tall // 3, 2)] = grey
        yield picture


def ticking(pictures: Iterable[Image]) -> Iterator[Image]:
    """Burn in a clock that shows the seconds."""
    for index, picture in enumerate(pictures):
        text = f"12:00:{index // FPS % 60:02}"
        cv2.putText(picture, text, (5, 18), 0, 0.5, (255, 255, 255), 2)
        yield picture


def opened(
    gate: MotionGate, pictures: Iterable[Image], *, start_s: float = 0.0
) -> list[bool]:
    return [
        gate.is_open(picture, seconds=start_s + index / FPS)
        for index, picture in enumerate(pictures)
    ]


def settled() -> tuple[MotionGate, float]:
    """Return a gate that knows the empty yard, and the time it took."""
    gate = MotionGate()
    told = opened(gate, stills(8.0))
    assert not told[-1]
    return gate, 8.0


class TestMotionGate:
    def test_is_open_until_it_knows_the_scene(self) -> None:
        assert opened(MotionGate(), stills(0.5)) == [True] * 5

    def test_closes_on_an_empty_scene_in_spite_of_noise(self) -> None:
        gate, now_s = settled()
        assert not any(opened(gate, stills(5.0, seed=2), start_s=now_s))

    @pytest.mark.parametrize("body", [0.1, 0.3, 0.8])
    @pytest.mark.parametrize("grey", [60, 150])
    def test_opens_for_every_step_of_a_walker(self, body: float, grey: int) -> None:
        gate, now_s = settled()
        walk = walking(stills(4.0, seed=3), body=body, grey=grey)
        assert all(opened(gate, walk, start_s=now_s))

    def test_stays_open_for_a_while_after_the_last_motion(self) -> None:
        gate = MotionGate(MotionSettings(hold_s=2.0, learning_s=0.5))
        opened(gate, stills(6.0))
        blink = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
        assert gate.is_open(blink, seconds=6.0)
        told = opened(gate, stills(6.0, seed=4), start_s=6.1)
        assert all(told[:20])
        assert not told[-1]

    def test_closes_in_spite_of_a_burned_in_clock(self) -> None:
        told = opened(MotionGate(), ticking(stills(150.0)))
        assert not any(told[-200:])

    def test_sees_a_walker_in_spite_of_the_clock(self) -> None:
        gate = MotionGate()
        opened(gate, ticking(stills(150.0)))
        walk = walking(ticking(stills(2.0, seed=5)), body=0.2, grey=60)
        assert all(opened(gate, walk, start_s=150.0))

    def test_says_what_moves_without_learning_it(self) -> None:
        gate, now_s = settled()
        (still,) = stills(0.1, seed=9)
        (walker,) = walking(stills(0.1, seed=9), body=0.3, grey=60)
        assert not gate.moves(still)
        assert all(gate.moves(walker) for _ in range(100))
        assert gate.moving(walker, seconds=now_s)

    def test_takes_everything_for_motion_before_it_knows_the_scene(self) -> None:
        (still,) = stills(0.1)
        assert MotionGate().moves(still)
        gate, _ = settled()
        assert gate.moves(np.full((HEIGHT, 2 * WIDTH, 3), 110, np.uint8))

    def test_starts_over_when_the_size_of_the_picture_changes(self) -> None:
        gate, now_s = settled()
        wider = np.full((HEIGHT, 2 * WIDTH, 3), 110, np.uint8)
        assert gate.is_open(wider, seconds=now_s)
