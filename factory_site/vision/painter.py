"""The vision worker's thread that draws pictures, for cameras that somebody watches."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import redis

from occupancy.zone_stage import counts_in
from streaming import workers
from streaming.frames import Kind
from streaming.vision.annotate import annotate, encode_jpeg, shrink
from streaming.vision.types import Label

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from streaming.frames import FramePublisher
    from streaming.vision.pipeline import Analysis
    from streaming.vision.plans import CameraPlan
    from streaming.vision.types import Track
    from streaming.workers import WorkerStatus

    from .names import Names

logger = logging.getLogger(__name__)
MAX_FPS = {Kind.FULL: 30, Kind.TILE: 5, Kind.DETECTIONS: 10}
MAX_WIDTH_PX = {Kind.FULL: 1280, Kind.TILE: 480}
TICK_S = 1 / max(MAX_FPS.values())
LOOK_EVERY_S = 1.0
REPORT_EVERY_S = 5.0
RATE_FRAMES = 30


class _Offer(NamedTuple):
    """The newest frame of a camera."""

    number: int
    plan: CameraPlan
    analysis: Analysis[Any]


class _Words(NamedTuple):
    """What is written on a picture."""

    names: Mapping[int, str]
    """Of tracks, by id."""
    zone_counts: Mapping[int, int]
    """How many stand in each zone, by id."""
    fps: float


class _Pace:
    """When one kind of one camera was published lately."""

    def __init__(self) -> None:
        self.number = 0
        self._times_s: deque[float] = deque(maxlen=RATE_FRAMES)

    def is_due(self, kind: Kind, now_s: float) -> bool:
        """Half a tick early is in time: the next tick would be late."""
        since_s = now_s - self._times_s[-1] if self._times_s else 1.0
        return since_s >= 1 / MAX_FPS[kind] - TICK_S / 2

    def note(self, number: int, now_s: float) -> float:
        """Take note of a publication; return how many there were a second lately."""
        self.number = number
        if self._times_s and now_s - self._times_s[-1] > LOOK_EVERY_S:
            self._times_s.clear()
        self._times_s.append(now_s)
        if len(self._times_s) < 2:
            return 0.0
        return (len(self._times_s) - 1) / (self._times_s[-1] - self._times_s[0])


class Painter:
    """Draws and publishes the newest frame of each watched camera, once for each kind.

    A frame that comes while another is drawn replaces the one before: the loop never
    waits and viewers never lag. Also tells Redis that the worker lives.
    """

    def __init__(
        self,
        publisher: FramePublisher,
        status: Callable[[], WorkerStatus],
        names: Names,
    ) -> None:
        self.watched: frozenset[str] = frozenset()
        """Cameras of which every frame is wanted. Tiles and detections make do with
        the frames that are looked at anyway, so that a wall costs no more decoding."""
        self._publisher = publisher
        self._status = status
        self._names = names
        self._wanted: frozenset[tuple[str, Kind]] = frozenset()
        self._offered: frozenset[str] = frozenset()
        self._newest: dict[str, _Offer] = {}
        self._zone_counts: dict[int, int] = {}
        self._paces: dict[tuple[str, Kind], _Pace] = {}
        self._codes: frozenset[str] = frozenset()
        self._number = 0
        self._look_at_s = self._report_at_s = self._try_at_s = 0.0
        self._redis_is_away = False

    def show(self, plan: CameraPlan, analysis: Analysis[Any]) -> None:
        """Offer a frame; called in the loop."""
        self._zone_counts.update(counts_in(analysis.events))
        if plan.code in self._offered and analysis.shown:
            self._number += 1
            self._newest[plan.code] = _Offer(self._number, plan, analysis)

    def forget(self, code: str) -> None:
        """Drop a camera's newest frame, which is old now; called in the loop."""
        self._newest.pop(code, None)

    def look_after(self, codes: frozenset[str]) -> None:
        """Say which cameras this worker runs."""
        self._codes = codes

    def run(self, stopping: threading.Event) -> None:
        next_s = time.monotonic()
        while not stopping.wait(max(next_s - time.monotonic(), 0)):
            now_s = time.monotonic()
            next_s = max(next_s + TICK_S, now_s)
            self.step(now_s=now_s)

    def step(self, *, now_s: float) -> None:
        """Publish what is new; look up who watches; report."""
        if now_s < self._try_at_s:
            return
        try:
            self._publish(now_s)
            self._look(now_s)
            self._report(now_s)
        except redis.RedisError as error:
            self._note_outage(error, now_s)
        else:
            self._note_recovery()

    def _publish(self, now_s: float) -> None:
        for code, kind in self._wanted:
            offer = self._newest.get(code)
            pace = self._paces[code, kind]
            if offer and offer.number > pace.number and pace.is_due(kind, now_s):
                fps = pace.note(offer.number, now_s)
                words = _Words(
                    self._names.of(offer.analysis.frame), self._zone_counts, fps
                )
                self._publisher.publish(code, kind, payload(kind, offer, words))

    def _look(self, now_s: float) -> None:
        if now_s >= self._look_at_s:
            self._want(self._publisher.watched(self._codes))
            self._look_at_s = now_s + LOOK_EVERY_S

    def _want(self, wanted: frozenset[tuple[str, Kind]]) -> None:
        self._wanted = wanted
        self._offered = frozenset(code for code, _ in wanted)
        self.watched = frozenset(code for code, kind in wanted if kind is Kind.FULL)
        self._paces = {one: self._paces.get(one) or _Pace() for one in wanted}
        for code in list(self._newest):  # The loop may add or drop one meanwhile.
            if code not in self._offered:
                self.forget(code)

    def _report(self, now_s: float) -> None:
        if now_s >= self._report_at_s:
            workers.report(self._publisher.redis, self._status())
            self._report_at_s = now_s + REPORT_EVERY_S

    def _note_outage(self, error: redis.RedisError, now_s: float) -> None:
        if not self._redis_is_away:
            logger.warning(
                "Redis does not answer (%s); nothing is live.", type(error).__name__
            )
        self._redis_is_away = True
        self._want(frozenset())
        self._try_at_s = now_s + LOOK_EVERY_S

    def _note_recovery(self) -> None:
        if self._redis_is_away:
            logger.warning("Redis answers again.")
        self._redis_is_away = False


