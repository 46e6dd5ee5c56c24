from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import PIL.Image
import pytest

from streaming.vision.background import BackgroundDetector
from streaming.vision.detectors import (
    ModelMissing,
    NotAModel,
    load_detector,
    load_yolo,
)
from streaming.vision.geometry import pairwise_iou
from streaming.vision.types import Box, Detection, Label
from tests.scenes import frame

if TYPE_CHECKING:
    from pathlib import Path

    from streaming.vision.types import Image

OPENVINO = "models/yolo11n_int8_openvino_model"
YOLOX = "models/yolox_nano.onnx"
CONFIDENT = 0.4


def picture(shared: Path, name: str = "bus.jpg") -> Image:
    image = cv2.imread(str(shared / "samples/photos" / name))
    assert image is not None
    return image.astype(np.uint8)


def squared(image: Image) -> Image:
    """Pad a picture to a square, so that no model need be reshaped for it."""
    height, width = image.shape[:2]
    side = max(height, width)
    right, bottom = side - width, side - height
    padded = cv2.copyMakeBorder(
        image, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(114, 114, 114)
    )
    return padded.astype(np.uint8)


def corners(box: Box) -> list[float]:
    return [box.x1, box.y1, box.x2, box.y2]


def counted(found: list[Detection]) -> dict[Label, int]:
    sure = [each.label for each in found if each.confidence >= CONFIDENT]
    return {label: sure.count(label) for label in set(sure)}


class TestLoadDetector:
    def test_without_a_path_gives_the_stand_in(self) -> None:
        detector = load_detector(None)
        assert isinstance(detector, BackgroundDetector)
        assert detector.fallback

    @pytest.mark.parametrize("name", ["none.pt", "none.onnx", "none"])
    def test_refuses_a_path_where_nothing_is(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ModelMissing, match=name):
            load_detector(tmp_path / name)

    def test_refuses_a_file_of_another_kind(self, tmp_path: Path) -> None:
        path = tmp_path / "model.txt"
        path.write_text("no model")
        with pytest.raises(NotAModel, match="neither"):
            load_detector(path)

    def test_refuses_a_folder_without_a_model(self, tmp_path: Path) -> None:
        with pytest.raises(NotAModel, match=r"holds 0 \.xml files"):
            load_detector(tmp_path)

    def test_refuses_a_broken_export(self, tmp_path: Path) -> None:
        (tmp_path / "model.xml").write_text("<net></net>")
        with pytest.raises(NotAModel, match="cannot be read"):
            load_detector(tmp_path)

    def test_leaves_pillow_as_it_was(self, tmp_path: Path) -> None:
        file = tmp_path / "broken.pt"
        file.write_text("no weights")

        with pytest.raises(NotAModel):
            load_detector(file)
        assert PIL.Image.open.__module__ == "PIL.Image"

    @pytest.mark.weights
    def test_refuses_a_model_of_another_trade(self, shared: Path) -> None:
        with pytest.raises(NotAModel, match="YOLO"):
            load_detector(shared / "models/mobilefacenet_128d.onnx")


@pytest.mark.weights
class TestOpenVinoDetector:
    def test_agrees_with_ultralytics(self, shared: Path) -> None:
        image = squared(picture(shared))
        path = shared / OPENVINO
        model = load_yolo(path)
        wanted = [0, 1, 2, 3, 5, 7]
        (result,) = model.predict(
            image, conf=0.1, iou=0.7, classes=wanted, verbose=False
        )
        theirs = result.boxes
        (ours,) = load_detector(path).detect([frame(image=image)])
        assert [each.confidence for each in ours] == pytest.approx(
            theirs.conf.tolist(), abs=0.01
        )
        assert [each.label.value for each in ours] == [
            result.names[int(each)] for each in theirs.cls.tolist()
        ]
        assert np.array([corners(each.box) for each in ours]) == pytest.approx(
            theirs.xyxyn.numpy(), abs=0.005
        )

    def test_sees_in_a_rectangle_what_it_sees_in_a_square(self, shared: Path) -> None:
        image = picture(shared)
        height, width = image.shape[:2]
        detector = load_detector(shared / OPENVINO)
        upright, padded = detector.detect(
            [frame(image=image), frame(image=squared(image))]
        )
        side = max(height, width)
        scale = np.array([side / width, side / height] * 2)
        sure = [each for each in padded if each.confidence >= CONFIDENT]
        assert counted(upright) == counted(padded) == {Label.PERSON: 4, Label.BUS: 1}
        overlaps = pairwise_iou(
            np.array([corners(each.box) for each in sure]) * scale,
            np.array([corners(each.box) for each in upright]),
        )
        assert overlaps.max(axis=1).min() > 0.85

    def test_finds_in_many_frames_what_it_finds_in_one(self, shared: Path) -> None:
        detector = load_detector(shared / OPENVINO)
        bus, zidane = picture(shared), picture(shared, "zidane.jpg")
        alone = [detector.detect([frame(image=each)])[0] for each in (bus, zidane)]
        images = [bus, zidane, zidane, bus, bus]
        together = detector.detect([frame(image=each) for each in images])
        assert together == [alone[each is zidane] for each in images]

    def test_gives_nothing_for_no_frames(self, shared: Path) -> None:
        assert load_detector(shared / OPENVINO).detect([]) == []

    @pytest.mark.parametrize("model", [OPENVINO, YOLOX])
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("bus.jpg", {Label.PERSON: 3, Label.BUS: 1}),
            ("zidane.jpg", {Label.PERSON: 2}),
        ],
    )
    def test_finds_people_and_vehicles(
        self, shared: Path, model: str, name: str, expected: dict[Label, int]
    ) -> None:
        (found,) = load_detector(shared / model).detect(
            [frame(image=picture(shared, name))]
        )
        assert all(counted(found)[label] >= least for label, least in expected.items())
        assert set(counted(found)) == set(expected)
