"""The register of vehicles in the API: who may change what, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from factory_site.roles import INTEGRATOR, SECURITY, SITE_ADMIN
from tests.clients import API, client_of, rows
from tests.factories import make_employee, make_site, make_vehicle
from vehicles.models import Vehicle

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from streaming.models import Site

pytestmark = pytest.mark.django_db
PLATE = "MH12AB1234"
DAY = timedelta(days=1)
BLOCKED = {"status": "blocked", "reason": "Stolen"}


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site()


@pytest.fixture
def iris(site: Site) -> APIClient:
    return client_of(INTEGRATOR, site)


@pytest.fixture
def guard(site: Site) -> APIClient:
    return client_of(SECURITY, site)


def post(client: APIClient, route: str, **body: object) -> Any:
    return client.post(f"{API}{route}", body, format="json")


def patch(client: APIClient, vehicle: Vehicle, **body: object) -> Any:
    return client.patch(f"{API}vehicles/{vehicle.pk}", body, format="json")


class TestRegister:
    @pytest.mark.parametrize("plate", ["mh 12 ab 1234", "MH-12-AB-1234", PLATE])
    def test_takes_a_plate_however_it_is_written(
        self, iris: APIClient, site: Site, plate: str
    ) -> None:
        driver = make_employee(site=site, code="E-104")

        made = post(
            iris, "vehicles", site=site.pk, plate_number=plate, employee=driver.pk
        )

        assert made.status_code == 201
        shown = {
            "plate_number": PLATE,
            "employee_code": "E-104",
            "status": "authorized",
        }
        assert made.json().items() >= shown.items()
        assert made.json()["registered_by"] == "integrator"

    @pytest.mark.parametrize(
        ("plate", "sentence"),
        [
            ("", "Give the plate"),
            (" -- ", "Give the plate"),
            ("MH12AB1234567", "at most 12"),
            ("MH12\u0410\u04121234", "letters A to Z"),
        ],
    )
    def test_refuses_what_is_no_plate(
        self, iris: APIClient, site: Site, plate: str, sentence: str
    ) -> None:
        response = post(iris, "vehicles", site=site.pk, plate_number=plate)

        assert response.status_code == 400
        assert sentence in response.json()["plate_number"][0]

    def test_refuses_a_plate_that_no_camera_would_read(
        self, iris: APIClient, site: Site
    ) -> None:
        made = post(iris, "vehicles", site=site.pk, plate_number="MHI2AB1234")
        other = make_vehicle(site=site)
        changed = patch(iris, other, plate_number="mhi2 ab 1234")

        for response in (made, changed):
            assert response.status_code == 400
            assert response.json() == {
                "plate_number": [
                    "A camera reads MHI2AB1234 as MH12AB1234, by this site's formats. "
                    "Write that."
                ]
            }
        abroad = post(iris, "vehicles", site=site.pk, plate_number="B MW 777")
        assert abroad.status_code == 201

    def test_goes_on_with_a_plate_from_before_a_format(
        self, iris: APIClient, site: Site
    ) -> None:
        odd = make_vehicle(site=site, plate_number="MHI2AB1234")

        assert patch(iris, odd, owner="Asha").status_code == 200
        same = patch(iris, odd, owner="Asha R", plate_number="MHI2AB1234")
        assert same.status_code == 200

    def test_has_a_plate_once_per_site(self, iris: APIClient, site: Site) -> None:
        make_vehicle(plate_number=PLATE)
        wanted = {"site": site.pk, "plate_number": "mh12 ab1234"}

        first, again = (post(iris, "vehicles", **wanted) for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 400)
        assert "This site has a vehicle of that plate." in str(again.json())

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"status": "blocked"}, "__all__"),
            (
                {"valid_from": "2026-03-02T00:00Z", "valid_until": "2026-03-01T00:00Z"},
                "",
            ),
            ({"vehicle_type": "boat"}, "vehicle_type"),
            ({"status": "visitor"}, "valid_until"),
        ],
    )
    def test_refuses_what_contradicts_itself(
        self, iris: APIClient, site: Site, body: dict[str, str], field: str
    ) -> None:
        response = post(iris, "vehicles", site=site.pk, plate_number=PLATE, **body)

        assert response.status_code == 400
        assert field in "".join(response.json())
        assert not Vehicle.objects.exists()

    def test_knows_nothing_of_other_sites(self, iris: APIClient, site: Site) -> None:
        theirs = make_vehicle()
        stranger = make_employee()

        elsewhere = post(iris, "vehicles", site=theirs.site_id, plate_number=PLATE)
        driven = post(
            iris, "vehicles", site=site.pk, plate_number=PLATE, employee=stranger.pk
        )

        assert set(elsewhere.json()) == {"site"}
        assert set(driven.json()) == {"employee"}
        assert patch(iris, theirs, notes="x").status_code == 404
        assert rows(iris, "vehicles") == []

    def test_is_filtered(self, guard: APIClient, site: Site) -> None:
        now = timezone.now()
        driver = make_employee(site=site, code="E-104")
        make_vehicle(site=site, plate_number=PLATE, employee=driver, owner="Asha")
        make_vehicle(site=site, plate_number="MH14ZZ0001", valid_until=now - DAY)
        make_vehicle(site=site, plate_number="MH14ZZ0002", valid_from=now + DAY)
        make_vehicle(site=site, plate_number="MH14ZZ0003", **BLOCKED)

        def found(**query: str | int) -> list[str]:
            return [
                row["plate_number"][-4:] for row in rows(guard, "vehicles", **query)
            ]

        assert found(plate="mh 12-ab 1234") == found(employee="E-104") == ["1234"]
        assert found(q="asha") == found(q="ab 12") == ["1234"]
        assert found(status="blocked") == ["0003"]
        assert found(valid="true") == ["1234", "0003"]
        assert found(valid="false") == ["0001", "0002"]
        assert found(plate="-") == []
        assert len(found(site=site.pk)) == 4
        for query in ({"colour": "red"}, {"employee": "E-9"}, {"site": make_site().pk}):
            assert guard.get(f"{API}vehicles", query).status_code == 400

    def test_takes_as_many_queries_for_one_as_for_many(
        self, guard: APIClient, site: Site
    ) -> None:
        rows(guard, "vehicles")  # permissions are asked for once a user
        counts = []
        for _ in range(2):
            for _ in range(3):
                make_vehicle(site=site, employee=make_employee(site=site))
            with CaptureQueriesContext(connection) as queries:
                rows(guard, "vehicles")
            counts.append(len(queries))

        assert counts[0] == counts[1]


class TestBlock:
    def test_is_said_with_a_reason_and_by_whom(
        self, guard: APIClient, site: Site
    ) -> None:
        vehicle = make_vehicle(site=site, status="visitor")

        response = post(guard, f"vehicles/{vehicle.pk}/block", reason="Stolen")

        assert response.status_code == 200
        assert response.json().items() >= BLOCKED.items()
        change = vehicle.history.latest()
        assert (change.history_user.username, change.status) == ("security", "blocked")

    @pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}])
    @pytest.mark.parametrize("way", ["block", "unblock"])
    def test_is_neither_set_nor_lifted_without_a_reason(
        self, guard: APIClient, site: Site, way: str, body: dict[str, str]
    ) -> None:
        vehicle = make_vehicle(site=site, **BLOCKED)

        response = post(guard, f"vehicles/{vehicle.pk}/{way}", **body)

        assert response.status_code == 400
        assert response.json() == {"reason": ["Say why."]}

    def test_is_lifted_of_what_is_blocked_alone(
        self, guard: APIClient, site: Site
    ) -> None:
        visitor = make_vehicle(site=site, status="visitor")
        blocked = make_vehicle(site=site, **BLOCKED)

        answers = [
            post(guard, f"vehicles/{each.pk}/unblock", reason="Found again")
            for each in (blocked, visitor)
        ]

        assert [each.status_code for each in answers] == [200, 409]
        assert answers[0].json()["status"] == "authorized"
        assert answers[1].json() == {
            "detail": f"{visitor.plate_number} is not blocked.",
            "code": "not_blocked",
        }
        visitor.refresh_from_db()
        assert visitor.status == "visitor"

    @pytest.mark.parametrize(
        "change",
        [
            {"status": "authorized"},
            {"status": "visitor"},
            {"plate_number": PLATE},
            {"reason": "Parked badly"},
        ],
    )
    def test_is_not_lifted_in_passing(
        self, iris: APIClient, site: Site, change: dict[str, str]
    ) -> None:
        vehicle = make_vehicle(site=site, **BLOCKED)

        response = patch(iris, vehicle, **change)

        assert response.status_code == 400
        assert "Unblock it first" in str(response.json()[next(iter(change))])
        assert patch(iris, vehicle, notes="x", status="blocked").status_code == 200

    def test_is_not_set_in_passing(self, iris: APIClient, site: Site) -> None:
        response = patch(iris, make_vehicle(site=site), **BLOCKED)

        assert response.status_code == 400
        assert "/block" in response.json()["status"][0]

    def test_is_not_forgotten_with_the_vehicle(self, site: Site) -> None:
        admin = client_of(SITE_ADMIN, site)
        blocked, plain = make_vehicle(site=site, **BLOCKED), make_vehicle(site=site)

        answers = [
            admin.delete(f"{API}vehicles/{each.pk}") for each in (blocked, plain)
        ]

        assert [each.status_code for each in answers] == [409, 204]
        assert list(Vehicle.objects.all()) == [blocked]


class TestBlockPlate:
    def test_registers_what_nobody_knew(self, guard: APIClient, site: Site) -> None:
        wanted = {"plate_number": "mh 12 ab 1234", "reason": "Rammed the gate"}

        response = post(guard, "vehicles/block", site=site.pk, **wanted)

        assert response.status_code == 200
        row = response.json()
        assert (row["plate_number"], row["status"]) == (PLATE, "blocked")
        assert (row["reason"], row["registered_by"]) == ("Rammed the gate", "security")

    def test_leaves_what_is_blocked_already(self, guard: APIClient, site: Site) -> None:
        make_vehicle(site=site, plate_number=PLATE, **BLOCKED)

        response = post(
            guard, "vehicles/block", site=site.pk, plate_number=PLATE, reason="Rude"
        )

        assert response.status_code == 409
        assert response.json() == {
            "detail": "MH12AB1234 is blocked already: Stolen",
            "code": "not_changed",
        }

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"plate_number": ""}, "plate_number"),
            ({"reason": " "}, "reason"),
            ({"site": None}, "site"),
        ],
    )
    def test_refuses_what_is_missing(
        self, guard: APIClient, site: Site, body: dict[str, Any], field: str
    ) -> None:
        wanted = {"site": site.pk, "plate_number": PLATE, "reason": "Rude"} | body

        response = post(guard, "vehicles/block", **wanted)

        assert response.status_code == 400
        assert set(response.json()) == {field}

    def test_is_of_own_sites(self, guard: APIClient) -> None:
        wanted = {"site": make_site().pk, "plate_number": PLATE, "reason": "Rude"}

        response = post(guard, "vehicles/block", **wanted)

        assert response.json() == {"site": ["There is no such site."]}
        assert not Vehicle.objects.exists()
