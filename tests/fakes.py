"""Small stand-ins for the parts of the pipeline: no weights, no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np

from streaming.vision.types import Box, Detection, Label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from streaming.vision.types import Frame

WIDTH, HEIGHT, FPS = 320, 180, 10
GREY = 90


@dataclass
class BrightDetector:
    """Sees one person where a picture written by `write_walk` is bright."""

    name: str = "bright"
    fallback: bool = False
    batches: list[int] = field(default_factory=list)

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        self.batches.append(len(frames))
        return [self._find(frame) for frame in frames]

    def _find(self, frame: Frame) -> list[Detection]:
        rows, columns = np.nonzero(frame.image[:, :, 1] > 170)
        if rows.size < 50:
            return []
        height, width = frame.image.shape[:2]
        box = Box(
            columns.min() / width,
            rows.min() / height,
            (columns.max() + 1) / width,
            (rows.max() + 1) / height,
        )
        return [Detection(box, Label.PERSON, 0.9)]


def write_walk(path: Path, *, walks: int = 1, seconds: float = 4.0) -> Path:
    """Write a clip in which a bright figure walks from left to right, `walks` times.

    Each walk crosses x = 0.5 once, inwards for a line drawn from top to bottom.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(walks):
            for step in range(int(seconds * FPS)):
                picture = walking(step / (seconds * FPS - 1))
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def walking(share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draw the figure after a share of its way; it is out of sight at both ends."""
    picture = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    left = round(-30 + share * (WIDTH + 60))
    picture[60:150, max(left, 0) : max(left + 30, 0)] = 230
    return picture
