"""What follows from a visit: the barrier, the pages, alerts and pictures."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from alerts import services as alerts
from alerts.models import Alert, Kind
from factory_site.media import bucket
from tests.barrier_server import barrier_server
from tests.factories import make_rule, make_vehicle
from tests.silent_server import silent_server
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles import barrier
from vehicles.models import BarrierCall, VehicleLog
from vehicles.services import record_visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from streaming.models import Camera
    from tests.barrier_server import Barrier
    from vehicles.pipeline import PlateOffered

OTHER = "MH12AB1235"


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def server() -> Iterator[Barrier]:
    with barrier_server() as server:
        yield server


@pytest.fixture
def heard(redis_client: redis.Redis) -> redis.client.PubSub:
    listener: redis.client.PubSub = redis_client.pubsub(  # type: ignore[no-untyped-call]
        ignore_subscribe_messages=True
    )
    listener.psubscribe("live:vehicles.vehiclelog:*")
    listener.get_message(timeout=2)
    return listener


def told(listener: redis.client.PubSub) -> Iterator[Any]:
    """Give the rows that pages were told of, as they come."""
    while message := listener.get_message(timeout=5):
        yield json.loads(message["data"])["data"]


def just_now(camera: Camera, *texts: str, **values: Any) -> PlateOffered:
    now = timezone.now()
    return offer(camera, *texts, **{"first_seen_at": now, "at": now} | values)


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_client")
class TestEventDeliveredAgain:
    """After its worker was killed, the visit being stored."""

    @pytest.fixture
    def killed(self, django_capture_on_commit_callbacks: Any) -> Any:
        def record(event: PlateOffered) -> None:
            with django_capture_on_commit_callbacks(execute=False):
                record_visit(event=event)

        return record

    @pytest.fixture
    def record(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> Any:
        def record(event: PlateOffered) -> VehicleLog:
            with django_capture_on_commit_callbacks(execute=True):
                log = record_visit(event=event)
            assert barrier.finish(10)
            assert log is not None
            return VehicleLog.objects.get(pk=log.pk)

        return record

    @pytest.mark.parametrize("texts", [(PLATE, PLATE), (PLATE,), ()])
    def test_gives_the_visit_its_pictures(
        self, killed: Any, record: Any, texts: tuple[str, ...]
    ) -> None:
        event = offer(gate_camera(), *texts)
        killed(event)
        assert not VehicleLog.objects.get().snapshot

        log = record(event)
        assert default_storage.open(log.snapshot.name).read() == event.snapshot
        assert bool(log.plate_snapshot) is bool(texts)
        assert VehicleLog.objects.count() == 1

    def test_raises_its_alert_once(self, killed: Any, record: Any) -> None:
        make_rule(kind=Kind.BLOCKED_VEHICLE)
        camera = gate_camera()
        make_vehicle(site=camera.site, plate_number=PLATE, status="blocked", reason="-")
        event = offer(camera, PLATE, PLATE)
        killed(event)
        assert not Alert.objects.exists()

        record(event)
        alerts.resolve(alert=Alert.objects.get(), at=NOW)
        for _ in range(2):
            record(event)
        assert Alert.objects.count() == 1

    def test_announces_the_visit(
        self, killed: Any, record: Any, heard: redis.client.PubSub
    ) -> None:
        event = offer(gate_camera(), PLATE, PLATE)
        killed(event)

        record(event)
        row, with_picture = next(told(heard)), next(told(heard))
        assert row["plate_number"] == with_picture["plate_number"] == PLATE
        assert row["snapshot_url"] is None
        assert with_picture["snapshot_url"] is not None

    def test_does_nothing_again_that_was_done(
        self, record: Any, heard: redis.client.PubSub
    ) -> None:
        make_rule(kind=Kind.UNKNOWN_VEHICLE)
        event = offer(gate_camera(), PLATE, PLATE)
        log = record(event)
        alerts.resolve(alert=Alert.objects.get(), at=NOW)
        before = [next(told(heard)) for _ in range(2)]
        VehicleLog.objects.update(snapshot="", plate_snapshot="")

        again = record(event)
        assert (again, again.snapshot.name) == (log, "")
        assert Alert.objects.count() == 1
        assert len(before) == 2
        assert heard.get_message(timeout=0.5) is None

    def test_is_not_another_vehicle_of_the_same_plate(
        self, killed: Any, record: Any
    ) -> None:
        event = offer(gate_camera(), PLATE, PLATE)
        killed(event)

        again = record(replace(event, event_id=uuid4(), track_id=2))
        assert not again.snapshot
        assert record(event).snapshot


@pytest.mark.django_db(transaction=True)
class TestKilledBeforeTheBarrier:
    @pytest.mark.parametrize("is_soon", [True, False])
    def test_is_told_to_open_once_and_never_late(
        self, server: Barrier, monkeypatch: pytest.MonkeyPatch, *, is_soon: bool
    ) -> None:
        def end(**_: object) -> None:
            raise SystemExit

        make_rule(kind=Kind.BARRIER_FAILED)
        camera = gate_camera(driver="http", address=server.url)
        make_vehicle(site=camera.site, plate_number=PLATE)
        event = (just_now if is_soon else offer)(camera, PLATE, PLATE)
        with monkeypatch.context() as killing:
            killing.setattr(barrier, "open_soon", end)
            with pytest.raises(SystemExit):
                record_visit(event=event)
        assert server.told == []

        for _ in range(2):
            record_visit(event=event)
            assert barrier.finish(10)
        assert len(server.told) == is_soon
        assert BarrierCall.objects.get().result == ("opened" if is_soon else "failed")
        assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestSlowPictures:
    def test_hold_up_neither_the_barrier_nor_the_page(
        self, server: Barrier, heard: redis.client.PubSub, settings: Settings
    ) -> None:
        camera = gate_camera(driver="http", address=server.url)
        make_vehicle(site=camera.site, plate_number=PLATE)

        def record() -> VehicleLog | None:
            try:
                return record_visit(event=just_now(camera, PLATE, PLATE))
            finally:
                connection.close()

        with silent_server() as store, ThreadPoolExecutor(1) as gatekeeper:
            default = bucket("photos", timeout_s=60)
            default["OPTIONS"] |= {
                "endpoint_url": store.url,
                "access_key": "key",
                "secret_key": "secret",
                "region_name": "us-east-1",
            }
            settings.STORAGES = settings.STORAGES | {"default": default}
            recording = gatekeeper.submit(record)
            assert store.came.wait(30)
            rows = [next(told(heard)), next(told(heard))]
            assert not recording.done()
            assert barrier.finish(10)
            assert len(server.told) == 1
            store.release()
            log = recording.result(30)

        assert {row["plate_number"] for row in rows} == {PLATE}
        assert log is not None
        assert not log.snapshot
