from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.face_model import load_face_model
from identity.faces import (
    CONFIDENCE,
    TEMPLATE,
    Face,
    NotAPicture,
    aligned,
    crop,
    decode,
    find_within,
    main_face,
    measure,
    portrait,
    pose,
    sharpness,
)
from identity.quality import is_enrollable, is_usable
from streaming.vision.types import Box, Point

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from identity.faces import FaceModel, Vector
    from streaming.vision.types import Image

SIDE = 400
EMPTY = np.zeros((SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module")
def model(shared: Path) -> FaceModel:
    return load_face_model(shared / "models")


@pytest.fixture(scope="module")
def photos(shared: Path) -> Path:
    return shared / "samples" / "faces" / "knn_examples"


def read(path: Path, *, scale: float = 1.0) -> Image:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)


def face_at(box: Box, points: Sequence[complex] = ()) -> Face:
    return Face(box, tuple(Point(p.real, p.imag) for p in points), CONFIDENCE)


def vector_of(model: FaceModel, image: Image) -> Vector:
    face = main_face(model.finder.find(image))
    assert face
    return model.embedder.embed(image, face)


def overlap(a: Box, b: Box) -> float:
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    shared = max(width, 0) * max(height, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


class TestYuNet:
    def test_finds_every_face_the_largest_first(
        self, model: FaceModel, photos: Path
    ) -> None:
        faces = model.finder.find(read(photos / "test" / "obama_and_biden.jpg"))

        assert [round(face.box.x1, 1) for face in faces] == [0.4, 0.6, 0.8]
        heights = [face.box.height for face in faces]
        assert heights == sorted(heights, reverse=True)

    def test_gives_the_eye_on_the_left_of_the_picture_first(
        self, model: FaceModel, photos: Path
    ) -> None:
        (face,) = model.finder.find(read(photos / "train" / "biden" / "biden.jpg"))

        left, right, nose, *mouth = face.landmarks
        assert left.x < nose.x < right.x
        assert mouth[0].x < mouth[1].x
        assert left.y < nose.y < mouth[0].y

    def test_finds_the_same_in_a_larger_picture(
        self, model: FaceModel, photos: Path
    ) -> None:
        photo = photos / "test" / "kit_with_rose.jpg"
        small = model.finder.find(read(photo))

        large = model.finder.find(read(photo, scale=3))

        assert len(small) == len(large) == 2
        for one, other in zip(small, large, strict=True):
            assert overlap(one.box, other.box) > 0.8

    def test_finds_nobody_in_an_empty_picture(self, model: FaceModel) -> None:
        assert model.finder.find(EMPTY) == []

    @pytest.mark.parametrize("size", [(1, 1), (1, 960), (5, 4000), (3, 200), (900, 2)])
    def test_finds_nobody_in_a_mere_strip(
        self, model: FaceModel, size: tuple[int, int]
    ) -> None:
        strip = np.full((*size, 3), 128, np.uint8)

        assert [model.finder.find(strip) for _ in range(3)] == [[], [], []]

    def test_says_the_same_in_many_threads_at_once(
        self, model: FaceModel, photos: Path
    ) -> None:
        images = [
            read(path, scale=scale)
            for path in sorted((photos / "test").iterdir())
            for scale in (0.3, 0.5)
        ]
        alone = [model.finder.find(image) for image in images]

        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(model.finder.find, images * 3))

        assert together == alone * 3


class TestOnnxEmbedder:
    def test_gives_128_numbers_of_unit_length(
        self, model: FaceModel, photos: Path
    ) -> None:
        vector = vector_of(model, read(photos / "train" / "obama" / "obama.jpg"))

        assert vector.shape == (128,)
        assert np.linalg.norm(vector) == pytest.approx(1)

    def test_tells_people_apart(self, model: FaceModel, photos: Path) -> None:
        obama, again, biden = (
            vector_of(model, read(photos / name))
            for name in (
                "train/obama/obama.jpg",
                "test/obama1.jpg",
                "train/biden/biden.jpg",
            )
        )

        threshold, margin = model.embedder.threshold, model.embedder.margin
        assert obama @ again > threshold
        assert obama @ biden < threshold - margin

    @pytest.mark.parametrize("name", ["alex_lacamoire1", "johnsnow_test1", "obama1"])
    def test_knows_a_face_in_the_dark(
        self, model: FaceModel, photos: Path, name: str
    ) -> None:
        image = read(photos / "test" / f"{name}.jpg")
        face = main_face(model.finder.find(image))
        assert face
        dark = (image * 0.15).astype(np.uint8)

        alike = model.embedder.embed(image, face) @ model.embedder.embed(dark, face)

        assert alike > 0.8

    def test_says_the_same_in_many_threads_at_once(
        self, model: FaceModel, photos: Path
    ) -> None:
        image = read(photos / "test" / "obama_and_biden.jpg", scale=0.5)
        faces = model.finder.find(image) * 10
        alone = [model.embedder.embed(image, face) for face in faces]

        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda f: model.embedder.embed(image, f), faces))

        for one, other in zip(alone, together, strict=True):
            assert one == pytest.approx(other, abs=1e-5)


