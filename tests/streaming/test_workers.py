from __future__ import annotations

from typing import TYPE_CHECKING

from streaming import workers
from streaming.workers import WorkerStatus

if TYPE_CHECKING:
    import redis


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
