from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
import pytest

from factory_site.demo.footage import gate_scene, yard_scene
from streaming.vision.health import (
    AFTER_S,
    STILL_AGAIN_S,
    WELL_AFTER_S,
    PictureHealth,
    look_at,
    trouble_of,
)
from streaming.vision.trouble import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from factory_site.demo.footage import Scene
    from streaming.vision.types import Image

HEIGHT, WIDTH = 360, 640
FRAMES_OF_A_CLIP = 2
SCENES = [yard_scene(), gate_scene()]


def noisy(image: Image, levels: float, *, seed: int = 1) -> Image:
    noise = np.random.default_rng(seed).normal(0, levels, image.shape)
    return cast("Image", (image + noise).clip(0, 255).astype(np.uint8))


def at_night(image: Image, *, noise: float = 4.0) -> Image:
    return noisy(cast("Image", image * 0.15), noise)


def blurred(image: Image, share: float) -> Image:
    """Blur by a share of the height."""
    width = share * image.shape[0]
    return cast("Image", cv2.GaussianBlur(image, (0, 0), width))


def even(grey: int, *, like: Image) -> Image:
    return np.full_like(like, grey)


def stamped(image: Image) -> Image:
    """Burn in a clock and a name, as cameras do."""
    image = image.copy()
    height, width = image.shape[:2]
    size, corner = height / 720, (width // 2, height - 8)
    for text, at in (("2026-03-01 12:00:07", (8, height // 16)), ("GATE 1", corner)):
        cv2.putText(image, text, at, 0, 1.2 * size, (255, 255, 255), 2)
    return image


@pytest.fixture(scope="module")
def yard() -> Image:
    """A picture with detail of every size."""
    rng = np.random.default_rng(3)
    picture = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    for _ in range(400):
        left, top = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        wide, high = (int(each) for each in rng.integers(4, 80, 2))
        grey = int(rng.integers(20, 230))
        picture[top : top + high, left : left + wide] = grey
    return picture


def frames_of(clip: Path) -> Iterator[Image]:
    with av.open(str(clip)) as container:
        every = max(container.streams.video[0].frames // FRAMES_OF_A_CLIP, 1)
        for index, picture in enumerate(container.decode(video=0)):
            if index % every == every // 2:
                yield cast("Image", picture.to_ndarray(format="bgr24"))


def told(
    health: PictureHealth, pictures: Iterable[Image], *, start_s: float = 0.0
) -> list[Cause | None]:
    """Show one picture a second."""
    return [
        health.judge(picture, now_s=start_s + second)
        for second, picture in enumerate(pictures)
    ]


def seconds_of(make: Callable[[int], Image], seconds: float) -> list[Image]:
    return [make(second) for second in range(round(seconds))]


class TestSight:
    @pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
    def test_finds_the_demo_all_right(self, scene: Scene) -> None:
        pictures = list(scene.frames(step=scene.frame_count // 3))
        assert [look_at(each).symptom for each in pictures] == [None] * len(pictures)

    @pytest.mark.parametrize(
        "make",
        [
            lambda yard: yard,
            lambda yard: at_night(yard, noise=2.0),
            lambda yard: at_night(yard, noise=8.0),
            lambda yard: blurred(yard, 0.005),
            lambda yard: cv2.resize(yard, (320, 180), interpolation=cv2.INTER_AREA),
        ],
        ids=["day", "night", "noisy night", "a little unsharp", "small"],
    )
    def test_finds_a_good_picture_so(
        self, yard: Image, make: Callable[[Image], Image]
    ) -> None:
        assert look_at(make(yard)).symptom is None

    @pytest.mark.parametrize(
        ("make", "cause"),
        [
            (lambda yard: even(0, like=yard), Cause.BLACK),
            (lambda yard: stamped(even(0, like=yard)), Cause.BLACK),
            (lambda yard: noisy(even(8, like=yard), 2), Cause.BLACK),
            (lambda yard: blurred(yard, 0.03), Cause.BLURRED),
            (lambda yard: noisy(blurred(yard, 0.05), 3), Cause.BLURRED),
            (lambda yard: stamped(blurred(yard, 0.05)), Cause.BLURRED),
            (lambda yard: even(255, like=yard), Cause.BLURRED),
            (lambda yard: noisy(even(128, like=yard), 3), Cause.BLURRED),
            (lambda yard: noisy(even(128, like=yard), 8), Cause.BLURRED),
            (lambda yard: noisy(even(50, like=yard), 5), Cause.BLURRED),
            (lambda yard: stamped(noisy(even(90, like=yard), 3)), Cause.BLURRED),
        ],
    )
    def test_finds_what_is_wrong(
        self, yard: Image, make: Callable[[Image], Image], cause: Cause
    ) -> None:
        assert look_at(make(yard)).symptom is cause

    @pytest.mark.parametrize(
        "name",
        [
            "car_JH10BP8513.mp4",
            "car_UP32MW0479.mp4",
            "cars_from_above.mp4",
            "faces_walking.mp4",
            "person_bicycle_car.mp4",
            "persons_one_by_one.mp4",
            "pets_300f_768x576.mp4",
            "tud_stadtmitte.mp4",
            "worker_zone.mp4",
        ],
    )
    def test_is_right_about_real_clips(self, shared: Path, name: str) -> None:
        for picture in frames_of(shared / "samples" / "clips" / name):
            for good in (picture, at_night(picture)):
                assert look_at(good).symptom is None
            for soft in (blurred(picture, 0.03), noisy(even(128, like=picture), 3)):
                assert look_at(soft).symptom is Cause.BLURRED


class TestPictureHealth:
    @pytest.fixture
    def health(self) -> PictureHealth:
        return PictureHealth(may_freeze=True)

    @pytest.fixture
    def live(self, yard: Image) -> Callable[[int], Image]:
        return lambda second: noisy(yard, 2, seed=second)

    @pytest.fixture
    def black(self, yard: Image) -> Callable[[int], Image]:
        return lambda second: noisy(even(4, like=yard), 1, seed=second)

    @pytest.fixture
    def soft(self, yard: Image) -> Callable[[int], Image]:
        return lambda second: noisy(blurred(yard, 0.04), 1, seed=second)

    @pytest.fixture
    def frozen(self, yard: Image) -> Callable[[int], Image]:
        return lambda second: yard

    def test_finds_nothing_wrong_with_a_good_camera(
        self, health: PictureHealth, live: Callable[[int], Image]
    ) -> None:
        assert set(told(health, seconds_of(live, 60))) == {None}

    @pytest.mark.parametrize(
        ("fixture", "cause"),
        [
            ("black", Cause.BLACK),
            ("soft", Cause.BLURRED),
            ("frozen", Cause.FROZEN),
        ],
    )
    def test_tells_what_is_wrong_once_it_has_lasted_and_no_longer_than_it_does(
        self,
        health: PictureHealth,
        live: Callable[[int], Image],
        request: pytest.FixtureRequest,
        fixture: str,
        cause: Cause,
    ) -> None:
        make = request.getfixturevalue(fixture)
        lasts_s = round(AFTER_S[cause]) + 5
        causes = told(health, seconds_of(make, lasts_s))
        after = told(health, seconds_of(live, 10), start_s=lasts_s)

        first = causes.index(cause)
        assert AFTER_S[cause] <= first <= AFTER_S[cause] + 1
        assert set(causes[:first]) == {None}
        assert set(causes[first:]) == {cause}
        well = after.index(None)
        assert WELL_AFTER_S <= well <= WELL_AFTER_S + 1
        assert set(after[well:]) == {None}

    def test_does_not_tell_of_what_comes_and_goes(
        self,
        health: PictureHealth,
        live: Callable[[int], Image],
        black: Callable[[int], Image],
    ) -> None:
        pictures = [live(n) if n % 9 == 0 else black(n) for n in range(100)]
        assert set(told(health, pictures)) == {None}

    def test_does_not_call_it_well_for_a_moment(
        self,
        health: PictureHealth,
        live: Callable[[int], Image],
        black: Callable[[int], Image],
    ) -> None:
        told(health, seconds_of(black, 12))
        pictures = [live(n) if n % 3 else black(n) for n in range(30)]
        assert set(told(health, pictures, start_s=12)) == {Cause.BLACK}

    def test_looks_once_a_second(self, health: PictureHealth, yard: Image) -> None:
        """A picture that is shown again within the second is not a frozen one."""
        for second in range(40):
            picture = noisy(yard, 1, seed=second)
            for tick in range(10):
                health.judge(picture, now_s=second + tick / 10)
        assert health.cause is None

    def test_takes_a_camera_that_skips_for_frozen_only_without_key_frames(
        self, health: PictureHealth, live: Callable[[int], Image]
    ) -> None:
        """Encoders repeat a still picture exactly until their next key frame."""
        pictures = [live(second // 10) for second in range(120)]
        assert set(told(health, pictures)) == {None}

    def test_calls_a_camera_well_that_skips_between_key_frames(
        self,
        health: PictureHealth,
        live: Callable[[int], Image],
        frozen: Callable[[int], Image],
    ) -> None:
        told(health, seconds_of(frozen, 35))
        pictures = [live(second // 2) for second in range(10)]
        assert told(health, pictures, start_s=35)[-1] is None

    def test_does_not_take_another_still_picture_for_a_living_one(
        self, health: PictureHealth, live: Callable[[int], Image]
    ) -> None:
        """A hung encoder that is connected anew codes its picture anew, once."""
        again_s = round(2 * STILL_AGAIN_S)
        told(health, seconds_of(lambda _: live(0), 35))
        pictures = [live(1 + second // again_s) for second in range(3 * again_s)]
        assert set(told(health, pictures, start_s=35)) == {Cause.FROZEN}

    def test_forgets_what_was_wrong_before_a_gap(
        self,
        health: PictureHealth,
        live: Callable[[int], Image],
        black: Callable[[int], Image],
    ) -> None:
        assert told(health, seconds_of(black, 12))[-1] is Cause.BLACK
        assert health.judge(live(0), now_s=60) is None

    def test_bears_in_mind_what_was_wrong_before_a_short_one(
        self, health: PictureHealth, black: Callable[[int], Image]
    ) -> None:
        told(health, seconds_of(black, 12))
        assert health.judge(black(0), now_s=20) is Cause.BLACK

    def test_starts_over_after_a_gap(
        self, health: PictureHealth, black: Callable[[int], Image]
    ) -> None:
        told(health, seconds_of(black, 8))
        assert set(told(health, seconds_of(black, 8), start_s=60)) == {None}

    def test_does_not_ask_a_recording_to_change(
        self, frozen: Callable[[int], Image]
    ) -> None:
        health = PictureHealth(may_freeze=False)
        assert set(told(health, seconds_of(frozen, 60))) == {None}


class TestTroubleOf:
    @pytest.mark.parametrize("cause", list(AFTER_S))
    def test_says_what_to_do(self, cause: Cause) -> None:
        trouble = trouble_of(cause)
        assert trouble.cause is cause
        assert trouble.sentence.endswith(".")
