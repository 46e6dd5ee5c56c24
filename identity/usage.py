"""What recognising cost today: counters in Redis, shared by all processes.

One hash per UTC day. Counting never fails and never waits long: without Redis nothing
is counted, and the log says so once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args

import redis
from django.conf import settings
from django.utils import timezone

from streaming import workers

if TYPE_CHECKING:
    from datetime import date

logger = logging.getLogger(__name__)
Kind = Literal[
    "calls", "hits", "misses", "retries", "throttled", "failures", "fallbacks"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
KEPT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was counted on one UTC day."""

    calls: int = 0
    """Paid calls: the remote engine looked at a picture."""
    hits: int = 0
    """Faces whose track was known already, so that no engine was asked."""
    misses: int = 0
    """Faces for which an engine was asked."""
    retries: int = 0
    """Requests sent again after the remote engine could not answer."""
    throttled: int = 0
    """Requests that the remote engine refused as too many."""
    failures: int = 0
    """Requests that it did not answer, or answered with an error of its own."""
    fallbacks: int = 0
    """Searches that the local engine answered in its place."""
    cost_usd: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """Share of the faces for which no engine was asked, 0..1; None of nobody."""
        asked = self.hits + self.misses
        return round(self.hits / asked, 4) if asked else None


class _Book:
    """The counters, and whether they can be written."""

    def __init__(self) -> None:
        self._redis = workers.connect()
        self._is_away = False

    def add(self, day: date, kind: Kind, n: int) -> None:
        key = _key(day)
        try:
            with self._redis.pipeline() as pipe:
                pipe.hincrby(key, kind, n)
                pipe.expire(key, KEPT)
                pipe.execute()
        except redis.RedisError as error:
            if not self._is_away:
                name = type(error).__name__
                logger.warning("Recognitions are not counted for now: %s.", name)
            self._is_away = True
        else:
            self._is_away = False

    def read(self, day: date) -> dict[str, int] | None:
        try:
            numbers = self._redis.hmget(_key(day), KINDS)
        except redis.RedisError:
            return None
        return {kind: int(n or 0) for kind, n in zip(KINDS, numbers, strict=True)}


@cache
def _book() -> _Book:
    return _Book()


def _key(day: date) -> str:
    return f"identity:usage:{day:%Y-%m-%d}"


def count(kind: Kind, n: int = 1) -> None:
    """Add to today's counter of all processes."""
    _book().add(timezone.now().date(), kind, n)


def day(day: date) -> Usage | None:
    """Return what was counted on a UTC day; None without Redis."""
    counted = _book().read(day)
    if counted is None:
        return None
    cost_usd = counted["calls"] * settings.REKOGNITION_PRICE_USD
    return Usage(**counted, cost_usd=round(cost_usd, 6))


def today() -> Usage | None:
    """Return what was counted since midnight UTC; None without Redis."""
    return day(timezone.now().date())
