"""The vision worker: one process serving many cameras.

Threads of their own, so that none waits for another's trouble: the loop here (frames
to events on disk), the clerk (Postgres), the painter (Redis and viewers), those that
have faces identified and the one that has vehicles recorded.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

import psutil
from django.conf import settings
from django.utils import timezone

from factory_site import pipelines
from identity.face_model import the_face_model
from identity.pipeline import FaceOffered
from streaming.frames import FramePublisher
from streaming.leases import Holder
from streaming.vision.plans import CameraState
from streaming.vision.runner import Runner
from streaming.weights import fingerprint
from streaming.workers import WorkerStatus
from vehicles.pipeline import PlateOffered
from vehicles.plate_model import makes_do, the_working_plate_model

from .clerk import Clerk
from .identifier import THREADS, Identifier
from .names import Names
from .painter import Painter
from .tenure import Tenure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from streaming.event_queue import EventQueue
    from streaming.vision.detectors import NamedDetector
    from streaming.vision.pipeline import Analysis
    from streaming.vision.plans import CameraPlan
    from streaming.vision.trouble import Trouble

    from .identifier import Identify

logger = logging.getLogger(__name__)
IDLE_S = 0.005
GATHER_S = 0.02
"""Frames of eight cameras at 10 a second come 12 ms apart: some two or three gather."""


class PartFailed(Exception):
    """The clerk, the painter or an identifier ended by an error, which is the cause."""


def rest_s(*, worked: bool, cameras: int, is_watched: bool) -> float:
    """Return for how long the loop rests after a step.

    The frames of several cameras may gather meanwhile: the detector is given them in
    one batch, which uses all cores. Not while somebody watches, who wants every frame.
    """
    if not worked:
        return IDLE_S
    return GATHER_S if cameras > 1 and not is_watched else 0.0


class VisionWorker:
    """Runs the cameras it holds leases of; implements the runner's Listener."""

    def __init__(
        self,
        *,
        name: str,
        detector: NamedDetector,
        weights: Path | None = None,
        queue: EventQueue,
        faces: EventQueue,
        identify: Identify,
        plates: EventQueue,
        record_vehicle: Identify,
        load_plans: Callable[[Collection[str]], Sequence[CameraPlan]],
        pinned: Sequence[str] = (),
    ) -> None:
        self.stopping = threading.Event()
        self._has_closed = threading.Event()
        self._failure: Exception | None = None
        self._name = name
        self._detector = detector
        self._weights = weights
        self._weights_sha256 = fingerprint(weights) if weights else ""
        self._queue = queue
        self._tenure = Tenure(Holder(name, queue.id, pinned))
        self._clerk = Clerk(queue, self._tenure, load_plans)
        self._names = Names()
        self._identifier = Identifier(faces, identify, self._names)
        self._finds_faces = False
        self._gatekeeper = Identifier(
            plates, record_vehicle, self._names, what="plates"
        )
        self._plate_readers: frozenset[str] = frozenset()
        self._painter = Painter(FramePublisher(), self.status, self._names)
        self._runner: Runner[pipelines.Event] = Runner(
            detector,
            stages_of=pipelines.stages_of,
            drawn_of=pipelines.drawn_of,
            listener=self,
            clock=timezone.now,
            jitter=random.random,
        )

    def run(self) -> None:
        """Work until `stopping` is set; every event is then recorded or on disk.

        Raises PartFailed when one of the threads ended by an error.
        """
        parts = {
            "clerk": (self._clerk.run, self._has_closed),
            "painter": (self._painter.run, self.stopping),
            "gatekeeper": (self._gatekeeper.run, self.stopping),
        }
        for number in range(THREADS[settings.FACE_ENGINE]):
            parts[f"identifier {number + 1}"] = (self._identifier.run, self.stopping)
        threads = [
            threading.Thread(target=self._guard, args=part, name=name)
            for name, part in parts.items()
        ]
        for thread in threads:
            thread.start()
        try:
            while not self.stopping.is_set():
                worked = self.step()
                self.stopping.wait(
                    rest_s(
                        worked=worked,
                        cameras=len(self._runner.codes),
                        is_watched=bool(self._painter.watched),
                    )
                )
        finally:
            self.stopping.set()
            try:
                self._runner.close()
            finally:
                # Also where a full disk takes no event: else the process never ends.
                self._has_closed.set()
                for thread in threads:
                    thread.join()
        if self._failure:
            raise PartFailed from self._failure

    def _guard(
        self, part: Callable[[threading.Event], None], until: threading.Event
    ) -> None:
        """Stop the whole worker when a part of it fails, so that it is restarted."""
        try:
            part(until)
        except Exception as error:
            logger.exception("The %s failed.", threading.current_thread().name)
            self._failure = error
            self.stopping.set()

    def step(self) -> bool:
        """Take up new plans and one frame of each camera; False when idle."""
        if (plans := self._clerk.take_plans()) is not None:
            self._runner.reconcile(plans)
            self._finds_faces = any(plan.finds_faces for plan in plans)
            self._plate_readers = frozenset(
                plan.plates.reader for plan in plans if plan.plates
            )
            self._tenure.running = frozenset(self._runner.codes)
            self._painter.look_after(self._tenure.running)
        self._runner.watch(self._painter.watched)
        self._tenure.loop_seen_s = now_s = time.monotonic()
        return self._runner.step(now_s=now_s)

    def status(self) -> WorkerStatus:
        model = the_face_model() if self._finds_faces else None
        faces, plates = self._identifier.queue, self._gatekeeper.queue
        readers = {one: the_working_plate_model(one) for one in self._plate_readers}
        return WorkerStatus(
            name=self._name,
            detector=self._detector.name,
            fallback=self._detector.fallback,
            cameras=self._runner.stats(),
            queued=len(self._queue),
            failed=self._queue.failed + faces.failed + plates.failed,
            stale=self._clerk.stale + self._identifier.stale + self._gatekeeper.stale,
            busy=self._runner.busy,
            memory_bytes=psutil.Process().memory_info().rss,
            weights=self._weights.name if self._weights else "",
            weights_sha256=self._weights_sha256,
            faces_queued=len(faces),
            face_model=model.embedder.name if model else "",
            face_fallback=bool(model and model.is_fallback),
            plate_reader=", ".join(
                sorted({one.reader.name if one else "none" for one in readers.values()})
            ),
            plate_fallback=any(
                makes_do(model, wanted=wanted) for wanted, model in readers.items()
            ),
            plates_queued=len(plates),
        )

    def on_analysis(
        self, plan: CameraPlan, analysis: Analysis[pipelines.Event]
    ) -> None:
        self._put(plan, analysis.events)
        self._clerk.note_frame(plan.code, analysis.frame.at)
        self._painter.show(plan, analysis)

    def on_end(self, plan: CameraPlan, events: Sequence[pipelines.Event]) -> None:
        self._put(plan, events)

    def _put(self, plan: CameraPlan, events: Sequence[pipelines.Event]) -> None:
        """Write events to disk: offered faces and plates to queues of their own."""
        for event in events:
            claim = self._tenure.claim(plan.code, time.monotonic())
            text = pipelines.encode(event, term=claim.term, is_sure=claim.is_sure)
            self._queue_for(event).put(text)

    def _queue_for(self, event: pipelines.Event) -> EventQueue:
        if isinstance(event, FaceOffered):
            return self._identifier.queue
        if isinstance(event, PlateOffered):
            return self._gatekeeper.queue
        return self._queue

    def on_state(
        self, plan: CameraPlan, state: CameraState, trouble: Trouble | None
    ) -> None:
        reason = trouble.sentence if trouble else ""
        log = logger.info if state is CameraState.ONLINE else logger.warning
        log("%s is %s%s", plan.code, state, f": {reason}" if reason else ".")
        self._clerk.note_state(plan.code, state, trouble, timezone.now())
        if state is not CameraState.ONLINE:
            self._painter.forget(plan.code)
