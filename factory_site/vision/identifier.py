"""The vision worker's threads that have faces identified and plates recorded."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from django.db import Error, connection

from factory_site import pipelines
from streaming.event_queue import TryAgainLater, deliver_left_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streaming.event_queue import EventQueue

    from .names import Names, Offer

    Identify = Callable[[Any], str | None]
    """Records who or what it is and returns the words for the live picture, if any."""

logger = logging.getLogger(__name__)
THREADS: Final[Mapping[str, int]] = {"local": 1, "rekognition": 4}
"""By engine: one that is asked over the network is waited for."""
IDLE_S: Final = 0.1
OUTAGE_WAIT_S: Final = 1.0
LOOK_AROUND_S: Final = 10.0
BATCH: Final = 4
"""Offers of a dead worker at a time: its restart waits as long as that, a second or so
where each is asked over the network."""
PAUSE_S: Final = 1.0
"""Between two batches: then a worker that is started again gets its queue."""


class Identifier:
    """Takes offered faces, or plates, from a queue of their own, on disk.

    So a slow engine, or a storage of pictures that cannot be reached, holds up no
    picture and no other event. `run` may be at work in several threads at once. `what`
    is the word for them in the log.
    """

    def __init__(
        self,
        queue: EventQueue,
        identify: Identify,
        names: Names,
        *,
        what: str = "faces",
    ) -> None:
        self.queue = queue
        self.stale = 0
        """How many offers were left out."""
        self._identify = identify
        self._names = names
        self._what = what
        self._looking_around = threading.Lock()
        self._look_around_at_s = 0.0
        self._is_held_up = False

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping`; what waits then stays on disk for the next start."""
        try:
            while not stopping.is_set():
                if not self.step(now_s=time.monotonic()):
                    stopping.wait(OUTAGE_WAIT_S if self._is_held_up else IDLE_S)
        finally:
            connection.close()

    def step(self, *, now_s: float) -> bool:
        """Have the oldest offer identified; False when idle or when it has to wait."""
        try:
            is_busy = self.queue.deliver(self._record)
            is_busy = is_busy or self._deliver_for_the_dead(now_s)
        except (TryAgainLater, Error) as error:
            self._note_outage(error)
            return False
        if is_busy:
            self._note_recovery()
        return is_busy

    def _record(self, text: str) -> None:
        if not pipelines.record_queued(text, by=self._take):
            self.stale += 1

    def _take(self, offer: Offer) -> None:
        self._names.note(offer, self._identify(offer))

    def _deliver_for_the_dead(self, now_s: float) -> bool:
        """Take offers that dead workers left on this machine; False if none."""
        if now_s < self._look_around_at_s:
            return False
        if not self._looking_around.acquire(blocking=False):
            return False
        began_s = time.monotonic()
        try:
            delivered = deliver_left_beside(self.queue, self._record, limit=BATCH)
            now_s += time.monotonic() - began_s
            rest_s = PAUSE_S if delivered == BATCH else LOOK_AROUND_S
            self._look_around_at_s = now_s + rest_s
        finally:
            self._looking_around.release()
        return bool(delivered)

    def _note_outage(self, error: Exception) -> None:
        connection.close_if_unusable_or_obsolete()
        if not self._is_held_up:
            logger.warning(
                "Nothing can be recognised now (%s); %s wait on disk.",
                type(error.__cause__ or error).__name__,
                self._what,
            )
        self._is_held_up = True

    def _note_recovery(self) -> None:
        if self._is_held_up:
            logger.warning(
                "%s are recognised again; %d wait.",
                self._what.capitalize(),
                len(self.queue),
            )
        self._is_held_up = False
