"""Small stand-ins for the parts of the pipeline: no weights, no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from streaming.vision.types import Box, Detection, Label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from streaming.vision.types import Frame

    Picture = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

WIDTH, HEIGHT, FPS = 320, 180, 10
GREY, TILE = 90, 12


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
    steps = int(seconds * FPS)
    walk = [walking(step / (seconds * FPS - 1)) for step in range(steps)]
    return write_pictures(path, walk * walks)


def write_pictures(
    path: Path, pictures: Sequence[Picture], *, fps: int = FPS, gop: int | None = None
) -> Path:
    """Write a clip of pictures, all of one size, with a key frame every `gop`."""
    with av.open(str(path), "w") as container:
        options = {} if gop is None else {"g": str(gop), "keyint_min": str(gop)}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            whole = np.ascontiguousarray(picture)
            frame = av.VideoFrame.from_ndarray(whole, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def jpeg(picture: Picture) -> bytes:
    return bytes(cv2.imencode(".jpg", picture)[1])


def walking(share: float) -> Picture:
    """Draw the figure after a share of its way; it is out of sight at both ends."""
    rows, columns = np.indices((HEIGHT, WIDTH)) // TILE
    floor = np.where((rows + columns) % 2, GREY, GREY - 30).astype(np.uint8)
    picture = np.repeat(floor[:, :, None], 3, axis=2)
    left = round(-30 + share * (WIDTH + 60))
    picture[60:150, max(left, 0) : max(left + 30, 0)] = 230
    return picture
