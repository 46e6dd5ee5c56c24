"""The durable queue between the stages and the services.

An event is on local disk before its frame is forgotten. It leaves the queue only when
it is recorded, so it survives a kill of the worker and an outage of Postgres; being
delivered twice is harmless, because recording is idempotent by event id.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import uuid
from typing import TYPE_CHECKING

from persistqueue import SQLiteAckQueue
from persistqueue.exceptions import Empty
from persistqueue.serializers import json as json_serializer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)
KEEP_RECORDED = 100
"""Of the events that were recorded so many stay in the folder, for whoever looks into
what went wrong."""


class QueueInUse(Exception):
    """Another worker of the same name is running on this machine."""


class TryAgainLater(Exception):
    """The event cannot be recorded now; it stays first in the queue."""


class EventQueue:
    """First in, first out, in a folder of its own that one process may use at a time.

    `keep_recorded` events stay there when they are recorded. Raises QueueInUse.
    """

    def __init__(self, folder: Path, *, keep_recorded: int = KEEP_RECORDED) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise QueueInUse(
                f"A vision worker named {folder.name} is running on this machine. "
                "Stop it, or start this one with another VISION_NAME."
            ) from None
        self.folder = folder
        self.keep_recorded = keep_recorded
        self.id = _identity(folder)
        """The same as long as the folder is there; no other queue has it."""
        self._queue = SQLiteAckQueue(
            str(folder), multithreading=True, serializer=json_serializer
        )
        self.failed = int(self._queue.ack_failed_count())
        """How many events were set aside; they stay in the folder."""

    def put(self, event: str) -> None:
        """Write one event, as text, to disk."""
        self._queue.put(event)

    def deliver(self, record: Callable[[str], None]) -> bool:
        """Hand the oldest event to `record`; False when there is none.

        Lets TryAgainLater through, the event staying first. An event that fails in
        any other way is set aside and logged, so that it does not block the rest.
        """
        try:
            item = self._queue.get(block=False, raw=True)
        except Empty:
            return False
        try:
            record(item["data"])
        except TryAgainLater:
            self._queue.nack(id=item["pqid"])
            raise
        except Exception:
            logger.exception("Event %s was set aside.", item["pqid"])
            self._queue.ack_failed(id=item["pqid"])
            self.failed += 1
        else:
            self._queue.ack(id=item["pqid"])
            self._queue.clear_acked_data(
                max_delete=1000, keep_latest=self.keep_recorded
            )
        return True

    def __len__(self) -> int:
        return int(self._queue.active_size())

    def close(self) -> None:
        self._queue.close()
        self._lock.close()


def _identity(folder: Path) -> str:
    file = folder / "id"
    known = file.read_text() if file.exists() else ""
    if not known:
        file.write_text(uuid.uuid4().hex)
    return known or file.read_text()


def deliver_left_beside(
    own: EventQueue, record: Callable[[str], None], *, limit: int
) -> int:
    """Deliver up to `limit` events of the queues beside one's own; return how many."""
    delivered = 0
    for queue in left_beside(own):
        while delivered < limit and queue.deliver(record):
            delivered += 1
    return delivered


def left_beside(own: EventQueue) -> Iterator[EventQueue]:
    """Open, one after another, the queues beside one's own that no process has.

    Their workers are dead, perhaps for good, and their events wait. While such a queue
    is open its worker cannot start, so it is closed again before the next.
    """
    for folder in sorted(own.folder.parent.iterdir()):
        if folder == own.folder or not folder.is_dir():
            continue
        try:
            queue = EventQueue(folder, keep_recorded=own.keep_recorded)
        except QueueInUse:
            continue
        except (OSError, sqlite3.Error):
            logger.warning("The events in %s cannot be read.", folder, exc_info=True)
            continue
        try:
            yield queue
        finally:
            queue.close()
