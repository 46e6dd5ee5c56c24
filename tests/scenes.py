"""Boxes, tracks and frames of made-up scenes, sixteen wide and nine high."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from streaming.vision.types import Box, Detection, Frame, Label, Track

if TYPE_CHECKING:
    from streaming.vision.types import Image

ASPECT = 16 / 9
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
EMPTY: Image = np.zeros((9, 16, 3), np.uint8)


def box_at(x: float, ground_y: float, *, height: float = 0.3) -> Box:
    """Return the box of a person who stands at a point."""
    half_width = 0.2 * height / ASPECT
    return Box(x - half_width, ground_y - height, x + half_width, ground_y)


def person(
    x: float,
    ground_y: float = 0.8,
    *,
    height: float = 0.3,
    confidence: float = 0.9,
    label: Label = Label.PERSON,
) -> Detection:
    return Detection(box_at(x, ground_y, height=height), label, confidence)


def track(
    x: float,
    ground_y: float = 0.8,
    *,
    track_id: int = 1,
    height: float = 0.3,
    confirmed: bool = True,
    label: Label = Label.PERSON,
) -> Track:
    box = box_at(x, ground_y, height=height)
    return Track(track_id, box, label, 0.9, confirmed)


def frame(
    index: int = 0,
    *,
    seconds: float | None = None,
    session: str = "first",
    camera: str = "CAM-1",
    image: Image = EMPTY,
) -> Frame:
    """Return a frame of a camera that gives 10 a second unless `seconds` is given."""
    passed_s = index / 10 if seconds is None else seconds
    at = START + timedelta(seconds=passed_s)
    return Frame(camera, session, index, at, passed_s, image)
