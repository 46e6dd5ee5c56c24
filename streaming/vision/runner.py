"""Runs many cameras through one detector, live.

One thread reads each camera; one loop plans, detects the frames of all cameras that
want it in one batch, and follows. A camera whose source fails is retried by itself and
never holds up the others.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from .camera import RunningCamera
from .plans import CameraState
from .rates import Rates
from .shedding import LOOK_EVERY_S, Shedder

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from .pipeline import Analysis
    from .plans import CameraPlan
    from .ports import Detector, Stage
    from .stats import CameraStats
    from .trouble import Trouble

EventT = TypeVar("EventT")

logger = logging.getLogger(__name__)
CLOSE_WITHIN_S: Final = 1.0
MEASURE_EVERY_S: Final = 1.0
NO_PICTURES: Final = frozenset({CameraState.OFFLINE, CameraState.ENDED})
BUSY_S: Final = 5
"""Seconds over which `busy` is a mean."""


class Listener(Protocol[EventT]):
    """Is told what happens; called in the loop, so it must be quick."""

    def on_state(
        self, plan: CameraPlan, state: CameraState, trouble: Trouble | None
    ) -> None:
        """A camera's state is another, or its trouble; none where it is fine."""
        ...

    def on_analysis(self, plan: CameraPlan, analysis: Analysis[EventT]) -> None:
        """A frame was taken; of those with `shown` unset there are larger ones too."""
        ...

    def on_end(self, plan: CameraPlan, events: Sequence[EventT]) -> None:
        """A camera's pictures have ended, and the end of its tracks made events."""
        ...


class Runner(Generic[EventT]):
    """The loop over all cameras of a process; tests call `step`, never the loop."""

    def __init__(
        self,
        detector: Detector,
        *,
        stages_of: Callable[[CameraPlan], Sequence[Stage[EventT]]],
        drawn_of: Callable[[CameraPlan], Sequence[Stage[EventT]]] = lambda _: (),
        listener: Listener[EventT],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._detector = detector
        self._stages_of = stages_of
        self._drawn_of = drawn_of
        self._listener = listener
        self._clock = clock
        self._jitter = jitter
        self._cameras: dict[str, RunningCamera[EventT]] = {}
        self._stopwatch = stopwatch
        self._busy = 0.0
        self._worked_s = 0.0
        self._worked_of_late = Rates(BUSY_S)
        self._worked_since_look = Rates(1)
        self._shedder = Shedder()
        self._stats: Mapping[str, CameraStats] = {}
        self._measure_at_s = self._shed_at_s = 0.0

    @property
    def codes(self) -> list[str]:
        return list(self._cameras)

    @property
    def busy(self) -> float:
        """Share of the last seconds in which the loop worked, 0..1; for any thread."""
        return self._busy

    def stats(self) -> Mapping[str, CameraStats]:
        """Return each camera's figures, at most a second old; for any thread."""
        return self._stats

    def reconcile(self, plans: Iterable[CameraPlan]) -> None:
        """Start, restart and stop cameras until those of `plans` run.

        Where lines and zones alone changed, what is read and followed goes on.
        """
        wanted = {plan.code: plan for plan in plans}
        for code, camera in list(self._cameras.items()):
            plan = wanted.get(code)
            if plan and plan.differs_in_drawing_alone(camera.plan):
                camera.redraw(plan, self._drawn_of(plan))
            elif plan != camera.plan:
                self._cameras.pop(code).close()
                self._end(camera)
        for code, plan in wanted.items():
            if code not in self._cameras:
                self._cameras[code] = self._start(plan)

    def _start(self, plan: CameraPlan) -> RunningCamera[EventT]:
        return RunningCamera(
            plan,
            self._stages_of(plan),
            drawn=self._drawn_of(plan),
            clock=self._clock,
            jitter=self._jitter,
        )

    def watch(self, codes: Container[str]) -> None:
        """Have every frame of these cameras delivered, analysed or not."""
        for code, camera in self._cameras.items():
            camera.is_watched = code in codes

    def step(self, *, now_s: float) -> bool:
        """Take at most one frame of each camera; False when there was none.

        `now_s` is monotonic time.
        """
        began_s = self._stopwatch()
        has_worked = self._analyse(now_s)
        has_worked |= self._show(now_s)
        if has_worked:
            self._worked_s += self._stopwatch() - began_s
        self._measure(now_s)
        self._shed(now_s)
        return has_worked

    def close(self) -> None:
        """End all reading; wait a little for it, for all cameras together."""
        cameras = list(self._cameras.values())
        captures = [capture for camera in cameras for capture in camera.close()]
        self._cameras.clear()
        for camera in cameras:
            self._end(camera)
        until_s = time.monotonic() + CLOSE_WITHIN_S
        for capture in captures:
            capture.stop(max(until_s - time.monotonic(), 0))

    def _analyse(self, now_s: float) -> bool:
        arrived = []
        for camera in self._cameras.values():
            frame = camera.next_frame(now_s)
            self._tell(camera)
            if frame is not None:
                arrived.append((camera, frame, camera.pipeline.plan(frame)))
        wanted = [request.frame for _, _, request in arrived if request]
        found = iter(self._detector.detect(wanted) if wanted else ())
        for camera, frame, request in arrived:
            analysis = (
                camera.pipeline.take(request, next(found))
                if request
                else camera.pipeline.hold(frame)
            )
            self._listener.on_analysis(camera.plan, camera.note(analysis))
        return bool(arrived)

    def _show(self, now_s: float) -> bool:
        """Pass on the main stream's frames of cameras analysed by another."""
        has_worked = False
        for camera in self._cameras.values():
            picture = camera.next_picture(now_s)
            if picture is not None:
                self._listener.on_analysis(
                    camera.plan, camera.pipeline.overlay(picture)
                )
                has_worked = True
        return has_worked

    def _tell(self, camera: RunningCamera[EventT]) -> None:
        condition = camera.condition()
        if condition is not None and condition != camera.told:
            camera.told = condition
            if condition[0] in NO_PICTURES:
                self._end(camera)
            self._listener.on_state(camera.plan, *condition)

    def _end(self, camera: RunningCamera[EventT]) -> None:
        """End the tracks of a camera that may never give another frame."""
        if events := camera.pipeline.finish():
            self._listener.on_end(camera.plan, events)

    def _measure(self, now_s: float) -> None:
        if now_s >= self._measure_at_s:
            self._measure_at_s = now_s + MEASURE_EVERY_S
            (busy,) = self._worked_of_late.sample(now_s, self._worked_s)
            self._busy = min(busy, 1.0)
            self._stats = {
                code: camera.measure(now_s) for code, camera in self._cameras.items()
            }

    def _shed(self, now_s: float) -> None:
        """Look at cameras less often while there is too much to do."""
        if now_s < self._shed_at_s:
            return
        self._shed_at_s = now_s + LOOK_EVERY_S
        loads = [camera.load() for camera in self._cameras.values()]
        (busy,) = self._worked_since_look.sample(now_s, self._worked_s)
        before = self._shedder.levels
        self._shedder.look([load for load in loads if load], busy=busy)
        levels = self._shedder.levels
        for code, camera in self._cameras.items():
            camera.thin(2 ** levels.get(code, 0))
        for code in levels.keys() - before.keys():
            logger.warning("%s is looked at less often: too much to do.", code)
        for code in before.keys() - levels.keys():
            logger.warning("%s is looked at as often as it should be again.", code)
