"""`manage.py index_faces`, against a server that speaks Rekognition's protocol."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from identity import engines
from identity.management.commands.index_faces import index
from identity.models import FaceSample
from tests.cards import card, nobody
from tests.factories import make_employee, make_face_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django import Settings

    from tests.rekognition_server import RekognitionServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def remote(
    rekognition: RekognitionServer,
    redis_client: redis.Redis,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RekognitionServer]:
    """Have the settings choose Rekognition, and a folder of the test for pictures."""
    settings.FACE_ENGINE = "rekognition"
    settings.MAX_REKOGNITION_CALLS_PER_SECOND = 1000
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr("identity.rekognition.retries.FIRST_DELAY_S", 0.0)
    engines.the_engine.cache_clear()
    yield rekognition
    engines.the_engine.cache_clear()


def photo(content: bytes, **values: object) -> FaceSample:
    sample = make_face_sample(**values)
    sample.image.save(str(sample.image.name), ContentFile(content))
    return sample


def run(*options: str) -> str:
    said = StringIO()
    call_command("index_faces", *options, stdout=said, stderr=said)
    return said.getvalue()


class TestIndexFaces:
    def test_adds_the_photos_that_are_missing(self, remote: RekognitionServer) -> None:
        employee = make_employee()
        samples = [photo(card(number), employee=employee) for number in range(2)]
        known = photo(card(2), employee=employee, external_face_id="here/already")

        assert "Added 2 photos, left out 0." in run()

        (faces,) = remote.collections.values()
        ids = {sample.external_face_id for sample in FaceSample.objects.all()}
        name = f"factory-site-{employee.site_id}"
        assert ids == {f"{name}/{face.face_id}" for face in faces} | {"here/already"}
        known.refresh_from_db()
        assert known.external_face_id == "here/already"
        assert len(faces) == len(samples)

    def test_adds_nothing_the_second_time(self, remote: RekognitionServer) -> None:
        photo(card(1))
        run()

        assert "Added 0 photos" in run()
        assert remote.asked("IndexFaces") == 2  # the first time before its collection

    def test_leaves_out_what_cannot_be_added_and_says_which(
        self, remote: RekognitionServer
    ) -> None:
        blank, gone = photo(nobody()), make_face_sample()
        photo(card(1))

        said = run()

        assert f"Photo {blank.pk} was left out." in said
        assert f"Photo {gone.pk} was left out." in said
        assert "Added 1 photos, left out 2." in said

    def test_stops_when_rekognition_does(self, remote: RekognitionServer) -> None:
        photo(card(1))
        remote.faults.is_down = True

        with pytest.raises(CommandError, match="0 of 1 photos were added; run it"):
            run()

        assert FaceSample.objects.remote().count() == 0

    def test_leaves_nothing_of_somebody_erased_meanwhile(
        self, remote: RekognitionServer
    ) -> None:
        sample = photo(card(1))
        FaceSample.objects.all().delete()

        index(sample, engines.the_engine())

        assert list(remote.collections.values()) == [[]]

    def test_is_refused_with_the_local_engine(
        self, remote: RekognitionServer, settings: Settings
    ) -> None:
        settings.FACE_ENGINE = "local"

        with pytest.raises(CommandError, match="FACE_ENGINE is local"):
            run()


class TestRemove:
    def test_takes_every_face_out_known_or_not(self, remote: RekognitionServer) -> None:
        samples = [photo(card(number)) for number in range(2)]
        run()
        engines.the_engine().enrol(jpeg=card(9), employee_id=samples[0].employee_id)

        assert "Removed 3 faces." in run("--remove")

        assert list(remote.collections.values()) == [[], []]
        assert FaceSample.objects.remote().count() == 0
        assert FaceSample.objects.count() == 2

    def test_can_be_finished_later(self, remote: RekognitionServer) -> None:
        photo(card(1))
        run()
        remote.faults.is_down = True

        with pytest.raises(CommandError, match="0 faces were removed; run it again"):
            run("--remove")

        assert FaceSample.objects.remote().count() == 1
