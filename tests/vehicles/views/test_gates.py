"""The gate page and each visit's page, as a browser gets them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from factory_site.roles import HR
from tests.factories import make_camera, make_user, make_vehicle, make_vehicle_log
from tests.pages import text
from tests.vehicles.views.conftest import CONFIDENCES, PLATE
from tests.vehicles.views.pages import keys
from vehicles.models import BarrierCall, Gate
from vehicles.views import gates

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import User
    from streaming.models import Camera, Site
    from tests.vehicles.views.conftest import Visit
    from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 20
REJECTED = {"status": "rejected", "reason": "low_confidence", "ocr_confidence": 0.5}


class TestGates:
    def test_answer_in_their_first_line(
        self, security: Client, visit: Visit, car: Vehicle
    ) -> None:
        visit(vehicle=car, status="authorized", reason="listed")
        visit()
        visit(**REJECTED)
        visit(status="blocked", reason="blocked")
        make_vehicle_log()

        page = text(security.get("/gates"))
        words = "Today: 4 vehicles, 1 authorized, 1 unknown, 1 not read, 1 blocked"
        assert words in page

    def test_show_the_last_vehicle_with_its_verdict_in_words(
        self, security: Client, visit: Visit, car: Vehicle
    ) -> None:
        visit(occurred_at=timezone.now() - timedelta(minutes=3), plate_number="KA01X1")
        last = visit(vehicle=car, status="authorized", reason="listed", opens=True)

        page = security.get("/gates")
        assert keys(page, region="last") == [last.pk]
        words = text(page)
        assert "Authorized MH12AB1234 May drive in".lower() in words.lower()
        assert "The plate is registered and was valid then" in words
        assert "As read MH12AB1234 (0.91 to 0.99)" in words
        assert "Registered to E-104 Asha Rao, car" in words

    def test_tell_when_the_barrier_opened(
        self, security: Client, visit: Visit, north: Gate, sam: User
    ) -> None:
        log = visit()
        BarrierCall.objects.create(
            gate=north,
            log=log,
            asked_by=sam,
            reason="Delivery",
            asked_at=log.occurred_at,
            result="opened",
        )

        page = text(security.get("/gates"))
        at = f"{north.site.local(log.occurred_at):%H:%M:%S}"
        assert f"opened {at} by sam" in page

    def test_shout_when_a_vehicle_is_blocked(
        self, security: Client, visit: Visit, site: Site
    ) -> None:
        stolen = make_vehicle(site=site, status="blocked", reason="Stolen in May")
        visit(vehicle=stolen, status="blocked", reason="blocked")

        page = text(security.get("/gates"))
        assert "BLOCKED" in page
        assert "beats everything else. Stolen in May" in page

    def test_offer_what_was_read_where_it_was_not_sure(
        self, security: Client, visit: Visit
    ) -> None:
        log = visit(**REJECTED, plate_number="MH12AB1284")

        assert "Perhaps MH12AB1284" in text(security.get("/gates"))
        page = security.get("/gates").content.decode()
        assert f'action="/gates/visits/{log.pk}/name"' in page
        assert 'name="plate" value="MH12AB1284"' in page

    def test_offer_nothing_to_those_who_may_only_look(
        self, client: Client, site: Site, visit: Visit, car: Vehicle
    ) -> None:
        Gate.objects.update(driver="http", address="http://10.0.0.9/open")
        visit(**REJECTED, vehicle=car)
        client.force_login(make_user("hana", role=HR, sites=[site]))

        page = client.get("/gates").content.decode()
        assert 'name="plate"' not in page
        assert 'name="reason"' not in page

    def test_offer_to_open_only_where_there_is_a_barrier(
        self, security: Client, visit: Visit, north: Gate
    ) -> None:
        visit()
        address = reverse("open-gate", args=[north.pk])
        assert address not in security.get("/gates").content.decode()

        Gate.objects.update(driver="http", address="http://10.0.0.9/open")
        assert address in security.get("/gates").content.decode()

    def test_offer_to_open_for_a_blocked_vehicle_on_its_own_page_alone(
        self, security: Client, visit: Visit, north: Gate
    ) -> None:
        Gate.objects.update(driver="http", address="http://10.0.0.9/open")
        stolen = make_vehicle(site=north.site, status="blocked", reason="Stolen")
        log = visit(vehicle=stolen, status="blocked", reason="blocked")

        address = reverse("open-gate", args=[north.pk])
        assert address not in security.get("/gates").content.decode()
        page = security.get(f"/gates/visits/{log.pk}").content.decode()
        assert address in page

    def test_are_each_a_page_of_its_own(
        self, security: Client, site: Site, visit: Visit
    ) -> None:
        south = Gate.objects.create(site=site, name="South gate")
        there, here = visit(gate=south), visit()

        page = security.get(f"/gates/{south.pk}")
        assert keys(page, region="visits") == [there.pk]
        assert "South gate, today: 1 vehicle" in text(page)
        assert keys(security.get("/gates"), region="visits") == [here.pk, there.pk]

    def test_of_other_sites_are_not_found(self, security: Client, visit: Visit) -> None:
        elsewhere = make_camera()
        other = Gate.objects.create(site=elsewhere.site, name="Other")
        log = make_vehicle_log(camera=elsewhere, gate=other)

        assert security.get(f"/gates/{other.pk}").status_code == 404
        assert security.get(f"/gates/visits/{log.pk}").status_code == 404
        assert keys(security.get("/gates"), region="visits") == []

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=ab 12", {"known"}),
            ("q=asha", {"known"}),
            ("status=rejected", {"unread"}),
            ("q=%00", {"known", "unread"}),
            ("day=2026-03-02", set()),
            ("day=soon", {"known", "unread"}),
        ],
    )
    def test_narrow_their_visits(
        self, security: Client, visit: Visit, car: Vehicle, query: str, found: set[str]
    ) -> None:
        unread = visit(**REJECTED, plate_number="", as_read="")
        known = visit(vehicle=car, status="authorized", reason="listed")

        page = security.get(f"/gates?{query}")
        names = {known.pk: "known", unread.pk: "unread"}
        assert {names[key] for key in keys(page, region="visits")} == found
        assert keys(page, region="last") == [known.pk]

    def test_go_on_with_older_visits(
        self, security: Client, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gates, "VISITS_SHOWN", 2)
        made = [visit().pk for _ in range(3)]

        first = security.get("/gates")
        assert keys(first, region="visits") == made[:0:-1]
        older = first.context["older"]
        assert keys(security.get("/gates", {"older": str(older)}), region="visits") == [
            made[0]
        ]

    def test_need_as_many_queries_for_many_visits_as_for_one(
        self,
        security: Client,
        visit: Visit,
        car: Vehicle,
        north: Gate,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(12):
            log = visit(vehicle=car, possible_match=car)
            BarrierCall.objects.create(
                gate=north, log=log, asked_at=log.occurred_at, result="opened"
            )

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/gates")

    def test_tell_how_to_begin(self, security: Client) -> None:
        assert "No vehicle has come yet" in text(security.get("/gates"))


class TestVisit:
    def test_shows_each_read_and_how_sure_each_character_was(
        self, security: Client, visit: Visit
    ) -> None:
        reads = [
            {"frame": 6, "text": "MHI2AB1234", "confidences": CONFIDENCES},
            {"frame": 12, "text": PLATE, "confidences": [0.5, *CONFIDENCES[1:]]},
        ]
        log = visit(reads=reads, as_read="MHI2AB1234")

        page = text(security.get(f"/gates/visits/{log.pk}"))
        assert "Frame 6, decided" in page
        assert "Frame 12, decided" not in page
        assert page.count("too low") == 1
        assert "character 3, I, counts as 1" in page
        assert "0.91, needed 0.85" in page
        assert "Format India" in page

    def test_says_which_rule_decided(self, security: Client, visit: Visit) -> None:
        log = visit(**REJECTED)

        page = text(security.get(f"/gates/visits/{log.pk}"))
        assert "The least sure character reached 0.50. Every single one" in page

    def test_tells_what_barriers_answered(
        self, security: Client, visit: Visit, north: Gate
    ) -> None:
        log = visit()
        BarrierCall.objects.create(
            gate=north,
            log=log,
            asked_at=log.occurred_at,
            result="failed",
            answer="Nobody answered in time.",
            took_ms=5000,
        )

        page = text(security.get(f"/gates/visits/{log.pk}"))
        assert "Failed by the rules Nobody answered in time. 5000 ms" in page

    def test_lists_the_other_visits_of_the_plate_at_its_site(
        self, security: Client, visit: Visit, sam: User
    ) -> None:
        log, earlier = visit(), visit()
        visit(plate_number="KA01AB1234")
        elsewhere = make_camera()
        sam.sites.add(elsewhere.site)
        make_vehicle_log(camera=elsewhere)

        page = security.get(f"/gates/visits/{log.pk}").content.decode()
        assert page.count('class="visit"') == 1
        assert f'data-key="{earlier.pk}"' in page

    def test_works_where_nothing_was_read(self, security: Client, visit: Visit) -> None:
        log = visit(
            status="rejected",
            reason="no_plate",
            plate_number="",
            as_read="",
            reads=[],
            gate=None,
        )

        page = text(security.get(f"/gates/visits/{log.pk}"))
        assert "Car, no plate read" in page
        assert "No picture gave any text" in page

    def test_warns_of_a_blocked_one_that_it_may_be(
        self, security: Client, visit: Visit, camera: Camera
    ) -> None:
        blocked = make_vehicle(site=camera.site, status="blocked", reason="Stolen")
        log = visit(possible_match=blocked)

        page = text(security.get(f"/gates/visits/{log.pk}"))
        assert f"May be the blocked {blocked}, misread" in page
