"""Gates in the API, and opening them by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from factory_site.roles import SECURITY
from tests.barrier_server import barrier_server
from tests.clients import API, client_of, rows
from tests.factories import make_vehicle_log
from tests.vehicles.offers import gate_camera
from vehicles.models import BarrierCall

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from streaming.models import Camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def camera(role_groups: None) -> Camera:
    return gate_camera()


@pytest.fixture
def guard(camera: Camera) -> APIClient:
    return client_of(SECURITY, camera.site)


def post(client: APIClient, route: str, **body: object) -> Any:
    return client.post(f"{API}{route}", body, format="json")


class TestGates:
    def test_name_their_cameras_and_no_address(
        self,
        guard: APIClient,
        camera: Camera,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        gate_camera()
        gate = camera.gate_camera.gate
        gate.address = "http://user:hidden-word@192.0.2.1/open"
        gate.driver, gate.payload = "http", "hidden-word"
        gate.save()
        rows(guard, "gates")  # permissions are asked for once a user

        with django_assert_num_queries(2):
            found = rows(guard, "gates")

        assert [(row["id"], row["cameras"]) for row in found] == [
            (gate.pk, [camera.code])
        ]
        assert "hidden-word" not in str(found)

    def test_without_a_barrier_are_not_opened(
        self, guard: APIClient, camera: Camera
    ) -> None:
        response = post(
            guard, f"gates/{camera.gate_camera.gate_id}/open", reason="Fire brigade"
        )

        assert response.status_code == 409
        assert response.json()["code"] == "not_opened"
        assert not BarrierCall.objects.exists()

    def test_are_opened_for_a_visit_of_own_sites_and_a_reason(
        self, guard: APIClient, camera: Camera
    ) -> None:
        route = f"gates/{camera.gate_camera.gate_id}/open"
        theirs = make_vehicle_log()

        assert set(post(guard, route, reason="x", log=theirs.pk).json()) == {"log"}
        assert post(guard, route).json() == {"reason": ["Say why."]}
        other = gate_camera().gate_camera.gate_id
        assert post(guard, f"gates/{other}/open", reason="x").status_code == 404

    @pytest.mark.parametrize(("answers", "status"), [(200, 201), (503, 502)])
    def test_are_opened_once_and_say_whether_they_were(
        self, guard: APIClient, camera: Camera, answers: int, status: int
    ) -> None:
        gate = camera.gate_camera.gate
        visit = make_vehicle_log(camera=camera, gate=gate)
        with barrier_server(status=answers) as barrier:
            gate.driver, gate.address = "http", barrier.url
            gate.save()

            response = post(
                guard, f"gates/{gate.pk}/open", reason="Fire brigade", log=visit.pk
            )

        assert response.status_code == status
        assert len(barrier.told) == 1
        calls = BarrierCall.objects.values_list("asked_by__username", "reason")
        assert list(calls) == [("security", "Fire brigade")]
        if status == 201:
            assert (response.json()["result"], response.json()["log"]) == (
                "opened",
                visit.pk,
            )
        else:
            assert response.json() == {
                "detail": "It answered 503.",
                "code": "barrier_failed",
            }
