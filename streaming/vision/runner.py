"""Runs many cameras through one detector, live.

One thread reads each camera; one loop plans, detects the frames of all cameras that
want it in one batch, and follows. A camera whose source fails is retried by itself and
never holds up the others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from .addresses import SourceError
from .pipeline import CameraPipeline, Sampler
from .sources import Capture, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from datetime import datetime

    from .geometry import NamedLine
    from .pipeline import Analysis
    from .ports import Detector, Stage
    from .types import Frame

EventT = TypeVar("EventT")

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 6.0
CLOSE_WITHIN_S = 1.0


class CameraState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlan:
    """What to run for one camera; a camera whose plan changes is started anew."""

    code: str
    name: str
    source_url: str
    loop: bool
    detect_fps: float | None
    """None: every frame."""
    time_zone: str
    lines: tuple[NamedLine, ...]
    problem: str = ""
    """Why the source cannot be opened at all, as a sentence; usually empty."""

    def __repr__(self) -> str:
        """Name the camera only: the source may hold a password."""
        return f"CameraPlan({self.code})"


class Listener(Protocol[EventT]):
    """Is told what happens; called in the loop, so it must be quick."""

    def on_state(self, plan: CameraPlan, state: CameraState, reason: str) -> None: ...

    def on_analysis(self, plan: CameraPlan, analysis: Analysis[EventT]) -> None: ...


def retry_delay_s(failures: int, *, jitter: float) -> float:
    """Return how long to wait after the n-th failure in a row, from 1.

    Doubles from 1 s to 6 s, spread by `jitter` (0..1) over the upper half, so that
    cameras which failed together do not come back together.
    """
    ceiling = min(FIRST_RETRY_S * 2 ** (failures - 1), LONGEST_RETRY_S)
    return float(ceiling * (0.5 + jitter / 2))


class _Interest:
    """Says which frames of a camera are worth converting: those to analyse, and all
    while somebody watches."""

    def __init__(self, detect_fps: float | None) -> None:
        self.watched = False
        self._detect_fps = detect_fps
        self._sampler = Sampler(detect_fps)
        self._seconds = 0.0

    def __call__(self, seconds: float) -> bool:
        if seconds < self._seconds:
            self._sampler = Sampler(self._detect_fps)
        self._seconds = seconds
        return self._sampler.wants(seconds) or self.watched


class _Camera(Generic[EventT]):
    """One camera while it runs."""

    def __init__(self, plan: CameraPlan, stages: Sequence[Stage[EventT]]) -> None:
        self.plan = plan
        self.pipeline = CameraPipeline(stages, detect_fps=plan.detect_fps)
        self.interest = _Interest(plan.detect_fps)
        self.capture: Capture | None = None
        self.told: tuple[CameraState, str] | None = None
        self.failures = 0
        self.retry_at = 0.0

    def open(self, clock: Callable[[], datetime]) -> None:
        source = open_source(
            self.plan.source_url,
            camera=self.plan.code,
            clock=clock,
            loop=self.plan.loop,
        )
        self.capture = Capture(source, wants=self.interest)
        self.capture.start()

    def close(self) -> Capture | None:
        """End the reading without waiting; return what may still be at it."""
        capture, self.capture = self.capture, None
        if capture:
            capture.close()
        return capture


class Runner(Generic[EventT]):
    """The loop over all cameras of a process; tests call `step`, never the loop."""

    def __init__(
        self,
        detector: Detector,
        *,
        stages_of: Callable[[CameraPlan], Sequence[Stage[EventT]]],
        listener: Listener[EventT],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._detector = detector
        self._stages_of = stages_of
        self._listener = listener
        self._clock = clock
        self._jitter = jitter
        self._cameras: dict[str, _Camera[EventT]] = {}

    @property
    def codes(self) -> list[str]:
        return list(self._cameras)

    def reconcile(self, plans: Iterable[CameraPlan]) -> None:
        """Start, restart and stop cameras until those of `plans` run."""
        wanted = {plan.code: plan for plan in plans}
        for code, camera in list(self._cameras.items()):
            if wanted.get(code) != camera.plan:
                self._cameras.pop(code).close()
        for code, plan in wanted.items():
            if code not in self._cameras:
                self._cameras[code] = _Camera(plan, self._stages_of(plan))

    def watch(self, codes: Container[str]) -> None:
        """Have every frame of these cameras delivered, analysed or not."""
        for code, camera in self._cameras.items():
            camera.interest.watched = code in codes

    def step(self, *, now_s: float) -> bool:
        """Take at most one frame of each camera; False when there was none.

        `now_s` is monotonic time.
        """
        arrived = [
            (camera, frame, camera.pipeline.plan(frame))
            for camera in self._cameras.values()
            if (frame := self._next_frame(camera, now_s)) is not None
        ]
        wanted = [request.frame for _, _, request in arrived if request]
        found = iter(self._detector.detect(wanted) if wanted else ())
        for camera, frame, request in arrived:
            analysis = (
                camera.pipeline.take(request, next(found))
                if request
                else camera.pipeline.hold(frame)
            )
            self._listener.on_analysis(camera.plan, analysis)
        return bool(arrived)

    def close(self) -> None:
        """End all reading; wait a little for it, for all cameras together."""
        captures = [camera.close() for camera in self._cameras.values()]
        self._cameras.clear()
        until_s = time.monotonic() + CLOSE_WITHIN_S
        for capture in filter(None, captures):
            capture.stop(max(until_s - time.monotonic(), 0))

    def _next_frame(self, camera: _Camera[EventT], now_s: float) -> Frame | None:
        if camera.capture is None:
            self._open_when_due(camera, now_s)
            return None
        is_over = not camera.capture.is_running
        frame = camera.capture.get(0)
        if frame is not None:
            camera.failures = 0
            self._enter(camera, CameraState.ONLINE, "")
        elif is_over:
            self._ended(camera, camera.capture.error, now_s)
        return frame

    def _open_when_due(self, camera: _Camera[EventT], now_s: float) -> None:
        if now_s < camera.retry_at:
            return
        if camera.plan.problem:
            camera.retry_at = inf
            self._enter(camera, CameraState.OFFLINE, camera.plan.problem)
            return
        try:
            camera.open(self._clock)
        except SourceError as error:
            self._ended(camera, error, now_s)

    def _ended(
        self, camera: _Camera[EventT], error: SourceError | None, now_s: float
    ) -> None:
        camera.close()
        if error is None:
            camera.retry_at = inf
            self._enter(camera, CameraState.ENDED, "The recording has been played.")
            return
        camera.failures += 1
        delay_s = retry_delay_s(camera.failures, jitter=self._jitter())
        camera.retry_at = now_s + delay_s
        self._enter(camera, CameraState.OFFLINE, str(error))

    def _enter(self, camera: _Camera[EventT], state: CameraState, reason: str) -> None:
        if (state, reason) != camera.told:
            camera.told = state, reason
            self._listener.on_state(camera.plan, state, reason)
