"""Finds faces in pictures and turns them into vectors: OpenCV's YuNet and an embedder.

Pictures are H x W x 3, BGR, 0..255. Coordinates of faces are relative to the picture.
OpenCV's nets keep state while they run; finders and embedders give each thread its own.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar, cast

import cv2
import numpy as np

from streaming.vision.types import Box, Point

from .quality import FaceQuality

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from streaming.vision.types import Image
    from streaming.weights import Embedding

    Vector = NDArray[np.float32]
    """128 numbers of unit length."""

CONFIDENCE: Final = 0.7
LONGEST_PX: Final = 960
"""At this size YuNet finds faces of 24 px and more, which in 1920 px are 48 px high."""
STRIP_PX: Final = 32
"""In pictures not wider or not higher OpenCV's YuNet finds faces at random."""
FACE_PX: Final = 112
TEMPLATE: Final = np.array(
    [
        38.2946 + 51.6963j,
        73.5318 + 51.5014j,
        56.0252 + 71.7366j,
        41.5493 + 92.3655j,
        70.7299 + 92.2041j,
    ]
)
"""Where eyes, nose and corners of the mouth lie in 112 x 112 px, as x + iy: Deng et al.
2019 (ArcFace)."""
MOST_TIMES: Final = 16
"""How many times larger than FACE_PX a face may be averaged from."""
LIGHT: Final = 110.0
"""Mean grey level of a face that is bright enough."""
MOST_GAIN: Final = 4.0
INNER: Final = slice(16, 96)
"""Rows and columns of the 112 px that are face and not hair or background."""
FINE_PX: Final = 2.0
FRONTAL_NOSE: Final = 0.57
"""Where between eyes and mouth YuNet sees the nose from the front: the median of the
bench's photos."""

AROUND: Final = 0.5
"""Of a face's size, on each side: what is kept around it."""
OTHERS_AROUND: Final = 0.1
GREY: Final = 127
PORTRAIT_PX: Final = 80
"""Amazon Rekognition takes no picture that is less wide or high."""

NetT = TypeVar("NetT")


class NotAPicture(Exception):
    """The bytes are no picture that can be decoded."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face in a picture; relative to it."""

    box: Box
    landmarks: tuple[Point, ...]
    """Eye, eye, nose, corner and corner of the mouth; the picture's left one first."""
    confidence: float


class FaceFinder(Protocol):
    """Finds faces; one instance serves all threads of a process."""

    def find(self, image: Image) -> list[Face]:
        """Return all faces, the largest first."""
        ...


class Embedder(Protocol):
    """Turns faces into vectors; one instance serves all threads of a process."""

    name: str
    """Name and version, by which its vectors are kept apart from others'."""
    threshold: float
    """Cosine from which two faces are one person's."""
    margin: float
    """By how much the best person must beat the next."""

    def embed(self, image: Image, face: Face) -> Vector: ...


@dataclass(frozen=True, slots=True)
class FaceModel:
    """A finder and an embedder that belong together."""

    finder: FaceFinder
    embedder: Embedder
    is_fallback: bool = False
    """Whether it stands in for weights that are not there."""


