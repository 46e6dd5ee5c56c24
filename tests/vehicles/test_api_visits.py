"""Visits and their statistics in the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from factory_site.roles import SECURITY
from streaming import live
from tests.clients import API, client_of, rows
from tests.factories import make_camera, make_employee, make_vehicle, make_vehicle_log
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles.models import BarrierCall, VehicleLog
from vehicles.services import record_visit
from vehicles.statistics import gate_statistics

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

    from streaming.models import Camera
    from vehicles.models import Gate

pytestmark = pytest.mark.django_db
REJECTED = {"status": "rejected", "reason": "low_confidence", "plate_number": ""}


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def camera(role_groups: None) -> Camera:
    return gate_camera()


@pytest.fixture
def guard(camera: Camera) -> APIClient:
    return client_of(SECURITY, camera.site)


def post(client: APIClient, route: str, **body: object) -> Any:
    return client.post(f"{API}{route}", body, format="json")


class TestVisits:
    def test_are_those_of_own_sites_newest_first(
        self, guard: APIClient, camera: Camera
    ) -> None:
        theirs = make_vehicle_log()
        old, new = (
            make_vehicle_log(camera=camera, occurred_at=NOW + timedelta(hours=each))
            for each in range(2)
        )

        found = rows(guard, "vehicle-logs")

        assert [row["id"] for row in found] == [new.pk, old.pk]
        assert guard.get(f"{API}vehicle-logs/{theirs.pk}").status_code == 404

    def test_are_filtered(self, guard: APIClient, camera: Camera) -> None:
        gate = camera.gate_camera.gate
        blocked = make_vehicle(
            site=camera.site, plate_number=PLATE, status="blocked", reason="Stolen"
        )
        sure = make_vehicle_log(
            camera=camera, gate=gate, vehicle=blocked, status="blocked"
        )
        doubt = make_vehicle_log(camera=camera, possible_match=blocked, **REJECTED)

        def found(**query: Any) -> list[int]:
            return [row["id"] for row in rows(guard, "vehicle-logs", **query)]

        assert found(gate=gate.pk) == found(vehicle=blocked.pk) == [sure.pk]
        assert found(plate="mh 12 ab 1234") == found(status="blocked") == [sure.pk]
        assert found(reason="low_confidence") == [doubt.pk]
        assert found(possible_match="true") == [doubt.pk]
        assert found(opens="true") == found(plate="-") == []
        assert len(found(camera=camera.code, site=camera.site_id)) == 2
        assert found(to="2020-01-01T00:00:00Z") == []
        for query in ({"gate": 0}, {"vehicle": 0}, {"status": "odd"}, {"x": "1"}):
            assert guard.get(f"{API}vehicle-logs", query).status_code == 400

    def test_take_notes_and_nothing_else(
        self, guard: APIClient, camera: Camera
    ) -> None:
        log = make_vehicle_log(camera=camera)
        wanted = {"notes": "Tinted glass", "status": "authorized", "opens": True}

        response = guard.patch(f"{API}vehicle-logs/{log.pk}", wanted, format="json")

        assert response.status_code == 200
        log.refresh_from_db()
        assert (log.notes, log.status, log.opens) == ("Tinted glass", "unknown", False)

    @pytest.mark.django_db(transaction=True)
    def test_are_announced_as_they_are_told(
        self, guard: APIClient, camera: Camera, redis_client: redis.Redis
    ) -> None:
        listener: redis.client.PubSub = redis_client.pubsub(  # type: ignore[no-untyped-call]
            ignore_subscribe_messages=True
        )
        topic = "vehicles.vehiclelog"
        channel = live.channel_name(topic=topic, site_id=camera.site_id)
        listener.subscribe(channel)
        listener.get_message(timeout=2)

        log = record_visit(event=offer(camera, PLATE, PLATE))

        assert log is not None
        message = listener.get_message(timeout=5)
        assert message is not None
        said = json.loads(message["data"])
        row = guard.get(f"{API}vehicle-logs/{log.pk}").json()
        # The pictures are stored after the row, in which somebody waits for the gate.
        pictures = {"snapshot_url": None, "plate_url": None}
        assert said == {"topic": topic, "data": row | pictures}

    def test_take_as_many_queries_for_one_as_for_many(
        self, guard: APIClient, camera: Camera
    ) -> None:
        gate = camera.gate_camera.gate
        rows(guard, "vehicle-logs")  # permissions are asked for once a user
        counts = []
        for _ in range(2):
            for _ in range(3):
                driver = make_employee(site=camera.site)
                known = make_vehicle(site=camera.site, employee=driver)
                values = {"vehicle": known, "possible_match": known, "gate": gate}
                log = make_vehicle_log(camera=camera, snapshot="a.jpg", **values)
                make_call(gate, log=log)
            with CaptureQueriesContext(connection) as queries:
                rows(guard, "vehicle-logs")
            counts.append(len(queries))

        assert counts[0] == counts[1]

    def test_give_signed_links_to_their_pictures(
        self, guard: APIClient, camera: Camera
    ) -> None:
        shown = make_vehicle_log(
            camera=camera, snapshot="a.jpg", plate_snapshot="b.jpg"
        )
        bare = make_vehicle_log(camera=camera)

        row = guard.get(f"{API}vehicle-logs/{shown.pk}").json()
        none = guard.get(f"{API}vehicle-logs/{bare.pk}").json()

        assert "?link=" in row["snapshot_url"]
        assert "?link=" in row["plate_url"]
        assert (none["snapshot_url"], none["plate_url"]) == (None, None)


class TestBarrierCall:
    def test_is_the_newest(self, guard: APIClient, camera: Camera) -> None:
        gate = camera.gate_camera.gate
        log = make_vehicle_log(camera=camera, gate=gate)
        make_call(gate, log=log, result="failed")
        later = {"asked_at": NOW + timedelta(seconds=9), "reason": "It stood"}
        newest = make_call(gate, log=log, **later)

        (row,) = rows(guard, "vehicle-logs")

        assert row["barrier_call"]["id"] == newest.pk
        assert row["barrier_call"]["result"] == "opened"

    def test_is_null_where_none_was_told(
        self, guard: APIClient, camera: Camera
    ) -> None:
        make_vehicle_log(camera=camera)

        assert rows(guard, "vehicle-logs")[0]["barrier_call"] is None


def make_call(gate: Gate, **values: Any) -> BarrierCall:
    told: Any = {"asked_at": NOW, "result": "opened"}
    return BarrierCall.objects.create(gate=gate, **told | values)


class TestDenying:
    def test_keeps_who_and_why_and_what_was_decided(
        self, guard: APIClient, camera: Camera
    ) -> None:
        log = make_vehicle_log(camera=camera)

        response = post(guard, f"vehicle-logs/{log.pk}/deny", reason="No papers")

        assert response.status_code == 200
        row = response.json()
        assert (row["denied_by"], row["denied_reason"]) == ("security", "No papers")
        assert row["denied_at"] is not None
        assert (row["status"], row["reason"]) == ("unknown", "unlisted")

    def test_is_done_once(self, guard: APIClient, camera: Camera) -> None:
        log = make_vehicle_log(camera=camera)
        post(guard, f"vehicle-logs/{log.pk}/deny", reason="No papers")

        response = post(guard, f"vehicle-logs/{log.pk}/deny", reason="Rude")

        assert response.status_code == 409
        assert response.json() == {
            "detail": "security refused it already: No papers",
            "code": "not_denied",
        }

    @pytest.mark.parametrize("body", [{}, {"reason": " "}])
    def test_needs_a_reason(
        self, guard: APIClient, camera: Camera, body: dict[str, str]
    ) -> None:
        log = make_vehicle_log(camera=camera)

        response = post(guard, f"vehicle-logs/{log.pk}/deny", **body)

        assert (response.status_code, response.json()) == (
            400,
            {"reason": ["Say why."]},
        )

    def test_is_of_own_sites(self, guard: APIClient) -> None:
        log = make_vehicle_log()

        response = post(guard, f"vehicle-logs/{log.pk}/deny", reason="Rude")

        assert response.status_code == 404


class TestNaming:
    def test_decides_by_the_register_and_opens_nothing(
        self, guard: APIClient, camera: Camera
    ) -> None:
        make_vehicle(site=camera.site, plate_number=PLATE)
        log = make_vehicle_log(camera=camera, **REJECTED)

        response = post(guard, f"vehicle-logs/{log.pk}/name", plate="mh 12 ab 1234")

        assert response.status_code == 200
        row = response.json()
        assert (row["plate_number"], row["status"]) == (PLATE, "authorized")
        assert (row["named_by"], row["opens"]) == ("security", False)

    def test_leaves_what_was_decided(self, guard: APIClient, camera: Camera) -> None:
        log = make_vehicle_log(camera=camera, status="authorized", reason="listed")

        response = post(guard, f"vehicle-logs/{log.pk}/name", plate="MH12AB1235")

        assert response.status_code == 409
        assert response.json()["code"] == "not_named"

    @pytest.mark.parametrize("plate", ["", "A" * 13])
    def test_refuses_what_is_no_plate(
        self, guard: APIClient, camera: Camera, plate: str
    ) -> None:
        log = make_vehicle_log(camera=camera, **REJECTED)

        response = post(guard, f"vehicle-logs/{log.pk}/name", plate=plate)

        assert response.status_code == 400
        assert set(response.json()) == {"plate"}


class TestStatistics:
    def test_count_per_camera_and_day_of_the_site(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        # Half past one in Kolkata, of the day after, is still the day before in UTC.
        late = datetime(2026, 3, 1, 20, tzinfo=UTC)
        camera = make_camera(code="CAM-A")
        camera.site.time_zone = "Asia/Kolkata"
        camera.site.save()
        other = make_camera(code="CAM-B", site=camera.site)
        for each in ("low_confidence", "low_confidence", "no_plate"):
            make_vehicle_log(
                camera=camera, occurred_at=late, status="rejected", reason=each
            )
        for values in (
            {"status": "authorized", "reason": "listed", "opens": True},
            {"status": "blocked", "reason": "blocked"},
            {"status": "authorized", "reason": "listed", "named_at": late},
        ):
            make_vehicle_log(camera=camera, occurred_at=late, **values)
        make_vehicle_log(camera=other, occurred_at=late - timedelta(hours=4))

        with django_assert_num_queries(1):
            found = gate_statistics(VehicleLog.objects.all())

        days = [(str(each.date), each.camera_code) for each in found.days]
        assert days == [("2026-03-01", "CAM-B"), ("2026-03-02", "CAM-A")]
        first, second = (each.counts for each in found.days)
        assert (first.reads, first.unknown, first.accepted_rate) == (1, 1, 1.0)
        assert (second.reads, second.accepted, second.rejected) == (6, 2, 3)
        assert (second.authorized, second.blocked, second.named) == (1, 1, 1)
        assert second.opened == 1
        assert second.rejected_by_reason == {
            "low_confidence": 2,
            "bad_format": 0,
            "no_consensus": 0,
            "no_plate": 1,
        }
        assert found.whole.reads == 7

    def test_are_of_own_sites_and_the_last_thirty_days(
        self, guard: APIClient, camera: Camera
    ) -> None:
        make_vehicle_log()
        old = timezone.now() - timedelta(days=40)
        for values in ({"gate": camera.gate_camera.gate}, {"occurred_at": old}):
            make_vehicle_log(camera=camera, **values)

        def found(**query: Any) -> Any:
            return guard.get(f"{API}vehicle/gate-statistics", query).json()

        assert found()["reads"] == found(gate=camera.gate_camera.gate_id)["reads"] == 1
        assert found(**{"from": "2020-01-01T00:00:00Z"})["reads"] == 2
        assert [day["camera_code"] for day in found()["days"]] == [camera.code]
        assert set(found(gate=0)) == {"gate"}

    def test_of_nobody_have_no_share(self) -> None:
        found = gate_statistics(VehicleLog.objects.all())

        assert (found.whole.reads, found.whole.accepted_rate) == (0, None)
