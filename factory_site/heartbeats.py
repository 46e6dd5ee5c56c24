"""Signs of life of the processes that answer to nobody: Celery's worker and beat.

One sorted set in Redis: a name, and when it last said that it runs. What ended cleanly
takes its name out; what died leaves it behind, so that the page can say since when.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import redis
from celery import bootsteps

from streaming import workers

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)
KEY = "heartbeats"
EVERY_S = 5.0
ALIVE = timedelta(seconds=20)
"""Beat's longest sleep is 5 s, and one beat may be late."""
FORGOTTEN_S = 24 * 3600
BEAT: Final = "beat"
WORKER: Final = "worker "
"""What a worker's name starts with; its host name follows."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A process and when it was last heard of."""

    name: str
    at: datetime

    def is_alive(self, *, now: datetime) -> bool:
        return now - self.at <= ALIVE


def note(name: str, *, at_s: float) -> None:
    """Say that a process runs. Without Redis nothing is said, and nothing fails."""
    try:
        with workers.connect() as client:
            client.zadd(KEY, {name: at_s})
            client.zremrangebyscore(KEY, 0, at_s - FORGOTTEN_S)
    except redis.RedisError as error:
        logger.debug("No sign of life could be left: %s", type(error).__name__)


def forget(name: str) -> None:
    try:
        with workers.connect() as client:
            client.zrem(KEY, name)
    except redis.RedisError as error:
        logger.debug("%s stays noted: %s", name, type(error).__name__)


def heard(scores: Mapping[bytes, float]) -> list[Heartbeat]:
    """Read what `ZRANGE heartbeats 0 -1 WITHSCORES` gives, newest first."""
    noted = [
        Heartbeat(name.decode(), datetime.fromtimestamp(at_s, UTC))
        for name, at_s in scores.items()
    ]
    return sorted(noted, key=lambda one: one.at, reverse=True)


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Notes every few seconds that the Celery worker's main loop turns."""

    requires = ("celery.worker.components:Timer",)

    def start(self, worker: Any) -> None:
        self._name = f"{WORKER}{worker.hostname}"
        self._note()
        self._timer = worker.timer.call_repeatedly(EVERY_S, self._note)

    def stop(self, worker: Any) -> None:
        self._timer.cancel()
        forget(self._name)

    def _note(self) -> None:
        note(self._name, at_s=time.time())
