"""The limit on paid calls, on a real Redis and between real processes."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from identity.rekognition.call_limit import (
    KEY,
    LATE_S,
    WINDOW_S,
    CallLimit,
    TooManyWait,
)
from tests.processes import running

if TYPE_CHECKING:
    import redis

PER_SECOND = 5
CALLER = f"""
import redis, time
from identity.rekognition.call_limit import CallLimit
client = redis.Redis.from_url({{!r}})
limit = CallLimit(
    client, per_second={PER_SECOND}, sleep=time.sleep, clock=time.monotonic
)
for _ in range(12):
    limit.acquire(timeout_s=60)
    print("call", time.time(), flush=True)
print("over", flush=True)
"""


def limit(client: redis.Redis, per_second: int = PER_SECOND) -> CallLimit:
    return CallLimit(
        client, per_second=per_second, sleep=time.sleep, clock=time.monotonic
    )


def most_in_a_second(at_s: list[float]) -> int:
    """Return how many instants the fullest second has, wherever it begins."""
    return max(sum(start <= at < start + 1 for at in at_s) for start in at_s)


class TestLimit:
    def test_lets_that_many_through_at_once_and_no_more(
        self, redis_client: redis.Redis
    ) -> None:
        calls = limit(redis_client)
        for _ in range(PER_SECOND):
            calls.acquire(timeout_s=0)

        with pytest.raises(TooManyWait, match="No call"):
            calls.acquire(timeout_s=0.5)

    def test_is_of_all_that_share_the_redis(self, redis_client: redis.Redis) -> None:
        for _ in range(PER_SECOND):
            limit(redis_client).acquire(timeout_s=0)

        with pytest.raises(TooManyWait):
            limit(redis_client).acquire(timeout_s=0)

    def test_lets_the_next_through_when_the_window_is_over(
        self, redis_client: redis.Redis
    ) -> None:
        calls = limit(redis_client, 1)
        calls.acquire(timeout_s=0)
        began_s = time.monotonic()

        calls.acquire(timeout_s=10)

        assert time.monotonic() - began_s > WINDOW_S - 0.1

    def test_is_asked_anew_by_who_hears_of_it_too_late(
        self, redis_client: redis.Redis
    ) -> None:
        """Else calls let through one after another would begin at the same time."""
        now_s = iter([0.0, 0.0, 2 * LATE_S, 1.0, 1.0, 1.0])
        calls = CallLimit(
            redis_client, per_second=5, sleep=time.sleep, clock=lambda: next(now_s)
        )

        calls.acquire(timeout_s=60)

        assert redis_client.llen(KEY) == 2

    def test_leaves_nothing_behind(self, redis_client: redis.Redis) -> None:
        limit(redis_client).acquire(timeout_s=0)

        assert 0 < redis_client.pttl(KEY) <= 1000 * WINDOW_S

    def test_holds_in_any_second_between_two_processes(
        self, redis_client: redis.Redis
    ) -> None:
        """Wherever it begins: a bucket of five lets nine through at its edge."""
        command = [sys.executable, "-c", CALLER.format(settings.REDIS_URL)]
        with running(command) as one, running(command) as other:
            for caller in (one, other):
                caller.wait_for("over")
            printed = (one.printed + other.printed).splitlines()
        at_s = [float(line.split()[1]) for line in printed if line.startswith("call")]

        assert len(at_s) == 24
        assert most_in_a_second(at_s) <= PER_SECOND
