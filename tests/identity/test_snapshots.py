from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command

from factory_site import schedules, tasks
from identity import snapshots
from identity.models import AccessLog
from identity.snapshots import Freed, Held
from tests.factories import make_access_log, make_camera, make_employee

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
DAYS_90 = timedelta(days=90)
JPEG = b"\xff\xd8" + 98 * b"x"
NOTHING = Freed(files=0, bytes=0, rows=0, missing=0, orphans=0, failed=0)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """Give the files a folder of their own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def make_visit(*, age: timedelta, **values: Any) -> AccessLog:
    """Make a visit with a picture."""
    at = NOW - age
    name = f"snapshots/unknown/{at:%Y-%m-%d}/{at:%H-%M-%S}-{os.urandom(4).hex()}.jpg"
    default_storage.save(name, ContentFile(JPEG))
    return make_access_log(
        snapshot=name, snapshot_bytes=len(JPEG), occurred_at=at, **values
    )


def clean_up(*, dry_run: bool = False) -> Freed:
    return snapshots.clean_up(older_than=DAYS_90, now=NOW, dry_run=dry_run)


def make_old(path: Path, *, age: timedelta) -> None:
    written_s = (NOW - age).timestamp()
    os.utime(path, (written_s, written_s))


class TestCleanUp:
    def test_removes_the_pictures_of_old_visits_and_keeps_the_visits(self) -> None:
        old = make_visit(age=timedelta(days=91), notes="With a parcel")
        new = make_visit(age=timedelta(days=89))

        freed = clean_up()

        assert freed == Freed(
            files=1, bytes=100, rows=1, missing=0, orphans=0, failed=0
        )
        before = AccessLog.objects.values().get(pk=old.pk)
        assert (before["snapshot"], before["snapshot_bytes"]) == ("", 0)
        assert before["notes"] == "With a parcel"
        assert before["embedding"] is not None
        assert not default_storage.exists(str(old.snapshot))
        new.refresh_from_db()
        assert default_storage.exists(str(new.snapshot))

    def test_finds_nothing_the_second_time(self) -> None:
        make_visit(age=timedelta(days=91))
        clean_up()

        assert clean_up() == NOTHING

    def test_goes_on_past_files_that_cannot_be_removed(
        self, media: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        age = timedelta(days=100)
        gone, folder, outside, fine = (make_visit(age=age) for _ in range(4))
        (media / str(gone.snapshot)).unlink()
        (media / str(folder.snapshot)).unlink()
        (media / str(folder.snapshot) / "inside").mkdir(parents=True)
        AccessLog.objects.filter(pk=outside.pk).update(snapshot="../../elsewhere.jpg")

        freed = clean_up()

        assert (freed.files, freed.rows, freed.missing, freed.failed) == (1, 2, 1, 2)
        assert not default_storage.exists(str(fine.snapshot))
        kept = AccessLog.objects.with_snapshot().order_by("pk")
        assert list(kept) == [folder, outside]
        assert str(folder.snapshot) in caplog.text
        assert "../../elsewhere.jpg" in caplog.text

    def test_tries_again_what_it_could_not_remove(self, media: Path) -> None:
        log = make_visit(age=timedelta(days=100))
        path = media / str(log.snapshot)
        path.unlink()
        (path / "inside").mkdir(parents=True)
        assert clean_up().failed == 1
        (path / "inside").rmdir()
        path.rmdir()
        path.write_bytes(JPEG)

        assert clean_up().files == 1

    def test_goes_on_where_it_was_broken_off(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(snapshots, "BATCH", 2)
        logs = [make_visit(age=timedelta(days=100)) for _ in range(5)]
        for log in logs[:1]:
            default_storage.delete(str(log.snapshot))

        freed = clean_up()

        assert (freed.files, freed.missing, freed.rows) == (4, 1, 5)
        assert not AccessLog.objects.with_snapshot().exists()

    def test_removes_nothing_in_a_dry_run_but_says_what_it_would(
        self, media: Path
    ) -> None:
        log = make_visit(age=timedelta(days=91))

        would = clean_up(dry_run=True)

        log.refresh_from_db()
        assert (media / str(log.snapshot)).is_file()
        assert would == clean_up()

    def test_removes_pictures_that_no_visit_has_once_a_day_old(
        self, media: Path
    ) -> None:
        mine = make_visit(age=timedelta(days=3))
        folder = (media / str(mine.snapshot)).parent
        lost, fresh = folder / "lost.jpg", folder / "fresh.jpg"
        odd = media / "snapshots" / "unknown" / "keep" / "me.jpg"
        odd.parent.mkdir()
        for path in (lost, fresh, odd):
            path.write_bytes(JPEG)
        for path in (lost, odd, media / str(mine.snapshot)):
            make_old(path, age=timedelta(days=2))
        make_old(fresh, age=timedelta(hours=1))

        freed = clean_up()

        assert (freed.files, freed.orphans, freed.bytes) == (1, 1, 100)
        left = {path.name for path in folder.iterdir()}
        assert left == {"fresh.jpg", Path(str(mine.snapshot)).name}
        assert odd.exists()

    def test_goes_on_past_a_folder_that_cannot_be_read(
        self, media: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listdir = FileSystemStorage.listdir

        def refusing(self: FileSystemStorage, path: str) -> tuple[list[str], list[str]]:
            if path.endswith("2026-05-01"):
                raise PermissionError(path)
            return listdir(self, path)

        for day in ("2026-05-01", "2026-05-02"):
            lost = media / "snapshots" / "known" / day / "lost.jpg"
            lost.parent.mkdir(parents=True)
            lost.write_bytes(JPEG)
            make_old(lost, age=timedelta(days=2))
        monkeypatch.setattr(FileSystemStorage, "listdir", refusing)

        assert clean_up().orphans == 1

    def test_goes_on_past_a_file_that_cannot_be_looked_at(
        self, media: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written_at = FileSystemStorage.get_modified_time

        def refusing(self: FileSystemStorage, name: str) -> datetime:
            if name.endswith("locked.jpg"):
                raise PermissionError(name)
            return written_at(self, name)

        folder = media / "snapshots" / "known" / "2026-05-01"
        folder.mkdir(parents=True)
        for name in ("locked.jpg", "lost.jpg"):
            (folder / name).write_bytes(JPEG)
            make_old(folder / name, age=timedelta(days=2))
        monkeypatch.setattr(FileSystemStorage, "get_modified_time", refusing)

        assert clean_up().orphans == 1

    def test_may_be_of_some_visits_alone(self) -> None:
        mine, other = (make_visit(age=timedelta(days=91)) for _ in range(2))

        freed = snapshots.clean_up(
            older_than=DAYS_90, now=NOW, logs=AccessLog.objects.filter(pk=mine.pk)
        )

        assert freed.files == 1
        assert list(AccessLog.objects.with_snapshot()) == [other]


class TestStats:
    def test_tells_how_much_of_whom_there_is(self) -> None:
        make_visit(age=timedelta(days=1), employee=make_employee())
        make_visit(age=timedelta(days=1))
        make_visit(age=timedelta(days=3), decision="ambiguous")
        make_access_log()

        told = snapshots.stats()

        assert told.total == Held(3, 300)
        assert (told.known, told.unknown) == (Held(1, 100), Held(2, 200))
        assert told.oldest_at == NOW - timedelta(days=3)
        assert list(told.per_day.items()) == [
            (date(2026, 5, 31), Held(2, 200)),
            (date(2026, 5, 29), Held(1, 100)),
        ]

    def test_tells_only_of_the_visits_asked_for(self) -> None:
        camera = make_camera()
        make_visit(age=timedelta(days=1), camera=camera)
        make_visit(age=timedelta(days=1))

        told = snapshots.stats(logs=AccessLog.objects.filter(camera=camera))

        assert told.total == Held(1, 100)

    def test_is_all_zeros_without_pictures(self) -> None:
        told = snapshots.stats()

        assert (told.total, told.oldest_at, told.per_day) == (Held(), None, {})


class TestCommand:
    def test_says_what_it_removed(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_visit(age=timedelta(days=10**4))

        call_command("cleanup_snapshots", "--dry-run")
        call_command("cleanup_snapshots", "--older-than-days", "9")

        would, did = capsys.readouterr().out.splitlines()
        assert would.startswith("Would remove 1 pictures, 100")
        assert did.startswith("Removed 1 pictures, 100")
        assert did.endswith(
            "of 1 visits; 0 were gone already, 0 belonged to no visit, "
            "0 could not be removed."
        )

    @pytest.mark.parametrize("days", ["0", "-1", "x", "1.5"])
    def test_refuses_what_is_no_number_of_days(self, days: str) -> None:
        with pytest.raises(CommandError, match="no number of days"):
            call_command("cleanup_snapshots", f"--older-than-days={days}")


class TestNightlyJob:
    def test_removes_what_is_older_than_the_setting(self, settings: Settings) -> None:
        settings.SNAPSHOT_DAYS = 30
        make_visit(age=timedelta(days=10**4))

        done = tasks.remove_old_snapshots.apply().get()

        assert (done["files"], done["bytes"]) == (1, 100)

    def test_runs_at_two(self) -> None:
        (job,) = (
            job for job in schedules.JOBS if job.task == tasks.remove_old_snapshots.name
        )

        assert (job.hour, job.minute) == ("2", "0")
