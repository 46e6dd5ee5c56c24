"""Where frames come from: recordings, network cameras and USB cameras, by PyAV."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import av.error
from av.video.reformatter import VideoReformatter

from .addresses import (
    SourceError,
    SourceSpec,
    parse_source,
)
from .decoding import Arrival, Decoder, Reading
from .opening import Timeouts, fault_of, open_container
from .timing import Lateness, TimeLine
from .trouble import Cause
from .types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from .decoding import Shot
    from .types import Image

    Clock = Callable[[], datetime]
    Wants = Callable[[float], bool]
    Wakes = Callable[[Image], bool]
    Times = Callable[[Shot], tuple[float, datetime]]

logger = logging.getLogger(__name__)

# Their demuxers make time stamps up, at 25 a second.
_UNTIMED_FORMATS: Final = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe"})
LATE_PATIENCE_S: Final = 2.0
"""How long a frame that comes late waits for the one before to be taken; a loop that
takes longer over one is stuck, and what is newest matters most."""


def open_source(
    url: str,
    *,
    camera: str,
    clock: Clock,
    loop: bool = False,
    realtime: bool = True,
    started_at: datetime | None = None,
    timeouts: Timeouts | None = None,
) -> VideoSource:
    """Return the source that `url` names; nothing is opened before `frames` runs.

    `clock` gives the present, aware, in UTC. `realtime` and `loop` concern recordings:
    paced by media time, late frames kept (else as fast as possible, `Frame.at` being
    `started_at`, or the start of the run, plus media time); and started over for ever,
    which is always paced. Raises `UnsupportedSource`.
    """
    return VideoSource(
        parse_source(url),
        camera=camera,
        clock=clock,
        loop=loop,
        realtime=realtime,
        started_at=started_at,
        timeouts=timeouts or Timeouts(),
    )


class VideoSource:
    """One camera's or recording's frames, in order."""

    def __init__(
        self,
        spec: SourceSpec,
        *,
        camera: str,
        clock: Clock,
        loop: bool,
        realtime: bool,
        started_at: datetime | None,
        timeouts: Timeouts,
    ) -> None:
        self.spec = spec
        self.reading = Reading()
        self.is_late = False
        """Whether the frame just given comes late because it, or others before it,
        were kept back while idle; it must not be dropped."""
        self._camera = camera
        self._clock = clock
        self._loop = loop and not spec.is_live
        self._paced = (realtime or loop) and not spec.is_live
        self._started_at = started_at
        self._timeouts = timeouts
        self._closed = threading.Event()

    @property
    def is_once(self) -> bool:
        """A recording played once: each frame counts, none may be dropped."""
        return not (self.spec.is_live or self._loop)

    def frames(
        self, wants: Wants | None = None, wakes: Wakes | None = None
    ) -> Iterator[Frame]:
        """Yield the frames whose `seconds` `wants` accepts; the others only count.

        While `reading.is_idle`, only key frames are decoded and yielded. Each but the
        first is first shown to `wakes`: where that finds that something moves (or the
        packets before it were unusually large), all frames since the key frame before
        come too, in order, at the times at which they arrived, and `wants` is asked
        about each. Raises `SourceError`. A recording that breaks off just ends; a live
        source never ends without it, unless closed.
        """
        while not self._closed.is_set():
            with open_container(self.spec, self._timeouts) as container:
                yield from self._pass(container, wants, wakes)
            if not self._loop:
                return

    def close(self) -> None:
        """End `frames` at the next packet; any thread may call it."""
        self._closed.set()

    def _pass(
        self, container: InputContainer, wants: Wants | None, wakes: Wakes | None
    ) -> Iterator[Frame]:
        stream = self._stream(container)
        session = self._session()
        times = self._times(container, stream)
        to_image = _ToImage()
        index = -1
        for shot in self._shots(container, stream, to_image.before(wakes)):
            index += 1 + shot.skipped
            seconds, at = times(shot)
            if self._closed.is_set():
                return
            if wants is not None and not wants(seconds):
                continue
            image = to_image(shot.picture)
            yield Frame(self._camera, session, index, at, seconds, image)
        if index < 0 and not self._closed.is_set():
            raise SourceError(Cause.NOT_A_VIDEO, self.spec.shown)

    def _session(self) -> str:
        if not self.is_once:
            return uuid.uuid4().hex
        path = Path(self.spec.address)
        stat = path.stat()
        identity = f"{path.name}\0{stat.st_size}\0{stat.st_mtime_ns}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def _stream(self, container: InputContainer) -> VideoStream:
        if not container.streams.video:
            raise SourceError(Cause.NO_VIDEO, self.spec.shown)
        stream = container.streams.video[0]
        # Frame threads hold pictures back, which a live picture cannot afford.
        stream.thread_type = "SLICE" if self.spec.is_live else "AUTO"
        return stream

    def _times(self, container: InputContainer, stream: VideoStream) -> Times:
        """Return what tells a picture's seconds since the first, and when it came."""
        is_live = self.spec.is_live
        line = TimeLine(1 / float(stream.average_rate or 25), is_live=is_live)
        is_timed = not is_live or container.format.name not in _UNTIMED_FORMATS
        came = self._came_live() if is_live else self._came_recorded()

        def times(shot: Shot) -> tuple[float, datetime]:
            stamp_s = shot.stamp_s if is_timed else None
            seconds = line.read(stamp_s, at_s=shot.arrival.at_s)
            return seconds, came(shot, seconds)

        return times

    def _came_live(self) -> Callable[[Shot, float], datetime]:
        lateness = Lateness()

        def came(shot: Shot, seconds: float) -> datetime:
            at = lateness.arrival(shot.arrival.at, seconds, is_kept=shot.is_kept)
            self.is_late = lateness.is_late
            return at

        return came

    def _came_recorded(self) -> Callable[[Shot, float], datetime]:
        started_at = self._started_at or self._clock()
        began_s = time.monotonic()

        def came(_shot: Shot, seconds: float) -> datetime:
            if not self._paced:
                return started_at + timedelta(seconds=seconds)
            self._closed.wait(began_s + seconds - time.monotonic())
            return self._clock()

        return came

    def _shots(
        self,
        container: InputContainer,
        stream: VideoStream,
        wakes: Callable[[VideoFrame], bool],
    ) -> Iterator[Shot]:
        """Decode all there is."""
        decoder = Decoder(stream, self.reading, wakes=wakes, may_idle=self.spec.is_live)
        try:
            for packet in self._packets(container, stream):
                arrival = Arrival(packet, self._clock(), time.monotonic())
                yield from decoder.read(arrival)
        except SourceError:
            yield from decoder.end()
            raise

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[Packet[VideoStream]]:
        fault = Cause.ENDED_UNEXPECTEDLY
        try:
            for packet in container.demux(stream):
                if self._closed.is_set():
                    return
                yield packet
        except av.error.FFmpegError as error:
            if fault_of(error, self.spec) is Cause.TIMED_OUT:
                fault = Cause.TIMED_OUT
        if self.spec.is_live and not self._closed.is_set():
            raise SourceError(fault, self.spec.shown)


