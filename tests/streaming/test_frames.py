from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async

from streaming import frames
from streaming.frames import Feed, FramePublisher, Kind
from tests.environment import ROOT
from tests.web_process import environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    import redis

PATIENCE_S = 20
WATCHING_PROCESS = """
import asyncio, django
django.setup()
from streaming import frames
from streaming.frames import Kind

async def watch():
    async with frames.watch("CAM-1", Kind.FULL), frames.watch("CAM-1", Kind.TILE):
        await asyncio.sleep(1)
        print("watching", flush=True)
        await asyncio.sleep(60)

asyncio.run(watch())
"""


async def until(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.05)


@pytest.fixture
def publisher(redis_client: redis.Redis) -> FramePublisher:
    return FramePublisher()


async def watched(publisher: FramePublisher, *codes: str) -> frozenset[Any]:
    return await sync_to_async(publisher.watched)(codes)


class TestWatch:
    async def test_asks_the_worker_for_this_kind_alone(
        self, publisher: FramePublisher
    ) -> None:
        async with frames.watch("CAM-1", Kind.TILE):
            await until(lambda: is_watched("CAM-1"))
            assert await watched(publisher, "CAM-1", "CAM-2") == {("CAM-1", Kind.TILE)}

    async def test_subscribes_once_however_many_watch(
        self, publisher: FramePublisher, redis_client: redis.Redis
    ) -> None:
        channel = frames.channel("CAM-1", Kind.FULL)
        async with (
            frames.watch("CAM-1", Kind.FULL) as one,
            frames.watch("CAM-1", Kind.FULL) as other,
        ):
            await until(lambda: has_subscribers(redis_client, channel, 1))
            await sync_to_async(publisher.publish)("CAM-1", Kind.FULL, b"jpeg")
            for feed in (one, other):
                assert await feed.after(0, timeout_s=5) == 1
                assert feed.payload == b"jpeg"

    async def test_ends_with_the_last_viewer(self, redis_client: redis.Redis) -> None:
        channel = frames.channel("CAM-1", Kind.FULL)
        async with frames.watch("CAM-1", Kind.FULL):
            await until(lambda: has_subscribers(redis_client, channel, 1))

        await until(lambda: has_subscribers(redis_client, channel, 0))

    async def test_goes_on_telling_after_an_error(
        self, publisher: FramePublisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(frames, "WATCH_RENEW_S", 0.05)
        good = frames.watch_key
        failed: list[str] = []

        def failing_once(code: str, kind: Kind) -> str:
            if not failed:
                failed.append(code)
                raise ValueError(code)
            return good(code, kind)

        monkeypatch.setattr(frames, "watch_key", failing_once)
        async with frames.watch("CAM-1", Kind.TILE):
            async with asyncio.timeout(PATIENCE_S):
                while not failed:
                    await asyncio.sleep(0.01)
            await until(lambda: is_watched("CAM-1"))


async def is_watched(code: str) -> bool:
    return bool(await watched(FramePublisher(), code))


async def has_subscribers(redis_client: redis.Redis, channel: str, number: int) -> bool:
    counts: Any = await sync_to_async(redis_client.pubsub_numsub)(channel)
    return bool(counts[0][1] == number)


async def has_viewers(code: str, number: int) -> bool:
    counts = await asyncio.to_thread(frames.viewers_by_code)
    return counts.get(code, 0) == number


class TestViewers:
    async def test_are_those_who_watch_pictures(
        self, redis_client: redis.Redis
    ) -> None:
        async with (
            frames.watch("CAM-1", Kind.FULL),
            frames.watch("CAM-1", Kind.TILE),
            frames.watch("CAM-1", Kind.DETECTIONS),
            frames.watch("CAM-2", Kind.TILE),
        ):
            await until(lambda: has_viewers("CAM-1", 2))
            assert await has_viewers("CAM-2", 1)
            assert await has_viewers("CAM-3", 0)

        await until(lambda: has_viewers("CAM-1", 0))
        assert frames.viewers_by_code() == {}

    async def test_of_all_processes_are_counted_until_they_die(
        self, redis_client: redis.Redis, other_process: subprocess.Popen[str]
    ) -> None:
        async with frames.watch("CAM-1", Kind.FULL):
            await until(lambda: has_viewers("CAM-1", 3))

            other_process.send_signal(signal.SIGKILL)

            await until(lambda: has_viewers("CAM-1", 1))
        assert redis_client.scard(frames.PROCESSES) <= 1

    @pytest.fixture
    async def other_process(
        self, redis_client: redis.Redis
    ) -> AsyncIterator[subprocess.Popen[str]]:
        env = {**environment(), "DJANGO_SETTINGS_MODULE": "factory_site.settings"}
        with subprocess.Popen(
            [sys.executable, "-c", WATCHING_PROCESS],
            cwd=ROOT,
            env={**env, "PYTHONPATH": os.fspath(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            assert await asyncio.to_thread(process.stdout.readline) == "watching\n"
            yield process
            process.kill()


class TestFeed:
    async def test_gives_a_slow_viewer_the_newest_picture_only(self) -> None:
        feed = Feed()
        for number in range(5):
            feed.hear(str(number).encode())

        newest = await feed.after(0, timeout_s=1)

        assert (newest, feed.payload) == (5, b"4")

    async def test_gives_no_picture_twice(self) -> None:
        feed = Feed()
        feed.hear(b"one")
        seen = await feed.after(0, timeout_s=1)
        assert seen

        assert await feed.after(seen, timeout_s=0.01) is None

    async def test_tells_when_no_picture_comes(self) -> None:
        assert await Feed().after(0, timeout_s=0.01) is None

    async def test_gives_nobody_a_picture_that_came_long_ago(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has other viewers still, but its camera may have died since."""
        monkeypatch.setattr(frames, "FRESH_S", 0.05)
        feed = Feed()
        feed.hear(b"old")
        await asyncio.sleep(0.1)

        assert await feed.after(0, timeout_s=0.01) is None
        feed.hear(b"new")
        assert await feed.after(0, timeout_s=0.01) == 2
