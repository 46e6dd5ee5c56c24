"""The detector for a machine that has no weights yet: OpenCV alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from .types import Box, Detection, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import Frame, Image

    Rectangle = tuple[int, int, int, int]


class BackgroundDetector:
    """Finds what moves, without weights, by what OpenCV carries.

    Background subtraction (Zivkovic 2004) outlines it, the HOG people detector
    (Dalal and Triggs 2005) tells people apart and makes sure of them. Far less sure
    than a trained model, and blind to what stands still: a stand-in until there is one.
    """

    name = "OpenCV background subtraction and HOG"
    fallback = True

    WIDTH = 480
    """Pictures are scaled to this many pixels."""
    MIN_AREA = 0.003
    """Least share of the picture that counts as an object."""
    UPRIGHT = 1.2
    """Height over width from which a moving outline is taken for a person."""
    WARM_UP_FRAMES = 5
    """The first pictures teach what the background is and find nothing."""

    def __init__(self) -> None:
        self._hog = cv2.HOGDescriptor()
        people = np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector())
        self._hog.setSVMDetector(people.astype(np.float32))
        self._grounds: dict[str, _Ground] = {}

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Return one list per frame; the frames of a camera must come in order."""
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame: Frame) -> list[Detection]:
        ground = self._grounds.get(frame.camera)
        if ground is None or ground.session != frame.session:
            ground = self._grounds[frame.camera] = _Ground(frame.session)
        size = (self.WIDTH, round(self.WIDTH / frame.aspect))
        picture: Any = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
        outlines = ground.outlines(picture, min_area=self.MIN_AREA * size[0] * size[1])
        if not outlines or ground.seen <= self.WARM_UP_FRAMES:
            return []
        people = [
            (int(x), int(y), int(width), int(height))
            for x, y, width, height in self._hog.detectMultiScale(
                picture, winStride=(8, 8), scale=1.1
            )[0]
        ]
        found = [
            detection
            for outline in outlines
            for detection in self._named(outline, people)
        ]
        return [
            _relative(rectangle, size, label, sure) for rectangle, label, sure in found
        ]

    def _named(
        self, outline: Rectangle, people: Sequence[Rectangle]
    ) -> list[tuple[Rectangle, Label, float]]:
        """Say what an outline is; several people in one outline are told apart."""
        x, y, width, height = outline
        inside = [
            one
            for one in people
            if x <= one[0] + one[2] / 2 <= x + width
            and y <= one[1] + one[3] / 2 <= y + height
        ]
        if len(inside) > 1:
            return [(one, Label.PERSON, 0.6) for one in inside]
        if inside or height >= self.UPRIGHT * width:
            return [(outline, Label.PERSON, 0.8 if inside else 0.6)]
        return [(outline, Label.CAR, 0.6)]


class _Ground:
    """The background of one camera during one session."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.seen = 0
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=300, varThreshold=32, detectShadows=True
        )

    def outlines(self, picture: Image, *, min_area: float) -> list[Rectangle]:
        """Return x, y, width and height in pixels of what differs from it."""
        self.seen += 1
        mask = self._model.apply(picture)
        _, mask = cv2.threshold(mask, 200, 255, cv2.THRESH_BINARY)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((15, 7), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        large = [each for each in contours if cv2.contourArea(each) >= min_area]
        return [(x, y, w, h) for x, y, w, h in map(cv2.boundingRect, large)]


def _relative(
    rectangle: Rectangle, size: tuple[int, int], label: Label, confidence: float
) -> Detection:
    x, y, width, height = rectangle
    return Detection(
        Box(
            max(x / size[0], 0.0),
            max(y / size[1], 0.0),
            min((x + width) / size[0], 1.0),
            min((y + height) / size[1], 1.0),
        ),
        label,
        confidence,
    )
