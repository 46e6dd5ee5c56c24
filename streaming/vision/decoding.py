"""Decodes a stream, and of a live one only the key frames while nothing moves.

Most of what a camera costs is decoding pictures of an empty yard. A key frame can be
decoded alone. While idle the others are kept as they came, up to the next key frame;
when that one shows motion, or they are unusually large, they are decoded after all, so
that who came in just after the key frame before is seen from the first step.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import av.error
from av.video.frame import PictureType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

LONGEST_BLINK_S: Final = 2.5
"""No idling where key frames are further apart. Cameras come set to one in 1 or 2 s,
and to walk through a picture takes longer; the rest is the network's jitter."""
SHORTEST_BLINK_S: Final = 0.5
"""Key frames that follow sooner are kept like the others: of MJPEG, where each picture
is one, two a second are looked at."""
LARGEST_KEPT: Final = 8 * 2**20
"""Bytes kept of a camera, 2.5 s at 25 Mbit/s; one that sends more is not idle again
until its next connection."""


@dataclass(slots=True)
class Reading:
    """How a source is read; any thread may set `idle` and read the rest."""

    idle: bool = False
    """Whether nothing moves and nobody watches, so that key frames will do. Set it as
    often as wanted; it takes effect at the next key frame of a live source whose key
    frames are near enough, and ends at the next packet."""
    is_idle: bool = False
    """Whether only key frames are being decoded."""
    frames_read: int = 0
    """Pictures that the source gave, decoded or not."""
    decoded_at_s: float | None = None
    """Monotonic time of the last picture that could be decoded; None before the first.
    Without a new one for 5 s the source is stalled, whatever bytes it sends."""
    corrupt_packets: int = 0

    def decode(
        self, codec: VideoCodecContext, packet: Packet[VideoStream] | None
    ) -> list[VideoFrame]:
        """Decode a packet, or what is left at the end; corrupt ones only count."""
        try:
            pictures = codec.decode(packet)
        except av.error.FFmpegError:
            self.corrupt_packets += 1
            return []
        if pictures:
            self.decoded_at_s = time.monotonic()
        return pictures


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet and when it was read."""

    packet: Packet[VideoStream]
    at: datetime
    at_s: float
    """Monotonic."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded picture and what is known of when it came."""

    picture: VideoFrame
    arrival: Arrival
    skipped: int = 0
    """Pictures before this one that were never decoded."""
    is_kept: bool = False
    """Kept back by the idling: it comes late, and none of these may be dropped."""

    @property
    def stamp_s(self) -> float | None:
        """When it was taken, by the source's clock."""
        pts, base = self.picture.pts, self.arrival.packet.time_base
        return None if pts is None else float(pts * base)


@dataclass(slots=True)
class _Rhythm:
    """How often a stream has a key frame that can be decoded alone."""

    blink_s: float | None = None
    """Time between the last two."""
    key: Arrival | None = None
    whole: int = 0
    """How many in a row were seen to be whole."""

    ENOUGH: ClassVar[int] = 2
    """The first of a stream may be whole where the others are not."""

    def note(self, arrival: Arrival) -> None:
        if not arrival.packet.is_keyframe:
            return
        if self.key is not None:
            self.blink_s = arrival.at_s - self.key.at_s
        self.key = arrival

    def check(self, picture: VideoFrame) -> None:
        """Learn from a decoded picture whether what is called a key frame is whole.

        Encoders that refresh a picture bit by bit mark where they begin to.
        """
        if self.key is not None and picture.pts == self.key.packet.pts:
            self.whole = self.whole + 1 if picture.pict_type == PictureType.I else 0

    @property
    def is_quick(self) -> bool:
        return (
            self.whole >= self.ENOUGH
            and self.blink_s is not None
            and self.blink_s <= LONGEST_BLINK_S
        )