def payload(kind: Kind, offer: _Offer, words: _Words) -> bytes:
    """Return what viewers of one kind receive."""
    plan, analysis = offer.plan, offer.analysis
    if kind is Kind.DETECTIONS:
        return detections(plan, analysis, words.names)
    return picture(plan, analysis, words, max_width=MAX_WIDTH_PX[kind])


def picture(
    plan: CameraPlan, analysis: Analysis[Any], words: _Words, *, max_width: int
) -> bytes:
    """Return a JPEG, drawn on at its final size so that its words stay readable."""
    local = analysis.frame.at.astimezone(ZoneInfo(plan.time_zone))
    drawn = annotate(
        shrink(analysis.frame.image, max_width=max_width),
        analysis.tracks,
        lines=plan.lines,
        zones=plan.zones,
        counts=words.zone_counts,
        notes=words.names,
        camera=plan.name,
        time=f"{local:%Y-%m-%d %H:%M:%S}",
        fps=words.fps,
    )
    return encode_jpeg(drawn)


def detections(
    plan: CameraPlan, analysis: Analysis[Any], names: Mapping[int, str]
) -> bytes:
    """Return the confirmed tracks as JSON; boxes are relative, see docs/api.md."""
    height, width = analysis.frame.image.shape[:2]
    return msgspec.json.encode(
        {
            "camera": plan.code,
            "at": analysis.frame.at,
            "frame": {"width": width, "height": height},
            "tracks": [
                _track(track, names.get(track.id))
                for track in analysis.tracks
                if track.confirmed
            ],
        }
    )


def _track(track: Track, name: str | None) -> dict[str, object]:
    box = track.box
    is_person = track.label is Label.PERSON
    return {
        "id": track.id,
        "label": track.label,
        "confidence": round(float(track.confidence), 3),
        "box": [round(float(edge), 4) for edge in (box.x1, box.y1, box.x2, box.y2)],
        "person": name if is_person else None,
        "plate": None if is_person else name,
    }
