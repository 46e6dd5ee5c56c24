"""The pictures of visits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage

from tests.vehicles.offers import JPEG, PLATE, gate_camera, offer
from vehicles.models import VehicleLog
from vehicles.services import record_visit

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from streaming.models import Camera
    from vehicles.pipeline import PlateOffered

pytestmark = pytest.mark.django_db
LATER = JPEG + b" taken later"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def record(django_capture_on_commit_callbacks: Any) -> Any:
    def record(event: PlateOffered) -> VehicleLog:
        with django_capture_on_commit_callbacks(execute=True):
            log = record_visit(event=event)
        assert log is not None
        return VehicleLog.objects.get(pk=log.pk)

    return record


@pytest.fixture
def camera() -> Camera:
    return gate_camera()


def files(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )


class TestSnapshots:
    def test_lie_by_day_and_time_of_the_site(
        self, camera: Camera, record: Any, folder: Path
    ) -> None:
        log = record(offer(camera, PLATE, PLATE))

        name = str(log.snapshot.name)
        assert name.startswith(f"snapshots/vehicles/2026-11-20/13-30-01-{camera.code}")
        assert log.plate_snapshot.name == name.replace(".jpg", "-plate.jpg")
        assert files(folder) == sorted([name, str(log.plate_snapshot.name)])
        assert default_storage.open(name).read() == JPEG
        assert log.snapshot_bytes == 2 * len(JPEG)

    def test_are_those_of_the_read_that_decided(
        self, camera: Camera, record: Any, folder: Path
    ) -> None:
        early = offer(camera, PLATE)
        record(early)
        late = offer(camera, PLATE, PLATE, snapshot=LATER, plate=LATER)
        log = record(replace(late, event_id=uuid4(), first_seen_at=early.at))

        names = [str(log.snapshot.name), str(log.plate_snapshot.name)]
        assert files(folder) == sorted(names)
        assert [default_storage.open(name).read() for name in names] == [LATER] * 2

    def test_go_with_a_row_that_was_one_too_many(
        self, camera: Camera, record: Any, folder: Path
    ) -> None:
        first = record(offer(camera, PLATE, PLATE))
        record(offer(camera, PLATE, track_id=2, after_s=3))
        assert len(files(folder)) == 4

        assert record(offer(camera, PLATE, PLATE, track_id=2, after_s=3)) == first
        names = [str(first.snapshot.name), str(first.plate_snapshot.name)]
        assert files(folder) == sorted(names)

    def test_of_no_plate_are_one(
        self, camera: Camera, record: Any, folder: Path
    ) -> None:
        log = record(offer(camera))

        assert files(folder) == [log.snapshot.name]
        assert not log.plate_snapshot

    def test_may_fail_and_the_visit_counts(
        self,
        camera: Camera,
        record: Any,
        folder: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (folder / "snapshots").write_text("in the way")

        log = record(offer(camera, PLATE, PLATE))
        assert (log.status, log.snapshot.name) == ("unknown", "")
        assert "was not stored; its visit is" in caplog.text
