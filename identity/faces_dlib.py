"""Finds and compares faces with dlib, where the better weights are not there.

Its weights come as a package. It misses small and turned faces and tells people apart
less well; nothing else uses it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import dlib
import numpy as np

from streaming.vision.types import Box, Point
from streaming.weights import DLIB

from .faces import (
    FRONTAL_NOSE,
    Face,
    FaceModel,
    PerThread,
    largest_first,
    reduced,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.vision.types import Image

    from .faces import Vector

LANDMARKS: Final = "shape_predictor_5_face_landmarks.dat"
"""Not the one of 68 points: what it was trained on excludes commercial use."""
RESNET: Final = "dlib_face_recognition_resnet_model_v1.dat"
LONGEST_PX: Final = 960
DOUBLED_UP_TO_PX: Final = 480
"""Pictures up to this size are doubled: the finder sees no faces under 80 px."""
FOOT: Final = 0.74
"""Where between eyes and mouth the foot of the nose is; this and the next two as YuNet
sees the bench's photos."""
MOUTH: Final = 0.88
"""Width of the mouth in eye distances."""
TIP: Final = 1.5
"""How many times as far to the side as its foot the tip of the nose is."""
THRESHOLD: Final = 0.55
"""Strangers among the bench's photos reach 0.48 where CENTRE is of other people. They
differ more than with the other models: it does for some tens of people."""
MARGIN: Final = 0.1
_CENTRE: Final = """
-0.086  0.104  0.080 -0.034 -0.101  0.011 -0.055 -0.072  0.145 -0.082
0.208 -0.022 -0.238 -0.026 -0.012  0.137 -0.151 -0.092 -0.126 -0.073
-0.008  0.050  0.035  0.039 -0.137 -0.329 -0.066 -0.114  0.020 -0.123
-0.008  0.038 -0.167 -0.033  0.018  0.073 -0.042 -0.071  0.175  0.015
-0.169  0.018  0.042  0.252  0.213  0.015  0.034 -0.073  0.127 -0.255
0.069  0.123  0.090  0.075  0.114 -0.157  0.020  0.149 -0.180  0.078
0.056 -0.060 -0.028 -0.036  0.200  0.103 -0.117 -0.136  0.148 -0.148
-0.037  0.099 -0.105 -0.180 -0.281  0.045  0.386  0.157 -0.200 -0.002
-0.070 -0.038  0.036  0.085 -0.061 -0.034 -0.084  0.035  0.194  0.004
-0.019  0.242  0.008 -0.024  0.022  0.041 -0.128 -0.040 -0.118 -0.042
0.028 -0.081 -0.026  0.088 -0.192  0.169 -0.028 -0.030 -0.015 -0.013
-0.081  0.009  0.191 -0.276  0.182  0.168  0.031  0.135  0.050  0.065
-0.005 -0.023 -0.144 -0.092  0.030 -0.043  0.035  0.030
"""
CENTRE: Final = np.array(_CENTRE.split(), np.float32)
"""The mean vector of the people of the bench's photos. Around 0 all of dlib's vectors
point the same way, and strangers are 0.8 alike; around this they are 0."""


class DlibFinder:
    """Implements `FaceFinder` with dlib's HOG detector (King 2015)."""

    def __init__(self) -> None:
        self._net = PerThread(dlib.get_frontal_face_detector)
        self._landmarks = PerThread(lambda: dlib.shape_predictor(file_of(LANDMARKS)))

    def find(self, image: Image) -> list[Face]:
        """Return all faces, the largest first."""
        picture = rgb(reduced(image, longest_px=LONGEST_PX))
        doubled = max(picture.shape[:2]) <= DOUBLED_UP_TO_PX
        rectangles, scores, _ = self._net.get().run(picture, int(doubled), 0.0)
        return largest_first(
            [
                self._face(picture, rectangle, score)
                for rectangle, score in zip(rectangles, scores, strict=True)
            ]
        )

    def _face(self, picture: Image, rectangle: Any, score: float) -> Face:
        height, width = picture.shape[:2]
        marks = self._landmarks.get()(picture, rectangle).parts()
        box = Box(
            rectangle.left() / width,
            rectangle.top() / height,
            rectangle.right() / width,
            rectangle.bottom() / height,
        )
        points = five_points([complex(mark.x, mark.y) for mark in marks])
        landmarks = tuple(Point(p.real / width, p.imag / height) for p in points)
        return Face(box, landmarks, min(score, 1.0))


def five_points(marks: Sequence[complex]) -> list[complex]:
    """Return eyes, nose and mouth as `Face` has them, of dlib's five points.

    Those are both corners of each eye, the right one of the picture first, and the foot
    of the nose. Where the rest is follows from these: pitch cannot be told.
    """
    left, right = (marks[2] + marks[3]) / 2, (marks[0] + marks[1]) / 2
    eyes, across = (left + right) / 2, right - left
    foot = (marks[4] - eyes) / (across or 1)
    mouth = eyes + 1j * across * foot.imag / FOOT
    nose = eyes + (mouth - eyes) * FRONTAL_NOSE + across * foot.real * TIP
    return [left, right, nose, mouth - across * MOUTH / 2, mouth + across * MOUTH / 2]


class DlibEmbedder:
    """Implements `Embedder` with dlib's ResNet (King 2017)."""

    name = DLIB
    threshold = THRESHOLD
    margin = MARGIN

    def __init__(self) -> None:
        self._landmarks = PerThread(lambda: dlib.shape_predictor(file_of(LANDMARKS)))
        self._net = PerThread(lambda: dlib.face_recognition_model_v1(file_of(RESNET)))

    def embed(self, image: Image, face: Face) -> Vector:
        picture = rgb(image)
        height, width = picture.shape[:2]
        rectangle = dlib.rectangle(
            round(face.box.x1 * width),
            round(face.box.y1 * height),
            round(face.box.x2 * width),
            round(face.box.y2 * height),
        )
        marks = self._landmarks.get()(picture, rectangle)
        described = self._net.get().compute_face_descriptor(picture, marks)
        return unit(np.array(described) - CENTRE)


def file_of(name: str) -> str:
    """Return the path of one of the package's files."""
    # The package itself finds them with pkg_resources, which is not there any more.
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("face_recognition_models is not installed.")
    return str(Path(spec.origin).with_name("models") / name)


def rgb(image: Image) -> Any:
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def load() -> FaceModel:
    """Load dlib's models."""
    return FaceModel(DlibFinder(), DlibEmbedder(), is_fallback=True)
