from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from identity import usage
from identity.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django import Settings


@pytest.fixture
def fresh_book() -> Iterator[None]:
    """Have the counters connect anew, and so read the address in the settings."""
    usage._book.cache_clear()
    yield
    usage._book.cache_clear()


@pytest.fixture
def no_redis(settings: Settings, fresh_book: None) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"


@pytest.mark.usefixtures("redis_client")
class TestCount:
    def test_adds_up_over_the_day(self) -> None:
        usage.count("hits")
        usage.count("hits", 3)
        usage.count("misses")

        assert usage.today() == Usage(hits=4, misses=1)

    def test_costs_what_a_call_costs(self, settings: Settings) -> None:
        settings.REKOGNITION_PRICE_USD = 0.00125
        usage.count("calls", 200)

        assert usage.today() == Usage(calls=200, cost_usd=0.25)

    def test_begins_anew_each_utc_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        late = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
        for now in (late, late + timedelta(seconds=1)):
            monkeypatch.setattr(timezone, "now", lambda now=now: now)
            usage.count("calls")

        assert usage.day(late.date()) == Usage(calls=1, cost_usd=0.001)

    def test_is_kept_for_90_days(self, redis_client: redis.Redis) -> None:
        usage.count("calls")

        (key,) = redis_client.keys("identity:usage:*")
        assert redis_client.ttl(key) > 89 * 24 * 3600


class TestDay:
    @pytest.mark.usefixtures("redis_client")
    def test_of_which_nothing_is_known_is_empty(self) -> None:
        assert usage.day(datetime(2020, 1, 1, tzinfo=UTC).date()) == Usage()


class TestHitRate:
    def test_is_the_share_of_faces_for_which_no_engine_was_asked(self) -> None:
        assert Usage(hits=3, misses=1).hit_rate == 0.75

    def test_of_nobody_is_none(self) -> None:
        assert Usage(calls=2).hit_rate is None


@pytest.mark.usefixtures("no_redis")
class TestWithoutRedis:
    def test_nothing_is_counted_and_the_log_says_so_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "identity.usage")
        for _ in range(3):
            usage.count("calls")

        assert caplog.messages == [
            "Recognitions are not counted for now: ConnectionError."
        ]

    def test_nothing_is_known(self) -> None:
        assert usage.today() is None
