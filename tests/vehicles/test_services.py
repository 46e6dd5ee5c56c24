"""Vehicles recorded at a gate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from streaming import locks
from tests.factories import make_employee, make_user
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles.models import BarrierCall, Vehicle, VehicleLog
from vehicles.services import (
    NotChanged,
    NotNamed,
    block,
    name_visit,
    record_visit,
    unblock,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from streaming.models import Camera
    from vehicles.pipeline import PlateOffered

NEXT = "MH12AB1235"
END = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def camera(db: None) -> Camera:
    return gate_camera()


def known(camera: Camera, plate: str = PLATE, **values: Any) -> Vehicle:
    return Vehicle.objects.create(site=camera.site, plate_number=plate, **values)


def recorded(event: PlateOffered) -> VehicleLog:
    log = record_visit(event=event)
    assert log is not None
    log.refresh_from_db()
    return log


class TestRecordVisit:
    @pytest.mark.parametrize(
        ("texts", "sure", "status", "reason"),
        [
            ((PLATE, PLATE), 0.95, "authorized", "listed"),
            ((PLATE, "MHI2ABI234"), 0.95, "authorized", "listed"),
            ((PLATE, PLATE), 0.5, "rejected", "low_confidence"),
            (("XX", "XX"), 0.95, "rejected", "bad_format"),
            ((PLATE,), 0.95, "rejected", "no_consensus"),
            ((NEXT, NEXT), 0.95, "unknown", "unlisted"),
            ((), 0.95, "rejected", "no_plate"),
        ],
    )
    def test_gives_every_vehicle_a_row_with_its_reason(
        self,
        camera: Camera,
        texts: tuple[str, ...],
        sure: float,
        status: str,
        reason: str,
    ) -> None:
        vehicle = known(camera)

        log = recorded(offer(camera, *texts, sure=sure))
        assert (log.status, log.reason) == (status, reason)
        assert log.opens is (status == "authorized")
        assert log.vehicle == (vehicle if status == "authorized" else None)
        assert [read["text"] for read in log.reads] == list(texts)
        assert log.gate == camera.gate_camera.gate

    def test_never_opens_for_a_blocked_vehicle(self, camera: Camera) -> None:
        gate = camera.gate_camera.gate
        gate.opens_for_unknown = True
        gate.save()
        known(camera, status="blocked", reason="Stolen")

        log = recorded(offer(camera, PLATE, PLATE))
        assert (log.status, log.reason, log.opens) == ("blocked", "blocked", False)

    @pytest.mark.parametrize(
        ("who", "reason"),
        [
            ({"status": "inactive"}, "driver_inactive"),
            ({"is_authorized": False}, "driver_refused"),
            ({"status": "inactive", "is_authorized": False}, "driver_inactive"),
        ],
    )
    def test_never_opens_for_an_employee_who_may_not_enter(
        self, camera: Camera, who: dict[str, Any], reason: str
    ) -> None:
        gate = camera.gate_camera.gate
        gate.opens_for_unknown = True
        gate.save()
        asha = make_employee(site=camera.site, **who)
        known(camera, employee=asha)

        log = recorded(offer(camera, PLATE, PLATE))
        assert (log.status, log.reason, log.opens) == ("unknown", reason, False)
        assert log.vehicle is not None

    def test_opens_for_an_employee_who_may_enter(self, camera: Camera) -> None:
        known(camera, employee=make_employee(site=camera.site))

        assert recorded(offer(camera, PLATE, PLATE)).opens

    def test_opens_no_gate_that_is_switched_off(self, camera: Camera) -> None:
        gate = camera.gate_camera.gate
        gate.enabled = False
        gate.save()
        known(camera)

        log = recorded(offer(camera, PLATE, PLATE))
        assert (log.status, log.opens) == ("authorized", False)

    @pytest.mark.parametrize(
        ("read", "sure", "is_possible"),
        [
            ("MH12A81Z34", 0.95, True),
            (PLATE, 0.5, True),
            (NEXT, 0.95, False),
            ("MH12AB123", 0.95, False),
        ],
    )
    def test_says_when_it_may_be_a_blocked_one_misread(
        self, camera: Camera, read: str, sure: float, *, is_possible: bool
    ) -> None:
        blocked = known(camera, "MH12AB1234", status="blocked", reason="Stolen")
        formats = camera.site.plate_formats
        formats.create(name="Any", pattern="[A-Z0-9]{9,10}")

        log = recorded(offer(camera, read, read, sure=sure))
        assert log.possible_match == (blocked if is_possible else None)
        assert not log.opens

    def test_is_one_row_when_repeated(self, camera: Camera) -> None:
        event = offer(camera, PLATE, PLATE)

        assert recorded(event) == recorded(event)
        assert VehicleLog.objects.count() == 1

    def test_decides_later_what_it_rejected_first(self, camera: Camera) -> None:
        known(camera)
        early = offer(camera, PLATE)
        late = replace(offer(camera, PLATE, PLATE), event_id=uuid4(), at=early.at)

        rejected, decided = recorded(early), recorded(late)
        assert (rejected.pk, rejected.status) == (decided.pk, "rejected")
        assert (decided.status, decided.opens) == ("authorized", True)

    def test_never_undecides(self, camera: Camera) -> None:
        known(camera)
        first = recorded(offer(camera, PLATE, PLATE))

        again = recorded(offer(camera, "XX", event_id=uuid4()))
        assert (again.pk, again.status) == (first.pk, "authorized")

    @pytest.mark.parametrize(("after_s", "visits"), [(5, 1), (60, 1), (70, 2)])
    def test_takes_the_same_plate_soon_again_for_the_same_visit(
        self, camera: Camera, after_s: float, visits: int
    ) -> None:
        recorded(offer(camera, PLATE, PLATE))

        log = recorded(offer(camera, PLATE, PLATE, track_id=2, after_s=after_s))
        assert VehicleLog.objects.count() == visits
        assert (log.last_seen_at - NOW).total_seconds() == after_s + 1

    def test_goes_on_for_as_long_as_the_vehicle_stays(self, camera: Camera) -> None:
        first = offer(camera, PLATE, PLATE)
        recorded(first)
        for after_s in (50, 100):
            seen_at = NOW + timedelta(seconds=after_s)
            stays = replace(first, event_id=uuid4(), seen_at=seen_at, snapshot=b"")
            log = recorded(replace(stays, is_more_of_same=True))
            assert log.last_seen_at == seen_at

        anew = recorded(offer(camera, PLATE, PLATE, track_id=2, after_s=150))
        assert (anew.pk, VehicleLog.objects.count()) == (log.pk, 1)

    def test_is_none_of_a_vehicle_that_only_stays(self, camera: Camera) -> None:
        event = offer(camera, PLATE, PLATE, is_more_of_same=True)

        assert record_visit(event=event) is None
        assert not VehicleLog.objects.exists()

    def test_decides_nothing_when_a_vehicle_only_stays(self, camera: Camera) -> None:
        known(camera)
        recorded(offer(camera, PLATE))

        log = recorded(offer(camera, PLATE, PLATE, is_more_of_same=True, after_s=9))
        assert (log.status, log.opens) == ("rejected", False)

    def test_never_merges_vehicles_of_a_fleet(self, camera: Camera) -> None:
        recorded(offer(camera, PLATE, PLATE))
        recorded(offer(camera, NEXT, NEXT, track_id=2, after_s=2))

        plates = VehicleLog.objects.values_list("plate_number", flat=True)
        assert sorted(plates) == [PLATE, NEXT]

    def test_leaves_one_row_of_a_vehicle_that_was_followed_anew(
        self, camera: Camera
    ) -> None:
        first = recorded(offer(camera, PLATE, PLATE))
        recorded(offer(camera, PLATE, track_id=2, after_s=3))
        again = offer(camera, PLATE, PLATE, track_id=2, after_s=3)

        assert recorded(again) == first
        assert VehicleLog.objects.count() == 1

    def test_keeps_that_a_person_opened_for_the_row_that_goes(
        self, camera: Camera
    ) -> None:
        first = recorded(offer(camera, PLATE, PLATE))
        second = recorded(offer(camera, PLATE, track_id=2, after_s=3))
        call = BarrierCall.objects.create(
            gate=camera.gate_camera.gate,
            log=second,
            reason="Known",
            asked_at=NOW,
            result="opened",
        )

        recorded(offer(camera, PLATE, PLATE, track_id=2, after_s=3))
        call.refresh_from_db()
        assert call.log == first

    def test_is_a_new_one_once_the_vehicle_is_blocked(self, camera: Camera) -> None:
        vehicle = known(camera)
        recorded(offer(camera, PLATE, PLATE))
        block(vehicle=vehicle, reason="Stolen", by=make_user("sam"))

        for track_id in (2, 3):
            again = offer(camera, PLATE, PLATE, track_id=track_id, after_s=track_id)
            assert recorded(again).status == "blocked"
        assert VehicleLog.objects.count() == 2

    def test_takes_writing_that_is_longer_than_any_plate(self, camera: Camera) -> None:
        text = "HORNOKPLEASE" * 3

        log = recorded(offer(camera, text, text))
        assert (log.status, log.reason) == ("rejected", "bad_format")
        assert log.plate_number == log.as_read == text[:20]
        assert log.reads[0]["text"] == text

    def test_of_a_camera_that_is_gone_is_dropped(self, camera: Camera) -> None:
        event = replace(offer(camera, PLATE), camera="CAM-GONE")

        assert record_visit(event=event) is None


@pytest.mark.django_db(transaction=True)
class TestSeveralWorkers:
    def test_make_one_row_of_a_vehicle(self) -> None:
        camera = gate_camera()
        events = [
            offer(camera, PLATE, PLATE, track_id=number % 2) for number in range(8)
        ]

        def record(event: PlateOffered) -> None:
            try:
                record_visit(event=event)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as workers:
            list(workers.map(record, events))

        assert VehicleLog.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestNamingMeanwhile:
    def test_waits_for_the_gate_to_decide(self) -> None:
        camera = gate_camera()
        log, by = recorded(offer(camera, PLATE)), make_user("sam")

        def name() -> VehicleLog:
            try:
                return name_visit(log=log, plate=PLATE, by=by, at=NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as people:
            with transaction.atomic():
                locks.hold(f"vehicles/gate/{camera.gate_camera.gate.pk}")
                naming = people.submit(name)
                with pytest.raises(TimeoutError):
                    naming.result(1)
            assert naming.result(10).named_by == by


class TestNameVisit:
    def test_decides_by_the_register_and_opens_nothing(self, camera: Camera) -> None:
        vehicle, by = known(camera), make_user("sam")
        log = recorded(offer(camera, PLATE))

        named = name_visit(log=log, plate="mh 12 ab 1234", by=by, at=NOW)
        assert (named.plate_number, named.vehicle) == (PLATE, vehicle)
        assert (named.status, named.reason) == ("authorized", "listed")
        assert not named.opens
        assert (named.named_by, named.named_at) == (by, NOW)

    def test_tells_a_blocked_one_that_was_let_in_as_unknown(
        self, camera: Camera
    ) -> None:
        gate = camera.gate_camera.gate
        gate.opens_for_unknown = True
        gate.save()
        known(camera, status="blocked", reason="Stolen")
        log = recorded(offer(camera, NEXT, NEXT))
        assert log.opens

        named = name_visit(log=log, plate=PLATE, by=make_user("sam"), at=NOW)
        assert (named.plate_number, named.status, named.opens) == (
            PLATE,
            "blocked",
            True,
        )

    def test_is_no_end_of_it_when_the_camera_reads_a_blocked_plate(
        self, camera: Camera
    ) -> None:
        known(camera, status="blocked", reason="Stolen")
        log = recorded(offer(camera, PLATE))
        name_visit(log=log, plate=NEXT, by=make_user("sam"), at=NOW)

        read = [recorded(offer(camera, PLATE, PLATE)) for _ in range(2)]
        assert [each.status for each in read] == ["blocked"] * 2
        log.refresh_from_db()
        assert (log.plate_number, VehicleLog.objects.count()) == (NEXT, 2)

    @pytest.mark.parametrize("plate", ["", "XX", "MHI2AB1234"])
    def test_refuses_what_is_no_plate_here(self, camera: Camera, plate: str) -> None:
        log = recorded(offer(camera, PLATE))

        with pytest.raises(NotNamed, match="is no plate of this site"):
            name_visit(log=log, plate=plate, by=make_user("sam"), at=NOW)

    def test_leaves_what_is_decided(self, camera: Camera) -> None:
        known(camera)
        log = recorded(offer(camera, PLATE, PLATE))

        with pytest.raises(NotNamed, match="It is MH12AB1234, authorized"):
            name_visit(log=log, plate=NEXT, by=make_user("sam"), at=NOW)


class TestBlock:
    def test_keeps_who_and_why(self, camera: Camera) -> None:
        vehicle, by = known(camera), make_user("sam")

        block(vehicle=vehicle, reason=" Stolen ", by=by)
        vehicle.refresh_from_db()
        assert (vehicle.status, vehicle.reason) == ("blocked", "Stolen")
        unblock(vehicle=vehicle, reason="Found", by=by)

        newest, before, _ = vehicle.history.order_by("-history_id")
        assert (newest.status, newest.history_change_reason) == ("authorized", "Found")
        assert (before.history_user, before.history_change_reason) == (by, "Stolen")

    @pytest.mark.parametrize("was", ["authorized", "visitor"])
    def test_is_undone_to_what_the_vehicle_was(self, camera: Camera, was: str) -> None:
        vehicle, by = known(camera, status=was, valid_until=END), make_user("sam")
        for why in ("Stolen", "Stolen again"):
            block(vehicle=vehicle, reason=why, by=by)

        assert unblock(vehicle=vehicle, reason="Found", by=by).status == was

    def test_of_one_that_was_never_let_in_is_undone_too(self, camera: Camera) -> None:
        vehicle = known(camera, status="blocked", reason="Stolen")

        freed = unblock(vehicle=vehicle, reason="Found", by=make_user("sam"))
        assert freed.status == "authorized"

    def test_needs_a_reason(self, camera: Camera) -> None:
        with pytest.raises(NotChanged, match="Say why"):
            block(vehicle=known(camera), reason=" ", by=make_user("sam"))
