"""Live pictures on their way from the vision worker to the viewers.

The worker publishes a camera's annotated JPEG in Redis only while somebody watches.
The web process subscribes once per camera, however many watch, and hands each viewer
the newest picture: a slow viewer misses pictures and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis
import redis.asyncio
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

logger = logging.getLogger(__name__)
WATCH_EXPIRY_S = 6
WATCH_RENEW_S = 2
RECONNECT_S = 2


def watch_key(code: str) -> str:
    return f"watched:{code}"


def channel(code: str) -> str:
    return f"frames:{code}"


class FramePublisher:
    """The worker's end."""

    def __init__(self) -> None:
        self.redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)

    def watched(self, codes: Iterable[str]) -> frozenset[str]:
        """Return those of the cameras that somebody watches, in one round trip."""
        wanted = list(codes)
        values = self.redis.mget([watch_key(code) for code in wanted]) if wanted else []
        return frozenset(
            code for code, value in zip(wanted, values, strict=True) if value
        )

    def publish(self, code: str, jpeg: bytes) -> None:
        self.redis.publish(channel(code), jpeg)


@dataclass(slots=True, eq=False)
class Feed:
    """One camera's newest picture in this process, and who waits for it."""

    viewers: int = 0
    number: int = 0
    jpeg: bytes = b""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, jpeg: bytes) -> None:
        async with self.arrived:
            self.jpeg, self.number = jpeg, self.number + 1
            self.arrived.notify_all()

    async def after(self, number: int, *, timeout_s: float) -> int | None:
        """Wait for a picture newer than `number`; None when none came in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self.arrived:
                await self.arrived.wait_for(lambda: self.number > number)
            return self.number
        return None


_feeds: dict[
    tuple[asyncio.AbstractEventLoop, str], tuple[Feed, asyncio.Task[None]]
] = {}


@asynccontextmanager
async def watch(code: str) -> AsyncIterator[Feed]:
    """Share the camera's feed; the last viewer to leave ends its subscription."""
    key = (asyncio.get_running_loop(), code)
    if key not in _feeds:
        feed = Feed()
        _feeds[key] = feed, asyncio.create_task(_follow(code, feed))
    feed, task = _feeds[key]
    feed.viewers += 1
    try:
        yield feed
    finally:
        feed.viewers -= 1
        if feed.viewers == 0:
            del _feeds[key]
            task.cancel()


def viewers(code: str) -> int:
    """Return how many watch a camera through this process."""
    return sum(feed.viewers for (_, of), (feed, _) in _feeds.items() if of == code)


async def _follow(code: str, feed: Feed) -> None:
    while True:
        try:
            async with redis.asyncio.from_url(settings.REDIS_URL) as client:
                await _relay(client, code, feed)
        except (redis.RedisError, OSError) as error:
            logger.warning("No pictures of %s: %s", code, type(error).__name__)
        await asyncio.sleep(RECONNECT_S)


async def _relay(client: redis.asyncio.Redis, code: str, feed: Feed) -> None:
    """Copy pictures into the feed and keep telling the worker that they are wanted."""
    async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(channel(code))
        renew_at = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now >= renew_at:
                await client.set(watch_key(code), 1, ex=WATCH_EXPIRY_S)
                renew_at = now + WATCH_RENEW_S
            message = await pubsub.get_message(timeout=renew_at - now)
            if message:
                await feed.put(message["data"])
