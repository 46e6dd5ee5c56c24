"""Visits at the gates that are older than they are kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from factory_site import schedules
from tests.vehicles.offers import JPEG, gate_camera
from vehicles import retention, tasks
from vehicles.models import BarrierCall, Gate, VehicleLog
from vehicles.retention import Forgotten, forget_old

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from streaming.models import Camera

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING = Forgotten(visits=0, calls=0, files=0, bytes=0, orphans=0, failed=0)


@pytest.fixture(autouse=True)
def kept(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.VEHICLE_DAYS, settings.SNAPSHOT_DAYS = 60, 30


@pytest.fixture
def camera() -> Camera:
    return gate_camera()


def store(name: str, *, age: timedelta) -> str:
    stored = default_storage.save(name, ContentFile(JPEG))
    written_s = (NOW - age).timestamp()
    os.utime(default_storage.path(stored), (written_s, written_s))
    return stored


def make_visit(camera: Camera, *, age: timedelta, **values: Any) -> VehicleLog:
    """Make a visit with both of its pictures."""
    at = NOW - age
    folder, name = f"snapshots/vehicles/{at:%Y-%m-%d}", uuid4().hex
    defaults: dict[str, Any] = {
        "event_id": uuid4(),
        "camera": camera,
        "gate": Gate.objects.get(),
        "threshold": 0.85,
        "vehicle_type": "car",
        "status": "rejected",
        "reason": "NO_PLATE",
        "session": "s",
        "track_id": 1,
        "x": 0.5,
        "y": 0.5,
        "occurred_at": at,
        "last_seen_at": at,
        "snapshot": store(f"{folder}/{name}.jpg", age=age),
        "plate_snapshot": store(f"{folder}/{name}-plate.jpg", age=age),
        "snapshot_bytes": 2 * len(JPEG),
    }
    return VehicleLog.objects.create(**defaults | values)


def files() -> set[str]:
    found = set()
    for day in default_storage.listdir("snapshots/vehicles")[0]:
        folder = f"snapshots/vehicles/{day}"
        found |= {f"{folder}/{file}" for file in default_storage.listdir(folder)[1]}
    return found


class TestForgetOld:
    def test_deletes_old_visits_and_before_them_their_pictures(
        self, camera: Camera
    ) -> None:
        make_visit(camera, age=61 * DAY)
        bare = make_visit(camera, age=59 * DAY)
        new = make_visit(camera, age=29 * DAY)

        done = forget_old(now=NOW)

        assert (done.visits, done.files, done.bytes) == (1, 4, 4 * len(JPEG))
        assert set(VehicleLog.objects.all()) == {bare, new}
        bare.refresh_from_db()
        assert (bare.snapshot.name, bare.plate_snapshot.name) == ("", "")
        assert bare.snapshot_bytes == 0
        assert files() == {new.snapshot.name, new.plate_snapshot.name}
        assert forget_old(now=NOW) == NOTHING

    def test_deletes_pictures_with_their_visit_where_it_goes_first(
        self, camera: Camera, settings: Settings
    ) -> None:
        settings.SNAPSHOT_DAYS = 90
        make_visit(camera, age=61 * DAY)

        assert forget_old(now=NOW).visits == 1
        assert not files()

    def test_keeps_a_visit_that_goes_on(self, camera: Camera) -> None:
        make_visit(camera, age=61 * DAY, last_seen_at=NOW)

        assert forget_old(now=NOW) == NOTHING

    def test_deletes_old_calls_of_barriers(self, camera: Camera) -> None:
        for age in (59, 61):
            BarrierCall.objects.create(
                gate=Gate.objects.get(), asked_at=NOW - age * DAY, result="opened"
            )

        assert forget_old(now=NOW).calls == 1
        assert BarrierCall.objects.get().asked_at == NOW - 59 * DAY

    def test_removes_pictures_that_no_visit_has_any_more(self, camera: Camera) -> None:
        kept = make_visit(camera, age=2 * DAY)
        folder = f"snapshots/vehicles/{NOW - 2 * DAY:%Y-%m-%d}"
        store(f"{folder}/left.jpg", age=2 * DAY)
        fresh = store(f"{folder}/fresh.jpg", age=timedelta(hours=23))

        done = forget_old(now=NOW)

        assert (done.files, done.orphans) == (1, 1)
        assert files() == {kept.snapshot.name, kept.plate_snapshot.name, fresh}

    def test_keeps_a_visit_whose_picture_cannot_be_removed(
        self, camera: Camera, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stuck = make_visit(camera, age=61 * DAY)
        make_visit(camera, age=62 * DAY)
        delete = FileSystemStorage.delete

        def refuse(storage: FileSystemStorage, name: str) -> None:
            if name == stuck.snapshot.name:
                raise PermissionError
            delete(storage, name)

        monkeypatch.setattr(FileSystemStorage, "delete", refuse)
        done = forget_old(now=NOW)

        assert (done.visits, done.failed) == (1, 1)
        assert VehicleLog.objects.get() == stuck
        monkeypatch.undo()
        assert forget_old(now=NOW).visits == 1

    def test_takes_batch_after_batch(
        self, camera: Camera, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        for _ in range(5):
            make_visit(camera, age=61 * DAY)

        assert forget_old(now=NOW).visits == 5


class TestSchedule:
    def test_forgets_every_night(self) -> None:
        (job,) = (
            job for job in schedules.JOBS if job.task == tasks.forget_old_visits.name
        )

        assert (job.hour, job.minute) == ("2", "5")
        assert set(tasks.forget_old_visits()) == set(NOTHING.__slots__)
