"""A gate opened by hand, from the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.barrier_server import barrier_server
from tests.factories import make_camera
from tests.vehicles.views.pages import text
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
