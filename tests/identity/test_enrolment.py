from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connections

from identity import engines, enrolment, face_work
from identity.engines import EngineUnavailable, FaceNotTaken
from identity.models import Employee, FaceSample
from identity.models.people import PHOTOS_MAX
from identity.photo_rules import PhotoRefused
from tests import cards
from tests.cards import card
from tests.factories import make_employee, make_face_sample, make_site, make_user

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from identity.models import User
    from identity.photo_rules import LookedAt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("card_faces")]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class RemoteFaces:
    """A remote engine that remembers what it was told; `away` makes it unavailable."""

    name = "rekognition"

    def __init__(self) -> None:
        self.faces: list[str] = []
        self.is_away = False
        self.finds_no_face = False

    def enrol(self, *, jpeg: bytes, employee_id: int) -> str:
        if self.is_away:
            raise EngineUnavailable("no route")
        if self.finds_no_face:
            raise FaceNotTaken("no face")
        self.faces.append(f"factory-site-1/{employee_id}-{len(self.faces)}")
        return self.faces[-1]

    def forget(self, *, external_ids: list[str]) -> None:
        if self.is_away:
            raise EngineUnavailable("no route")
        self.faces = [face for face in self.faces if face not in external_ids]

    def remote_ids(self, *, site_id: int) -> list[str]:
        return list(self.faces)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> RemoteFaces:
    engine = RemoteFaces()
    settings.FACE_ENGINE = "rekognition"
    monkeypatch.setattr(enrolment, "the_engine", lambda: engine)
    return engine


@pytest.fixture
def employee() -> Employee:
    return make_employee(code="E-104")


def look(person: int, **options: Any) -> LookedAt:
    return face_work.look(card(person, **options))


def enrol(
    employee: Employee, person: int, *, by: User | None = None, **options: Any
) -> FaceSample:
    return enrolment.enrol(
        employee=employee, looked=look(person, **options), by=by, at=NOW
    )


def files() -> list[str]:
    try:
        return default_storage.listdir(enrolment.FOLDER)[1]
    except FileNotFoundError:
        return []


def nothing_is_left(remote: RemoteFaces | None = None) -> bool:
    return (
        not files()
        and not FaceSample.objects.exists()
        and not (remote and remote.faces)
    )


class TestEnrol:
    def test_stores_photo_vector_and_row(self, employee: Employee) -> None:
        amir = make_user("amir")

        sample = enrol(employee, 1, by=amir)

        (name,) = files()
        assert sample.image.name == f"faces/{name}"
        with sample.image.open("rb") as photo:
            assert photo.read()[:2] == b"\xff\xd8"
        assert (sample.face_model, sample.created_by) == ("cards", amir)
        assert (sample.height_px, sample.external_face_id) == (cards.SIZE_PX, "")
        assert 0 < sample.quality <= 1
        employee.refresh_from_db()
        assert employee.enrolled_at == NOW

    def test_says_nothing_of_the_person_in_the_files_name(
        self, employee: Employee
    ) -> None:
        enrol(employee, 1)

        (name,) = files()
        assert UUID(name.removesuffix(".jpg")).version == 4

    def test_keeps_when_the_first_photo_was_taken(self, employee: Employee) -> None:
        enrol(employee, 1)
        later = datetime(2026, 6, 1, tzinfo=UTC)

        enrolment.enrol(employee=employee, looked=look(1, noise=0.3), by=None, at=later)

        employee.refresh_from_db()
        assert (employee.enrolled_at, employee.faces.count()) == (NOW, 2)

    def test_tells_the_remote_engine(
        self, employee: Employee, remote: RemoteFaces
    ) -> None:
        assert enrol(employee, 1).external_face_id == remote.faces[0]