class TestAligned:
    @pytest.mark.parametrize("degrees", [-40, 0, 25, 170])
    @pytest.mark.parametrize("size", [0.4, 1, 7, 60])
    def test_puts_eyes_nose_and_mouth_in_their_places(
        self, degrees: float, size: float
    ) -> None:
        turn = size * np.exp(1j * np.radians(degrees))
        points = (TEMPLATE - TEMPLATE.mean()) * turn
        points += abs(points).max() * (1.2 + 1.2j)
        side = int(2.4 * abs(points - points.mean()).max())
        image = np.zeros((side, side, 3), np.uint8)
        for point in points:
            at = (round(point.real), round(point.imag))
            cv2.circle(image, at, max(1, round(4 * size)), (255, 255, 255), -1)

        face = aligned(image, face_at(Box(0, 0, 1, 1), list(points / side)).landmarks)

        assert face.shape == (112, 112, 3)
        for place in TEMPLATE:
            assert face[round(place.imag), round(place.real)].min() > 100

    def test_averages_large_faces(self) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (896, 896, 3), np.uint8)
        landmarks = face_at(Box(0, 0, 1, 1), list(TEMPLATE / 112)).landmarks

        assert noise.std() > 70
        assert aligned(noise, landmarks).std() < 20

    def test_survives_landmarks_in_one_point(self) -> None:
        landmarks = face_at(Box(0, 0, 1, 1), [0.5 + 0.5j] * 5).landmarks

        assert aligned(EMPTY, landmarks).shape == (112, 112, 3)


class TestPose:
    @given(
        st.floats(-0.2, 0.2),
        st.floats(-0.2, 0.2),
        st.floats(0.3, 3),
        st.floats(-3, 3),
    )
    def test_does_not_change_when_the_head_is_tilted_or_nearer(
        self, aside: float, lower: float, size: float, tilt: float
    ) -> None:
        points = TEMPLATE / 112
        points[2] += aside + 1j * lower
        turned = points * size * np.exp(1j * tilt)

        one, other = (
            pose(EMPTY, face_at(Box(0, 0, 1, 1), list(each)).landmarks)
            for each in (points, turned)
        )

        assert one == pytest.approx(other, abs=1e-6)

    def test_is_frontal_and_signed(self) -> None:
        def of(nose: complex) -> tuple[float, float]:
            points = TEMPLATE / 112
            points[2] += nose
            return pose(EMPTY, face_at(Box(0, 0, 1, 1), list(points)).landmarks)

        assert abs(of(0j)[0]) < 0.05
        assert abs(of(0j)[1]) < 0.2
        assert of(0.1 + 0j)[0] > 0.2 > -0.2 > of(-0.1 + 0j)[0]
        assert of(0.1j)[1] > 0.2 > -0.2 > of(-0.1j)[1]


class TestMeasure:
    def test_finds_photos_of_people_good_enough_to_enrol(
        self, model: FaceModel, photos: Path
    ) -> None:
        paths = sorted((photos / "train").glob("*/*"))

        assert len(paths) > 5
        for path in paths:
            image = read(path)
            (face,) = model.finder.find(image)
            assert is_enrollable(measure(image, face)), path.name

    def test_finds_small_and_blurred_faces_of_no_use(
        self, model: FaceModel, photos: Path
    ) -> None:
        image = read(photos / "train" / "biden" / "biden.jpg")
        (face,) = model.finder.find(image)
        small = cv2.resize(image, None, fx=0.08, fy=0.08, interpolation=cv2.INTER_AREA)
        blurred = cv2.GaussianBlur(image, (0, 0), 16)

        assert is_usable(measure(image, face))
        assert not is_usable(measure(np.asarray(small, np.uint8), face))
        assert not is_usable(measure(np.asarray(blurred, np.uint8), face))

    def test_finds_a_darker_face_as_sharp(self, model: FaceModel, photos: Path) -> None:
        image = read(photos / "train" / "obama" / "obama.jpg")
        (face,) = model.finder.find(image)
        dark = (image * 0.5).astype(np.uint8)

        bright_one, dark_one = (
            sharpness(aligned(each, face.landmarks)) for each in (image, dark)
        )

        assert dark_one == pytest.approx(bright_one, rel=0.05)


