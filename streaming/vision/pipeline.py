"""What is kept for one camera: when to look, what is followed, what it means.

A camera's part comes before and after the detector, so that a runner may put the
frames of many cameras, or many frames of one recording, into one batch:

    request = pipeline.plan(frame)              None: this frame needs no detector
    found = detector.detect([request.frame])
    analysis = pipeline.take(request, found[0])

Frames without a request go to `pipeline.hold`. Planning may run ahead of taking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from .motion import MotionGate
from .ports import PatientStage
from .tracking import ByteTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .ports import Gate, Stage, Tracker
    from .types import Detection, Frame, Image, Track

EventT = TypeVar("EventT")

DETECT_FPS = 10.0
"""Frames analysed per second; below about 7, tracks of people who pass get mixed up."""
EARLY_SHARE = 0.25
"""Share of the interval by which a frame may be early and still be the one due."""


@dataclass(frozen=True, slots=True)
class Request:
    """A frame that wants detection."""

    frame: Frame
    elapsed_s: float
    """Time since the camera's frame before in which things could move."""


@dataclass(frozen=True, slots=True)
class Analysis(Generic[EventT]):
    """What is known at one frame."""

    frame: Frame
    tracks: tuple[Track, ...]
    events: tuple[EventT, ...]
    """What this frame makes, after what the end of tracks made since the last one."""
    analysed: bool
    """False where the tracks are those of an earlier frame."""
    shown: bool = True
    """False while viewers are shown the main stream's pictures instead, and of a frozen
    picture, which would pass for one of now."""


class Sampler:
    """Picks the frames to look at, evenly spread, by media time.

    `fps` None picks every frame. A frame that is not picked changes nothing, so two
    samplers agree when the second sees only what the first picked.
    """

    def __init__(self, fps: float | None) -> None:
        self.thinned = 1
        """Every so manieth of the frames that are due is picked."""
        self._interval_s = 1 / fps if fps else 0.0
        self._due_s = 0.0

    def wants(self, seconds: float) -> bool:
        """Tell whether the frame at `seconds` is due; ask once a frame, in order."""
        interval_s = self._interval_s * self.thinned
        if seconds < self._due_s - EARLY_SHARE * self._interval_s:
            return False
        self._due_s += interval_s
        if self._due_s <= seconds:
            self._due_s = seconds + interval_s
        return True


class CameraPipeline(Generic[EventT]):
    """Plans and follows one camera; a new session starts afresh.

    `drawn` are the stages that watch what is drawn on its picture.
    """

    def __init__(
        self,
        stages: Sequence[Stage[EventT]] = (),
        *,
        drawn: Sequence[Stage[EventT]] = (),
        detect_fps: float | None = DETECT_FPS,
        new_gate: Callable[[], Gate | None] = MotionGate,
        new_tracker: Callable[[], Tracker] = ByteTracker,
    ) -> None:
        self._detect_fps = detect_fps
        self._planner = _Planner(detect_fps, new_gate)
        self._others = tuple(stages)
        self.redraw(drawn)
        self._new_tracker = new_tracker
        self._tracker = new_tracker()
        self._session: str | None = None
        self._known: set[int] = set()
        self._tracks: tuple[Track, ...] = ()
        self._untold: list[EventT] = []

    def redraw(self, drawn: Sequence[Stage[EventT]]) -> None:
        """Watch other lines and zones from now on; tracks and other stages go on."""
        self._stages = (*drawn, *self._others)
        self._patient = [one for one in self._stages if isinstance(one, PatientStage)]

    def new_sampler(self) -> Sampler:
        """Return what tells a source which frames will be looked at."""
        return Sampler(self._detect_fps)

    @property
    def looked_at(self) -> int:
        """How many frames were due, whether something moved in them or not."""
        return self._planner.looked_at

    @property
    def is_still(self) -> bool:
        """Whether nothing moved in the last frame that was due, nor shortly before."""
        return self._planner.is_still

    def thin(self, divisor: int) -> None:
        """Look at every so manieth of the frames that are due, from now on."""
        self._planner.thinned = divisor

    def moves(self, image: Image) -> bool:
        """Tell whether something moves in a picture, which is not learned.

        Unlike the rest, for any thread.
        """
        return self._planner.moves(image)

    def plan(self, frame: Frame) -> Request | None:
        """Return what to detect, if anything; call it for every frame in order."""
        return self._planner.plan(frame)

    def take(
        self, request: Request, detections: Sequence[Detection]
    ) -> Analysis[EventT]:
        """Follow what was detected; requests must come in the order planned."""
        frame = request.frame
        self._enter(frame)
        update = self._tracker.update(
            detections, elapsed_s=request.elapsed_s, aspect=frame.aspect
        )
        self._tracks = update.tracks
        self._known.update(track.id for track in update.tracks)
        for stage in self._stages:
            self._untold += stage.observe(frame, update.tracks)
        self._forget(update.ended)
        return Analysis(frame, self._tracks, self._take_events(), analysed=True)

    def hold(self, frame: Frame) -> Analysis[EventT]:
        """Return the latest tracks for a frame that was not analysed."""
        self._enter(frame)
        for stage in self._patient:
            self._untold += stage.hold(frame)
        return Analysis(frame, self._tracks, self._take_events(), analysed=False)

    def finish(self) -> tuple[EventT, ...]:
        """End the session and its tracks; return what their end makes.

        A frame that comes nevertheless starts afresh.
        """
        self._end_session()
        return self._take_events()

    def overlay(self, frame: Frame) -> Analysis[EventT]:
        """Return the latest tracks for a frame of another stream of this camera."""
        return Analysis(frame, self._tracks, (), analysed=False)

    def _enter(self, frame: Frame) -> None:
        if frame.session == self._session:
            return
        self._end_session()
        self._session = frame.session

    def _end_session(self) -> None:
        self._session = None
        self._forget(sorted(self._known))
        for stage in self._patient:
            self._untold += stage.finish()
        self._tracker = self._new_tracker()
        self._tracks = ()

    def _forget(self, ended: Sequence[int]) -> None:
        for track_id in ended:
            self._known.discard(track_id)
            for stage in self._stages:
                self._untold += stage.forget(track_id)

    def _take_events(self) -> tuple[EventT, ...]:
        events, self._untold = tuple(self._untold), []
        return events


class _Planner:
    """The part of a camera that decides which frames to look at."""

    def __init__(
        self, detect_fps: float | None, new_gate: Callable[[], Gate | None]
    ) -> None:
        self.thinned = 1
        self.looked_at = 0
        self.is_still = False
        self._detect_fps = detect_fps
        self._new_gate = new_gate
        self._gate: Gate | None = None
        self._session: str | None = None

    def moves(self, image: Image) -> bool:
        return self._gate is None or self._gate.moves(image)

    def plan(self, frame: Frame) -> Request | None:
        if frame.session != self._session:
            self._session = frame.session
            self._sampler = Sampler(self._detect_fps)
            self._gate = self._new_gate()
            self._seconds = frame.seconds
        self._sampler.thinned = self.thinned
        if not self._sampler.wants(frame.seconds):
            return None
        self.looked_at += 1
        elapsed_s = max(frame.seconds - self._seconds, 0.0)
        self._seconds = frame.seconds
        gate = self._gate
        self.is_still = bool(
            gate and not gate.is_open(frame.image, seconds=frame.seconds)
        )
        return None if self.is_still else Request(frame, elapsed_s)
