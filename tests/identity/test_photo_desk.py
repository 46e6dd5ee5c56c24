"""Photos of real people through the desk: what is refused, and what is said of it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.core.files.storage import default_storage
from PIL import Image, ImageFilter

from identity import photo_desk
from identity.models import AccessLog, Employee, FaceSample
from identity.photo_rules import PhotoRefused
from identity.rules import Outcome
from streaming import desk
from tests.cards import card, nobody
from tests.factories import make_employee, make_site

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def employee() -> Employee:
    return make_employee(code="E-104")


def jpeg(image: Image.Image, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=92, **options)
    return file.getvalue()


@pytest.mark.weights
class TestBadPhotos:
    """Each its sentence, and nothing is left behind."""

    def refusal(self, employee: Employee, photo: bytes) -> tuple[str, str]:
        before = FaceSample.objects.count()
        with pytest.raises(PhotoRefused) as refused:
            photo_desk.enrol_photo(employee=employee, photo=photo, by=None)
        assert FaceSample.objects.count() == before
        return refused.value.code, str(refused.value)

    def nothing_is_left(self, media: Path) -> bool:
        return not FaceSample.objects.exists() and not list(media.rglob("*.jpg"))

    @pytest.mark.parametrize("kind", ["landscape", "text", "tiny", "blurred", "two"])
    def test_are_refused(
        self, kind: str, employee: Employee, real_faces: Path, media: Path
    ) -> None:
        obama = Image.open(real_faces / "knn_examples/train/obama/obama.jpg")
        photos = {
            "landscape": (jpeg(Image.effect_noise((640, 480), 60)), "no_face"),
            "text": (b"Dear HR, here is my photo.", "no_photo"),
            "tiny": (jpeg(obama.reduce(8)), "too_small"),
            "blurred": (jpeg(obama.filter(ImageFilter.GaussianBlur(9))), "blurred"),
            "two": (
                (real_faces / "knn_examples/test/obama_and_biden.jpg").read_bytes(),
                "several_faces",
            ),
        }
        photo, expected = photos[kind]

        code, sentence = self.refusal(employee, photo)

        assert code == expected, sentence
        assert self.nothing_is_left(media)

    def test_of_50_megapixels_never_reach_the_worker(
        self, employee: Employee, media: Path
    ) -> None:
        photo = BytesIO()
        Image.new("L", (10_000, 5_000)).save(photo, "PNG")

        code, sentence = self.refusal(employee, photo.getvalue())

        assert code == "too_many_pixels"
        assert "50 megapixels (10000 x 5000)" in sentence
        assert self.nothing_is_left(media)

    def test_of_somebody_else_are_refused(
        self, employee: Employee, real_faces: Path, media: Path
    ) -> None:
        folder = real_faces / "knn_examples/train/obama"
        photo_desk.enrol_photo(
            employee=employee, photo=(folder / "obama.jpg").read_bytes(), by=None
        )
        other = make_employee(site=employee.site)

        code, sentence = self.refusal(other, (folder / "obama2.jpg").read_bytes())

        assert code == "already_enrolled"
        assert sentence.startswith("This face is already enrolled as E-104")
        assert len(list(media.rglob("*.jpg"))) == 1


@pytest.mark.weights
class TestGoodPhotos:
    @pytest.mark.parametrize(
        "name",
        [
            "knn_examples/train/obama/obama.jpg",
            "knn_examples/train/biden/biden.jpg",
            "knn_examples/train/kit_harington/john1.jpeg",
            "knn_examples/train/rose_leslie/img1.jpg",
            "knn_examples/train/alex_lacamoire/img1.jpg",
        ],
    )
    def test_are_taken(self, name: str, employee: Employee, real_faces: Path) -> None:
        sample = photo_desk.enrol_photo(
            employee=employee, photo=(real_faces / name).read_bytes(), by=None
        )

        assert sample.height_px >= 80
        assert sample.image.size > 1000

    def test_are_turned_upright_and_stripped_of_where_they_were_taken(
        self, employee: Employee, real_faces: Path
    ) -> None:
        source = Image.open(real_faces / "knn_examples/train/obama/obama.jpg")
        exif = Image.Exif()
        exif[0x0112] = 6  # To be turned by 90 degrees, clockwise.
        exif[0x010F] = "hidden-word"
        exif.get_ifd(0x8825)[1] = "N"
        lying = source.transpose(Image.Transpose.ROTATE_90)

        sample = photo_desk.enrol_photo(
            employee=employee, photo=jpeg(lying, exif=exif), by=None
        )

        with sample.image.open("rb") as file:
            stored = file.read()
        kept = Image.open(BytesIO(stored))
        assert b"hidden-word" not in stored
        assert not kept.getexif()
        assert kept.height >= kept.width

    def test_are_good_to_search_by(self, employee: Employee, real_faces: Path) -> None:
        photo = (real_faces / "knn_examples/train/obama/obama.jpg").read_bytes()
        sample = photo_desk.enrol_photo(employee=employee, photo=photo, by=None)

        found = photo_desk.vector_of(photo=photo)

        assert found.face_model == sample.face_model
        assert found.vector == pytest.approx(list(sample.embedding), abs=1e-6)


@pytest.mark.usefixtures("photo_worker")
class TestStorageAway:
    def test_says_so_and_stores_nothing(
        self, employee: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(name: str, content: object) -> str:
            raise PermissionError(name)

        monkeypatch.setattr(default_storage, "save", refuse)

        with pytest.raises(desk.NoAnswer, match="could not be stored"):
            photo_desk.enrol_photo(employee=employee, photo=card(1), by=None)

        assert not FaceSample.objects.exists()


@pytest.mark.usefixtures("photo_worker")
class TestExaminePhoto:
    def test_praises_a_good_photo(self) -> None:
        report = photo_desk.examine_photo(photo=card(1))

        assert (report.ok, report.code, report.faces) == (True, "", 1)
        assert report.sentence == photo_desk.GOOD
        assert report.box == (0.0, 0.0, 1.0, 1.0)
        assert (report.quality or 0) > 0.5

    def test_tells_what_is_wrong_in_the_report(self) -> None:
        report = photo_desk.examine_photo(photo=nobody())

        assert (report.ok, report.code, report.faces) == (False, "no_face", 0)
        assert report.box is None

    def test_tells_of_a_file_that_is_no_photo(self) -> None:
        report = photo_desk.examine_photo(photo=b"Dear HR")

        assert (report.ok, report.code) == (False, "no_photo")

    def test_stores_nothing(self, media: Path) -> None:
        photo_desk.examine_photo(photo=card(1))

        assert not FaceSample.objects.exists()
        assert not media.exists()


@pytest.mark.usefixtures("photo_worker")
class TestPeopleIn:
    def test_names_who_is_enrolled_at_the_site(self, employee: Employee) -> None:
        photo_desk.enrol_photo(employee=employee, photo=card(1), by=None)

        (seen,) = photo_desk.people_in(photo=card(1, noise=0.2), site=employee.site)

        assert (seen.employee, seen.decision) == (employee, "authorized")
        found = seen.seen
        assert (found.verdict.outcome, found.verdict.person) == (
            Outcome.MATCH,
            employee.pk,
        )
        assert found.verdict.similarity > 0.9  # type: ignore[operator]
        assert (found.engine, found.face_model) == ("local", "cards")
        assert found.policy.threshold == 0.42
        assert len(found.face.vector) == 128
        assert found.face.jpeg[:2] == b"\xff\xd8"
        assert not AccessLog.objects.exists()

    def test_names_nobody_of_another_site(self, employee: Employee) -> None:
        photo_desk.enrol_photo(employee=employee, photo=card(1), by=None)

        (seen,) = photo_desk.people_in(photo=card(1), site=make_site())

        assert (seen.employee, seen.decision) == (None, "unknown")

    def test_refuses_who_may_not_enter(self, employee: Employee) -> None:
        photo_desk.enrol_photo(employee=employee, photo=card(1), by=None)
        Employee.objects.update(is_authorized=False)

        (seen,) = photo_desk.people_in(photo=card(1), site=employee.site)

        assert (seen.employee, seen.decision) == (employee, "unauthorized")

    def test_finds_nobody_where_nobody_is(self) -> None:
        assert photo_desk.people_in(photo=nobody(), site=make_site()) == []

    def test_refuses_what_is_no_picture(self) -> None:
        with pytest.raises(PhotoRefused, match="no photo"):
            photo_desk.people_in(photo=b"Dear HR", site=make_site())


@pytest.mark.usefixtures("photo_worker")
class TestVectorOf:
    def test_refuses_a_photo_without_a_face(self) -> None:
        with pytest.raises(PhotoRefused, match="No face was found"):
            photo_desk.vector_of(photo=nobody())


class TestNoWorker:
    @pytest.mark.usefixtures("redis_client")
    def test_says_so_and_stores_nothing(
        self, employee: Employee, monkeypatch: pytest.MonkeyPatch, media: Path
    ) -> None:
        monkeypatch.setattr(desk.ask, "__kwdefaults__", {"blob": b"", "timeout_s": 0.2})

        with pytest.raises(desk.NoAnswer, match="worker does not answer"):
            photo_desk.enrol_photo(employee=employee, photo=card(1), by=None)

        assert not FaceSample.objects.exists()
        assert not media.exists()
