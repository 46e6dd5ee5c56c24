"""Plate-specialised models as ONNX files: open-image-models and fast-plate-ocr."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import onnxruntime
from fast_plate_ocr import LicensePlateRecognizer
from open_image_models.detection.core.yolo_v9.inference import YoloV9Detector

from streaming.vision.types import Box
from vehicles.plates import FoundPlate, ReadText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from streaming.vision.types import Image

PROVIDERS: Final = ("CPUExecutionProvider",)
SURE_FROM: Final = 0.25
"""Confidence of a plate; the package's own value. What is no plate fits no format."""


def session_options() -> onnxruntime.SessionOptions:
    """Use one thread: the detector of the cameras has the others, and idle threads of
    this library wait at full speed."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


class YoloPlateFinder:
    """Implements `PlateFinder` with a YOLOv9 of open-image-models."""

    def __init__(self, file: Path, *, name: str) -> None:
        self.name = name
        # It tells of each start at INFO, whatever the level of the project's log.
        logging.getLogger(YoloV9Detector.__module__).setLevel(logging.WARNING)
        self._detector = YoloV9Detector(
            file,
            ["plate"],
            conf_thresh=SURE_FROM,
            providers=PROVIDERS,
            sess_options=session_options(),
        )

    def find(self, image: Image) -> list[FoundPlate]:
        """Return the plates of a picture, the surest first."""
        height, width = image.shape[:2]
        found = [
            FoundPlate(
                Box(
                    max(0, each.bounding_box.x1) / width,
                    max(0, each.bounding_box.y1) / height,
                    min(width, each.bounding_box.x2) / width,
                    min(height, each.bounding_box.y2) / height,
                ),
                float(each.confidence),
            )
            for each in self._detector.predict(image)
        ]
        return sorted(found, key=lambda each: -each.confidence)


class CctReader:
    """Implements `PlateReader` with a compact convolutional transformer that
    fast-plate-ocr runs; it reads up to ten characters and one line."""

    def __init__(self, file: Path, config: Path, *, name: str) -> None:
        self.name = name
        logging.getLogger("fast_plate_ocr").setLevel(logging.WARNING)
        self._recognizer = LicensePlateRecognizer(
            onnx_model_path=file,
            plate_config_path=config,
            providers=PROVIDERS,
            sess_options=session_options(),
        )

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        """Return what each cut-out of a plate says, in the order given."""
        if not cuts:
            return []
        coloured = [np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB)) for cut in cuts]
        found = self._recognizer.run(coloured, return_confidence=True)
        return [
            _text(each.plate, each.char_probs)
            for each in found
            if each.char_probs is not None
        ]


def _text(text: str, confidences: NDArray[np.float32]) -> ReadText:
    # The places behind the last character have confidences too.
    return ReadText(text, tuple(float(each) for each in confidences[: len(text)]))
