"""The register of vehicles and each plate's page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from tests.factories import make_site, make_vehicle
from tests.pages import text
from tests.vehicles.views.conftest import PLATE
from vehicles.models import BarrierCall

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import User
    from streaming.models import Site
    from tests.vehicles.views.conftest import Visit
    from vehicles.models import Gate, Vehicle

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 18


def at(hour: int, *, day: int = 2) -> datetime:
    """Return a time of the site, which is 5:30 h ahead."""
    return datetime(2026, 3, day, hour, 30, tzinfo=UTC)


class TestVehicles:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", {PLATE, "KA01CD0001"}),
            ("q=mh 12-ab", {PLATE}),
            ("q=rao", {PLATE}),
            ("q=e-104", {PLATE}),
            ("q=haulage", {"KA01CD0001"}),
            ("status=blocked", {"KA01CD0001"}),
            ("site=nowhere", set()),
            ("q=%00", {PLATE, "KA01CD0001"}),
        ],
    )
    def test_are_found_by_plate_and_driver(
        self, security: Client, site: Site, car: Vehicle, query: str, found: set[str]
    ) -> None:
        make_vehicle(
            site=site,
            plate_number="KA01CD0001",
            owner="Hill Haulage",
            status="blocked",
            reason="Unpaid",
        )
        make_vehicle(plate_number="DL01AA0001")

        page = security.get(f"/vehicles?{query}")
        assert {each.plate_number for each in page.context["vehicles"]} == found
        assert "2 registered, 1 blocked" in text(page)

    def test_need_as_many_queries_for_many_as_for_one(
        self,
        security: Client,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(12):
            make_vehicle(site=site)

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/vehicles")


class TestVehicle:
    def test_shows_who_drives_it_and_links_to_them(
        self, security: Client, car: Vehicle
    ) -> None:
        page = security.get(f"/vehicles/{PLATE}")

        assert "Driven by E-104 Asha Rao" in text(page)
        assert 'href="/people/E-104"' in page.content.decode()

    def test_says_how_long_it_was_on_site_each_day(
        self, security: Client, car: Vehicle, visit: Visit
    ) -> None:
        for hour, direction in ((3, "entry"), (6, "exit"), (7, "entry"), (11, "exit")):
            visit(vehicle=car, occurred_at=at(hour), direction=direction)
        visit(vehicle=car, occurred_at=at(4, day=3), direction="entry")

        page = text(security.get(f"/vehicles/{PLATE}"))
        assert "Mon 2 Mar 2026 in 09:00, out 17:00, 8 h on site" in page
        assert "Tue 3 Mar 2026 in 10:00 " in page

    @pytest.mark.parametrize(("opened_at", "came"), [(None, "12:00"), (4, "09:00")])
    def test_counts_no_time_from_a_way_in_that_was_refused(
        self,
        security: Client,
        north: Gate,
        car: Vehicle,
        visit: Visit,
        opened_at: int | None,
        came: str,
    ) -> None:
        denied = {"denied_at": at(3), "denied_reason": "No papers"}
        log = visit(vehicle=car, occurred_at=at(3), direction="entry", **denied)
        if opened_at:
            BarrierCall.objects.create(
                gate=north, log=log, asked_at=at(opened_at), result="opened"
            )
        visit(vehicle=car, occurred_at=at(6), direction="entry")
        visit(vehicle=car, occurred_at=at(11), direction="exit")

        assert f"in {came}, out 17:00" in text(security.get(f"/vehicles/{PLATE}"))

    def test_says_no_time_where_it_left_before_it_came(
        self, security: Client, car: Vehicle, visit: Visit
    ) -> None:
        visit(vehicle=car, occurred_at=at(3), direction="exit")
        visit(vehicle=car, occurred_at=at(6), direction="entry")

        assert "on site" not in text(security.get(f"/vehicles/{PLATE}"))

    def test_leaves_out_what_was_only_guessed(
        self, security: Client, car: Vehicle, visit: Visit
    ) -> None:
        visit(status="rejected", reason="low_confidence")

        assert "It has not been seen yet" in text(security.get(f"/vehicles/{PLATE}"))

    def test_tells_of_a_plate_that_nobody_registered(
        self, security: Client, visit: Visit
    ) -> None:
        visit(plate_number="KA01CD0001")

        assert "Not registered" in text(security.get("/vehicles/KA01CD0001"))
        assert security.get("/vehicles/KA01CD0002").status_code == 404

    def test_is_the_one_of_the_site_asked_for(
        self, security: Client, car: Vehicle, sam: User
    ) -> None:
        second = make_site(name="Annex", slug="annex")
        sam.sites.add(second)
        make_vehicle(site=second, plate_number=PLATE, owner="Hill Haulage")

        page = text(security.get(f"/vehicles/{PLATE}?site=annex"))
        assert "Driven by Hill Haulage" in page
        assert "Also registered at Main plant" in page

    def test_tells_of_the_site_asked_for_where_it_is_not_registered(
        self, security: Client, visit: Visit, sam: User
    ) -> None:
        sam.sites.add(make_site(name="Annex", slug="annex"))
        visit(plate_number="KA01CD0001")

        assert security.get("/vehicles/KA01CD0001?site=annex").status_code == 404

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        make_vehicle(plate_number="DL01AA0001")

        assert security.get("/vehicles/DL01AA0001").status_code == 404

    def test_says_that_its_time_is_over(self, security: Client, car: Vehicle) -> None:
        car.valid_until = timezone.now()
        car.save()

        assert "not valid now" in text(security.get(f"/vehicles/{PLATE}"))
