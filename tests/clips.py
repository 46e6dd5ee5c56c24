"""Recordings made for a test, in real H.264."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FPS = 10


def write_clip(
    path: Path,
    *,
    count: int = 10,
    size: tuple[int, int] = (64, 48),
    step: int = 20,
    noise: int = 0,
    encoder: Mapping[str, str] | None = None,
) -> Path:
    """Write a recording of 10 frames a second that get brighter by `step` each.

    It has a key frame every half second and no B-frames unless x264's options in
    `encoder` say otherwise.
    """
    width, height = size
    rng = np.random.default_rng(1)
    options = {"g": "5", "bf": "0", "crf": "10", **(encoder or {})}
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", FPS, options)
        stream.width, stream.height = size
        for index in range(count):
            grey = np.full((height, width, 3), step * index % 240)
            grainy = grey + rng.integers(-noise, noise + 1, grey.shape)
            image = grainy.clip(0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path
