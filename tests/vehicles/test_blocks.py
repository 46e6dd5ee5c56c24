"""Plates that are kept out, registered or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from tests.factories import make_site, make_user, make_vehicle
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles.models import Vehicle
from vehicles.services import (
    NotChanged,
    block_plate,
    record_visit,
    unblock,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from identity.models import User
    from streaming.models import Site


@pytest.fixture
def site(db: None) -> Site:
    return make_site()


@pytest.fixture
def sam(db: None) -> User:
    return make_user("sam")


def block(site: Site, by: User, **values: Any) -> Vehicle:
    told: Any = {"plate": "mh 12 ab 1234", "reason": " Rammed the gate ", "at": NOW}
    return block_plate(site=site, by=by, **told | values)


class TestBlockPlate:
    def test_registers_one_that_nobody_knew(self, site: Site, sam: User) -> None:
        made = block(site, sam)

        vehicle = Vehicle.objects.get()
        assert vehicle == made
        assert (vehicle.site, vehicle.plate_number) == (site, PLATE)
        assert (vehicle.status, vehicle.reason) == ("blocked", "Rammed the gate")
        assert vehicle.registered_by == sam
        (change,) = vehicle.history.all()
        assert (change.history_user, change.history_change_reason) == (
            sam,
            "Rammed the gate",
        )

    def test_keeps_out_one_that_is_registered(self, site: Site, sam: User) -> None:
        known = make_vehicle(site=site, plate_number=PLATE, owner="Asha")
        elsewhere = make_vehicle(site=make_site(), plate_number=PLATE)

        assert block(site, sam) == known
        known.refresh_from_db()
        elsewhere.refresh_from_db()
        assert (known.status, known.owner, known.valid_until) == (
            "blocked",
            "Asha",
            None,
        )
        assert elsewhere.status == "authorized"

    def test_leaves_what_is_blocked_already(self, site: Site, sam: User) -> None:
        make_vehicle(site=site, plate_number=PLATE, status="blocked", reason="Stolen")

        with pytest.raises(NotChanged, match="MH12AB1234 is blocked already: Stolen"):
            block(site, sam)
        assert Vehicle.objects.get().reason == "Stolen"

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"plate": ""}, "A plate has 1 to 12"),
            ({"plate": " - "}, "A plate has 1 to 12"),
            ({"plate": "A" * 13}, "A plate has 1 to 12"),
            ({"plate": "एमएच 12 AB 1234"}, "letters A to Z"),
            ({"plate": "MHI2AB1234"}, "reads MHI2AB1234 as MH12AB1234"),
            ({"reason": " "}, "Say why"),
        ],
    )
    def test_refuses_what_is_no_block(
        self, site: Site, sam: User, values: Any, sentence: str
    ) -> None:
        with pytest.raises(NotChanged, match=sentence):
            block(site, sam, **values)
        assert not Vehicle.objects.exists()

    def test_takes_a_plate_from_abroad(self, site: Site, sam: User) -> None:
        assert block(site, sam, plate="B-MW 777").plate_number == "BMW777"


class TestUnblock:
    @pytest.fixture(autouse=True)
    def _pictures(self, settings: Settings, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path

    def test_leaves_one_unknown_that_was_never_let_in(self, sam: User) -> None:
        camera = gate_camera()
        vehicle = block(camera.site, sam)

        unblock(vehicle=vehicle, reason="Paid for the gate", by=sam)
        log = record_visit(event=offer(camera, PLATE, PLATE, after_s=1))
        assert log is not None
        assert (log.status, log.reason, log.opens) == ("unknown", "expired", False)

    def test_refuses_what_is_not_blocked(self, site: Site, sam: User) -> None:
        vehicle = make_vehicle(
            site=site,
            plate_number=PLATE,
            status="visitor",
            reason="To see Asha",
            valid_until=NOW + timedelta(days=1),
        )

        with pytest.raises(NotChanged, match="MH12AB1234 is not blocked"):
            unblock(vehicle=vehicle, reason="Found", by=sam)
        vehicle.refresh_from_db()
        assert (vehicle.status, vehicle.reason) == ("visitor", "To see Asha")
        assert vehicle.history.count() == 1

    def test_refuses_it_of_a_row_that_was_loaded_before(
        self, site: Site, sam: User
    ) -> None:
        stale = block(site, sam)
        unblock(vehicle=stale, reason="Found", by=sam)
        Vehicle.objects.update(reason="Drives for Asha")
        stale.status = Vehicle.Status.BLOCKED

        with pytest.raises(NotChanged, match="is not blocked"):
            unblock(vehicle=stale, reason="Found again", by=sam)
        assert Vehicle.objects.get().reason == "Drives for Asha"


@pytest.mark.django_db(transaction=True)
class TestTwoGuards:
    def test_make_one_block(self) -> None:
        site, by = make_site(), make_user("sam")

        def blocked(_: int) -> str:
            try:
                return block(site, by).status
            except NotChanged as error:
                return str(error)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as guards:
            said = sorted(guards.map(blocked, range(4)))
        assert said == ["MH12AB1234 is blocked already: Rammed the gate"] * 3 + [
            "blocked"
        ]
        assert Vehicle.objects.count() == Vehicle.history.count() == 1
