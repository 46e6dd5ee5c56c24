from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import redis

from streaming import workers
from streaming.workers import WorkerStatus

if TYPE_CHECKING:
    from pytest_django import Settings


def status(name: str, *, queued: int = 0) -> WorkerStatus:
    return WorkerStatus(
        name, "yolo", fallback=False, cameras={}, queued=queued, failed=0
    )


class TestRunning:
    def test_gives_the_last_report_of_each_by_name(
        self, redis_client: redis.Redis
    ) -> None:
        last = status("vision-2", queued=3)
        for report in (status("vision-2"), status("vision-1"), last):
            workers.report(redis_client, report)

        assert workers.running() == [status("vision-1"), last]

    def test_forgets_who_has_not_reported_lately(
        self, redis_client: redis.Redis
    ) -> None:
        for name in ("vision-1", "vision-2"):
            workers.report(redis_client, status(name))
        redis_client.delete("vision_worker:vision-1")

        assert [worker.name for worker in workers.running()] == ["vision-2"]
        assert redis_client.smembers(workers.NAMES) == {b"vision-2"}

    def test_never_reads_all_that_is_in_redis(self, redis_client: redis.Redis) -> None:
        workers.report(redis_client, status("vision-1"))
        redis_client.config_resetstat()

        workers.running()

        commands = redis_client.info("commandstats")
        assert not {"cmdstat_scan", "cmdstat_keys"} & commands.keys()


class TestConnect:
    def test_asks_a_redis_that_does_not_answer_only_once(
        self, settings: Settings
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"

            with pytest.raises(redis.RedisError):
                workers.running()

            silent.settimeout(0)
            silent.accept()
            with pytest.raises(BlockingIOError):
                silent.accept()
