"""What `/api/health` tells, to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection

from factory_site import views
from streaming import workers

if TYPE_CHECKING:
    import redis
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def report(
    client: redis.Redis,
    *,
    fallback: bool = False,
    failed: int = 0,
    face_fallback: bool = False,
    plate_fallback: bool = False,
) -> None:
    status = workers.WorkerStatus(
        "vision-1",
        "x",
        fallback,
        {},
        0,
        failed,
        face_fallback=face_fallback,
        plate_fallback=plate_fallback,
    )
    workers.report(client, status)


class TestHealth:
    def test_is_ok_while_a_worker_with_weights_runs(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        report(redis_client)

        answer = client.get("/api/health")

        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "problems": []}

    def test_is_degraded_when_events_were_set_aside(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        report(redis_client, failed=2)

        answer = client.get("/api/health")

        assert answer.status_code == 200
        assert answer.json()["problems"] == [views.SET_ASIDE.format(2)]

    def test_is_degraded_without_weights(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        report(redis_client, fallback=True)

        answer = client.get("/api/health")

        assert answer.status_code == 200
        assert answer.json() == {"status": "degraded", "problems": [views.FALLBACK]}

    def test_is_degraded_without_weights_for_faces(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        report(redis_client, face_fallback=True)

        assert client.get("/api/health").json() == {
            "status": "degraded",
            "problems": [views.FACE_FALLBACK],
        }

    def test_is_degraded_where_plates_are_read_with_less(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        report(redis_client, plate_fallback=True)

        assert client.get("/api/health").json() == {
            "status": "degraded",
            "problems": [views.PLATE_FALLBACK],
        }

    def test_is_degraded_without_a_worker(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        answer = client.get("/api/health")

        assert answer.status_code == 200
        assert answer.json() == {"status": "degraded", "problems": [views.NO_WORKER]}

    def test_is_down_without_redis(self, client: Client, settings: Settings) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        answer = client.get("/api/health")

        assert answer.status_code == 503
        assert answer.json() == {"status": "down", "problems": [views.NO_REDIS]}

    def test_is_down_without_postgres(
        self,
        client: Client,
        redis_client: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*_: Any) -> None:
            raise OperationalError

        report(redis_client)
        monkeypatch.setattr(connection, "ensure_connection", refuse)

        answer = client.get("/api/health")

        assert answer.status_code == 503
        assert answer.json() == {"status": "down", "problems": [views.NO_DATABASE]}
