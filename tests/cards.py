"""Cards that stand for faces, for tests of the way a face takes through the system.

A card shows 11 x 11 squares, light or dark by chance: two of one person differ by some
noise, those of two people by everything, and a grey one shows nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from identity.faces import Face, FaceModel
from streaming.vision.types import Box, Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streaming.vision.types import Image

SQUARES: Final = 11
SIZE_PX: Final = 132
DIMENSIONS: Final = 128
"""As many as the columns of vectors have; those after the squares are 0."""


def card(person: int, *, noise: float = 0.0, seed: int = 0) -> bytes:
    """Return somebody's card as JPEG; `noise` is a share of the squares' contrast."""
    squares = np.random.default_rng(person).choice([-1.0, 1.0], (SQUARES, SQUARES))
    squares += noise * np.random.default_rng(seed).normal(size=squares.shape)
    return _jpeg(128 + 60 * squares)


def nobody() -> bytes:
    """Return a card that shows no one."""
    return _jpeg(np.full((SQUARES, SQUARES), 128.0))


def _jpeg(squares: NDArray[np.float64]) -> bytes:
    grey = np.clip(squares, 0, 255).astype(np.uint8)
    size = (SIZE_PX, SIZE_PX)
    image = cv2.resize(grey, size, interpolation=cv2.INTER_NEAREST)
    return bytes(cv2.imencode(".jpg", image)[1])


def look(image: Image) -> list[NDArray[np.float32]]:
    """Return who is on a card: one vector of unit length, or none."""
    size = (SQUARES, SQUARES)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    squares = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    squares -= squares.mean()
    length = float(np.linalg.norm(squares))
    if length < SQUARES:
        return []
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[: SQUARES**2] = squares.ravel() / length
    return [vector]


def vector_of(jpeg: bytes) -> NDArray[np.float32]:
    """Return the vector of a card that shows somebody."""
    image: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return look(image)[0]


class CardFinder:
    """Implements `FaceFinder`: a card is all face."""

    def find(self, image: Image) -> list[Face]:
        # Eyes, nose and mouth of somebody who looks straight ahead.
        points = ((0.3, 0.3), (0.7, 0.3), (0.5, 0.5), (0.3, 0.7), (0.7, 0.7))
        landmarks = tuple(Point(x, y) for x, y in points)
        face = Face(Box(0, 0, 1, 1), landmarks, confidence=1.0)
        return [face for _ in look(image)]


class CardEmbedder:
    """Implements `Embedder`: the squares are the vector."""

    name = "cards"
    threshold = 0.42
    margin = 0.08

    def embed(self, image: Image, face: Face) -> NDArray[np.float32]:
        return look(image)[0]


def card_model() -> FaceModel:
    return FaceModel(CardFinder(), CardEmbedder())
