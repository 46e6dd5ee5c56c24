"""What people do about vehicles, by the pages' forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from factory_site.roles import HR
from tests.factories import make_site, make_user, make_vehicle, make_vehicle_log
from tests.pages import text
from tests.vehicles.views.conftest import PLATE
from vehicles.models import Vehicle

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import User
    from streaming.models import Site
    from tests.vehicles.views.conftest import Visit

pytestmark = pytest.mark.django_db


class TestNameVisit:
    def test_decides_it_by_the_register(
        self, security: Client, sam: User, visit: Visit, car: Vehicle
    ) -> None:
        log = visit(status="rejected", reason="low_confidence")

        form = {"plate": "mh 12 ab 1234", "next": "/gates"}
        page = security.post(f"/gates/visits/{log.pk}/name", form, follow=True)
        log.refresh_from_db()
        assert (log.status, log.vehicle, log.named_by) == ("authorized", car, sam)
        assert log.opens is False
        assert page.redirect_chain == [("/gates", 302)]
        assert "It was MH12AB1234. Authorized: Registered." in text(page)

    def test_says_why_not(self, security: Client, visit: Visit) -> None:
        log = visit(status="rejected", reason="low_confidence")

        address = f"/gates/visits/{log.pk}"
        page = security.post(f"{address}/name", {"plate": "no plate"}, follow=True)
        log.refresh_from_db()
        assert log.status == "rejected"
        assert page.redirect_chain == [(address, 302)]
        assert "is no plate of this site" in text(page)

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        log = make_vehicle_log(status="rejected", reason="low_confidence")

        page = security.post(f"/gates/visits/{log.pk}/name", {"plate": PLATE})
        assert page.status_code == 404

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"]
    )
    def test_leads_nowhere_else(
        self, security: Client, visit: Visit, elsewhere: str
    ) -> None:
        log = visit(status="rejected", reason="low_confidence")

        form = {"plate": PLATE, "next": elsewhere}
        page = security.post(f"/gates/visits/{log.pk}/name", form)
        assert page["Location"] == f"/gates/visits/{log.pk}"


class TestBlock:
    def test_keeps_a_vehicle_out_and_lets_it_in_again(
        self, security: Client, sam: User, car: Vehicle
    ) -> None:
        form = {"reason": "Drove off with a pallet"}
        page = security.post(f"/vehicles/{car.pk}/block", form, follow=True)
        car.refresh_from_db()
        assert (car.status, car.reason) == ("blocked", "Drove off with a pallet")
        assert car.history.latest().history_user == sam
        assert page.redirect_chain == [(f"/vehicles/{PLATE}", 302)]
        assert "Blocked because: Drove off with a pallet" in text(page)

        security.post(f"/vehicles/{car.pk}/unblock", {"reason": "It was a mistake"})
        car.refresh_from_db()
        assert car.status == "authorized"

    @pytest.mark.parametrize("action", ["block", "unblock"])
    def test_needs_a_reason(self, security: Client, car: Vehicle, action: str) -> None:
        before = "blocked" if action == "unblock" else "authorized"
        car.status, car.reason = before, "Drove off with a pallet"
        car.save()

        address = f"/vehicles/{car.pk}/{action}"
        page = security.post(address, {"reason": " "}, follow=True)
        car.refresh_from_db()
        assert car.status == before
        assert "Say why" in text(page)

    @pytest.mark.parametrize("action", ["block", "unblock"])
    def test_is_not_found_at_another_site(self, security: Client, action: str) -> None:
        other = make_vehicle()

        page = security.post(f"/vehicles/{other.pk}/{action}", {"reason": "x"})
        assert page.status_code == 404


class TestBlockVisit:
    def test_blocks_a_plate_that_nobody_registered(
        self, security: Client, sam: User, visit: Visit
    ) -> None:
        log = visit()
        address = f"/gates/visits/{log.pk}"
        assert "Block MH12AB1234, which nobody registered, because" in text(
            security.get(address)
        )

        form = {"reason": "Threw a bottle", "next": address}
        page = security.post(f"{address}/block", form, follow=True)
        blocked = Vehicle.objects.get()
        assert (blocked.plate_number, blocked.status) == (PLATE, "blocked")
        assert (blocked.site, blocked.reason) == (log.camera.site, "Threw a bottle")
        assert blocked.registered_by == sam
        assert page.redirect_chain == [(address, 302)]
        assert "MH12AB1234 is blocked. No gate opens for it." in text(page)

    def test_needs_a_reason(self, security: Client, visit: Visit) -> None:
        address = f"/gates/visits/{visit().pk}/block"

        page = security.post(address, {"reason": " "}, follow=True)
        assert "Say why" in text(page)
        assert not Vehicle.objects.exists()

    @pytest.mark.parametrize("status", ["rejected", "authorized", "blocked"])
    def test_is_for_plates_that_are_sure_and_unknown(
        self, security: Client, visit: Visit, status: str
    ) -> None:
        address = f"/gates/visits/{visit(status=status).pk}"

        assert "which nobody registered" not in text(security.get(address))
        page = security.post(f"{address}/block", {"reason": "Threw a bottle"})
        assert page.status_code == 404

    def test_is_not_offered_once_the_plate_was_erased(
        self, security: Client, visit: Visit
    ) -> None:
        log = visit(plate_number="")

        assert "which nobody registered" not in text(
            security.get(f"/gates/visits/{log.pk}")
        )

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        log = make_vehicle_log()

        page = security.post(f"/gates/visits/{log.pk}/block", {"reason": "x"})
        assert page.status_code == 404


class TestBlockPlate:
    def test_blocks_whatever_plate_is_typed(
        self, security: Client, site: Site, sam: User
    ) -> None:
        assert "Block a plate" in text(security.get("/vehicles"))

        form = {"site": site.slug, "plate": "ka-01 x 7007", "reason": "Stolen"}
        page = security.post("/vehicles/block", form, follow=True)
        blocked = Vehicle.objects.get()
        assert (blocked.plate_number, blocked.status) == ("KA01X7007", "blocked")
        assert blocked.registered_by == sam
        assert page.redirect_chain == [(f"/vehicles/KA01X7007?site={site.slug}", 302)]
        assert "Blocked because: Stolen" in text(page)

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"reason": " "}, "Say why"),
            ({"plate": "!!"}, "A plate has"),
            ({"site": "elsewhere"}, "Choose the site."),
            ({"plate": PLATE}, "MH12AB1234 is blocked already: Stole a pallet"),
        ],
    )
    def test_keeps_what_was_typed_where_it_is_refused(
        self, security: Client, site: Site, wrong: dict[str, str], sentence: str
    ) -> None:
        make_vehicle(
            site=site, plate_number=PLATE, status="blocked", reason="Stole a pallet"
        )
        make_site(slug="elsewhere")
        form = {"site": site.slug, "plate": "KA01X7007", "reason": "A <theft>"}

        page = security.post("/vehicles/block", {**form, **wrong})
        assert page.status_code == 422
        assert sentence in text(page)
        assert f'value="{wrong.get("plate", "KA01X7007")}"' in page.content.decode()
        if "reason" not in wrong:
            assert 'value="A &lt;theft&gt;"' in page.content.decode()
        assert Vehicle.objects.count() == 1

    def test_is_offered_to_those_who_may_alone(
        self, client: Client, site: Site
    ) -> None:
        client.force_login(make_user("hr", role=HR, sites=[site]))

        assert "Block a plate" not in text(client.get("/vehicles"))
