from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from factory_site.demo import staff
from factory_site.demo.cutouts import visitors
from identity import face_model, face_work
from identity.engines import the_engine
from identity.face_model import load_face_model
from identity.models import Employee, FaceSample
from tests.factories import make_employee, make_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from identity.faces import Vector
    from streaming.vision.types import Image

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """Give photos a folder of their own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def _without_weights(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Use dlib's face model, whose weights are a package."""
    settings.MODELS_DIR = tmp_path
    for cached in (face_model.the_face_model, the_engine):
        cached.cache_clear()
    yield
    for cached in (face_model.the_face_model, the_engine):
        cached.cache_clear()


class TestSeed:
    def test_makes_people_of_whom_two_have_a_photo_and_one_left(
        self, media: Path
    ) -> None:
        site = make_site()

        made = staff.seed(site=site, at=timezone.now())

        assert made == [person.code for person in staff.STAFF]
        enrolled = Employee.objects.exclude(faces=None).order_by("code")
        assert [person.code for person in enrolled] == ["D-101", "D-102"]
        assert all(person.enrolled_at for person in enrolled)
        assert len(list(media.rglob("*.jpg"))) == 2
        left = Employee.objects.get(status="inactive")
        assert left.site == site
        for person in Employee.objects.all():
            person.full_clean()

    def test_keeps_edits_over_a_second_start(self) -> None:
        site = make_site()
        staff.seed(site=site, at=timezone.now())
        Employee.objects.filter(code="D-103").update(name="Renamed")
        FaceSample.objects.filter(employee__code="D-102").delete()

        assert staff.seed(site=site, at=timezone.now()) == []

        assert Employee.objects.get(code="D-103").name == "Renamed"
        assert FaceSample.objects.count() == 1

    def test_leaves_alone_who_bears_one_of_its_codes(self) -> None:
        own = make_employee(code="D-101")

        staff.seed(site=make_site(), at=timezone.now())

        own.refresh_from_db()
        assert not own.faces.exists()
        assert Employee.objects.count() == len(staff.STAFF)

    def test_enrols_the_first_visitor_of_the_reception_alone(
        self, shared: Path
    ) -> None:
        model = load_face_model(shared / "models")

        def vector(image: Image) -> Vector:
            face, *_ = model.finder.find(image)
            return model.embedder.embed(image, face)

        known = [
            vector(face_work.pixels(person.portrait.jpeg()))
            for person in staff.STAFF
            if person.portrait
        ]
        first, second = (vector(visitor.image) for visitor in visitors())

        assert not model.is_fallback
        assert known[0] @ first > model.embedder.threshold + model.embedder.margin
        others = [known[1] @ first, *(each @ second for each in known)]
        assert max(others) < model.embedder.threshold