class _ToImage:
    """Turns the pictures of one stream into BGR."""

    def __init__(self) -> None:
        # Kept for the pass: a fresh one for each frame halves the speed or worse.
        self._reformatter = VideoReformatter()

    def __call__(self, picture: VideoFrame) -> Image:
        bgr = self._reformatter.reformat(picture, format="bgr24", threads=1)
        return cast("Image", bgr.to_ndarray())

    def before(self, wakes: Wakes | None) -> Callable[[VideoFrame], bool]:
        return lambda picture: wakes is not None and wakes(self(picture))


class LatestFrame:
    """A queue of one between two threads; `put` lets the newest frame win."""

    def __init__(self) -> None:
        self.dropped = 0
        self._frame: Frame | None = None
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, frame: Frame, *, patience_s: float | None = 0) -> None:
        """Leave the frame; the one before, if nobody took it, is dropped and counted.

        It is waited that long for somebody to take that one; with None until somebody
        does, or the queue is closed.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._frame is None or self._is_closed, patience_s
            )
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def get(self, timeout_s: float) -> Frame | None:
        """Take the frame, waiting for one; None after `timeout_s` or once closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._frame is not None or self._is_closed, timeout_s
            )
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    def close(self) -> None:
        """Wake all who wait. What is left can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class Capture:
    """Reads a source in a thread of its own and holds the newest frame ready.

    No frame is dropped of a recording played once: its reader waits for its turn; nor
    of those kept back while idle, for which it waits a little. `wants` and `wakes` are
    those of `VideoSource.frames` and are called in that thread. `reading` holds the
    switch to idle, and what may be counted at any time, of this connection.
    """

    def __init__(
        self,
        source: VideoSource,
        *,
        wants: Wants | None = None,
        wakes: Wakes | None = None,
    ) -> None:
        self.error: SourceError | None = None
        """Why there are no more frames; None while it runs and after a clean end."""
        self._source = source
        self.reading = source.reading
        self._wants = wants
        self._wakes = wakes
        self._latest = LatestFrame()
        self._thread = threading.Thread(
            target=self._run, name=f"capture {source.spec.shown}", daemon=True
        )

    @property
    def dropped(self) -> int:
        return self._latest.dropped

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def get(self, timeout_s: float) -> Frame | None:
        """Take the newest frame; None after `timeout_s` or when there are no more."""
        return self._latest.get(timeout_s)

    def close(self) -> None:
        """Have the reading end, without waiting for it; no frame comes any more.

        A read blocked in the network cannot be broken off: it ends by itself at its
        time-out, and nothing comes of it.
        """
        self._source.close()
        self._latest.close()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the reading and wait at most `timeout_s`; say whether it has ended."""
        self.close()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        was_late = False
        try:
            for frame in self._source.frames(self._wants, self._wakes):
                is_late = self._source.is_late
                patience_s = LATE_PATIENCE_S if is_late or was_late else 0.0
                was_late = is_late
                self._latest.put(
                    frame, patience_s=None if self._source.is_once else patience_s
                )
        except SourceError as error:
            self.error = _bare(error)
        except Exception:
            logger.exception("Reading %s failed.", self._source.spec.shown)
            self.error = SourceError(Cause.FAILED, self._source.spec.shown)
        finally:
            self._latest.close()


def _bare(error: SourceError) -> SourceError:
    """Drop what the error was raised from, which holds the stream and its threads."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
