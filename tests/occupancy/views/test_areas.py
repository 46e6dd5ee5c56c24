"""The pages of areas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from factory_site.roles import SECURITY, SITE_ADMIN
from occupancy.models import Area, HourlyOccupancy
from tests.factories import (
    make_area,
    make_bucket,
    make_camera,
    make_line,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from occupancy.models import CountingLine
    from streaming.models import Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Main plant", slug="main")


@pytest.fixture
def admin(client: Client, site: Site) -> Client:
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[site]))
    return client


@pytest.fixture
def line(site: Site) -> CountingLine:
    return make_line(camera=make_camera(site=site, name="Gate 1"), name="Main door")


def text(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


class TestList:
    def test_shows_how_many_are_inside_and_the_doors(
        self, admin: Client, site: Site, line: CountingLine
    ) -> None:
        hall = make_area(site=site, name="Hall A", capacity=40, current_count=14)
        hall.doors.create(line=line, inverted=True)
        make_area(site=site, name="Hall B")
        make_area(name="Elsewhere")

        page = text(admin.get("/areas"))

        assert "2 areas" in page
        assert "Hall A 14 / 40 inside Gate 1 : Main door, in means leaving" in page
        assert "Hall B 0 inside No door yet, so nothing is counted." in page
        assert "Elsewhere" not in page

    def test_offers_changes_to_those_who_may(
        self, admin: Client, client: Client, site: Site
    ) -> None:
        area = make_area(site=site)
        assert f'href="/areas/{area.pk}"' in admin.get("/areas").content.decode()

        client.force_login(make_user("asha", role=SECURITY, sites=[site]))
        page = client.get("/areas").content.decode()
        assert f'href="/areas/{area.pk}"' not in page
        assert "/areas/new" not in page

    def test_asks_no_more_for_more_areas(
        self,
        admin: Client,
        site: Site,
        line: CountingLine,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(5):
            area = make_area(site=site)
            area.doors.create(line=line)
            area.doors.create(line=make_line(camera=make_camera(site=site)))

        with django_assert_max_num_queries(12):
            admin.get("/areas")


class TestForm:
    def test_makes_an_area_with_its_doors(
        self, admin: Client, site: Site, line: CountingLine
    ) -> None:
        back = make_line(camera=line.camera, name="Back door")
        make_line(camera=line.camera, name="Side door")
        data = {
            "name": "Hall A",
            "capacity": "40",
            "amber_percent": "75",
            "enabled": "on",
            f"door-{line.pk}": "on",
            f"door-{back.pk}": "on",
            f"inverted-{back.pk}": "on",
        }

        page = admin.post("/areas/new", data)

        assert page["Location"] == "/areas"
        area = Area.objects.get()
        assert (area.site, area.name, area.capacity) == (site, "Hall A", 40)
        doors = area.doors.values_list("line__name", "inverted").order_by("line__name")
        assert list(doors) == [("Back door", True), ("Main door", False)]

    def test_changes_an_area_and_leaves_its_count(
        self,
        admin: Client,
        site: Site,
        line: CountingLine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        area = make_area(site=site, name="Hall A", capacity=40)
        area.doors.create(line=line)
        save = Area.save

        def count_and_save(row: Area, **values: Any) -> None:
            Area.objects.update(current_count=7)
            save(row, **values)

        monkeypatch.setattr(Area, "save", count_and_save)
        data = {"name": "Hall A", "capacity": "", "amber_percent": "80"}

        assert admin.post(f"/areas/{area.pk}", data).status_code == 302

        area.refresh_from_db()
        assert (area.capacity, area.enabled, area.current_count) == (None, False, 7)
        assert not area.doors.exists()

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"name": ""}, "This field is required."),
            ({"name": "Hall B"}, "This site has an area of that name."),
            ({"capacity": "0"}, "greater than or equal to 1"),
            ({"amber_percent": "101"}, "less than or equal to 100"),
        ],
    )
    @pytest.mark.parametrize("is_new", [True, False])
    def test_says_what_is_wrong_and_loses_nothing(
        self,
        admin: Client,
        site: Site,
        line: CountingLine,
        values: dict[str, str],
        sentence: str,
        is_new: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        make_area(site=site, name="Hall B")
        area = make_area(site=site, name="Hall A")
        good = {"name": "Hall C", "amber_percent": "80", f"door-{line.pk}": "on"}
        address = "/areas/new" if is_new else f"/areas/{area.pk}"

        page = admin.post(address, {**good, **values})

        assert page.status_code == 422
        assert sentence in text(page)
        assert re.search(rf'name="door-{line.pk}"[^>]* checked', page.content.decode())
        assert Area.objects.count() == 2
        assert f"<h1>{'New area' if is_new else 'Hall A'} " in page.content.decode()

    def test_offers_the_lines_of_its_site_alone(
        self, admin: Client, site: Site, line: CountingLine
    ) -> None:
        theirs = make_line(name="Their door")

        page = admin.get("/areas/new")
        admin.post(
            "/areas/new",
            {"name": "Hall A", "amber_percent": "80", f"door-{theirs.pk}": "on"},
        )

        assert "Main door" in text(page)
        assert "Their door" not in text(page)
        assert not Area.objects.get().doors.exists()

    def test_is_not_found_at_another_site(self, admin: Client) -> None:
        theirs = make_area()

        assert admin.get("/areas/new?site=elsewhere").status_code == 404
        for address in (f"/areas/{theirs.pk}", f"/areas/{theirs.pk}/delete"):
            assert admin.post(address, {"name": "Mine"}).status_code == 404


class TestDelete:
    def test_takes_an_area_that_was_never_counted(
        self, admin: Client, site: Site
    ) -> None:
        area = make_area(site=site, name="Hall A")

        page = admin.post(f"/areas/{area.pk}/delete", follow=True)

        assert "Hall A is deleted." in text(page)
        assert not Area.objects.exists()

    def test_leaves_one_that_was_counted(self, admin: Client, site: Site) -> None:
        area = make_area(site=site, name="Hall A")
        make_bucket(HourlyOccupancy, area=area)

        page = admin.post(f"/areas/{area.pk}/delete", follow=True)

        assert "Switch it off instead." in text(page)
        assert Area.objects.get() == area
