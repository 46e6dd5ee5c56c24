"""Opens barriers: by the rules, once and soon or never, and by people."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from queue import Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.utils import timezone

from streaming.fields import Unreadable

from . import alarms, drivers
from .announcements import announce_again
from .drivers import BadAddress, NotTold
from .models import BarrierCall, Gate, Vehicle, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from identity.models import User

logger = logging.getLogger(__name__)
LATEST: Final = timedelta(seconds=5)
"""After the picture that decided; whoever opens later opens for somebody else."""
THREADS: Final = 8
"""So many barriers may be slow at a time before another one has to wait."""
UNREADABLE = (
    "Its address was encrypted with another SECRET_KEY. Enter it again, or add that "
    "key to SECRET_KEY_FALLBACKS."
)
NO_WORD = "No word came of whether it opened."
TOO_OLD = (
    f"Too late: its picture was more than {LATEST.seconds} s old when it was decided."
)


class NotOpened(Exception):
    """No barrier was told; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of telling a barrier to open."""

    ok: bool
    words: str
    """A sentence for people, without any secret."""
    took_ms: int = 0
    is_fault: bool = True
    """Whether, where it is not ok, something is wrong with the barrier."""


def open_barrier(gate: Gate, *, until_s: float) -> Answer:
    """Tell a gate's barrier to open, once; nothing is sent past `until_s`.

    `until_s` is of the monotonic clock.
    """
    began_s = time.monotonic()
    try:
        if isinstance(gate.address, Unreadable):
            return Answer(ok=False, words=UNREADABLE)
        address = drivers.parse_address(gate.address, driver=gate.driver)
        words = drivers.tell(address, gate.payload, until_s=until_s)
    except (BadAddress, NotTold) as error:
        return Answer(ok=False, words=str(error), took_ms=_ms_since(began_s))
    return Answer(ok=True, words=words, took_ms=_ms_since(began_s))


def _ms_since(began_s: float) -> int:
    return round((time.monotonic() - began_s) * 1000)


def open_by_hand(
    *, gate: Gate, by: User, reason: str, at: datetime, log: VehicleLog | None = None
) -> BarrierCall:
    """Open a gate for a person, who may and says why; return what came of it.

    `log` is the visit it is opened for, if any. Raises NotOpened where there is
    nothing to tell. The call is stored first: outside of a transaction, then.
    """
    if not reason.strip():
        raise NotOpened("Say why the gate is opened.")
    if gate.driver == Gate.Driver.NONE:
        raise NotOpened(f"{gate} has no barrier that can be told to open.")
    if log is not None and log.gate_id != gate.pk:
        raise NotOpened(f"That vehicle is not at {gate}.")
    until_s = time.monotonic() + LATEST.total_seconds()
    with transaction.atomic(durable=True):
        call = BarrierCall.objects.create(
            gate=gate,
            log=log,
            asked_by=by,
            reason=reason.strip(),
            asked_at=at,
            result=BarrierCall.Result.FAILED,
            answer=NO_WORD,
        )
    _settle(call, open_barrier(gate, until_s=until_s))
    logger.info("%s: %s by hand by %s: %s", gate, call.result, by, call.reason)
    return call


def open_for(
    *, log_id: int, decided_at: datetime, stored_at: datetime, now: datetime
) -> BarrierCall | None:
    """Open the gate for a visit that the rules let in; None where none is to open.

    Once, however often it is called. `decided_at` is when the picture was taken with
    which it was decided: the vehicle stood there then. `stored_at` is when the visit
    was: a picture that was too old by then is no fault of the barrier.
    """
    left = min(LATEST, LATEST - (now - decided_at))
    until_s = time.monotonic() + left.total_seconds()
    logs = VehicleLog.objects.select_related("gate")
    log = logs.filter(pk=log_id, opens=True).first()
    gate = log.gate if log else None
    if log is None or gate is None or gate.driver == Gate.Driver.NONE:
        return None
    call, is_first = BarrierCall.objects.get_or_create(
        log=log,
        reason="",
        defaults={
            "gate": gate,
            "asked_at": now,
            "result": BarrierCall.Result.FAILED,
            "answer": NO_WORD,
        },
    )
    if is_first:
        is_old = stored_at - decided_at >= LATEST
        refusal = _refusal(log, gate) or (_refused(TOO_OLD) if is_old else None)
        _settle(call, refusal or open_barrier(gate, until_s=until_s))
    return call


def _refusal(log: VehicleLog, gate: Gate) -> Answer | None:
    """Say why it must not open any more: people were quicker than the barrier."""
    # By plate: nobody may have registered it when the visit was decided.
    blocked = Vehicle.objects.blocked().filter(site=gate.site_id)
    if blocked.filter(plate_number=log.plate_number).exists():
        return _refused("The vehicle was blocked meanwhile.")
    if log.denied_at is not None:
        return _refused("A person refused the vehicle meanwhile.")
    if not gate.enabled:
        return _refused("The gate was switched off meanwhile.")
    return None


def _refused(words: str) -> Answer:
    return Answer(ok=False, words=words, is_fault=False)


def _settle(call: BarrierCall, answer: Answer) -> None:
    call.result = BarrierCall.Result.OPENED if answer.ok else BarrierCall.Result.FAILED
    call.answer, call.took_ms = answer.words, answer.took_ms
    call.save(update_fields=["result", "answer", "took_ms"])
    if not answer.ok:
        logger.warning("The barrier of %s did not open: %s", call.gate, call.answer)
    # Robust: what came of the barrier is known, whether or not anybody can be told.
    if (log_id := call.log_id) is not None:
        transaction.on_commit(lambda: announce_again(log_id), robust=True)
    if answer.ok:
        transaction.on_commit(lambda: alarms.note_opened(call=call), robust=True)
    elif answer.is_fault:
        transaction.on_commit(lambda: alarms.note_failure(call=call), robust=True)


class Callers:
    """Threads that wait for barriers, so that nothing else does.

    They end with the process: `finish` gives them the time to.
    """

    def __init__(self, *, threads: int = THREADS) -> None:
        self._asked: Queue[Callable[[], object]] = Queue()
        self._to_start = threads
        self._lock = Lock()

    def ask(self, call: Callable[[], object]) -> None:
        """Have something called soon, by a thread."""
        self._asked.put(call)
        with self._lock:
            if self._to_start:
                self._to_start -= 1
                Thread(target=self._run, name="barrier", daemon=True).start()

    def finish(self, timeout_s: float) -> bool:
        """Wait until all that was asked is done; False where that took too long."""
        with self._asked.all_tasks_done:
            return self._asked.all_tasks_done.wait_for(
                lambda: not self._asked.unfinished_tasks, timeout_s
            )

    def _run(self) -> None:
        while True:
            call = self._asked.get()
            try:
                call()
            except Exception:
                logger.exception("A barrier was not told to open.")
            finally:
                # A connection that was kept may have died, and an opening with it.
                connection.close()
                self._asked.task_done()


_callers = Callers()


def open_soon(*, log: VehicleLog, decided_at: datetime) -> None:
    """Have the gate opened for a visit that is stored; returns at once."""
    log_id, stored_at = log.pk, timezone.now()
    _callers.ask(
        lambda: open_for(
            log_id=log_id,
            decided_at=decided_at,
            stored_at=stored_at,
            now=timezone.now(),
        )
    )


def finish(timeout_s: float = LATEST.total_seconds()) -> bool:
    """Wait for the barriers that are being told; False where one took too long.

    For a process that stops: those left over are ended with it.
    """
    return _callers.finish(timeout_s)