@dataclass(slots=True)
class _Bustle:
    """Tells from the bytes of what was kept that something may have moved in it.

    So who is quick enough to come and go between two key frames is seen too: encoders
    spend bytes on what changes, unless set to a constant bit rate, which this cannot
    help. Being wrong costs the decoding of one group.
    """

    usual: float | None = None
    """Bytes of a packet; of each group the largest quarter counts, as who is quick
    fills a part of it only."""

    MANY: ClassVar[float] = 1.5
    """Times the usual. In persons_one_by_one.mp4, a group a second, 95 of 114 groups in
    which the motion gate opens have more, and 7 of the 26 others."""
    LEARNING: ClassVar[float] = 0.2

    def is_unusual(self, kept: Sequence[Arrival]) -> bool:
        """Judge a group and learn it."""
        sizes = sorted(each.packet.size for each in kept if not each.packet.is_keyframe)
        if not sizes:
            return False
        largest = sizes[3 * len(sizes) // 4 :]
        mean, usual = sum(largest) / len(largest), self.usual
        self.usual = mean if usual is None else usual + self.LEARNING * (mean - usual)
        return usual is not None and mean > self.MANY * usual


class Decoder:
    """Decodes the packets of one connection, or of one run through a recording."""

    def __init__(
        self,
        stream: VideoStream,
        reading: Reading,
        *,
        wakes: Callable[[VideoFrame], bool],
        may_idle: bool,
    ) -> None:
        """`wakes` says of a key frame seen while idle whether something moves in it."""
        self._codec = stream.codec_context
        self._reading = reading
        self._wakes = wakes
        self._may_idle = may_idle
        self._rhythm = _Rhythm()
        self._bustle = _Bustle()
        # While idle: the last key frame looked at and all that came since.
        self._kept: list[Arrival] = []
        self._kept_bytes = 0
        self._shown: int | None = None

    def read(self, arrival: Arrival) -> Iterator[Shot]:
        """Take the next packet; yield the pictures that this brings, in order."""
        self._rhythm.note(arrival)
        self._reading.frames_read += arrival.packet.size > 0
        if self._reading.is_idle:
            yield from self._stay(arrival)
        elif self._may_rest(arrival.packet):
            yield from self._rest(arrival)
        else:
            yield from self._decoded(arrival)

    def end(self) -> Iterator[Shot]:
        """Yield what was kept when the stream broke off."""
        if self._reading.is_idle:
            yield from self._wake()

    def _may_rest(self, packet: Packet[VideoStream]) -> bool:
        return (
            self._may_idle
            and self._reading.idle
            and packet.is_keyframe
            and packet.pts is not None
            and self._rhythm.is_quick
        )

    def _rest(self, key: Arrival) -> Iterator[Shot]:
        """Begin to idle at a key frame."""
        self._shown = None
        for picture in self._reading.decode(self._codec, None):
            yield Shot(picture, key, is_kept=True)
        yield from self._look(key)

    def _stay(self, arrival: Arrival) -> Iterator[Shot]:
        key, packet = self._kept[0], arrival.packet
        is_due = packet.is_keyframe and arrival.at_s - key.at_s >= SHORTEST_BLINK_S
        if is_due and packet.pts is not None and self._reading.idle:
            yield from self._look(arrival)
            return
        self._keep(arrival)
        if self._kept_bytes > LARGEST_KEPT:
            self._may_idle = False
        is_blind = arrival.at_s - key.at_s > LONGEST_BLINK_S
        if is_blind or not (self._may_idle and self._reading.idle):
            yield from self._wake()

    def _look(self, key: Arrival) -> Iterator[Shot]:
        """Decode a key frame alone; go on idling unless there is something to see."""
        self._codec.flush_buffers()
        packet = key.packet
        alone = [
            *self._reading.decode(self._codec, packet),
            *self._reading.decode(self._codec, None),
        ]
        is_first = not self._reading.is_idle
        self._reading.is_idle = True
        if not alone or (not is_first and self._is_moving(alone[0])):
            self._keep(key)
            yield from self._wake()
            return
        skipped = max(len(self._kept) - 1, 0)
        self._kept, self._kept_bytes = [key], packet.size
        self._shown = packet.pts
        yield Shot(alone[0], key, skipped=skipped)

    def _is_moving(self, picture: VideoFrame) -> bool:
        is_unusual = self._bustle.is_unusual(self._kept)
        return self._wakes(picture) or is_unusual

    def _keep(self, arrival: Arrival) -> None:
        self._kept.append(arrival)
        self._kept_bytes += arrival.packet.size

    def _wake(self) -> Iterator[Shot]:
        """Decode what was kept, from the key frame on, which was shown already."""
        self._reading.is_idle = False
        self._codec.flush_buffers()
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        for arrival in kept:
            yield from self._decoded(arrival, is_kept=True)

    def _decoded(self, arrival: Arrival, *, is_kept: bool = False) -> Iterator[Shot]:
        for picture in self._reading.decode(self._codec, arrival.packet):
            self._rhythm.check(picture)
            if self._is_new(picture):
                yield Shot(picture, arrival, is_kept=is_kept)

    def _is_new(self, picture: VideoFrame) -> bool:
        """Leave out, after waking, the key frame that was shown while idle.

        And what an open group shows ahead of its key frame.
        """
        pts, shown = picture.pts, self._shown
        if pts is None or shown is None:
            return True
        if pts >= shown:
            self._shown = None
        return pts > shown
