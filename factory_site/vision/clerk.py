"""The vision worker's thread that talks to Postgres, and waits when it is away."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import Error, connection

from factory_site import pipelines
from streaming.event_queue import TryAgainLater, deliver_left_beside
from streaming.leases import RENEW_EVERY_S
from streaming.models import Camera
from streaming.services import report_frames, report_state

from .pictures import PictureTimes

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from streaming.event_queue import EventQueue
    from streaming.vision.plans import CameraPlan, CameraState
    from streaming.vision.trouble import Trouble

    from .tenure import Tenure

logger = logging.getLogger(__name__)
IDLE_S = 0.1
REFRESH_S = 5.0
OUTAGE_WAIT_S = 1.0
LOOK_AROUND_S = 10.0
BATCH = 50
"""Events of a dead worker delivered at a time: its restart waits as long as that."""
NOTES_KEPT = 10_000
"""States that wait for Postgres; of more the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class StateNote:
    """A camera's state as it was seen."""

    code: str
    state: CameraState
    trouble: Trouble | None
    at: datetime
    last_frame_at: datetime | None
    term: int


class Clerk:
    """Keeps the leases, records events and camera states, and fetches what to run.

    The loop only leaves notes here, with `note_frame` and `note_state`, and picks up
    new plans with `take_plans`; nothing in the loop waits for Postgres.
    """

    def __init__(
        self,
        queue: EventQueue,
        tenure: Tenure,
        load_plans: Callable[[Collection[str]], Sequence[CameraPlan]],
    ) -> None:
        self.stale = 0
        """How many events were left out."""
        self._queue = queue
        self._tenure = tenure
        self._load_plans = load_plans
        # Its ends may be used by two threads at once.
        self._plans: deque[Sequence[CameraPlan]] = deque(maxlen=1)
        self._to_run: frozenset[str] = frozenset()
        self._notes: deque[StateNote] = deque(maxlen=NOTES_KEPT)
        self._told: dict[str, StateNote] = {}
        self._pictures = PictureTimes()
        self._renew_at_s = self._refresh_at_s = self._look_around_at_s = 0.0
        self._database_is_away = False

    def note_frame(self, code: str, at: datetime) -> None:
        self._pictures.note(code, at)

    def note_state(
        self, code: str, state: CameraState, trouble: Trouble | None, at: datetime
    ) -> None:
        last_frame_at = self._pictures.last(code) if trouble else None
        term = self._tenure.claim(code, time.monotonic()).term
        self._notes.append(StateNote(code, state, trouble, at, last_frame_at, term))

    def take_plans(self) -> Sequence[CameraPlan] | None:
        """Return the plans when they were fetched anew since the last call."""
        try:
            return self._plans.popleft()
        except IndexError:
            return None

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping`, when nothing is read any more; then leave."""
        try:
            while not stopping.is_set():
                if not self.step(now_s=time.monotonic()):
                    stopping.wait(OUTAGE_WAIT_S if self._database_is_away else IDLE_S)
            self._leave()
        finally:
            connection.close()

    def step(self, *, now_s: float) -> bool:
        """Keep the leases, bring plans up to date and record an event; False when idle.

        States wait for the events before them: a recording has ended when all it
        showed is recorded.
        """
        try:
            self._renew(now_s)
            self._refresh(now_s)
            busy = self._deliver() or self._deliver_for_the_dead(now_s)
        except (TryAgainLater, Error) as error:
            self._note_outage(error)
            return False
        self._note_recovery()
        return busy

    def _leave(self) -> None:
        """Give the cameras back, and record what is queued if Postgres answers."""
        try:
            self._tenure.leave()
            while self._deliver():
                pass
            self._report_frames()
        except (TryAgainLater, Error) as error:
            self._note_outage(error)

    def _renew(self, now_s: float) -> None:
        if now_s < self._renew_at_s:
            return
        leases = self._tenure.renew(now_s)
        self._renew_at_s = now_s + RENEW_EVERY_S
        if leases is None:
            return
        if leases.to_run != self._to_run:
            self._to_run = leases.to_run
            self._refresh_at_s = now_s
        waiting = self._waiting()
        for code in leases.untold - waiting:
            self._tell_again(code)

    def _waiting(self) -> frozenset[str]:
        """Return the cameras of which states wait to be written."""
        return frozenset(note.code for note in self._notes.copy())

    def _tell_again(self, code: str) -> None:
        """Tell a camera's state once more, pictures having come ever since."""
        if note := self._told.get(code):
            since = None if note.trouble else self._pictures.since(code)
            at = max(note.at, since or note.at)
            term = self._tenure.claim(code, time.monotonic()).term
            self._notes.append(replace(note, at=at, term=term))

    def _refresh(self, now_s: float) -> None:
        if now_s < self._refresh_at_s:
            return
        waiting = self._waiting()
        self._report_frames(but=waiting)
        self._plans.append(self._load_plans(self._to_run))
        self._forget_all_but({*self._to_run, *self._tenure.running, *waiting})
        self._refresh_at_s = now_s + REFRESH_S

    def _report_frames(self, *, but: Collection[str] = ()) -> None:
        """Tell of the cameras it holds; of another's camera it knows nothing new."""
        untold = self._pictures.take_untold(but=but)
        held = {code: at for code, at in untold.items() if self._tenure.holds(code)}
        report_frames(last_frame_at=held)

    def _forget_all_but(self, codes: Collection[str]) -> None:
        self._pictures.forget_all_but(codes)
        self._told = {code: note for code, note in self._told.items() if code in codes}

    def _deliver(self) -> bool:
        """Record the oldest event, or a state when there is none; False when idle."""
        return self._queue.deliver(self._record) or self._write_state()

    def _deliver_for_the_dead(self, now_s: float) -> bool:
        """Deliver events that dead workers left on this machine; False if none."""
        if now_s < self._look_around_at_s:
            return False
        delivered = deliver_left_beside(self._queue, self._record, limit=BATCH)
        if delivered < BATCH:
            self._look_around_at_s = now_s + LOOK_AROUND_S
        return bool(delivered)

    def _record(self, event: str) -> None:
        if not pipelines.record_queued(event):
            self.stale += 1

    def _write_state(self) -> bool:
        if not self._notes:
            return False
        note = self._notes.popleft()
        try:
            report_state(
                code=note.code,
                state=Camera.State(note.state.value),
                trouble=note.trouble,
                at=note.at,
                last_frame_at=note.last_frame_at,
                term=note.term,
            )
        except Error:
            self._notes.appendleft(note)
            raise
        self._told[note.code] = note
        return True

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
