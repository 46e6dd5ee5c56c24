"""What reading a camera costs where nothing moves: all of it against key frames alone.

Real H.264 of a still scene with a sensor's noise and a key frame a second, served by
the real RTSP server; each way for the same time. Frames are taken as the analysis takes
them, and that a key frame shows no motion is found out with the motion gate.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from streaming.vision.motion import MotionGate
from streaming.vision.pipeline import DETECT_FPS, Sampler
from streaming.vision.sources import Capture, open_source
from tests.cameras import RtspServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streaming.vision.types import Image

    from .tables import Tables

CLIP = "persons_one_by_one.mp4"
FPS = 25
SECONDS = 10
FILM_SECONDS = 4
NOISE = 4.0
"""Standard deviation in grey levels, as of a small sensor by day."""
WARM_UP_S = 4
BIT_RATES = {(1920, 1080): 4_000_000, (1280, 720): 2_000_000}
"""As cameras come set for these sizes."""


def run(shared: Path) -> Tables:
    clip = shared / "samples" / "clips" / CLIP
    return {"decode": [row(clip, size) for size in BIT_RATES]}


def row(clip: Path, size: tuple[int, int]) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        film = film_of(clip, Path(folder) / "film.mp4", size)
        with RtspServer(film) as server:
            url = f"rtsp://{server.host}/cam"
            rate = film.stat().st_size * 8 / 1e6 / FILM_SECONDS
            full, idle = (share_of_core(url, idle=idle) for idle in (False, True))
    return {
        "picture": f"{size[0]}x{size[1]}, {FPS} fps, {rate:.1f} Mbit/s",
        "full, % of a core": round(100 * full, 1),
        "idle, % of a core": round(100 * idle, 1),
        "full / idle": round(full / idle, 1),
    }


def film_of(clip: Path, path: Path, size: tuple[int, int]) -> Path:
    """Write the clip anew in that size, as a camera sends it."""
    options = {"g": str(FPS), "bf": "0", "preset": "veryfast"}
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", FPS, options)
        stream.width, stream.height = size
        stream.bit_rate = BIT_RATES[size]
        for image in islice(images(clip, size), FILM_SECONDS * FPS):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def images(clip: Path, size: tuple[int, int]) -> Iterator[Image]:
    """Return the clip's first picture again and again, each time with other noise."""
    width, height = size
    rng = np.random.default_rng(1)
    noise = rng.normal(0, NOISE, (2 * height, width, 1))
    with av.open(clip) as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    still = cv2.resize(first, size)
    while True:
        top = rng.integers(height)
        yield (still + noise[top : top + height]).clip(0, 255).astype(np.uint8)


def share_of_core(url: str, *, idle: bool) -> float:
    source = open_source(url, camera="CAM-1", clock=lambda: datetime.now(UTC))
    gate = MotionGate()
    capture = Capture(source, wants=Sampler(DETECT_FPS).wants, wakes=gate.moves)
    capture.reading.idle = idle
    capture.start()
    try:
        take(capture, gate, WARM_UP_S)
        began_s, used_s = time.monotonic(), time.process_time()
        take(capture, gate, SECONDS)
        return (time.process_time() - used_s) / (time.monotonic() - began_s)
    finally:
        capture.stop()


def take(capture: Capture, gate: MotionGate, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        if frame := capture.get(0.1):
            gate.is_open(frame.image, seconds=frame.seconds)
