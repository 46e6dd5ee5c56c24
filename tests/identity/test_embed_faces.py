from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from identity import face_work
from tests import cards
from tests.factories import make_employee, make_face_sample

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from identity.models import FaceSample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("card_faces")]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "identity.management.commands.embed_faces.the_face_model", cards.card_model
    )


def make_photo(jpeg: bytes, *, code: str = "E-1") -> FaceSample:
    name = default_storage.save(f"faces/{code}.jpg", ContentFile(jpeg))
    employee = make_employee(code=code)
    return make_face_sample(employee=employee, image=name, face_model="earlier")


class TestEmbedFaces:
    def test_describes_photos_of_an_earlier_model_anew(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sample = make_photo(cards.card(1))
        make_face_sample(face_model="cards")

        call_command("embed_faces")

        sample.refresh_from_db()
        (face,) = face_work.look(cards.card(1)).faces
        assert sample.face_model == "cards"
        assert list(sample.embedding) == pytest.approx(list(face.vector), abs=1e-6)
        assert "Of 1 photos, 1 are now known by cards." in capsys.readouterr().out

    def test_names_whose_photo_it_leaves_out_and_goes_on(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        blank = make_photo(cards.nobody(), code="E-1")
        gone = make_face_sample(
            employee=make_employee(code="E-2"), face_model="earlier"
        )
        good = make_photo(cards.card(3), code="E-3")

        call_command("embed_faces")

        said = capsys.readouterr()
        for row in (blank, gone, good):
            row.refresh_from_db()
        assert [row.face_model for row in (blank, gone, good)] == [
            "earlier",
            "earlier",
            "cards",
        ]
        assert "A photo of E-1 was left out; take a new one. No face" in said.err
        assert "A photo of E-2 was left out" in said.err
        assert "Of 3 photos, 1 are" in said.out

    def test_has_nothing_to_do_the_second_time(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make_photo(cards.card(1))
        call_command("embed_faces")

        call_command("embed_faces")

        assert "Of 0 photos, 0 are" in capsys.readouterr().out
