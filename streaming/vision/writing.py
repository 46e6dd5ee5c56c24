"""Writes pictures to a video file."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from av.video.stream import VideoStream

    from .types import Image

TIME_BASE = Fraction(1, 90_000)


class VideoWriter:
    """An H.264 file (yuv420p) of pictures of one size, each at its own time."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), "w")
        self._stream: VideoStream | None = None

    def write(self, image: Image, *, seconds: float) -> None:
        """Append an H x W x 3 BGR picture shown from `seconds` on."""
        stream = self._stream or self._add_stream(image)
        height, width = image.shape[:2]
        even = image[: height // 2 * 2, : width // 2 * 2]
        frame = av.VideoFrame.from_ndarray(even, format="bgr24")
        frame.pts, frame.time_base = round(seconds / TIME_BASE), TIME_BASE
        self._container.mux(stream.encode(frame))

    def _add_stream(self, image: Image) -> VideoStream:
        height, width = image.shape[:2]
        stream = self._container.add_stream("libx264", options={"preset": "veryfast"})
        stream.width, stream.height = width // 2 * 2, height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = TIME_BASE
        self._stream = stream
        return stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream:
            self._container.mux(self._stream.encode(None))
        self._container.close()
