from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from identity import faces_dlib
from identity.faces import crop, main_face, measure
from identity.quality import is_enrollable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from identity.faces import FaceModel, Vector
    from streaming.vision.types import Image


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return faces_dlib.load()


@pytest.fixture(scope="module")
def photos(shared: Path) -> Path:
    return shared / "samples" / "faces" / "knn_examples"


def read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def vector_of(model: FaceModel, image: Image) -> Vector:
    face = main_face(model.finder.find(image))
    assert face
    return model.embedder.embed(image, face)


class TestDlibFinder:
    def test_finds_nobody_in_an_empty_picture(self, model: FaceModel) -> None:
        assert model.finder.find(np.zeros((200, 300, 3), np.uint8)) == []

    def test_finds_every_face_with_its_eyes_nose_and_mouth(
        self, model: FaceModel, photos: Path
    ) -> None:
        faces = model.finder.find(read(photos / "test" / "kit_with_rose.jpg"))

        assert [round(face.box.x1, 1) for face in faces] == [0.5, 0.2]
        for face in faces:
            left, right, nose, *mouth = face.landmarks
            assert left.x < nose.x < right.x
            assert mouth[0].x < mouth[1].x
            assert left.y < nose.y < mouth[0].y
            assert 0 < face.confidence <= 1

    def test_finds_a_face_again_in_what_is_cut_out(
        self, model: FaceModel, photos: Path
    ) -> None:
        image = read(photos / "test" / "kit_with_rose.jpg")
        face = model.finder.find(image)[0]

        part = crop(image, face.box)

        alike = vector_of(model, part) @ model.embedder.embed(image, face)
        assert alike > 0.9


class TestDlibEmbedder:
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
        assert obama.shape == (128,)
        assert np.linalg.norm(obama) == pytest.approx(1)
        assert obama @ again > threshold
        assert obama @ biden < threshold - margin

    def test_says_the_same_in_many_threads_at_once(
        self, model: FaceModel, photos: Path
    ) -> None:
        image = read(photos / "test" / "kit_with_rose.jpg")
        alone = vector_of(model, image)

        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: vector_of(model, image), range(8)))

        for vector in together:
            assert vector == pytest.approx(alone, abs=1e-5)


class TestFaceModel:
    def test_says_that_it_stands_in(self, model: FaceModel) -> None:
        assert model.is_fallback

    def test_measures_photos_of_people_as_good_enough_to_enrol(
        self, model: FaceModel, photos: Path
    ) -> None:
        paths = sorted((photos / "train").glob("*/*"))

        assert len(paths) > 5
        for path in paths:
            image = read(path)
            (face,) = model.finder.find(image)
            assert is_enrollable(measure(image, face)), path.name


class TestFivePoints:
    def test_puts_eyes_nose_and_mouth_where_they_are_in_a_tilted_face(self) -> None:
        def tilted(points: Sequence[complex]) -> list[complex]:
            return [300 + 200j + 80 * np.exp(0.4j) * point for point in points]

        eyes = [1.2 + 0j, 0.8 + 0j, -0.2 + 0j, 0.2 + 0j]

        found = faces_dlib.five_points(tilted([*eyes, 0.5 + 0.74j]))

        expected = tilted([0j, 1 + 0j, 0.5 + 0.57j, 0.06 + 1j, 0.94 + 1j])
        assert found == pytest.approx(expected, abs=1e-6)

    def test_survives_eyes_in_one_point(self) -> None:
        assert len(faces_dlib.five_points([5 + 5j] * 5)) == 5
