"""What the YOLO models share: fitting pictures in, reading boxes out.

Pure arrays. Corners are x1, y1, x2, y2; before `Letterbox.to_picture` they are in
the pixels of the model's input.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from .types import Box, Detection, Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from .types import Image, Label

    Floats = NDArray[np.float32]
    Decode = Callable[[Floats, float], "Candidates"]

PAD_GREY = 114
STRIDES = (8, 16, 32)
COARSEST_STRIDE = STRIDES[-1]
GROUP_NUMBERS = {group: number for number, group in enumerate(Group)}


class Candidates(NamedTuple):
    """What a model offers for one picture, before overlaps are resolved."""

    corners: Floats
    """N x 4."""
    scores: Floats
    classes: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into a model's input."""

    inner_width: int
    inner_height: int
    left: int
    top: int

    def to_picture(self, corners: Floats) -> Floats:
        """Return corners relative to the picture, cut off at its edges."""
        offset = np.array([self.left, self.top] * 2, dtype=np.float32)
        size = np.array([self.inner_width, self.inner_height] * 2, dtype=np.float32)
        relative: Floats = np.clip((corners - offset) / size, 0.0, 1.0)
        return relative


def fit(
    image: Image, *, width: int, height: int, centred: bool
) -> tuple[Image, Letterbox]:
    """Scale a picture into width x height pixels, its shape kept, the rest grey."""
    image_height, image_width = image.shape[:2]
    scale = min(width / image_width, height / image_height)
    inner_width = min(max(round(image_width * scale), 1), width)
    inner_height = min(max(round(image_height * scale), 1), height)
    box = Letterbox(
        inner_width,
        inner_height,
        (width - inner_width) // 2 if centred else 0,
        (height - inner_height) // 2 if centred else 0,
    )
    resized: Any = image
    if (inner_width, inner_height) != (image_width, image_height):
        resized = cv2.resize(image, (inner_width, inner_height))
    if (inner_width, inner_height) == (width, height):
        return resized, box
    canvas = np.full((height, width, 3), PAD_GREY, dtype=np.uint8)
    inside = np.s_[box.top : box.top + inner_height, box.left : box.left + inner_width]
    canvas[inside] = resized
    return canvas, box


def rectangle(image: Image, *, side: int, stride: int) -> tuple[int, int]:
    """Return the least (height, width), multiples of stride, that holds the picture.

    The picture's longer side becomes `side` pixels.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    rows, columns = (
        max(1, ceil(length * scale / stride)) * stride for length in (height, width)
    )
    return min(rows, side), min(columns, side)


def decode_columns(output: Floats, min_score: float) -> Candidates:
    """Read one column a box: centre x, centre y, width, height, class scores."""
    scores = output[4:].max(axis=0)
    keep = np.flatnonzero(scores >= min_score)
    chosen = output[:, keep]
    return Candidates(
        centres_to_corners(chosen[:4].T), scores[keep], chosen[4:].argmax(axis=0)
    )


def decode_rows(output: Floats, min_score: float) -> Candidates:
    """Read one row a finished box: corners, score, class."""
    rows = output[output[:, 4] >= min_score]
    return Candidates(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp))


def grid_decoder(*, width: int, height: int) -> Decode:
    """Return a decoder of raw YOLOX output, one row a cell, for that input size.

    A row is the offset from the cell's corner in strides, the logarithm of width
    and height in strides, objectness and class scores (Ge et al. 2021, section 2).
    """
    shapes = [(height // stride, width // stride, stride) for stride in STRIDES]
    cells = np.concatenate(
        [np.indices((h, w))[::-1].reshape(2, -1).T for h, w, _ in shapes]
    ).astype(np.float32)
    strides = np.concatenate(
        [np.full((h * w, 1), stride) for h, w, stride in shapes]
    ).astype(np.float32)

    def decode(output: Floats, min_score: float) -> Candidates:
        likely = np.flatnonzero(output[:, 4] >= min_score)
        rows, stride = output[likely], strides[likely]
        scores = rows[:, 4] * rows[:, 5:].max(axis=1)
        centres = np.hstack(
            [(rows[:, :2] + cells[likely]) * stride, np.exp(rows[:, 2:4]) * stride]
        )
        keep = scores >= min_score
        classes = rows[keep, 5:].argmax(axis=1)
        return Candidates(centres_to_corners(centres[keep]), scores[keep], classes)

    return decode


def centres_to_corners(boxes: Floats) -> Floats:
    """Turn centre x, centre y, width, height into corners, N x 4."""
    half = boxes[:, 2:4] / 2
    return np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])


def to_detections(
    found: Candidates,
    box: Letterbox,
    *,
    labels: Mapping[int, Label],
    max_overlap: float,
) -> list[Detection]:
    """Keep the strongest of overlapping boxes of one group and name them.

    `max_overlap` is the intersection over union that two boxes of a group may have.
    """
    wanted = np.isin(found.classes, list(labels))
    corners, scores = found.corners[wanted], found.scores[wanted]
    classes = found.classes[wanted].tolist()
    if not classes:
        return []
    groups = [GROUP_NUMBERS[labels[class_id].group] for class_id in classes]
    sides = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    kept = cv2.dnn.NMSBoxesBatched(
        sides.tolist(), scores.tolist(), groups, 0.0, max_overlap
    )
    chosen = np.asarray(kept, dtype=np.intp)
    return [
        Detection(Box(*relative), labels[classes[position]], score)
        for position, relative, score in zip(
            chosen.tolist(),
            box.to_picture(corners[chosen]).tolist(),
            scores[chosen].tolist(),
            strict=True,
        )
    ]
