"""One Redis subscription per event loop, handed on to all who listen in this process.

Redis sends a message to each process once, however many sockets wait for it there.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)
RECONNECT_S = 2.0
TIMEOUT_S = 5.0
"""How long Redis may take to connect, or to say that a channel is subscribed."""
PING_EVERY_S = 15

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Gives each event loop one of its own: what waits in one cannot serve another."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._of: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def __call__(self) -> T:
        loop = asyncio.get_running_loop()
        if loop not in self._of:
            self._of[loop] = self._make()
        return self._of[loop]


class Listener(Protocol):
    """Is called in the event loop, so it must be quick and never fail."""

    def hear(self, message: bytes) -> None: ...

    def lose(self) -> None:
        """The connection broke: what is published until it is back is missed."""


@dataclass(slots=True, eq=False)
class _Channel:
    listeners: set[Listener] = field(default_factory=set)
    is_asked: bool = False
    joined: asyncio.Event = field(default_factory=asyncio.Event)


class Relay:
    """Connects when the first listens, and ends the connection with the last."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_away = False

    def add(self, name: str, listener: Listener) -> None:
        """Have the listener hear what is published on a channel from soon on."""
        self._channels.setdefault(name, _Channel()).listeners.add(listener)
        self._changed.set()
        self._task = self._task or asyncio.create_task(self._run())

    def discard(self, name: str, listener: Listener) -> None:
        if name in self._channels:
            self._channels[name].listeners.discard(listener)
            self._changed.set()

    async def joined(self, name: str) -> None:
        """Wait until what is published on a channel is heard; raise TimeoutError."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._channels[name].joined.wait()

    async def _run(self) -> None:
        while self._channels:
            try:
                async with _connection() as client, client.pubsub() as pubsub:
                    await self._serve(pubsub)
            except* (redis.RedisError, OSError) as errors:
                self._note_outage(errors)
                await self._lose()
            except* Exception:
                logger.exception("The subscriptions failed; nothing is live.")
                await self._lose()
            self._drop_left()
        self._task = None

    async def _serve(self, pubsub: Any) -> None:
        await pubsub.connect()
        for channel in self._channels.values():
            channel.is_asked = False
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(pubsub))
            await self._subscribe(pubsub, reading)
            reading.cancel()

    async def _subscribe(self, pubsub: Any, reading: asyncio.Task[None]) -> None:
        """Keep the subscriptions in line with who listens, as long as anybody does."""
        # asyncio.wait_for, which redis-py sends with, may swallow a cancellation.
        while not reading.done():
            self._changed.clear()
            left = self._drop_left()
            if not self._channels:
                return
            new = [name for name, c in self._channels.items() if not c.is_asked]
            for name in new:
                self._channels[name].is_asked = True
            if left:
                await pubsub.unsubscribe(*left)
            if new:
                await pubsub.subscribe(*new)
            await self._changed.wait()

    def _drop_left(self) -> list[str]:
        """Forget the channels that nobody listens to; return those subscribed."""
        left = {name: c for name, c in self._channels.items() if not c.listeners}
        for name in left:
            del self._channels[name]
        return [name for name, channel in left.items() if channel.is_asked]

    async def _read(self, pubsub: Any) -> None:
        while True:
            message = await pubsub.get_message(timeout=PING_EVERY_S)
            channel = message and self._channels.get(message["channel"].decode())
            if not channel:
                continue
            if message["type"] == "subscribe":
                channel.joined.set()
                self._note_recovery()
            elif message["type"] == "message":
                for listener in tuple(channel.listeners):
                    listener.hear(message["data"])

    def _note_outage(self, errors: BaseExceptionGroup[Any]) -> None:
        if not self._is_away:
            kind = type(errors.exceptions[0]).__name__
            logger.warning("Redis does not answer (%s); nothing is live.", kind)
        self._is_away = True

    async def _lose(self) -> None:
        for channel in self._channels.values():
            channel.joined.clear()
            for listener in tuple(channel.listeners):
                listener.lose()
        await asyncio.sleep(RECONNECT_S)

    def _note_recovery(self) -> None:
        if self._is_away:
            logger.warning("Redis answers again.")
        self._is_away = False


def _connection() -> redis.asyncio.Redis:
    """Connect without redis-py's own repair, which would hide what was missed."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=TIMEOUT_S,
        health_check_interval=PING_EVERY_S,
        retry=Retry(NoBackoff(), 0),
    )
