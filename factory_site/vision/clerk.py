"""The vision worker's thread that talks to Postgres, and waits when it is away."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.db import Error, connection

from factory_site import pipelines
from streaming.event_queue import TryAgainLater
from streaming.models import Camera
from streaming.services import report_frames, report_state

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from streaming.event_queue import EventQueue
    from streaming.vision.runner import CameraPlan, CameraState

logger = logging.getLogger(__name__)
IDLE_S = 0.1
REFRESH_S = 5.0
OUTAGE_WAIT_S = 1.0


class Clerk:
    """Records events and camera states, and fetches what to run.

    The loop only leaves notes here, with `note_frame` and `note_state`, and picks up
    new plans with `take_plans`; nothing in the loop waits for Postgres.
    """

    def __init__(
        self, queue: EventQueue, load_plans: Callable[[], Sequence[CameraPlan]]
    ) -> None:
        self._queue = queue
        self._load_plans = load_plans
        self._plans: Sequence[CameraPlan] | None = None
        self._states: dict[str, tuple[CameraState, str, datetime]] = {}
        self._last_frames: dict[str, datetime] = {}
        self._refresh_at_s = 0.0
        self._database_is_away = False

    def note_frame(self, code: str, at: datetime) -> None:
        self._last_frames[code] = at

    def note_state(
        self, code: str, state: CameraState, reason: str, at: datetime
    ) -> None:
        self._states[code] = state, reason, at

    def take_plans(self) -> Sequence[CameraPlan] | None:
        """Return the plans when they were fetched anew since the last call."""
        plans, self._plans = self._plans, None
        return plans

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping`, then record what is queued if Postgres answers."""
        while not stopping.is_set():
            if not self.step(now_s=time.monotonic()):
                stopping.wait(OUTAGE_WAIT_S if self._database_is_away else IDLE_S)
        while self.step(now_s=time.monotonic()):
            pass
        connection.close()

    def step(self, *, now_s: float) -> bool:
        """Bring plans up to date and record one event; False when idle.

        States wait for the events before them: a recording has ended when all it
        showed is recorded.
        """
        try:
            self._refresh(now_s)
            busy = self._queue.deliver(pipelines.record_queued)
            if not busy:
                self._write_states()
        except (TryAgainLater, Error) as error:
            self._note_outage(error)
            return False
        self._note_recovery()
        return busy

    def _write_states(self) -> None:
        while self._states:
            code, note = self._states.popitem()
            state, reason, at = note
            try:
                report_state(
                    code=code, state=Camera.State(state.value), reason=reason, at=at
                )
            except Error:
                self._states.setdefault(code, note)
                raise

    def _refresh(self, now_s: float) -> None:
        if now_s < self._refresh_at_s:
            return
        last_frames = {}
        while self._last_frames:
            code, at = self._last_frames.popitem()
            last_frames[code] = at
        report_frames(last_frame_at=last_frames)
        self._plans = self._load_plans()
        self._refresh_at_s = now_s + REFRESH_S

    def _note_outage(self, error: Exception) -> None:
        connection.close_if_unusable_or_obsolete()
        if not self._database_is_away:
            logger.warning(
                "Postgres does not answer (%s); events wait on disk.",
                type(error.__cause__ or error).__name__,
            )
        self._database_is_away = True

    def _note_recovery(self) -> None:
        if self._database_is_away:
            logger.warning("Postgres answers again; %d events wait.", len(self._queue))
        self._database_is_away = False
