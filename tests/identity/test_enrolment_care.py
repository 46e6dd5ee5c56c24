from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from identity import enrolment, enrolment_care
from identity.engines import EngineUnavailable
from identity.enrolment_care import Tidied
from tests.factories import make_employee, make_face_sample

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from pytest_django import Settings

    from identity.models import Employee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client")]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NIGHT = timedelta(days=1)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


class Collection:
    """A remote engine's faces of all sites; `away` makes it unavailable."""

    name = "rekognition"

    def __init__(self) -> None:
        self.faces = {"a", "b", "c"}
        self.is_away = False

    def remote_ids(self, *, site_id: int) -> list[str]:
        if self.is_away:
            raise EngineUnavailable("no route")
        return sorted(self.faces)

    def forget(self, *, external_ids: list[str]) -> None:
        if self.is_away:
            raise EngineUnavailable("no route")
        self.faces -= set(external_ids)


@pytest.fixture
def collection(monkeypatch: pytest.MonkeyPatch) -> Collection:
    engine = Collection()
    monkeypatch.setattr(enrolment_care, "the_engine", lambda: engine)
    monkeypatch.setattr(enrolment, "remote_engine", lambda: engine)
    return engine


@pytest.fixture
def employee() -> Employee:
    return make_employee()


def write(name: str, *, age: timedelta) -> Path:
    default_storage.save(name, ContentFile(b"\xff\xd8"))
    path = default_storage.path(name)
    at_s = (NOW - age).timestamp()
    os.utime(path, (at_s, at_s))
    return default_storage.path(name)  # type: ignore[return-value]


class TestTidy:
    def test_removes_old_files_that_no_row_knows_of(self, employee: Employee) -> None:
        for name, age in (("known", 2), ("stray", 2), ("new", 0.9)):
            write(f"faces/{name}.jpg", age=age * NIGHT)
        write("snapshots/unknown/old.jpg", age=9 * NIGHT)
        make_face_sample(employee=employee, image="faces/known.jpg")

        assert enrolment_care.tidy(now=NOW) == Tidied(files=1, remote_faces=0)

        assert sorted(default_storage.listdir("faces")[1]) == ["known.jpg", "new.jpg"]
        assert default_storage.exists("snapshots/unknown/old.jpg")

    def test_goes_on_past_a_file_that_cannot_be_looked_at(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written_at = FileSystemStorage.get_modified_time

        def refusing(self: FileSystemStorage, name: str) -> datetime:
            if name == "faces/locked.jpg":
                raise PermissionError(name)
            return written_at(self, name)

        for name in ("locked", "stray"):
            write(f"faces/{name}.jpg", age=2 * NIGHT)
        monkeypatch.setattr(FileSystemStorage, "get_modified_time", refusing)

        assert enrolment_care.tidy(now=NOW).files == 1

    def test_has_nothing_to_do_before_the_first_photo(self) -> None:
        assert enrolment_care.tidy(now=NOW) == Tidied(0, 0)

    def test_removes_remote_faces_that_have_no_row_two_nights_running(
        self, employee: Employee, collection: Collection
    ) -> None:
        make_face_sample(employee=employee, external_face_id="a")

        assert enrolment_care.tidy(now=NOW).remote_faces == 0
        make_face_sample(employee=employee, external_face_id="b")
        assert enrolment_care.tidy(now=NOW + NIGHT).remote_faces == 1

        assert collection.faces == {"a", "b"}

    def test_leaves_the_remote_faces_of_tonight(
        self, employee: Employee, collection: Collection
    ) -> None:
        enrolment_care.tidy(now=NOW)
        collection.faces.add("d")

        enrolment_care.tidy(now=NOW + NIGHT)

        assert collection.faces == {"d"}

    def test_waits_for_a_remote_engine_that_is_away(
        self, employee: Employee, collection: Collection
    ) -> None:
        enrolment_care.tidy(now=NOW)
        collection.is_away = True
        assert enrolment_care.tidy(now=NOW + NIGHT).remote_faces == 0
        collection.is_away = False

        assert enrolment_care.tidy(now=NOW + 2 * NIGHT).remote_faces == 3

    def test_begins_anew_when_redis_has_forgotten(
        self, employee: Employee, collection: Collection, redis_client: redis.Redis
    ) -> None:
        enrolment_care.tidy(now=NOW)
        redis_client.flushdb()

        assert enrolment_care.tidy(now=NOW + NIGHT).remote_faces == 0
