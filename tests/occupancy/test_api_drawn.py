"""Lines, zones and areas in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.utils import timezone

from factory_site.roles import SITE_ADMIN
from occupancy.models import (
    Area,
    AreaCorrection,
    CountingLine,
    HourlyOccupancy,
    Zone,
)
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.clients import API, client_of, rows
from tests.factories import (
    make_area,
    make_bucket,
    make_camera,
    make_crossing,
    make_line,
    make_site,
    make_zone,
)

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

SQUARE = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4], [0.1, 0.4]]


@pytest.fixture
def line(role_groups: None) -> CountingLine:
    return make_line()


@pytest.fixture
def admin(line: CountingLine) -> APIClient:
    return client_of(SITE_ADMIN, line.camera.site)


def send(client: APIClient, method: str, route: str, **body: object) -> Any:
    return getattr(client, method)(f"{API}{route}", body, format="json")


class TestLines:
    def test_that_have_counted_stay(self, admin: APIClient, line: CountingLine) -> None:
        record_crossing(event=make_crossing(line, Direction.IN))

        refused = send(admin, "delete", f"lines/{line.pk}")
        switched_off = send(admin, "patch", f"lines/{line.pk}", enabled=False)

        assert (refused.status_code, switched_off.status_code) == (409, 200)
        assert "Set `enabled` to false instead" in refused.json()["detail"]
        assert CountingLine.objects.get().enabled is False

    def test_stay_at_their_camera(self, admin: APIClient, line: CountingLine) -> None:
        other = make_camera(site=line.camera.site)

        moved = send(admin, "patch", f"lines/{line.pk}", camera=other.pk)
        same = send(admin, "patch", f"lines/{line.pk}", camera=line.camera_id)

        assert (moved.status_code, same.status_code) == (400, 200)
        assert "stays at its camera" in str(moved.json()["camera"])

    def test_have_a_name_once_a_camera(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        ends = {"x1": 0.1, "y1": 0.1, "x2": 0.9, "y2": 0.1}

        again = send(
            admin, "post", "lines", camera=line.camera_id, name=line.name, **ends
        )

        assert again.status_code == 400
        assert "This camera has a line of that name." in str(again.json())


class TestZones:
    def test_are_made_read_and_changed(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        wanted = {
            "camera": line.camera_id,
            "name": "Press 4",
            "points": SQUARE,
            "colour": "red",
            "capacity": 4,
            "amber_percent": 50,
            "restricted": True,
            "restricted_from": "22:00:00",
            "restricted_until": "06:00:00",
            "loitering_seconds": 90,
        }
        made = send(admin, "post", "zones", **wanted)
        pk = made.json()["id"]
        left = {"enabled": True, "live_count": 0, "counted_at": None, "state": "normal"}

        assert made.status_code == 201
        assert made.json() == {"id": pk, **wanted, **left}

        changed = send(admin, "patch", f"zones/{pk}", capacity=None)
        assert changed.json() == {"id": pk, **wanted, **left, "capacity": None}

    def test_keep_what_the_worker_counts_meanwhile(
        self, admin: APIClient, line: CountingLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        zone = make_zone(camera=line.camera)
        save = Zone.save

        def count_and_save(row: Zone, **values: Any) -> None:
            Zone.objects.update(live_count=7)
            save(row, **values)

        monkeypatch.setattr(Zone, "save", count_and_save)

        send(admin, "patch", f"zones/{zone.pk}", name="Line up", live_count=3)

        zone.refresh_from_db()
        assert (zone.name, zone.live_count) == ("Line up", 7)

    @pytest.mark.parametrize(
        ("points", "sentence"),
        [
            ([[0.1, 0.1], [0.4, 0.1]], "3 to 50 corners, not 2"),
            ([[0, 0], [1, 1], [1, 0], [0, 1]], "crosses itself"),
            ([[0, 0], [1, 0], [0, 0]], "same point"),
            ([[0, 0], [2, 0], [0, 1]], "within the picture"),
            ([[0, 0], [1], [0, 1]], "A corner is"),
            ("a square", "list"),
            ([[0, 0], ["right", 1], [0, 1]], "number"),
        ],
    )
    def test_refuse_what_is_no_polygon(
        self, admin: APIClient, line: CountingLine, points: object, sentence: str
    ) -> None:
        response = send(
            admin, "post", "zones", camera=line.camera_id, name="Press", points=points
        )

        assert response.status_code == 400
        assert set(response.json()) == {"points"}
        assert sentence in str(response.json())

    def test_refuse_half_a_time(self, admin: APIClient, line: CountingLine) -> None:
        zone = make_zone(camera=line.camera)

        half = send(admin, "patch", f"zones/{zone.pk}", restricted_from="22:00")

        assert half.status_code == 400
        assert "Give both times" in str(half.json())

    def test_refuse_a_camera_of_another_site(self, admin: APIClient) -> None:
        response = send(
            admin, "post", "zones", camera=make_camera().pk, name="A", points=SQUARE
        )

        assert response.status_code == 400
        assert set(response.json()) == {"camera"}

    def test_are_those_of_the_users_own_sites(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        elsewhere, here = make_zone(), make_zone(camera=line.camera)

        assert [row["id"] for row in rows(admin, "zones")] == [here.pk]
        for method in ("get", "patch", "delete"):
            answer = send(admin, method, f"zones/{elsewhere.pk}")
            assert answer.status_code == 404

    def test_are_filtered(self, admin: APIClient, line: CountingLine) -> None:
        zone = make_zone(camera=line.camera, restricted=True)
        make_zone(camera=make_camera(site=line.camera.site))

        for query in ({"camera": line.camera.code}, {"restricted": "true"}):
            assert [row["id"] for row in rows(admin, "zones", **query)] == [zone.pk]


class TestAreas:
    def test_have_lines_for_doors(self, admin: APIClient, line: CountingLine) -> None:
        site = line.camera.site
        back = make_line(camera=make_camera(site=site), name="Back")
        doors = [{"line": back.pk, "inverted": True}, {"line": line.pk}]

        made = send(admin, "post", "areas", site=site.pk, name="Hall A", doors=doors)

        assert made.status_code == 201
        found = {(door["line"], door["inverted"]) for door in made.json()["doors"]}
        assert found == {(line.pk, False), (back.pk, True)}
        assert made.json()["current_count"] == 0

        address = f"areas/{made.json()['id']}"
        send(admin, "patch", address, capacity=40)
        fewer = send(
            admin, "patch", address, doors=[{"line": line.pk, "inverted": True}]
        )
        assert fewer.json()["capacity"] == 40
        assert fewer.json()["doors"] == [
            {"line": line.pk, "line_name": line.name, "inverted": True}
        ]

    @pytest.mark.parametrize("method", ["post", "patch"])
    def test_refuse_a_line_of_another_site(
        self, admin: APIClient, line: CountingLine, method: str
    ) -> None:
        second = make_site()
        admin.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        area = make_area(site=line.camera.site)
        theirs = make_line(camera=make_camera(site=second), name="Their door")
        route = "areas" if method == "post" else f"areas/{area.pk}"

        response = send(
            admin,
            method,
            route,
            site=line.camera.site_id,
            name="Hall",
            doors=[{"line": theirs.pk}],
        )

        assert response.status_code == 400
        assert response.json() == {
            "doors": ["The line 'Their door' is at another site than the area."]
        }
        assert Area.objects.get() == area

    def test_refuse_a_line_that_the_user_does_not_see(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        doors = [{"line": make_line().pk}]

        response = send(
            admin, "post", "areas", site=line.camera.site_id, name="Hall", doors=doors
        )

        assert response.status_code == 400
        assert "There is no such line." in str(response.json())

    def test_refuse_a_door_named_twice(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        doors = [{"line": line.pk}, {"line": line.pk, "inverted": True}]

        response = send(
            admin, "post", "areas", site=line.camera.site_id, name="Hall", doors=doors
        )

        assert response.status_code == 400
        assert "once" in str(response.json()["doors"])

    def test_keep_what_is_counted_meanwhile(
        self, admin: APIClient, line: CountingLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        area = make_area(site=line.camera.site)
        save = Area.save

        def count_and_save(row: Area, **values: Any) -> None:
            Area.objects.update(current_count=7)
            save(row, **values)

        monkeypatch.setattr(Area, "save", count_and_save)

        send(admin, "patch", f"areas/{area.pk}", capacity=9, current_count=3)

        area.refresh_from_db()
        assert (area.capacity, area.current_count) == (9, 7)

    @pytest.mark.parametrize("has", ["hours", "a correction"])
    def test_that_were_counted_stay(
        self, admin: APIClient, line: CountingLine, has: str
    ) -> None:
        area = make_area(site=line.camera.site)
        if has == "hours":
            make_bucket(HourlyOccupancy, area=area)
        else:
            AreaCorrection.objects.create(
                event_id=uuid4(),
                area=area,
                before=1,
                current_count=0,
                drift=0,
                reason="Daily",
                occurred_at=timezone.now(),
            )

        response = send(admin, "delete", f"areas/{area.pk}")

        assert response.status_code == 409
        assert "Switch it off instead." in response.json()["detail"]

    def test_stay_at_their_site(self, admin: APIClient, line: CountingLine) -> None:
        area, second = make_area(site=line.camera.site), make_site()
        admin.handler._force_user.sites.add(second)  # type: ignore[attr-defined]

        response = send(admin, "patch", f"areas/{area.pk}", site=second.pk)

        assert response.json() == {"site": ["An area stays at its site."]}

    def test_ask_no_more_for_more_of_them(
        self,
        admin: APIClient,
        line: CountingLine,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(3):
            area = make_area(site=line.camera.site)
            area.doors.create(line=line)
            area.doors.create(line=make_line(camera=make_camera(site=area.site)))
        make_area()
        rows(admin, "areas")  # permissions are asked for once a user

        with django_assert_num_queries(2):
            found = rows(admin, "areas")

        assert [len(row["doors"]) for row in found] == [2, 2, 2]
