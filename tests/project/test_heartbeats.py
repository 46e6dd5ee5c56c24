"""Signs of life of Celery's worker and beat."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from factory_site import heartbeats

if TYPE_CHECKING:
    import redis
    from pytest_django import Settings

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def heard(client: redis.Redis) -> list[heartbeats.Heartbeat]:
    scores: Any = client.zrange(heartbeats.KEY, 0, -1, withscores=True)
    return heartbeats.heard(dict(scores))


class TestHeartbeat:
    def test_is_kept_with_its_time_newest_first(
        self, redis_client: redis.Redis
    ) -> None:
        at_s = time.time()

        heartbeats.note("beat", at_s=at_s - 3)
        heartbeats.note("worker celery@one", at_s=at_s)

        assert [one.name for one in heard(redis_client)] == [
            "worker celery@one",
            "beat",
        ]

    def test_is_gone_after_a_clean_end(self, redis_client: redis.Redis) -> None:
        heartbeats.note("beat", at_s=time.time())

        heartbeats.forget("beat")

        assert heard(redis_client) == []

    def test_is_forgotten_a_day_later(self, redis_client: redis.Redis) -> None:
        heartbeats.note("worker celery@gone", at_s=1000)

        heartbeats.note("beat", at_s=1000 + heartbeats.FORGOTTEN_S + 1)

        assert [one.name for one in heard(redis_client)] == ["beat"]

    def test_is_alive_as_long_as_its_process_may_be_silent(self) -> None:
        beat = heartbeats.Heartbeat("beat", NOW)

        assert beat.is_alive(now=NOW + heartbeats.ALIVE)
        assert not beat.is_alive(now=NOW + heartbeats.ALIVE + timedelta(seconds=1))

    def test_disturbs_nothing_without_redis(self, settings: Settings) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        heartbeats.note("beat", at_s=time.time())
        heartbeats.forget("beat")
