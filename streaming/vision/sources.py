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
    SourceFault,
    SourceSpec,
    parse_source,
)
from .opening import Timeouts, fault_of, open_container
from .types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from .types import Image

    Clock = Callable[[], datetime]
    Wants = Callable[[float], bool]

logger = logging.getLogger(__name__)

# Their demuxers make time stamps up, at 25 a second.
_UNTIMED_FORMATS: Final = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe"})


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
        self.corrupt_packets = 0
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

    def frames(self, wants: Wants | None = None) -> Iterator[Frame]:
        """Yield the frames whose `seconds` `wants` accepts; the others only count.

        Raises `SourceError`. A recording that breaks off just ends; a live source
        never ends without it, unless closed.
        """
        while not self._closed.is_set():
            with open_container(self.spec, self._timeouts) as container:
                yield from self._pass(container, wants)
            if not self._loop:
                return

    def close(self) -> None:
        """End `frames` at the next frame; any thread may call it."""
        self._closed.set()

    def _pass(self, container: InputContainer, wants: Wants | None) -> Iterator[Frame]:
        session = self._session()
        started_at = self._started_at or self._clock()
        is_instant = not (self._paced or self.spec.is_live)
        began_s = time.monotonic()
        # Kept for the pass: a fresh one for each frame halves the speed or worse.
        reformatter = VideoReformatter()
        index = -1
        for index, (seconds, picture) in enumerate(self._pictures(container)):
            if self._paced:
                self._closed.wait(began_s + seconds - time.monotonic())
            if self._closed.is_set():
                return
            if wants is not None and not wants(seconds):
                continue
            at = self._clock()
            if is_instant:
                at = started_at + timedelta(seconds=seconds)
            bgr = reformatter.reformat(picture, format="bgr24", threads=1)
            image = cast("Image", bgr.to_ndarray())
            yield Frame(self._camera, session, index, at, seconds, image)
        if index < 0 and not self._closed.is_set():
            raise SourceError(SourceFault.NOT_A_VIDEO, self.spec.shown)

    def _session(self) -> str:
        if not self.is_once:
            return uuid.uuid4().hex
        path = Path(self.spec.address)
        stat = path.stat()
        identity = f"{path.name}\0{stat.st_size}\0{stat.st_mtime_ns}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def _pictures(
        self, container: InputContainer
    ) -> Iterator[tuple[float, VideoFrame]]:
        """Decode all there is, each picture with its seconds since the first."""
        if not container.streams.video:
            raise SourceError(SourceFault.NO_VIDEO, self.spec.shown)
        stream = container.streams.video[0]
        # Frame threads hold pictures back, which a live picture cannot afford.
        stream.thread_type = "SLICE" if self.spec.is_live else "AUTO"
        time_line = _TimeLine(
            1 / float(stream.average_rate or 25), is_live=self.spec.is_live
        )
        is_timed = (
            not self.spec.is_live or container.format.name not in _UNTIMED_FORMATS
        )
        for packet in self._packets(container, stream):
            for picture in self._decode(packet):
                yield time_line.read(picture.time if is_timed else None), picture

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[Packet[VideoStream]]:
        fault = SourceFault.ENDED_UNEXPECTEDLY
        try:
            yield from container.demux(stream)
        except av.error.FFmpegError as error:
            if fault_of(error, self.spec) is SourceFault.TIMED_OUT:
                fault = SourceFault.TIMED_OUT
        if self.spec.is_live and not self._closed.is_set():
            raise SourceError(fault, self.spec.shown)

    def _decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            return packet.decode()
        except av.error.FFmpegError:
            self.corrupt_packets += 1
            return []


class _TimeLine:
    """Turns time stamps into seconds since the first frame that never run back.

    Where a stamp is missing, or leaps as a live camera's do when it sets its clock,
    the step is the time that passed (live) or one frame's interval (recording).
    """

    LONGEST_LIVE_STEP_S: Final = 5.0

    def __init__(self, interval_s: float, *, is_live: bool) -> None:
        self._interval_s = interval_s
        self._is_live = is_live
        self._zero_s: float | None = None
        self._seconds: float | None = None
        self._read_at_s = 0.0

    def read(self, stamp_s: float | None) -> float:
        now_s = time.monotonic()
        previous, passed_s = self._seconds, now_s - self._read_at_s
        self._read_at_s = now_s
        if previous is None:
            self._seconds = 0.0
        elif stamp_s is not None and self._follows(stamp_s, previous):
            self._seconds = stamp_s - (self._zero_s or 0.0)
            return self._seconds
        else:
            self._seconds = previous + (passed_s if self._is_live else self._interval_s)
        self._zero_s = None if stamp_s is None else stamp_s - self._seconds
        return self._seconds

    def _follows(self, stamp_s: float, previous: float) -> bool:
        if self._zero_s is None:
            return False
        step_s = stamp_s - self._zero_s - previous
        return step_s > 0 and (not self._is_live or step_s <= self.LONGEST_LIVE_STEP_S)


class LatestFrame:
    """A queue of one between two threads; `put` lets the newest frame win."""

    def __init__(self) -> None:
        self.dropped = 0
        self._frame: Frame | None = None
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Leave the frame; one that nobody took is dropped and counted."""
        with self._changed:
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def put_in_turn(self, frame: Frame) -> None:
        """Leave the frame once the one before is taken, or the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is None or self._is_closed)
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

    Of a recording played once no frame is dropped: its reader waits for its turn.
    """

    def __init__(self, source: VideoSource, *, wants: Wants | None = None) -> None:
        self.error: SourceError | None = None
        """Why there are no more frames; None while it runs and after a clean end."""
        self._source = source
        self._wants = wants
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
        put = self._latest.put_in_turn if self._source.is_once else self._latest.put
        try:
            for frame in self._source.frames(self._wants):
                put(frame)
        except SourceError as error:
            self.error = error
        except Exception:
            logger.exception("Reading %s failed.", self._source.spec.shown)
            self.error = SourceError(SourceFault.FAILED, self._source.spec.shown)
        finally:
            self._latest.close()
