"""The vision worker: one process serving many cameras.

Three threads, so that none waits for another's trouble: the loop here (frames to
events on disk), the clerk (Postgres) and the painter (Redis and viewers).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from django.utils import timezone

from factory_site import pipelines
from streaming.frames import FramePublisher
from streaming.vision.runner import CameraState, Runner
from streaming.vision.stats import CameraStats
from streaming.workers import WorkerStatus

from .clerk import Clerk
from .painter import Painter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streaming.event_queue import EventQueue
    from streaming.vision.detectors import NamedDetector
    from streaming.vision.pipeline import Analysis
    from streaming.vision.runner import CameraPlan

logger = logging.getLogger(__name__)
IDLE_S = 0.005


class PartFailed(Exception):
    """The clerk or the painter ended by an error, which is the cause."""


class VisionWorker:
    """Runs the cameras of `load_plans`; implements the runner's Listener."""

    def __init__(
        self,
        *,
        name: str,
        detector: NamedDetector,
        queue: EventQueue,
        load_plans: Callable[[], Sequence[CameraPlan]],
    ) -> None:
        self.stopping = threading.Event()
        self._failure: Exception | None = None
        self._name = name
        self._detector = detector
        self._queue = queue
        self._clerk = Clerk(queue, load_plans)
        self._painter = Painter(FramePublisher(), self.status)
        self._runner: Runner[pipelines.Event] = Runner(
            detector,
            stages_of=pipelines.stages_of,
            listener=self,
            clock=timezone.now,
            jitter=random.random,
        )

    def run(self) -> None:
        """Work until `stopping` is set; every event is then recorded or on disk.

        Raises PartFailed when one of the threads ended by an error.
        """
        threads = [
            threading.Thread(target=self._guard, args=[part.run], name=name)
            for name, part in (("clerk", self._clerk), ("painter", self._painter))
        ]
        for thread in threads:
            thread.start()
        try:
            while not self.stopping.is_set():
                if not self.step():
                    self.stopping.wait(IDLE_S)
        finally:
            self.stopping.set()
            self._runner.close()
            for thread in threads:
                thread.join()
        if self._failure:
            raise PartFailed from self._failure

    def _guard(self, part: Callable[[threading.Event], None]) -> None:
        """Stop the whole worker when a part of it fails, so that it is restarted."""
        try:
            part(self.stopping)
        except Exception as error:
            logger.exception("The %s failed.", threading.current_thread().name)
            self._failure = error
            self.stopping.set()

    def step(self) -> bool:
        """Take up new plans and one frame of each camera; False when idle."""
        if (plans := self._clerk.take_plans()) is not None:
            self._runner.reconcile(plans)
            self._painter.look_after(frozenset(self._runner.codes))
        self._runner.watch(self._painter.watched)
        return self._runner.step(now_s=time.monotonic())

    def status(self) -> WorkerStatus:
        return WorkerStatus(
            name=self._name,
            detector=self._detector.name,
            fallback=self._detector.fallback,
            cameras={code: CameraStats() for code in self._runner.codes},
            queued=len(self._queue),
            failed=self._queue.failed,
        )

    def on_analysis(
        self, plan: CameraPlan, analysis: Analysis[pipelines.Event]
    ) -> None:
        for event in analysis.events:
            self._queue.put(pipelines.encode(event))
        self._clerk.note_frame(plan.code, analysis.frame.at)
        self._painter.show(plan, analysis)

    def on_state(self, plan: CameraPlan, state: CameraState, reason: str) -> None:
        log = logger.info if state is CameraState.ONLINE else logger.warning
        log("%s is %s%s", plan.code, state, f": {reason}" if reason else ".")
        self._clerk.note_state(plan.code, state, reason, timezone.now())
