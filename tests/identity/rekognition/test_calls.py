"""Calls to Rekognition: their turn, retries and breaker, on a real Redis."""

from __future__ import annotations

import pytest
import redis

from identity import usage
from identity.rekognition.breaker import FAILURES, State
from identity.rekognition.calls import NotAnswered, RemoteCalls
from identity.rekognition.client import (
    BadImage,
    Denied,
    NoCollection,
    RekognitionError,
    Throttled,
    Unavailable,
)
from identity.rekognition.shared_breaker import SharedBreaker

MANY = 1000


class Service:
    """Raises the given errors, one a call, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.fixture
def slept() -> list[float]:
    """Give the list of the waits between retries, none of which takes any time."""
    return []


@pytest.fixture
def calls(redis_client: redis.Redis, slept: list[float]) -> RemoteCalls:
    return RemoteCalls(
        redis_client, per_second=MANY, sleep=slept.append, jitter=lambda: 0.5
    )


@pytest.fixture
def state(redis_client: redis.Redis) -> SharedBreaker:
    return SharedBreaker(redis_client)


class TestCall:
    def test_that_answers_is_counted_when_it_is_paid(self, calls: RemoteCalls) -> None:
        assert calls.run(Service(), is_paid=True) == "answer"
        assert calls.run(Service()) == "answer"

        assert usage.today() == usage.Usage(calls=1, cost_usd=0.001)

    def test_is_tried_again_when_that_may_help(
        self, calls: RemoteCalls, slept: list[float]
    ) -> None:
        service = Service(Throttled("x"), Unavailable("x"), Throttled("x"))

        assert calls.run(service, is_paid=True) == "answer"
        assert slept == [1, 2, 4]
        used = usage.today()
        assert used == usage.Usage(
            calls=1, retries=3, throttled=2, failures=1, cost_usd=0.001
        )

    def test_is_given_up_after_three_retries(self, calls: RemoteCalls) -> None:
        service = Service(*[Throttled("too many")] * 9)

        with pytest.raises(NotAnswered, match="too many"):
            calls.run(service)

        assert service.calls == 4

    @pytest.mark.parametrize("error", [BadImage, NoCollection])
    def test_is_not_tried_again_when_the_answer_is_no(
        self, calls: RemoteCalls, error: type[RekognitionError]
    ) -> None:
        service = Service(error("no"))

        with pytest.raises(error):
            calls.run(service)

        assert service.calls == 1

    def test_tells_who_asked_of_each_retry(self, redis_client: redis.Redis) -> None:
        told: list[tuple[int, str, float]] = []
        calls = RemoteCalls(
            redis_client,
            per_second=MANY,
            sleep=lambda _: None,
            jitter=lambda: 0.5,
            on_retry=lambda n, error, s: told.append((n, str(error), s)),
        )

        calls.run(Service(Throttled("a"), Unavailable("b")))

        assert told == [(1, "a", 1), (2, "b", 2)]

    def test_without_redis_is_not_made(self) -> None:
        """Nobody would know how many the other workers make."""
        away = redis.Redis.from_url("unix:///nowhere/redis.sock")
        service = Service()

        with pytest.raises(NotAnswered, match="Redis does not answer"):
            RemoteCalls(away, per_second=MANY).run(service)

        assert service.calls == 0

    def test_waits_for_its_turn_no_longer_than_a_person_does(
        self, redis_client: redis.Redis
    ) -> None:
        now_s = 0.0

        def sleep(seconds: float) -> None:
            nonlocal now_s
            now_s += seconds

        calls = RemoteCalls(
            redis_client, per_second=1, sleep=sleep, clock=lambda: now_s
        )
        calls.run(Service())
        service = Service()

        with pytest.raises(NotAnswered, match="within 5 s"):
            calls.run(service)

        assert service.calls == 0


class TestBreaker:
    def test_ends_the_retries_when_it_opens(
        self, calls: RemoteCalls, state: SharedBreaker
    ) -> None:
        down = Service(*[Unavailable("down")] * MANY)
        for _ in range(3):
            with pytest.raises(NotAnswered, match="down"):
                calls.run(down)

        assert down.calls == FAILURES
        assert state.look().state is State.OPEN

    def test_stays_closed_while_every_second_request_is_answered(
        self, calls: RemoteCalls, state: SharedBreaker
    ) -> None:
        for _ in range(2 * FAILURES):
            calls.run(Service(Unavailable("x")))

        assert state.look().state is State.CLOSED

    def test_counts_one_failure_when_throttled_to_the_end(
        self, calls: RemoteCalls, state: SharedBreaker
    ) -> None:
        for number in range(FAILURES):
            assert state.look().state is State.CLOSED, number
            with pytest.raises(NotAnswered):
                calls.run(Service(*[Throttled("x")] * 4))

        assert state.look().state is State.OPEN

    def test_opens_at_once_when_the_account_may_not(
        self, calls: RemoteCalls, state: SharedBreaker
    ) -> None:
        service = Service(Denied("Rekognition cannot be asked: expired."))

        for _ in range(2):
            with pytest.raises(NotAnswered, match="expired"):
                calls.run(service)

        assert service.calls == 1
        assert state.look().reason == "Rekognition cannot be asked: expired."
