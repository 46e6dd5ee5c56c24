"""What stays of somebody's vehicles once they are erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from alerts.models import Alert
from identity.erasure import erase
from tests.factories import (
    make_alert,
    make_camera,
    make_employee,
    make_vehicle,
    make_vehicle_log,
)
from vehicles.models import Vehicle, VehicleLog

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from identity.models import Employee
    from streaming.models import Camera

pytestmark = pytest.mark.django_db
PLATE = "MH12AB1234"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def camera() -> Camera:
    return make_camera()


@pytest.fixture
def asha(camera: Camera) -> Employee:
    return make_employee(site=camera.site, code="E-104", name="Asha Ranganathan")


def erased(person: Employee) -> Any:
    return erase(employee=person, by=None, at=timezone.now())


class TestErasure:
    def test_takes_vehicles_and_their_history(
        self, camera: Camera, asha: Employee
    ) -> None:
        theirs = make_vehicle(site=camera.site, plate_number=PLATE, employee=asha)
        other = make_vehicle(site=camera.site, plate_number="KA01CD0001")

        done = erased(asha)

        assert list(Vehicle.objects.all()) == [other]
        assert not Vehicle.history.filter(id=theirs.pk).exists()
        assert done.removed["vehicles"] == 1

    def test_leaves_visits_without_plate_and_picture(
        self,
        camera: Camera,
        asha: Employee,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        theirs = make_vehicle(site=camera.site, plate_number=PLATE, employee=asha)
        name = default_storage.save("snapshots/vehicles/a.jpg", ContentFile(b"x"))
        make_vehicle_log(camera=camera, vehicle=theirs, plate_number=PLATE)
        make_vehicle_log(
            camera=camera, plate_number=PLATE, as_read=PLATE, snapshot=name
        )
        elsewhere = make_vehicle_log(plate_number=PLATE)

        with django_capture_on_commit_callbacks(execute=True):
            done = erased(asha)

        assert done.removed["vehicle_visits_emptied"] == 2
        assert list(VehicleLog.objects.exclude(plate_number="")) == [elsewhere]
        emptied = VehicleLog.objects.filter(camera=camera)
        assert {(row.as_read, str(row.snapshot)) for row in emptied} == {("", "")}
        assert not default_storage.exists(name)

    def test_leaves_that_somebody_refused_it_and_not_why(
        self, camera: Camera, asha: Employee
    ) -> None:
        theirs = make_vehicle(site=camera.site, plate_number=PLATE, employee=asha)
        now = timezone.now()
        denied = {"denied_at": now, "denied_reason": "Asha Ranganathan was drunk"}
        make_vehicle_log(camera=camera, vehicle=theirs, plate_number=PLATE, **denied)
        make_vehicle_log(camera=camera, **denied, plate_number="KA01CD0001")

        erased(asha)

        emptied, other = VehicleLog.objects.order_by("plate_number")
        assert (emptied.denied_at, emptied.denied_reason) == (now, "Erased")
        assert other.denied_reason == "Erased person was drunk"

    def test_leaves_a_block_that_is_nobodys(
        self, camera: Camera, asha: Employee
    ) -> None:
        make_vehicle(
            site=camera.site,
            plate_number=PLATE,
            employee=asha,
            status="blocked",
            reason="Asha Ranganathan hit the fence",
            owner="Asha",
        )

        erased(asha)

        left = Vehicle.objects.get()
        assert (left.plate_number, left.status) == (PLATE, "blocked")
        assert (left.employee, left.owner) == (None, "")
        assert left.reason == "Erased person hit the fence"
        history = left.history.get()
        assert (history.status, history.employee_id, history.owner) == (
            "blocked",
            None,
            "",
        )

    def test_takes_the_plate_from_alerts(self, camera: Camera, asha: Employee) -> None:
        make_vehicle(site=camera.site, plate_number=PLATE, employee=asha)
        make_alert(camera=camera, subject=PLATE, text=f"{PLATE} is at Gate 1.")

        erased(asha)

        alert = Alert.objects.get()
        assert PLATE not in alert.subject + alert.text
