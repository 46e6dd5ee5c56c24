from __future__ import annotations

import numpy as np
import pytest

from streaming.vision.background import BackgroundDetector
from streaming.vision.types import Detection, Label
from tests.scenes import frame

HEIGHT, WIDTH = 270, 480
WARM_UP = 20


def watch(
    rectangle: tuple[int, int, int, int], *, camera: str = "CAM-1"
) -> list[Detection]:
    """Show an empty yard, then something grey at left, top, width, height."""
    rng = np.random.default_rng(1)
    detector = BackgroundDetector()
    left, top, width, height = rectangle
    found: list[list[Detection]] = []
    for index in range(WARM_UP + 1):
        picture = rng.normal(120, 2, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
        if index == WARM_UP:
            picture[top : top + height, left : left + width] = 30
        found += detector.detect([frame(index, image=picture, camera=camera)])
    assert not any(found[:-1])
    return found[-1]


class TestBackgroundDetector:
    def test_calls_what_is_upright_a_person(self) -> None:
        (found,) = watch((200, 80, 50, 130))
        assert found.label is Label.PERSON
        assert found.box.x1 * WIDTH == pytest.approx(200, abs=6)
        assert found.box.y2 * HEIGHT == pytest.approx(210, abs=6)

    def test_calls_what_is_broad_a_car(self) -> None:
        (found,) = watch((100, 120, 160, 70))
        assert found.label is Label.CAR

    def test_takes_no_notice_of_small_things(self) -> None:
        assert watch((200, 80, 10, 12)) == []

    def test_says_that_it_is_a_stand_in(self) -> None:
        assert BackgroundDetector.fallback

    def test_keeps_the_backgrounds_of_cameras_apart(self) -> None:
        detector = BackgroundDetector()
        dark = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
        light = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
        found = [
            detector.detect(
                [
                    frame(index, image=dark, camera="CAM-1"),
                    frame(index, image=light, camera="CAM-2"),
                ]
            )
            for index in range(WARM_UP)
        ]
        assert found == [[[], []]] * WARM_UP

    def test_starts_over_with_a_new_session(self) -> None:
        detector = BackgroundDetector()
        for index in range(WARM_UP):
            dark = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
            detector.detect([frame(index, image=dark, session="first")])
        light = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
        assert detector.detect([frame(0, image=light, session="second")]) == [[]]
