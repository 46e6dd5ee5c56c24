"""The breaker of the remote engine that all workers share, kept in Redis."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .breaker import Breaker, State, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

logger = logging.getLogger(__name__)
KEY: Final = "identity:rekognition:breaker"
FORGOTTEN: Final = timedelta(minutes=10)
"""Longer than it rests. Then nobody has asked for long, and the next one may."""


class BreakerOpen(Exception):
    """The service is not asked for now."""


@dataclass(frozen=True, slots=True)
class BreakerReport:
    """What a page tells of it."""

    state: State
    reason: str
    """Why the service is not asked, a sentence; empty while it is."""
    since: datetime | None


class SharedBreaker:
    """Every method may raise redis.RedisError. Redis' clock is that of all workers."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def look(self) -> BreakerReport:
        now = self._now()
        breaker = _decoded(self._redis.get(KEY))
        opened_at = breaker.opened_at
        return BreakerReport(
            breaker.state(now=now),
            breaker.reason,
            None if opened_at is None else datetime.fromtimestamp(opened_at, UTC),
        )

    def enter(self) -> None:
        """Begin a call; raise BreakerOpen when none may begin."""
        now = self._now()
        before = _decoded(self._redis.get(KEY))
        if before.opened_at is None:
            return
        # Of all that ask at once one is the trial.
        is_let_through = before.may_call(now=now) and self._change(
            lambda seen: seen.with_trial(now=now) if seen == before else seen
        ) == (before, before.with_trial(now=now))
        if not is_let_through:
            raise BreakerOpen(before.reason)

    def answered(self) -> None:
        """Close it: the service gave an answer."""
        if _decoded(self._redis.getdel(KEY)).opened_at is not None:
            logger.warning("Rekognition answers again.")

    def failed(self, reason: str) -> None:
        """Count a request without an answer; `reason` is a sentence."""
        now = self._now()
        self._log(*self._change(lambda b: b.after_failure(now=now, reason=reason)))

    def open(self, reason: str) -> None:
        """Open it at once: asking again is of no use before somebody acts."""
        now = self._now()
        self._log(*self._change(lambda _: opened(now=now, reason=reason)))

    def _log(self, before: Breaker, after: Breaker) -> None:
        if before.opened_at is None and after.opened_at is not None:
            logger.error("Rekognition is not asked for now. %s", after.reason)

    def _change(self, change: Callable[[Breaker], Breaker]) -> tuple[Breaker, Breaker]:
        """Change it as no other worker does meanwhile; return it before and after."""

        def changed(pipe: Any) -> tuple[Breaker, Breaker]:
            before = _decoded(pipe.get(KEY))
            after = change(before)
            pipe.multi()
            pipe.set(KEY, msgspec.json.encode(after), ex=FORGOTTEN)
            return before, after

        client: Any = self._redis
        states: tuple[Breaker, Breaker] = client.transaction(
            changed, KEY, value_from_callable=True
        )
        return states

    def _now(self) -> float:
        time: Any = self._redis.time()
        seconds, micros = time
        return float(seconds + micros / 1e6)


def _decoded(stored: Any) -> Breaker:
    return msgspec.json.decode(stored, type=Breaker) if stored else Breaker()
