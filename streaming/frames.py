"""Live pictures on their way from the vision worker to the viewers.

The worker publishes a camera's pictures in Redis only while somebody watches, drawn and
encoded once for each kind. The web process subscribes once however many watch, and
hands each viewer the newest picture: a slow viewer misses pictures and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

import redis
import redis.asyncio
from django.conf import settings

from .relay import PerLoop, Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

logger = logging.getLogger(__name__)
WATCH_EXPIRY_S = 6
WATCH_RENEW_S = 2
FRESH_S = 2.0
"""A picture that came longer ago is not handed out: the camera may be dead by now."""
PROCESSES = "viewing_processes"


class Kind(StrEnum):
    """What is published of a camera."""

    FULL = "full"
    """A JPEG of at most 1280 pixels across, up to 30 a second."""
    TILE = "tile"
    """A JPEG of at most 480 pixels across, up to 5 a second."""
    DETECTIONS = "detections"
    """What is seen as JSON, up to 10 a second."""


def watch_key(code: str, kind: Kind) -> str:
    return f"watched:{kind}:{code}"


def channel(code: str, kind: Kind) -> str:
    return f"frames:{kind}:{code}"


class FramePublisher:
    """The worker's end."""

    def __init__(self) -> None:
        self.redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)

    def watched(self, codes: Iterable[str]) -> frozenset[tuple[str, Kind]]:
        """Return what somebody watches of the cameras, in one round trip."""
        asked = [(code, kind) for code in codes for kind in Kind]
        values = self.redis.mget([watch_key(*one) for one in asked]) if asked else []
        return frozenset(one for one, value in zip(asked, values, strict=True) if value)

    def publish(self, code: str, kind: Kind, payload: bytes) -> None:
        self.redis.publish(channel(code, kind), payload)


@dataclass(slots=True, eq=False)
class Feed:
    """The newest of one kind from one camera in this process, and who waits for it."""

    viewers: int = 0
    number: int = 0
    payload: bytes = b""
    arrived_s: float = 0.0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, message: bytes) -> None:
        self.payload, self.number = message, self.number + 1
        self.arrived_s = time.monotonic()
        self.arrived.set()
        self.arrived = asyncio.Event()

    def lose(self) -> None:
        """Do nothing: viewers see for themselves that no picture comes."""

    async def after(self, number: int, *, timeout_s: float) -> int | None:
        """Wait for a fresh picture newer than `number`; None when none came in time."""
        if self.number > number and time.monotonic() - self.arrived_s < FRESH_S:
            return self.number
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.arrived.wait()
            return self.number
        return None


class _Hub:
    """What is watched in one event loop."""

    def __init__(self) -> None:
        self._name = uuid4().hex
        self._feeds: dict[tuple[str, Kind], Feed] = {}
        self._relay = Relay()
        self._changed = asyncio.Event()
        self._teller: asyncio.Task[None] | None = None

    def enter(self, code: str, kind: Kind) -> Feed:
        feed = self._feeds.get((code, kind))
        if feed is None:
            feed = self._feeds[code, kind] = Feed()
            self._relay.add(channel(code, kind), feed)
        feed.viewers += 1
        self._changed.set()
        self._teller = self._teller or asyncio.create_task(self._keep_telling())
        return feed

    def leave(self, code: str, kind: Kind) -> None:
        feed = self._feeds[code, kind]
        feed.viewers -= 1
        self._changed.set()
        if not feed.viewers:
            del self._feeds[code, kind]
            self._relay.discard(channel(code, kind), feed)

    async def _keep_telling(self) -> None:
        """Tell the worker what is wanted, and everybody how many watch, till none do.

        Expiry takes back what a killed process told.
        """
        has_told = True
        while self._feeds or has_told:
            self._changed.clear()
            has_told = bool(self._feeds)
            try:
                await self._tell()
            except (redis.RedisError, OSError) as error:
                kind = type(error).__name__
                logger.warning("Nobody is told what is watched: %s.", kind)
            except Exception:
                logger.exception("Telling what is watched failed.")
            if has_told:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), WATCH_RENEW_S)
        self._teller = None

    async def _tell(self) -> None:
        key = _viewers_key(self._name)
        async with (
            redis.asyncio.from_url(settings.REDIS_URL, socket_timeout=2) as client,
            client.pipeline() as pipe,
        ):
            for code, kind in self._feeds:
                pipe.set(watch_key(code, kind), 1, ex=WATCH_EXPIRY_S)
            pipe.delete(key)
            for code, count in self._counts().items():
                pipe.hset(key, code, str(count))
            pipe.expire(key, WATCH_EXPIRY_S)
            pipe.sadd(PROCESSES, self._name)
            await pipe.execute()

    def _counts(self) -> dict[str, int]:
        """Return how many watch pictures, by camera."""
        counts: dict[str, int] = {}
        for (code, kind), feed in self._feeds.items():
            if kind is not Kind.DETECTIONS:
                counts[code] = counts.get(code, 0) + feed.viewers
        return counts


_hub = PerLoop(_Hub)


@asynccontextmanager
async def watch(code: str, kind: Kind) -> AsyncIterator[Feed]:
    """Share the camera's feed; the last viewer to leave ends its subscription."""
    hub = _hub()
    feed = hub.enter(code, kind)
    try:
        yield feed
    finally:
        hub.leave(code, kind)


def viewers_by_code() -> Mapping[str, int]:
    """Return how many watch each camera's pictures, over all web processes.

    Cameras that nobody watches are left out. Raises redis.RedisError.
    """
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        names = [name.decode() for name in client.smembers(PROCESSES)]
        with client.pipeline() as pipe:
            for name in names:
                pipe.hgetall(_viewers_key(name))
            tables = pipe.execute()
        told = dict(zip(names, tables, strict=True))
        if gone := [name for name, table in told.items() if not table]:
            client.srem(PROCESSES, *gone)
    counts: dict[str, int] = {}
    for table in tables:
        for code, count in table.items():
            counts[code.decode()] = counts.get(code.decode(), 0) + int(count)
    return counts


def _viewers_key(process: str) -> str:
    return f"viewers:{process}"
