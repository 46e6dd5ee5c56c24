"""Vehicles that a person refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import make_user, make_vehicle, make_vehicle_log
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles.arrivals import place_of
from vehicles.models import VehicleLog
from vehicles.services import NotDenied, deny_visit, name_visit, record_visit
from vehicles.statistics import gate_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from identity.models import User
    from streaming.models import Camera
    from vehicles.pipeline import PlateOffered


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def camera(db: None) -> Camera:
    camera = gate_camera()
    make_vehicle(site=camera.site, plate_number=PLATE)
    return camera


@pytest.fixture
def sam(db: None) -> User:
    return make_user("sam")


def recorded(event: PlateOffered) -> VehicleLog:
    log = record_visit(event=event)
    assert log is not None
    log.refresh_from_db()
    return log


def deny(log: VehicleLog, by: User, **values: Any) -> VehicleLog:
    told: Any = {"reason": "No papers", "at": NOW} | values
    return deny_visit(log=log, by=by, **told)


class TestDenyVisit:
    def test_keeps_who_when_and_why(self, camera: Camera, sam: User) -> None:
        log = recorded(offer(camera, PLATE, PLATE))

        deny(log, sam, reason=" No papers ")
        log.refresh_from_db()
        assert (log.denied_by, log.denied_at, log.denied_reason) == (
            sam,
            NOW,
            "No papers",
        )

    def test_leaves_what_the_camera_could_tell(self, camera: Camera, sam: User) -> None:
        log = recorded(offer(camera, PLATE, PLATE))
        before = gate_statistics(VehicleLog.objects.all())

        denied = deny(log, sam)
        assert (denied.status, denied.reason, denied.opens) == (
            "authorized",
            "listed",
            True,
        )
        assert gate_statistics(VehicleLog.objects.all()) == before

    def test_needs_a_reason(self, camera: Camera, sam: User) -> None:
        log = recorded(offer(camera, PLATE))

        with pytest.raises(NotDenied, match="Say why"):
            deny(log, sam, reason=" ")
        log.refresh_from_db()
        assert log.denied_at is None

    def test_is_done_once(self, camera: Camera, sam: User) -> None:
        log = recorded(offer(camera, PLATE))
        deny(log, sam)

        with pytest.raises(NotDenied, match="sam refused it already: No papers"):
            deny(log, make_user("kim"), reason="Rude")

    def test_keeps_a_reason_whoever_writes_it(self, camera: Camera) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_vehicle_log(camera=camera, denied_at=NOW)


class TestDeniedVisit:
    def test_opens_nothing_once_a_later_picture_is_sure(
        self, camera: Camera, sam: User
    ) -> None:
        deny(recorded(offer(camera, PLATE)), sam)

        log = recorded(offer(camera, PLATE, PLATE))
        assert (log.status, log.opens, log.denied_by) == ("authorized", False, sam)
        assert VehicleLog.objects.count() == 1

    def test_goes_on_when_the_vehicle_is_followed_anew(
        self, camera: Camera, sam: User
    ) -> None:
        deny(recorded(offer(camera, PLATE, sure=0.5)), sam)

        log = recorded(offer(camera, PLATE, PLATE, track_id=2, after_s=20))
        assert (log.status, log.opens, log.denied_by) == ("authorized", False, sam)
        assert VehicleLog.objects.count() == 1
        tomorrow = recorded(offer(camera, PLATE, PLATE, track_id=3, after_s=86_400))
        assert tomorrow.opens

    def test_stays_where_its_plate_was_there_a_moment_ago(
        self, camera: Camera, sam: User
    ) -> None:
        before = recorded(offer(camera, PLATE, PLATE))
        denied = deny(recorded(offer(camera, track_id=2, after_s=9)), sam)

        log = recorded(offer(camera, PLATE, PLATE, track_id=2, after_s=9))
        assert (log.pk, log.opens, log.denied_by) == (denied.pk, False, sam)
        assert VehicleLog.objects.filter(pk=before.pk).exists()

    def test_may_be_named_and_opens_nothing(self, camera: Camera, sam: User) -> None:
        log = deny(recorded(offer(camera, PLATE)), sam)

        named = name_visit(log=log, plate=PLATE, by=sam, at=NOW)
        assert (named.status, named.opens, named.denied_by) == (
            "authorized",
            False,
            sam,
        )


@pytest.mark.django_db(transaction=True)
class TestDenyingMeanwhile:
    def test_waits_for_the_gate_to_decide(self) -> None:
        camera = gate_camera()
        log, by = recorded(offer(camera, PLATE)), make_user("sam")

        def denied() -> VehicleLog:
            try:
                return deny(log, by)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as people:
            with transaction.atomic():
                record_visit(event=offer(camera, PLATE, PLATE))
                denying = people.submit(denied)
                with pytest.raises(TimeoutError):
                    denying.result(1)
            assert denying.result(10).status == "unknown"
        assert place_of(log.gate_id, camera.pk) == f"vehicles/gate/{log.gate_id}"
