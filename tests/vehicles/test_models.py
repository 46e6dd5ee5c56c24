"""What the database forbids about vehicles, gates and visits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from streaming.models import Camera
from tests.factories import make_camera, make_employee, make_site, make_user
from tests.vehicles.offers import gate_camera, offer
from vehicles.formats import INDIA
from vehicles.models import (
    BarrierCall,
    Gate,
    GateCamera,
    PlateFormat,
    Vehicle,
    VehicleLog,
)
from vehicles.rules import Standing
from vehicles.services import record_visit

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def vehicle(**values: Any) -> Vehicle:
    values.setdefault("site", None)
    values["site"] = values["site"] or make_site()
    return Vehicle(**{"plate_number": "MH12AB1234"} | values)


class TestVehicle:
    @pytest.mark.parametrize(
        "plate", ["mh12ab1234", "MH 12 AB 1234", "MH12-AB", "", "A" * 13]
    )
    def test_has_a_plate_as_the_register_writes_them(self, plate: str) -> None:
        vehicle().full_clean()

        with pytest.raises(ValidationError, match=r"capitals and digits|blank|at most"):
            vehicle(plate_number=plate).full_clean()

    def test_is_one_of_its_plate_at_a_site(self) -> None:
        first = vehicle()
        first.save()
        twin = vehicle(site=first.site)

        with pytest.raises(ValidationError, match="has a vehicle of that plate"):
            twin.full_clean()
        with pytest.raises(IntegrityError):
            twin.save()

    def test_may_be_known_at_two_sites(self) -> None:
        vehicle().save()
        vehicle().save()

        assert Vehicle.objects.count() == 2

    def test_keeps_what_its_plate_may_be_taken_for(self) -> None:
        row = vehicle(plate_number="MH120B8Z34")
        row.save()
        row.refresh_from_db()

        assert row.confusion_key == "MH12088234"

    def test_is_blocked_for_a_reason(self) -> None:
        vehicle(status="blocked", reason="Stolen").full_clean()

        with pytest.raises(ValidationError, match="Say why it is blocked"):
            vehicle(status="blocked").full_clean()

    def test_is_valid_from_before_until(self) -> None:
        vehicle(valid_from=NOW, valid_until=NOW + timedelta(hours=1)).full_clean()

        with pytest.raises(ValidationError, match="valid until before it is valid"):
            vehicle(valid_from=NOW, valid_until=NOW).full_clean()

    def test_is_driven_by_somebody_of_its_site(self) -> None:
        site = make_site()
        vehicle(site=site, employee=make_employee(site=site)).full_clean()

        with pytest.raises(ValidationError, match="works at another site"):
            vehicle(site=site, employee=make_employee()).full_clean()

    def test_counts_as_valid_in_its_dates(self) -> None:
        hour = timedelta(hours=1)
        vehicle(valid_from=NOW, valid_until=NOW + hour).save()

        valid = [
            Vehicle.objects.valid_at(NOW + passed * hour).exists()
            for passed in (-1, 0, 1)
        ]
        assert valid == [False, True, False]

    def test_is_told_to_the_rules(self) -> None:
        told = vehicle(status="visitor", valid_from=NOW).registered

        assert (told.standing, told.valid_from) == (Standing.VISITOR, NOW)


class TestPlateFormat:
    def test_is_indias_where_a_site_has_none(self) -> None:
        site = make_site()
        off = PlateFormat.objects.create(
            site=site, name="Off", pattern="[A-Z]{3}", enabled=False
        )
        assert PlateFormat.objects.of_site(site.pk) == INDIA

        off.enabled = True
        off.save()
        own = PlateFormat.objects.of_site(site.pk)
        assert [each.pattern for each in own] == ["[A-Z]{3}"]

    def test_says_what_is_wrong_with_a_pattern(self) -> None:
        row = PlateFormat(site=make_site(), name="Own", pattern="[A-Z]+")

        with pytest.raises(ValidationError, match="is not understood"):
            row.full_clean()


class TestGate:
    def test_with_a_barrier_has_its_address(self) -> None:
        site = make_site()
        Gate(site=site, name="Main", driver="http", address="http://h/").full_clean()
        Gate(site=site, name="Main").full_clean()

        with pytest.raises(ValidationError, match="Say where the barrier is"):
            Gate(site=site, name="Main", driver="mqtt").full_clean()

    @pytest.mark.parametrize(
        ("driver", "address"),
        [
            ("http", "file:///etc/passwd"),
            ("mqtt", "http://b/open"),
            ("http", "http://169.254.169.254/"),
        ],
    )
    def test_has_an_address_where_a_barrier_can_be_told(
        self, driver: str, address: str
    ) -> None:
        Gate(site=make_site(), name="Main", address=address).full_clean()

        with pytest.raises(ValidationError, match=r"Write|for itself"):
            Gate(
                site=make_site(), name="Main", driver=driver, address=address
            ).full_clean()

    @pytest.mark.parametrize("confidence", [0.4, 1.1])
    def test_asks_for_a_confidence_that_can_be(self, confidence: float) -> None:
        with pytest.raises(ValidationError):
            Gate(site=make_site(), name="Main", confidence=confidence).full_clean()

    def test_takes_cameras_of_its_site_that_read_plates(self) -> None:
        gate = Gate.objects.create(site=make_site(), name="Main")
        plates = [Camera.Task.PLATES.value]
        reading = make_camera(site=gate.site, tasks=plates)
        GateCamera(gate=gate, camera=reading).full_clean()

        with pytest.raises(ValidationError, match="a camera of another site"):
            GateCamera(gate=gate, camera=make_camera(tasks=plates)).full_clean()
        with pytest.raises(ValidationError, match="does not read plates"):
            GateCamera(gate=gate, camera=make_camera(site=gate.site)).full_clean()


class TestBarrierCall:
    @pytest.fixture
    def log(self) -> VehicleLog:
        log = record_visit(event=offer(gate_camera(), "MH12AB1234"))
        assert log is not None
        return log

    def call(self, log: VehicleLog, **values: Any) -> BarrierCall:
        fixed = {"gate": log.gate, "log": log, "asked_at": NOW, "result": "opened"}
        return BarrierCall.objects.create(**fixed | values)

    def test_is_one_of_the_rules_for_a_visit(self, log: VehicleLog) -> None:
        by = make_user("sam")
        self.call(log)
        self.call(log, asked_by=by, reason="It stood")
        self.call(log, reason="Of a login that is gone")

        with pytest.raises(IntegrityError, match="barrier_call_once_by_rules"):
            self.call(log)

    def test_of_a_person_has_a_reason(self, log: VehicleLog) -> None:
        with pytest.raises(IntegrityError, match="barrier_call_by_hand_why"):
            self.call(log, asked_by=make_user("sam"))
