"""The breaker in a real Redis; tests/identity/test_breaker.py has its rules."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest

from identity.rekognition.breaker import FAILURES, REST_S, Breaker, State, opened
from identity.rekognition.shared_breaker import KEY, BreakerOpen, SharedBreaker

if TYPE_CHECKING:
    import redis

WHY = "Rekognition does not answer."


def rested(client: redis.Redis) -> None:
    """Leave a breaker that was opened half a minute ago."""
    seconds = int(client.time()[0])
    breaker = opened(now=seconds - REST_S - 1, reason=WHY)
    client.set(KEY, msgspec.json.encode(breaker))


class TestBreaker:
    def test_is_shared_by_all_workers(self, redis_client: redis.Redis) -> None:
        for _ in range(FAILURES):
            SharedBreaker(redis_client).failed(WHY)

        with pytest.raises(BreakerOpen, match=WHY):
            SharedBreaker(redis_client).enter()

    def test_stays_closed_when_answers_come_between(
        self, redis_client: redis.Redis
    ) -> None:
        breaker = SharedBreaker(redis_client)
        for _ in range(3):
            for _ in range(FAILURES - 1):
                breaker.failed(WHY)
            breaker.answered()

        breaker.enter()

    def test_counts_failures_of_the_same_moment(
        self, redis_client: redis.Redis
    ) -> None:
        breaker = SharedBreaker(redis_client)
        with ThreadPoolExecutor(FAILURES) as threads:
            list(threads.map(breaker.failed, [WHY] * FAILURES))

        assert breaker.look().state is State.OPEN

    def test_lets_one_of_many_try_when_it_has_rested(
        self, redis_client: redis.Redis
    ) -> None:
        rested(redis_client)
        breaker = SharedBreaker(redis_client)

        def is_let_through(_: int) -> bool:
            try:
                breaker.enter()
            except BreakerOpen:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            through = list(threads.map(is_let_through, range(40)))

        assert sum(through) == 1

    def test_is_closed_by_the_answer_to_that(self, redis_client: redis.Redis) -> None:
        rested(redis_client)
        breaker = SharedBreaker(redis_client)
        breaker.enter()
        breaker.answered()

        breaker.enter()
        assert breaker.look().state is State.CLOSED

    def test_opens_again_by_the_failure_of_that(
        self, redis_client: redis.Redis
    ) -> None:
        rested(redis_client)
        breaker = SharedBreaker(redis_client)
        breaker.enter()
        breaker.failed("Still nothing.")

        assert breaker.look().state is State.OPEN
        assert breaker.look().reason == "Still nothing."

    def test_opens_at_once_when_asking_is_of_no_use(
        self, redis_client: redis.Redis
    ) -> None:
        breaker = SharedBreaker(redis_client)
        breaker.open("The credentials have expired.")

        with pytest.raises(BreakerOpen, match="expired"):
            breaker.enter()

    def test_is_forgotten_when_nobody_asks_for_long(
        self, redis_client: redis.Redis
    ) -> None:
        SharedBreaker(redis_client).failed(WHY)

        assert REST_S < redis_client.ttl(KEY) <= 600


class TestLook:
    def test_tells_of_a_closed_one(self, redis_client: redis.Redis) -> None:
        found = SharedBreaker(redis_client).look()

        assert (found.state, found.reason, found.since) == (State.CLOSED, "", None)

    def test_tells_since_when_it_is_open(self, redis_client: redis.Redis) -> None:
        SharedBreaker(redis_client).open(WHY)

        since = SharedBreaker(redis_client).look().since

        assert since is not None
        assert abs(since.timestamp() - int(redis_client.time()[0])) < 5

    def test_changes_nothing(self, redis_client: redis.Redis) -> None:
        rested(redis_client)
        before = redis_client.get(KEY)

        SharedBreaker(redis_client).look()

        assert redis_client.get(KEY) == before


class TestLog:
    def test_tells_once_that_it_opened_and_once_that_it_is_over(
        self, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "identity.rekognition.shared_breaker")
        breaker = SharedBreaker(redis_client)
        for _ in range(2 * FAILURES):
            breaker.failed(WHY)
        for _ in range(3):
            breaker.answered()

        assert caplog.messages == [
            f"Rekognition is not asked for now. {WHY}",
            "Rekognition answers again.",
        ]


def test_what_is_stored_can_be_read_again() -> None:
    breaker = Breaker(failed_at=(1.5, 2.5)).after_failure(now=3.5, reason=WHY)

    stored = msgspec.json.encode(breaker)

    assert msgspec.json.decode(stored, type=Breaker) == breaker
