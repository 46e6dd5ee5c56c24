"""What pages and listeners are told of a visit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from streaming.live import channel_name
from tests.barrier_server import barrier_server
from tests.clients import API, client_of
from tests.factories import make_user, make_vehicle, make_vehicle_log
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles import barrier
from vehicles.announcements import announce_again
from vehicles.services import record_visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django import Settings

    from streaming.models import Camera

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def camera(role_groups: None) -> Camera:
    return gate_camera()


@pytest.fixture
def heard(redis_client: redis.Redis, camera: Camera) -> Iterator[Any]:
    pubsub: Any = redis_client.pubsub
    with pubsub(ignore_subscribe_messages=True) as page:
        channel = channel_name(topic="vehicles.vehiclelog", site_id=camera.site_id)
        page.subscribe(channel)
        page.get_message(timeout=2)
        yield page


def last_told(page: Any, count: int) -> Any:
    """Return the row of the last of so many messages."""
    messages = [page.get_message(timeout=5) for _ in range(count)]
    return json.loads(messages[-1]["data"])["data"]


class TestBarrierCall:
    @pytest.mark.parametrize(("status", "result"), [(200, "opened"), (500, "failed")])
    def test_is_told_with_its_visit_as_the_api_gives_it(
        self, camera: Camera, heard: Any, status: int, result: str
    ) -> None:
        with barrier_server(status=status) as server:
            gate = camera.gate_camera.gate
            gate.driver, gate.address = "http", server.url
            gate.save()
            log = make_vehicle_log(camera=camera, gate=gate, opens=True)
            barrier.open_soon(log=log, decided_at=log.last_seen_at)
            assert barrier.finish(10)

        row = last_told(heard, 1)
        assert row["barrier_call"]["answer"] == f"It answered {status}."
        assert (row["id"], row["barrier_call"]["result"]) == (log.pk, result)
        given = client_of("Security", camera.site).get(f"{API}vehicle-logs/{log.pk}")
        assert row == given.json()

    def test_by_hand_is_told_as_well(self, camera: Camera, heard: Any) -> None:
        with barrier_server() as server:
            gate = camera.gate_camera.gate
            gate.driver, gate.address = "http", server.url
            gate.save()
            log = make_vehicle_log(camera=camera, gate=gate)
            barrier.open_by_hand(
                gate=gate, by=make_user("sam"), reason="Rain", at=NOW, log=log
            )

        row = last_told(heard, 1)
        assert row["barrier_call"]["asked_by"] == "sam"
        assert row["barrier_call"]["result"] == "opened"

    def test_is_none_where_no_barrier_was_told(
        self, camera: Camera, heard: Any
    ) -> None:
        make_vehicle(site=camera.site, plate_number=PLATE)
        record_visit(event=offer(camera, PLATE, PLATE))

        assert last_told(heard, 2)["barrier_call"] is None


class TestVehicleFollowedAnew:
    def test_has_its_first_row_told_again_when_the_other_one_goes(
        self, camera: Camera, heard: Any
    ) -> None:
        first = record_visit(event=offer(camera, PLATE, PLATE))
        record_visit(event=offer(camera, PLATE, track_id=2, after_s=3))
        last_told(heard, 4)

        record_visit(event=offer(camera, PLATE, PLATE, track_id=2, after_s=3))
        assert first is not None
        assert last_told(heard, 1)["id"] == first.pk


class TestAnnounceAgain:
    def test_says_nothing_of_a_visit_that_is_gone(self, heard: Any) -> None:
        announce_again(4711)

        assert heard.get_message(timeout=0.5) is None
