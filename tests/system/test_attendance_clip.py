"""From a recording of a reception to a day that can be proven, by the real worker."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from factory_site.demo.footage import write_reception_clip
from factory_site.demo.staff import STAFF
from tests.system.conftest import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.conftest import Plant

pytestmark = [pytest.mark.system, pytest.mark.weights]
PATIENCE_S = 100
RECEPTION = """
from datetime import date, timedelta
from pathlib import Path
from django.utils import timezone
from attendance.models import Shift, ShiftAssignment
from identity.face_model import the_face_model
from identity.faces import decode
from identity.models import Employee, FaceSample
from occupancy.models import CountingLine
from streaming.models import Camera, Site
site = Site.objects.create(name="Plant", slug="plant", time_zone="UTC")
camera = Camera.objects.create(
    site=site, code="CAM-MAIN", name="Main", source_url={clip!r}, direction="both",
    tasks=["faces", "attendance"],
)
CountingLine.objects.create(camera=camera, name="Middle", x1=.6, y1=0, x2=.6, y2=1)
employee = Employee.objects.create(site=site, code="D-101", name="Somebody")
model, image = the_face_model(), decode(Path({photo!r}).read_bytes())
(face,) = model.finder.find(image)
vector = model.embedder.embed(image, face)
FaceSample.objects.create(
    employee=employee, embedding=vector, image="a.jpg", face_model=model.embedder.name,
    quality=1, height_px=200,
)
began, ends = (timezone.now() + timedelta(hours=hours) for hours in (-1, 6))
shift = Shift.objects.create(
    site=site, shift_name="A", start_time=began.time(), end_time=ends.time(),
    grace_period_minutes=120,
)
ShiftAssignment.objects.create(
    employee=employee, shift=shift, starts_on=date(2026, 1, 1)
)
"""
DAYS = """
SELECT employee.code, day.status, day.check_out_at, event.source, event.way,
       event.occurred_at = day.check_in_at, event.occurred_at < log.occurred_at,
       log.decision, log.snapshot
FROM attendance_attendancerecord day
JOIN identity_employee employee ON employee.id = day.employee_id
JOIN attendance_presenceevent event ON event.id = day.check_in_id
JOIN identity_accesslog log ON log.id = event.access_log_id
"""
UNKNOWN = """
SELECT unknown.state, log.decision FROM attendance_unknownattendance unknown
JOIN identity_accesslog log ON log.id = unknown.access_log_id
"""
TABLES = (
    "attendance_attendancerecord",
    "attendance_presenceevent",
    "attendance_passage",
    "attendance_unknownattendance",
)
PLAYED = "SELECT state_since FROM streaming_camera WHERE state = 'ended'"


@pytest.fixture
def reception(empty_plant: Plant, shared: Path, tmp_path: Path) -> Plant:
    """Give a plant to which an employee comes, and then somebody else."""
    plant = replace(empty_plant, models=shared / "models")
    clip, photo = tmp_path / "reception.mp4", tmp_path / "carlo.jpg"
    write_reception_clip(clip)
    portrait = STAFF[0].portrait
    assert portrait is not None
    photo.write_bytes(portrait.jpeg())
    plant.manage("shell", "-c", RECEPTION.format(clip=str(clip), photo=str(photo)))
    return plant


def play(plant: Plant) -> None:
    """Have the worker play the recording to its end, and record all that it shows."""
    before = plant.rows(PLAYED)
    with plant.vision() as worker:
        wait_until(lambda: plant.rows(PLAYED) not in ([], before), timeout_s=PATIENCE_S)
        wait_until(lambda: bool(plant.rows(UNKNOWN)), timeout_s=PATIENCE_S)
        worker.send(signal.SIGTERM)
        assert worker.exit_code() == 0


def everything(plant: Plant) -> list[list[tuple[Any, ...]]]:
    return [plant.rows(f"SELECT * FROM {name} ORDER BY id") for name in TABLES]


class TestReception:
    def test_makes_a_day_with_its_proof_and_the_same_of_the_recording_again(
        self, reception: Plant
    ) -> None:
        play(reception)

        ((*day, snapshot),) = reception.rows(DAYS)
        came = ["face", "in", True, True]
        assert day == ["D-101", "present", None, *came, "authorized"]
        picture = reception.folder / "media" / snapshot
        assert picture.read_bytes().startswith(b"\xff\xd8")
        assert reception.rows(UNKNOWN) == [("open", "unknown")]

        before = everything(reception)
        assert all(before)
        play(reception)
        assert everything(reception) == before
