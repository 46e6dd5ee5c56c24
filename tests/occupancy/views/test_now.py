"""How many are where now, as a browser gets it without its scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from occupancy import aggregation, corrections
from occupancy.models import AreaLine, Zone
from streaming.models import Camera
from streaming.vision.types import Label
from tests.factories import make_area, make_camera, make_line, make_site
from tests.occupancy.views.conftest import NOW
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import User
    from occupancy.models import Area, CountingLine
    from streaming.models import Site
    from tests.occupancy.views.conftest import Cross

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

QUERIES_MAX = 24
SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


def make_zone(camera: Camera, **values: object) -> Zone:
    defaults = {"name": "Press 4", "points": SQUARE, "counted_at": NOW}
    return Zone.objects.create(camera=camera, **defaults | values)


class TestAreas:
    def test_answer_in_the_first_line(
        self, security: Client, hall: Area, front: CountingLine, cross: Cross
    ) -> None:
        cross(front, times=3)

        page = text(security.get("/occupancy"))

        assert "3 inside Hall A of 4, 0 over capacity" in page

    def test_add_up_over_their_doors(
        self,
        security: Client,
        hall: Area,
        front: CountingLine,
        back: CountingLine,
        cross: Cross,
    ) -> None:
        cross(front, times=3)
        cross(back, "out")
        cross(back, "in", times=2)

        page = text(security.get("/occupancy"))

        assert "2 of 4 inside" in page
        assert "In today 4 Out today 2" in page

    @pytest.mark.parametrize(
        ("inside", "level", "percent"),
        [(3, "normal", 75), (4, "amber", 100), (5, "red", 100)],
    )
    def test_say_how_full_they_are(
        self,
        security: Client,
        hall: Area,
        front: CountingLine,
        cross: Cross,
        inside: int,
        level: str,
        percent: int,
    ) -> None:
        cross(front, times=inside)

        page = security.get("/occupancy").content.decode()

        assert f'class="room" data-level="{level}" data-capacity="4"' in page
        assert f'class="room-taken" width="{percent}%"' in page
        assert ("1 over capacity" in text(security.get("/occupancy"))) == (
            level == "red"
        )

    def test_have_no_bar_without_a_capacity(self, security: Client, site: Site) -> None:
        make_area(site=site, name="Yard")

        page = security.get("/occupancy")

        assert "0 inside" in text(page)
        assert 'class="room"' not in page.content.decode()

    def test_tell_of_those_who_left_unseen(
        self, security: Client, hall: Area, front: CountingLine, cross: Cross
    ) -> None:
        cross(front, "out", times=2)

        page = security.get("/occupancy")

        assert "2 left unseen: nobody had seen them enter" in text(page)
        assert f'href="/occupancy/areas/{hall.pk}/correct"' in page.content.decode()

    def test_tell_of_the_last_correction(
        self, security: Client, sam: User, hall: Area
    ) -> None:
        at = NOW - timedelta(minutes=10)
        corrections.calibrate_area(area=hall, count=3, reason="Counted", by=sam, at=at)

        assert "Set to 3 10:30 by sam" in text(security.get("/occupancy"))

    def test_offer_no_correction_to_those_who_may_not(
        self, integrator: Client, hall: Area
    ) -> None:
        assert "/correct" not in integrator.get("/occupancy").content.decode()

    def test_draw_today_by_the_hour_against_last_week(
        self,
        security: Client,
        site: Site,
        hall: Area,
        front: CountingLine,
        cross: Cross,
    ) -> None:
        cross(front, ago=7 * 24 * 60 + 70, times=2)
        cross(front, ago=70)
        cross(front, ago=5)
        aggregation.catch_up(site=site, now=NOW)

        page = security.get("/occupancy").content.decode()

        assert "<title>09:00: 1 in, 0 out; 2 in last week</title>" in page
        assert "<title>10:00: 1 in, 0 out; 0 in last week</title>" in page
        assert page.count('class="chart-bar" data-series="0" x=') == 11 + 1
        assert 'class="chart-line"' in page

    def test_tell_the_hour_with_the_most(
        self,
        security: Client,
        site: Site,
        hall: Area,
        front: CountingLine,
        cross: Cross,
    ) -> None:
        cross(front, ago=130, times=3)
        cross(front, "out", ago=125, times=2)
        aggregation.catch_up(site=site, now=NOW)

        assert "Most at once 3 from 08:00" in text(security.get("/occupancy"))

    def test_tell_that_the_most_are_there_now(
        self, security: Client, hall: Area, front: CountingLine, cross: Cross
    ) -> None:
        cross(front, times=3)

        assert "Most at once 3 now" in text(security.get("/occupancy"))

    def test_are_left_out_when_switched_off(self, security: Client, site: Site) -> None:
        make_area(site=site, name="Old hall", enabled=False)

        assert "Old hall" not in text(security.get("/occupancy"))

    def test_are_those_of_the_users_sites(self, security: Client, hall: Area) -> None:
        make_area(name="Elsewhere")

        page = text(security.get("/occupancy"))

        assert "Hall A" in page
        assert "Elsewhere" not in page


class TestCameras:
    def test_of_an_area_are_shown_through_it(
        self, security: Client, hall: Area
    ) -> None:
        assert "Cameras of no area" not in text(security.get("/occupancy"))

    def test_of_no_area_are_shown_by_themselves(
        self, security: Client, hall: Area, site: Site, cross: Cross
    ) -> None:
        cross(make_line(camera=make_camera(site=site, name="Stores")), times=2)

        page = text(security.get("/occupancy"))

        assert "Cameras of no area Stores 2 inside In today 2 Out today 0" in page

    def test_with_one_line_that_is_no_door_are_shown_too(
        self, security: Client, hall: Area, front: CountingLine
    ) -> None:
        make_line(camera=front.camera, name="Side door")

        assert "Cameras of no area Front door" in text(security.get("/occupancy"))

    def test_are_shown_again_when_their_area_is_switched_off(
        self, security: Client, hall: Area, front: CountingLine
    ) -> None:
        hall.enabled = False
        hall.save()

        page = text(security.get("/occupancy"))

        assert "No area yet, 0 over capacity" in page
        assert "Cameras of no area Back door" in page

    def test_without_a_line_are_not_shown(self, security: Client, site: Site) -> None:
        make_camera(site=site, name="Corridor")

        page = text(security.get("/occupancy"))

        assert "Corridor" not in page
        assert "Nothing is counted here yet" in page


class TestZones:
    def test_say_how_many_stand_in_them(
        self, security: Client, front: CountingLine
    ) -> None:
        make_zone(front.camera, live_count=2, capacity=3)

        page = text(security.get("/occupancy"))

        assert "Press 4 Front door 2 of 3 in it" in page

    @pytest.mark.parametrize(
        ("camera", "zone", "why"),
        [
            ({"state": "offline"}, {}, "The camera gives no picture."),
            (
                {"last_frame_at": NOW - timedelta(minutes=2)},
                {},
                "The camera gives no picture.",
            ),
            ({"enabled": False}, {}, "The camera is switched off."),
            ({}, {"counted_at": None}, "Nobody has been counted here yet."),
            (
                {},
                {"counted_at": NOW - timedelta(minutes=5)},
                "It is not watched any more. Does its camera count people?",
            ),
        ],
    )
    def test_say_that_they_do_not_know(
        self,
        security: Client,
        front: CountingLine,
        camera: dict[str, object],
        zone: dict[str, object],
        why: str,
    ) -> None:
        Camera.objects.filter(pk=front.camera_id).update(**camera)
        make_zone(front.camera, **{"live_count": 9, "capacity": 3} | zone)

        page = text(security.get("/occupancy"))

        assert f"not known {why}" in page
        assert "0 over capacity" in page
        assert "9 of 3" not in page


class TestVehicles:
    def test_are_counted_by_class(
        self, security: Client, front: CountingLine, cross: Cross
    ) -> None:
        cross(front, label=Label.TRUCK, times=2)
        cross(front, "out", label=Label.CAR)
        cross(front, ago=11 * 60, label=Label.CAR)

        page = text(security.get("/occupancy"))

        assert "Vehicles today" in page
        assert "Front door Car 0 1" in page
        assert "Front door Truck 2 0" in page
        assert "0 inside" in page

    def test_have_no_table_where_none_came(
        self, security: Client, front: CountingLine
    ) -> None:
        assert "Vehicles today" not in text(security.get("/occupancy"))


class TestPage:
    def test_offers_one_site_of_several(
        self, security: Client, sam: User, hall: Area
    ) -> None:
        other = make_site(name="Second plant", slug="second", time_zone="Europe/Berlin")
        sam.sites.add(other)
        make_area(site=other, name="Far hall")

        every = text(security.get("/occupancy"))
        one = text(security.get("/occupancy?site=second"))

        assert "Hall A" in every
        assert "Far hall" in every
        assert "Far hall" in one
        assert "Hall A" not in one

    def test_says_that_no_site_is_assigned(self, security: Client, sam: User) -> None:
        sam.sites.clear()

        assert "No site is assigned to your login" in text(security.get("/occupancy"))

    def test_watches_what_it_shows(self, security: Client, hall: Area) -> None:
        page = security.get("/occupancy").content.decode()

        topics = "occupancy.area occupancy.zone occupancy.occupancylog"
        assert f'data-topics="{topics}"' in page

    def test_needs_as_many_queries_for_many_places_as_for_one(
        self,
        security: Client,
        site: Site,
        cross: Cross,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(8):
            door = make_line(camera=make_camera(site=site))
            area = make_area(site=site)
            AreaLine.objects.create(area=area, line=door)
            line = make_line(camera=make_camera(site=site))
            cross(door)
            cross(line)
            cross(line, label=Label.CAR)
            make_zone(door.camera, name=f"Zone {number}")
            area.corrections.create(
                event_id=uuid4(),
                before=1,
                current_count=2,
                drift=0,
                reason="Counted",
                occurred_at=NOW,
            )

        with django_assert_max_num_queries(QUERIES_MAX):
            security.get("/occupancy")
