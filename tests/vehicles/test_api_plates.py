"""Plates that are given as text, through the same gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from factory_site.roles import INTEGRATOR
from identity.models import User
from tests.clients import API, client_of
from tests.factories import make_camera, make_employee, make_site, make_vehicle
from tests.vehicles.offers import PLATE, gate_camera
from vehicles.models import PlateFormat, Vehicle, VehicleLog

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from streaming.models import Camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def camera(role_groups: None) -> Camera:
    return gate_camera()


@pytest.fixture
def iris(camera: Camera) -> APIClient:
    return client_of(INTEGRATOR, camera.site)


def ask(client: APIClient, **body: object) -> Any:
    body = {"plate": PLATE, "confidence": 0.95} | body
    sent = {name: value for name, value in body.items() if value is not None}
    return client.post(f"{API}vehicle/validate-plate", sent, format="json")


def told(client: APIClient, **body: object) -> dict[str, Any]:
    response = ask(client, **body)
    assert response.status_code == 200, response.json()
    found: dict[str, Any] = response.json()
    return found


class TestValidatePlate:
    def test_lets_in_what_is_registered(self, iris: APIClient, camera: Camera) -> None:
        make_vehicle(site=camera.site, plate_number=PLATE, owner="Asha")

        found = told(iris, plate="mh 12 ab 1234", camera=camera.code)

        assert found.pop("vehicle")["owner"] == "Asha"
        assert found == {
            "plate": PLATE,
            "format": "India",
            "confidence": 0.95,
            "threshold": 0.85,
            "valid": True,
            "status": "authorized",
            "reason": "listed",
            "opens": True,
            "possible_match": None,
            "detail": "MH12AB1234 is registered. The gate opens. That two pictures "
            "agree is taken as given.",
        }
        assert not VehicleLog.objects.exists()

    def test_keeps_out_what_is_blocked(self, iris: APIClient, camera: Camera) -> None:
        make_vehicle(
            site=camera.site, plate_number=PLATE, status="blocked", reason="Stolen"
        )

        found = told(iris)

        assert (found["status"], found["opens"]) == ("blocked", False)

    @pytest.mark.parametrize(
        ("who", "reason", "words"),
        [
            ({"status": "inactive"}, "driver_inactive", "its driver is inactive."),
            ({"is_authorized": False}, "driver_refused", "its driver may not enter."),
        ],
    )
    def test_keeps_out_an_employee_who_may_not_enter(
        self,
        iris: APIClient,
        camera: Camera,
        who: dict[str, Any],
        reason: str,
        words: str,
    ) -> None:
        asha = make_employee(site=camera.site, **who)
        make_vehicle(site=camera.site, plate_number=PLATE, employee=asha)

        found = told(iris)

        assert (found["status"], found["reason"]) == ("unknown", reason)
        assert not found["opens"]
        assert words in found["detail"]

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({"confidence": 0.84}, "low_confidence"),
            ({"confidence": None, "confidences": [0.99] * 9 + [0.5]}, "low_confidence"),
            ({"plate": "AB1"}, "bad_format"),
        ],
    )
    def test_rejects_what_is_not_sure_and_names_nobody(
        self, iris: APIClient, camera: Camera, body: dict[str, Any], reason: str
    ) -> None:
        make_vehicle(site=camera.site, plate_number=PLATE)

        found = told(iris, **body)

        assert (found["valid"], found["status"]) == (False, "rejected")
        assert (found["reason"], found["opens"]) == (reason, False)
        assert found["vehicle"] is None

    def test_says_of_what_is_not_sure_that_it_may_be_blocked(
        self, iris: APIClient, camera: Camera
    ) -> None:
        make_vehicle(
            site=camera.site, plate_number=PLATE, status="blocked", reason="Stolen"
        )

        found = told(iris, confidence=0.5)

        assert (found["status"], found["possible_match"]) == ("rejected", PLATE)
        assert "which is blocked" in found["detail"]

    def test_reads_as_the_formats_of_the_site_have_it(
        self, iris: APIClient, camera: Camera
    ) -> None:
        repaired = told(iris, plate="MHI2AB1234")["plate"]
        PlateFormat.objects.create(site=camera.site, name="Works", pattern="W[0-9]{3}")

        assert repaired == PLATE
        assert told(iris, plate="w-12 3")["format"] == "Works"
        assert told(iris)["reason"] == "bad_format"

    @pytest.mark.parametrize(
        ("policy", "opens", "threshold"),
        [
            ({"opens_for_unknown": True}, True, 0.85),
            ({"opens_for_unknown": True, "enabled": False}, False, 0.85),
            ({"confidence": 0.6}, False, 0.6),
        ],
    )
    def test_takes_the_policy_of_the_gate(
        self,
        iris: APIClient,
        camera: Camera,
        policy: dict[str, Any],
        opens: bool,  # noqa: FBT001
        threshold: float,
    ) -> None:
        gate = camera.gate_camera.gate
        type(gate).objects.update(**policy)

        for place in ({"camera": camera.code}, {"gate": gate.pk}):
            found = told(iris, **place)
            assert (found["status"], found["reason"]) == ("unknown", "unlisted")
            assert (found["opens"], found["threshold"]) == (opens, threshold)

    @pytest.mark.parametrize(
        ("body", "field", "sentence"),
        [
            ({"plate": ""}, "plate", "Give the plate"),
            ({"plate": "A" * 21}, "plate", "at most 20"),
            ({"confidence": 1.01}, "confidence", "from 0 to 1"),
            ({"confidence": -0.1}, "confidence", "from 0 to 1"),
            ({"confidence": "nan"}, "confidence", "from 0 to 1"),
            ({"confidence": True}, "confidence", "from 0 to 1"),
            ({"confidence": None}, "confidence", "Give `confidence`"),
            ({"confidences": [0.9] * 10}, "confidence", "Give `confidence`"),
            (
                {"confidence": None, "confidences": [0.9] * 3},
                "confidences",
                "give 10 confidences, not 3",
            ),
            ({"site": 0}, "site", "no such site"),
            ({"gate": 0}, "gate", "no such gate"),
            ({"camera": "CAM-NONE"}, "camera", "none of this name"),
        ],
    )
    def test_refuses_each_bad_input_with_its_sentence(
        self, iris: APIClient, body: dict[str, Any], field: str, sentence: str
    ) -> None:
        response = ask(iris, **body)

        assert response.status_code == 400
        assert set(response.json()) == {field}
        assert sentence in str(response.json()[field])

    def test_knows_no_gate_of_other_sites(
        self, iris: APIClient, camera: Camera
    ) -> None:
        other = gate_camera()
        elsewhere = {
            "gate": other.gate_camera.gate_id,
            "camera": other.code,
            "site": other.site_id,
        }

        for name, value in elsewhere.items():
            assert set(ask(iris, **{name: value}).json()) == {name}
        both = ask(iris, camera=camera.code, site=camera.site_id)
        assert "one of them" in str(both.json())
        plain = make_camera(site=camera.site)
        assert "is at no gate" in str(ask(iris, camera=plain.code).json())

    def test_asks_for_the_site_where_there_are_two(
        self, iris: APIClient, camera: Camera
    ) -> None:
        User.objects.get().sites.add(make_site())

        response = ask(iris)

        assert response.status_code == 400
        assert set(response.json()) == {"site"}
        assert ask(iris, site=camera.site_id).status_code == 200

    def test_takes_few_queries(
        self,
        iris: APIClient,
        camera: Camera,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(3):
            make_vehicle(site=camera.site)
        told(iris, site=camera.site_id)  # permissions are asked for once a user

        with django_assert_num_queries(4):  # site, formats, plate, blocked alike
            told(iris, site=camera.site_id)

        assert Vehicle.objects.count() == 3
