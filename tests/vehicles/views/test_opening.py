"""A gate opened by hand, from the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.barrier_server import barrier_server
from tests.factories import make_camera, make_vehicle_log
from tests.pages import text
from vehicles.models import BarrierCall, Gate

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import User
    from tests.vehicles.views.conftest import Visit

pytestmark = pytest.mark.django_db


def with_barrier(gate: Gate, address: str) -> None:
    gate.driver, gate.address = Gate.Driver.HTTP, address
    gate.save()


class TestOpenGate:
    def test_tells_the_barrier_and_keeps_who_and_why(
        self, security: Client, sam: User, north: Gate, visit: Visit
    ) -> None:
        log = visit()
        form = {"reason": "Delivery", "visit": log.pk, "next": "/gates"}
        with barrier_server() as barrier:
            with_barrier(north, barrier.url)
            page = security.post(f"/gates/{north.pk}/open", form, follow=True)

        assert len(barrier.told) == 1
        call = BarrierCall.objects.get()
        assert (call.asked_by, call.reason, call.log) == (sam, "Delivery", log)
        assert page.redirect_chain == [("/gates", 302)]
        assert "North gate opened." in text(page)

    def test_is_offered_for_a_vehicle_that_no_camera_saw(
        self, security: Client, north: Gate
    ) -> None:
        assert "Open gate" not in text(security.get(f"/gates/{north.pk}"))

        with_barrier(north, "http://192.0.2.9/open")
        page = security.get(f"/gates/{north.pk}")
        assert f'action="/gates/{north.pk}/open"' in page.content.decode()
        assert "Open North gate for a vehicle that is not shown" in text(page)

    def test_says_that_it_did_not_open(self, security: Client, north: Gate) -> None:
        with barrier_server(status=500) as barrier:
            with_barrier(north, barrier.url)
            form = {"reason": "Delivery"}
            page = security.post(f"/gates/{north.pk}/open", form, follow=True)

        assert page.redirect_chain == [(f"/gates/{north.pk}", 302)]
        assert "North gate did not open." in text(page)

    @pytest.mark.parametrize(
        ("reason", "words"), [("Delivery", "has no barrier"), (" ", "Say why")]
    )
    def test_says_why_nothing_was_told(
        self, security: Client, north: Gate, reason: str, words: str
    ) -> None:
        form = {"reason": reason, "visit": "none of ours"}
        page = security.post(f"/gates/{north.pk}/open", form, follow=True)

        assert words in text(page)
        assert not BarrierCall.objects.exists()

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        gate = Gate.objects.create(site=make_camera().site, name="Other")

        page = security.post(f"/gates/{gate.pk}/open", {"reason": "Delivery"})
        assert page.status_code == 404


class TestDenyVisit:
    def test_keeps_who_refused_it_and_why(
        self, security: Client, sam: User, visit: Visit
    ) -> None:
        log = visit()

        form = {"reason": "No papers", "next": "/gates"}
        page = security.post(f"/gates/visits/{log.pk}/deny", form, follow=True)
        log.refresh_from_db()
        assert (log.denied_by, log.denied_reason) == (sam, "No papers")
        assert page.redirect_chain == [("/gates", 302)]
        assert "MH12AB1234 is denied." in text(page)
        for address in ("/gates", f"/gates/visits/{log.pk}"):
            told = text(security.get(address))
            assert re.search(r"Denied by sam \d\d:\d\d: No papers", told)

    def test_is_offered_beside_the_opening_until_it_is_done(
        self, security: Client, north: Gate, visit: Visit
    ) -> None:
        log = visit()
        address = f"/gates/visits/{log.pk}"
        assert "Deny because" in text(security.get(address))

        with_barrier(north, "http://192.0.2.9/open")
        page = security.get(address)
        assert "Open North gate, or deny, because Open gate Deny" in text(page)
        assert f"{address}/deny" in page.content.decode()

        security.post(f"{address}/deny", {"reason": "No papers"})
        page = security.get(address)
        assert "Open North gate all the same, because Open gate" in text(page)
        assert f"{address}/deny" not in page.content.decode()

    def test_needs_a_reason(self, security: Client, visit: Visit) -> None:
        log = visit()

        page = security.post(
            f"/gates/visits/{log.pk}/deny", {"reason": " "}, follow=True
        )
        log.refresh_from_db()
        assert log.denied_at is None
        assert page.redirect_chain == [(f"/gates/visits/{log.pk}", 302)]
        assert "Say why it is refused." in text(page)

    def test_holds_against_a_form_that_was_written_before(
        self, security: Client, north: Gate, visit: Visit
    ) -> None:
        log = visit()
        security.post(f"/gates/visits/{log.pk}/deny", {"reason": "No papers"})
        form = {"reason": "Delivery", "visit": log.pk}
        with barrier_server() as barrier:
            with_barrier(north, barrier.url)
            address = f"/gates/{north.pk}/open"
            refused = security.post(address, form, follow=True)
            assert "sam denied it meanwhile: No papers. Nothing was opened." in text(
                refused
            )
            assert not barrier.told

            opened = security.post(address, {**form, "denied": "yes"}, follow=True)
            assert "North gate opened." in text(opened)
            assert len(barrier.told) == 1

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        log = make_vehicle_log()

        page = security.post(f"/gates/visits/{log.pk}/deny", {"reason": "x"})
        assert page.status_code == 404
