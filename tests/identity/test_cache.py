from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import redis

from identity.cache import Visits
from tests.offers import make_offer

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_S = 300


@pytest.fixture
def away() -> Iterator[redis.Redis]:
    """Give a client of a Redis that does not answer."""
    with redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=1) as client:
        yield client


class TestVisits:
    def test_finds_the_visit_of_the_same_track(self, redis_client: redis.Redis) -> None:
        visits = Visits(redis_client)
        visits.keep(make_offer(track_id=7), log_id=42, ttl_s=LONG_S)

        assert visits.find(make_offer(track_id=7)) == 42

    @pytest.mark.parametrize(
        "other", [{"track_id": 8}, {"session": "second"}, {"camera": "CAM-2"}]
    )
    def test_keeps_tracks_sessions_and_cameras_apart(
        self, redis_client: redis.Redis, other: dict[str, str | int]
    ) -> None:
        visits = Visits(redis_client)
        visits.keep(make_offer(track_id=7), log_id=42, ttl_s=LONG_S)

        assert visits.find(make_offer(**{"track_id": 7} | other)) is None

    def test_forgets_when_the_time_is_over(self, redis_client: redis.Redis) -> None:
        Visits(redis_client).keep(make_offer(), log_id=42, ttl_s=LONG_S)

        (key,) = redis_client.scan_iter("identity:visit:*")
        assert 0 < int(redis_client.ttl(key)) <= LONG_S

    def test_knows_nothing_without_redis_and_says_so_once(
        self, away: redis.Redis, caplog: pytest.LogCaptureFixture
    ) -> None:
        visits, offer = Visits(away), make_offer()

        with caplog.at_level(logging.WARNING):
            visits.keep(offer, log_id=42, ttl_s=LONG_S)
            assert visits.find(offer) is None

        assert caplog.messages == [
            "Recognitions are not remembered for now: ConnectionError."
        ]
