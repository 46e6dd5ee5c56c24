"""What people do about vehicles, by the pages' forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import make_vehicle, make_vehicle_log
from tests.vehicles.views.conftest import PLATE
from tests.vehicles.views.pages import text

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import User
    from tests.vehicles.views.conftest import Visit
    from vehicles.models import Vehicle

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
        address = f"/vehicles/{car.pk}/{action}"

        page = security.post(address, {"reason": " "}, follow=True)
        car.refresh_from_db()
        assert car.status == "authorized"
        assert "Say why" in text(page)

    @pytest.mark.parametrize("action", ["block", "unblock"])
    def test_is_not_found_at_another_site(self, security: Client, action: str) -> None:
        other = make_vehicle()

        page = security.post(f"/vehicles/{other.pk}/{action}", {"reason": "x"})
        assert page.status_code == 404