class TestCrop:
    @pytest.mark.parametrize(
        ("box", "around", "shape"),
        [
            (Box(0.25, 0.25, 0.75, 0.5), 0.0, (100, 200)),
            (Box(0.25, 0.25, 0.75, 0.5), 0.5, (200, 400)),
            (Box(-0.5, -0.5, 0.25, 0.25), 0.0, (100, 100)),
            (Box(0.9, 0.9, 1.5, 1.5), 0.5, (160, 160)),
        ],
    )
    def test_goes_as_far_as_the_picture(
        self, box: Box, around: float, shape: tuple[int, int]
    ) -> None:
        assert crop(EMPTY, box, around=around).shape[:2] == shape


class TestFindWithin:
    def test_finds_small_faces_that_get_lost_in_the_whole(
        self, model: FaceModel, photos: Path
    ) -> None:
        photo = read(photos / "test" / "kit_with_rose.jpg", scale=0.35)
        height, width = photo.shape[:2]
        wide = np.zeros((2160, 3840, 3), np.uint8)
        wide[1000 : 1000 + height, 3000 : 3000 + width] = photo
        part = Box(0.75, 0.4, 1, 0.65)
        alone = model.finder.find(photo)

        found = find_within(model.finder, wide, part)

        assert model.finder.find(wide) == []
        assert len(found) == len(alone) == 2
        for face, expected in zip(found, alone, strict=True):
            box = expected.box
            left, right = (3000 + x * width for x in (box.x1, box.x2))
            top, bottom = (1000 + y * height for y in (box.y1, box.y2))
            placed = Box(left / 3840, top / 2160, right / 3840, bottom / 2160)
            assert overlap(face.box, placed) > 0.7
            nose = face.landmarks[2]
            assert face.box.x1 < nose.x < face.box.x2
            assert face.box.y1 < nose.y < face.box.y2

    def test_finds_nobody_outside_the_picture(self, model: FaceModel) -> None:
        assert find_within(model.finder, EMPTY, Box(1.1, 0.1, 1.2, 0.2)) == []


class TestPortrait:
    def test_paints_over_what_is_near_but_not_the_face_itself(self) -> None:
        image = np.full((200, 200, 3), 255, np.uint8)
        face = face_at(Box(0.4, 0.4, 0.6, 0.6))
        larger = face_at(Box(0.55, 0.3, 0.95, 0.7))

        shown = portrait(image, face, [larger, face])

        assert shown.shape == (80, 80, 3)
        assert (shown[20:60, 20:60] == 255).all()
        assert (shown[:, 65:] == 127).all()
        assert (shown[:, :15] == 255).all()

    def test_is_large_enough_for_the_remote_engine(self) -> None:
        image = np.zeros((100, 100, 3), np.uint8)
        face = face_at(Box(0.4, 0.3, 0.6, 0.7))

        shown = portrait(image, face, [face])

        assert shown.shape == (160, 80, 3)


class TestMainFace:
    def test_is_the_large_one_near_the_middle(self) -> None:
        middle = face_at(Box(0.4, 0.4, 0.6, 0.6))
        corner = face_at(Box(0, 0, 0.22, 0.22))
        large = face_at(Box(0, 0, 0.6, 0.6))

        assert main_face([corner, middle]) == middle
        assert main_face([middle, large]) == large
        assert main_face([]) is None


class TestDecode:
    def test_gives_back_what_was_encoded(self) -> None:
        image = np.full((40, 60, 3), (10, 120, 240), np.uint8)
        jpeg = cv2.imencode(".jpg", image)[1].tobytes()

        decoded = decode(jpeg)

        assert decoded.shape == image.shape
        assert np.abs(decoded.astype(int) - image).max() < 6

    @pytest.mark.parametrize("data", [b"", b"no picture at all"])
    def test_refuses_what_is_no_picture(self, data: bytes) -> None:
        with pytest.raises(NotAPicture):
            decode(data)
