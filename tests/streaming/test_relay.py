from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async

from streaming import relay
from streaming.relay import PerLoop, Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from pytest_django import Settings

PATIENCE_S = 10


@dataclass(eq=False)
class Ear:
    heard: list[bytes] = field(default_factory=list)
    losses: int = 0

    def hear(self, message: bytes) -> None:
        self.heard.append(message)

    def lose(self) -> None:
        self.losses += 1


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def publish(redis_client: redis.Redis, channel: str, message: str) -> int:
    return int(await sync_to_async(redis_client.publish)(channel, message))


class TestRelay:
    async def test_hands_each_message_to_all_who_listen(
        self, redis_client: redis.Redis
    ) -> None:
        relayed, ears = Relay(), [Ear(), Ear()]
        for ear in ears:
            relayed.add("gate", ear)
        await relayed.joined("gate")

        subscribers = await publish(redis_client, "gate", "opened")

        await until(lambda: all(ear.heard == [b"opened"] for ear in ears))
        assert subscribers == 1
        for ear in ears:
            relayed.discard("gate", ear)

    async def test_keeps_channels_apart(self, redis_client: redis.Redis) -> None:
        relayed, gate, hall = Relay(), Ear(), Ear()
        relayed.add("gate", gate)
        await relayed.joined("gate")
        relayed.add("hall", hall)
        await relayed.joined("hall")

        for channel in ("hall", "yard", "gate"):
            await publish(redis_client, channel, channel)

        await until(lambda: gate.heard)
        assert (gate.heard, hall.heard) == ([b"gate"], [b"hall"])
        relayed.discard("gate", gate)
        relayed.discard("hall", hall)

    async def test_hears_again_what_it_had_left(
        self, redis_client: redis.Redis
    ) -> None:
        relayed, gate, hall = Relay(), Ear(), Ear()
        relayed.add("hall", hall)
        relayed.add("gate", gate)
        await relayed.joined("gate")
        relayed.discard("gate", gate)
        await asyncio.sleep(0.1)
        assert await publish(redis_client, "gate", "nobody") == 0

        relayed.add("gate", gate)
        await relayed.joined("gate")
        await publish(redis_client, "gate", "again")

        await until(lambda: gate.heard == [b"again"])
        relayed.discard("gate", gate)
        relayed.discard("hall", hall)

    async def test_ends_its_connection_with_the_last_listener(
        self, redis_client: redis.Redis
    ) -> None:
        relayed, ear = Relay(), Ear()
        relayed.add("gate", ear)
        await relayed.joined("gate")
        relayed.discard("gate", ear)

        subscribers: Any = lambda: redis_client.pubsub_numsub("gate")  # noqa: E731
        await until(lambda: subscribers() == [(b"gate", 0)])

    async def test_tells_the_listeners_of_a_break_and_comes_back(
        self, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(relay, "RECONNECT_S", 0.01)
        relayed, ear = Relay(), Ear()
        relayed.add("gate", ear)
        await relayed.joined("gate")

        await sync_to_async(redis_client.client_kill_filter)(_type="pubsub")
        await until(lambda: ear.losses)
        await relayed.joined("gate")
        await publish(redis_client, "gate", "back")

        await until(lambda: ear.heard == [b"back"])
        assert ear.losses == 1
        relayed.discard("gate", ear)

    async def test_says_when_redis_is_away(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(relay, "TIMEOUT_S", 0.2)
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        relayed, ear = Relay(), Ear()
        relayed.add("gate", ear)

        with pytest.raises(TimeoutError):
            await relayed.joined("gate")

        assert ear.losses
        relayed.discard("gate", ear)


class TestPerLoop:
    def test_gives_each_loop_its_own(self) -> None:
        relays = PerLoop(Relay)

        async def one_twice() -> tuple[Relay, Relay]:
            return relays(), relays()

        (first, same), (other, _) = asyncio.run(one_twice()), asyncio.run(one_twice())

        assert first is same
        assert first is not other