class PerThread(Generic[NetT]):
    """Something that cannot serve two threads, made anew in each that asks for it."""

    def __init__(self, make: Callable[[], NetT]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> NetT:
        if not hasattr(self._local, "net"):
            self._local.net = self._make()
        net: NetT = self._local.net
        return net


class YuNet:
    """Implements `FaceFinder` with OpenCV's FaceDetectorYN (Wu et al. 2023)."""

    def __init__(self, file: Path, *, longest_px: int = LONGEST_PX) -> None:
        self._longest_px = longest_px
        self._net = PerThread(
            lambda: cv2.FaceDetectorYN.create(str(file), "", (320, 320), CONFIDENCE)
        )
        self._net.get()

    def find(self, image: Image) -> list[Face]:
        """Return all faces, the largest first."""
        image = reduced(image, longest_px=self._longest_px)
        height, width = image.shape[:2]
        if min(height, width) <= STRIP_PX:
            return []
        net = self._net.get()
        net.setInputSize((width, height))
        rows = net.detect(image)[1]
        faces = [] if rows is None else [face_of(row, width, height) for row in rows]
        return largest_first(faces)


def reduced(image: Image, *, longest_px: int) -> Image:
    """Scale a picture down, if it is larger."""
    scale = longest_px / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = image.shape[:2]
    return _averaged(
        image, (max(1, round(scale * width)), max(1, round(scale * height)))
    )


def _averaged(image: Image, size: tuple[int, int]) -> Image:
    return cast("Image", cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def largest_first(faces: Sequence[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.box.height, reverse=True)


def face_of(row: NDArray[np.float32], width: int, height: int) -> Face:
    """Return a row of YuNet (x, y, w, h, five points, confidence) as a face."""
    x, y, w, h = (float(value) for value in row[:4])
    points = row[4:14].reshape(5, 2)
    return Face(
        Box(x / width, y / height, (x + w) / width, (y + h) / height),
        tuple(Point(float(px) / width, float(py) / height) for px, py in points),
        float(row[14]),
    )


class OnnxEmbedder:
    """Implements `Embedder` with an ONNX file that takes 112 x 112 px, RGB."""

    def __init__(self, file: Path, *, name: str, embedding: Embedding) -> None:
        self.name = name
        self.threshold, self.margin = embedding.threshold, embedding.margin
        self._scale, self._mean = embedding.scale, embedding.mean
        self._net = PerThread(lambda: cv2.dnn.readNetFromONNX(str(file)))
        self._net.get()

    def embed(self, image: Image, face: Face) -> Vector:
        net = self._net.get()
        net.setInput(
            cv2.dnn.blobFromImage(
                lit(aligned(image, face.landmarks)),
                self._scale,
                (FACE_PX, FACE_PX),
                (self._mean,) * 3,
                swapRB=True,
            )
        )
        return unit(net.forward()[0])


def unit(vector: NDArray[np.floating]) -> Vector:
    """Return the vector with length 1."""
    single = vector.astype(np.float32)
    return single / np.linalg.norm(single)


def aligned(image: Image, landmarks: Sequence[Point]) -> Image:
    """Return the face turned and scaled to 112 x 112 px, eyes and mouth in place.

    That is the similarity with the least squares of distances (Umeyama 1991), which in
    complex numbers is a straight line. Large faces are averaged down, not sampled.
    """
    height, width = image.shape[:2]
    points = np.array([complex(p.x * width, p.y * height) for p in landmarks])
    centred = points - points.mean()
    spread = max(np.vdot(centred, centred).real, 1e-9)
    turn = np.vdot(centred, TEMPLATE - TEMPLATE.mean()) / spread
    shift = TEMPLATE.mean() - turn * points.mean()
    times = max(1, round(1 / max(abs(turn), 1 / MOST_TIMES)))
    matrix = times * np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    )
    face = cv2.warpAffine(image, matrix, (FACE_PX * times, FACE_PX * times))
    return _averaged(cast("Image", face), (FACE_PX, FACE_PX))


def lit(face: Image) -> Image:
    """Brighten a face that is too dark, at most four times; others stay as they are."""
    light = float(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[INNER, INNER].mean())
    gain = min(LIGHT / max(light, 1.0), MOST_GAIN)
    return cast("Image", cv2.convertScaleAbs(face, alpha=max(gain, 1.0)))


def measure(image: Image, face: Face) -> FaceQuality:
    """Measure what a face is good for."""
    yaw, pitch = pose(image, face.landmarks)
    return FaceQuality(
        height_px=face.box.height * image.shape[0],
        sharpness=sharpness(aligned(image, face.landmarks)),
        yaw=yaw,
        confidence=face.confidence,
        pitch=pitch,
    )


def sharpness(face: Image) -> float:
    """Return the per cent of contrast that is finer than 2 px, of a face of 112 px."""
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[INNER, INNER].astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), FINE_PX)
    return float(100 * fine.std() / max(float(grey.std()), 1.0))