class TestRefusals:
    """Each beside `TestEnrol`, which has the same set-up and is allowed."""

    def test_of_a_face_that_is_somebody_elses(self, remote: RemoteFaces) -> None:
        site = make_site()
        first = make_employee(code="E-104", site=site)
        enrol(first, 1)

        with pytest.raises(PhotoRefused) as refused:
            enrol(make_employee(site=site), 1, noise=0.3)

        assert refused.value.code == "already_enrolled"
        assert "already enrolled as E-104: similarity 0.9" in str(refused.value)
        assert (len(files()), len(remote.faces)) == (1, 1)
        assert FaceSample.objects.get().employee == first

    def test_do_not_reach_over_to_another_site(self) -> None:
        enrol(make_employee(), 1)

        assert enrol(make_employee(), 1).pk

    @pytest.mark.usefixtures("role_groups")
    def test_name_nobody_whom_the_reader_may_not_see(self) -> None:
        site = make_site()
        enrol(make_employee(code="E-104", site=site), 1)
        new = make_employee(site=site)
        words = {}

        for name, role, sites in (("hana", "HR", [site]), ("sam", None, [])):
            by = make_user(name, role=role, sites=sites)
            with pytest.raises(PhotoRefused) as refused:
                enrol(new, 1, by=by)
            words[name] = str(refused.value)

        assert "E-104" in words["hana"]
        assert "somebody else" in words["sam"]
        assert "E-104" not in words["sam"]

    def test_of_who_no_longer_works_here(self, employee: Employee) -> None:
        Employee.objects.filter(pk=employee.pk).update(status="inactive")
        employee.refresh_from_db()

        with pytest.raises(PhotoRefused, match="E-104 no longer works here"):
            enrol(employee, 1)

        assert nothing_is_left()

    def test_of_one_photo_too_many(self, employee: Employee) -> None:
        for _ in range(PHOTOS_MAX):
            make_face_sample(employee=employee)

        with pytest.raises(PhotoRefused, match="10 photos, which is the most"):
            enrol(employee, 1)

        assert files() == []

    def test_of_the_same_photo_again(self, employee: Employee) -> None:
        enrol(employee, 1)

        with pytest.raises(PhotoRefused, match="enrolled already"):
            enrol(employee, 1)

        assert len(files()) == 1

    def test_of_another_person_under_the_same_name(self, employee: Employee) -> None:
        enrol(employee, 1)

        with pytest.raises(PhotoRefused, match="not like the other photos of E-104"):
            enrol(employee, 2)

        assert len(files()) == 1

    def test_of_a_face_that_the_remote_engine_does_not_take(
        self, employee: Employee, remote: RemoteFaces
    ) -> None:
        remote.finds_no_face = True

        with pytest.raises(PhotoRefused, match="face service finds no face"):
            enrol(employee, 1)

        assert nothing_is_left(remote)


class TestUndo:
    """What was stored before a step that failed is taken back."""

    def test_of_the_file_when_the_remote_engine_is_away(
        self, employee: Employee, remote: RemoteFaces
    ) -> None:
        remote.is_away = True

        with pytest.raises(EngineUnavailable):
            enrol(employee, 1)

        assert nothing_is_left(remote)
        employee.refresh_from_db()
        assert employee.enrolled_at is None

    def test_of_file_and_remote_face_when_the_row_is_refused(
        self,
        employee: Employee,
        remote: RemoteFaces,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(**_: object) -> None:
            raise RuntimeError("the database is away")

        monkeypatch.setattr(FaceSample.objects, "create", fail)

        with pytest.raises(RuntimeError):
            enrol(employee, 1)

        assert nothing_is_left(remote)

    def test_of_half_a_file_when_the_disk_is_full(
        self, employee: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fill(name: str, content: ContentFile[bytes]) -> str:
            default_storage._save(name, ContentFile(content.read()[:10]))  # type: ignore[attr-defined]
            raise OSError("No space left on device")

        monkeypatch.setattr(default_storage, "save", fill)

        with pytest.raises(OSError, match="No space left"):
            enrol(employee, 1)

        assert nothing_is_left()

    def test_leaves_a_remote_face_that_another_row_needs(
        self, employee: Employee, remote: RemoteFaces
    ) -> None:
        face = enrol(employee, 1).external_face_id

        assert enrolment.discard_remote([face])

        assert remote.faces == [face]


class TestRemovePhoto:
    def test_removes_row_file_and_remote_face(
        self,
        employee: Employee,
        remote: RemoteFaces,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        sample = enrol(employee, 1)

        with django_capture_on_commit_callbacks(execute=True):
            enrolment.remove_photo(sample=sample, by=make_user("amir"))

        assert nothing_is_left(remote)
        employee.refresh_from_db()
        assert employee.enrolled_at is None

    def test_keeps_who_has_another_photo_enrolled(self, employee: Employee) -> None:
        sample = enrol(employee, 1)
        enrol(employee, 1, noise=0.3)

        enrolment.remove_photo(sample=sample, by=None)

        employee.refresh_from_db()
        assert employee.enrolled_at == NOW


class TestRemoteEngine:
    def test_is_asked_also_after_the_site_went_back_to_the_local_one(
        self, settings: Settings
    ) -> None:
        settings.FACE_ENGINE = "local"
        engines.the_engine.cache_clear()

        assert enrolment.remote_engine().name == "rekognition"


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_enrol_one_face_for_one_person(self) -> None:
        """Both pass the first check; the lock lets the second see the first's row."""
        site = make_site()
        people = [make_employee(site=site) for _ in range(4)]
        looks = [look(1, noise=0.2, seed=number) for number in range(4)]
        start, results = threading.Barrier(4), list[str]()

        def work(number: int) -> None:
            start.wait()
            try:
                enrolment.enrol(
                    employee=people[number], looked=looks[number], by=None, at=NOW
                )
            except PhotoRefused as refused:
                results.append(refused.code)
            else:
                results.append("enrolled")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(results) == ["already_enrolled"] * 3 + ["enrolled"]
        assert (FaceSample.objects.count(), len(files())) == (1, 1)