def pose(image: Image, landmarks: Sequence[Point]) -> tuple[float, float]:
    """Return yaw and pitch as `FaceQuality` has them, however the head is tilted."""
    height, width = image.shape[:2]
    left, right, nose, *mouth = (complex(p.x * width, p.y * height) for p in landmarks)
    eyes = (left + right) / 2
    down = (mouth[0] + mouth[1]) / 2 - eyes
    across = right - left
    # How far the nose is off the middle line, along the eyes, and how far down it.
    beside = (nose - eyes - down / 2) * across.conjugate() / (abs(across) ** 2 or 1)
    below = (nose - eyes) * down.conjugate() / (abs(down) ** 2 or 1)
    return beside.real, 2 * (below.real - FRONTAL_NOSE)


def crop(image: Image, box: Box, *, around: float = AROUND) -> Image:
    """Cut out a box with a share of its size around it, as far as the picture goes."""
    x1, y1, x2, y2 = _pixels(image, box, around)
    return image[y1:y2, x1:x2]


def portrait(image: Image, face: Face, found: Sequence[Face]) -> Image:
    """Cut out a face with what is around it, but for the other faces found.

    Of several in it the largest would be compared, which near somebody else may be
    theirs. What is too small for a remote engine is enlarged.
    """
    left, top, right, bottom = _pixels(image, face.box, AROUND)
    shown = image[top:bottom, left:right].copy()

    def part(box: Box, around: float) -> tuple[slice, slice]:
        edges = _pixels(image, box, around)
        x1, x2 = (max(x - left, 0) for x in edges[::2])
        y1, y2 = (max(y - top, 0) for y in edges[1::2])
        return slice(y1, y2), slice(x1, x2)

    own = shown[part(face.box, 0.0)].copy()
    for other in found:
        if other is not face:
            shown[part(other.box, OTHERS_AROUND)] = GREY
    shown[part(face.box, 0.0)] = own
    return _enlarged(shown, PORTRAIT_PX)


def _enlarged(image: Image, smallest_px: int) -> Image:
    height, width = image.shape[:2]
    scale = smallest_px / min(height, width)
    if scale <= 1:
        return image
    size = math.ceil(scale * width), math.ceil(scale * height)
    return cast("Image", cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))


def find_within(
    finder: FaceFinder, image: Image, box: Box, *, around: float = 0.0
) -> list[Face]:
    """Look for faces in a part of a picture, at its full size; the largest first.

    Small faces are found there that get lost in the whole picture.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = _pixels(image, box, around)
    if x1 == x2 or y1 == y2:
        return []
    part = Box(x1 / width, y1 / height, x2 / width, y2 / height)
    faces = finder.find(image[y1:y2, x1:x2])
    return [_moved(face, part) for face in faces]


def _pixels(image: Image, box: Box, around: float) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    dx, dy = around * box.width, around * box.height
    x1, x2 = (round(min(max(x, 0), 1) * width) for x in (box.x1 - dx, box.x2 + dx))
    y1, y2 = (round(min(max(y, 0), 1) * height) for y in (box.y1 - dy, box.y2 + dy))
    return x1, y1, x2, y2


def _moved(face: Face, part: Box) -> Face:
    """Return a face of a part of a picture as one of the whole."""

    def whole(x: float, y: float) -> Point:
        return Point(part.x1 + x * part.width, part.y1 + y * part.height)

    a, b = whole(face.box.x1, face.box.y1), whole(face.box.x2, face.box.y2)
    points = tuple(whole(point.x, point.y) for point in face.landmarks)
    return Face(Box(a.x, a.y, b.x, b.y), points, face.confidence)


def main_face(faces: Sequence[Face]) -> Face | None:
    """Return the face a picture is of: large, and near the middle."""

    def weight(face: Face) -> float:
        x, y = (face.box.x1 + face.box.x2) / 2, (face.box.y1 + face.box.y2) / 2
        return face.box.height * (1 - math.hypot(x - 0.5, y - 0.5))

    return max(faces, key=weight, default=None)


def decode(jpeg: bytes) -> Image:
    """Return a picture that this system made itself; raise NotAPicture.

    What people send is read by identity/photo_files.py.
    """
    data = np.frombuffer(jpeg, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if jpeg else None
    if image is None:
        raise NotAPicture
    return cast("Image", image)
