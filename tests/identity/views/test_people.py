"""The list of people, each one's page, and enrolment without its scripts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from factory_site.roles import HR, SECURITY
from identity.models import AccessLog, FaceSample
from identity.views import people, photos
from streaming import desk
from tests import cards
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_face_sample,
    make_site,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import (
        DjangoAssertNumQueries,
        DjangoCaptureOnCommitCallbacks,
        Settings,
    )

    from identity.models import Employee
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 18
JSON = {"Accept": "application/json"}


def names(response: Any) -> list[str]:
    return re.findall(r'id="person-\d+"[^>]*>([^<]+)', response.content.decode())


def upload(photo: bytes, name: str = "photo.jpg") -> dict[str, SimpleUploadedFile]:
    return {"photo": SimpleUploadedFile(name, photo)}


class TestPeople:
    def test_answers_in_its_first_line(
        self, security: Client, asha: Employee, site: Site
    ) -> None:
        make_face_sample(employee=asha)
        make_employee(site=site)
        make_employee(site=site, status="inactive")
        make_employee()

        assert "2 work here, 1 without a photo" in text(security.get("/people"))

    def test_leaves_out_whoever_was_erased(self, security: Client, site: Site) -> None:
        make_employee(site=site, status="inactive", erased_at=timezone.now())

        page = security.get("/people")

        assert names(page) == []
        assert "Nobody yet" in text(page)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", {"Asha Rao", "Imran", "Old Hand"}),
            ("q=e-104", {"Asha Rao"}),
            ("q=IMR", {"Imran"}),
            ("q=imran@example.com", {"Imran"}),
            ("q=%00", {"Asha Rao", "Imran", "Old Hand"}),
            ("department=Stores", {"Imran"}),
            ("status=inactive", {"Old Hand"}),
            ("photo=none", {"Imran", "Old Hand"}),
            ("photo=none&status=active", {"Imran"}),
            ("site=elsewhere", set()),
        ],
    )
    def test_keeps_what_fits(
        self,
        security: Client,
        asha: Employee,
        site: Site,
        query: str,
        found: set[str],
    ) -> None:
        stores = make_department(site=site, name="Stores")
        mail = "imran@example.com"
        make_employee(site=site, name="Imran", department=stores, email=mail)
        make_employee(site=site, name="Old Hand", status="inactive")
        make_employee(name="Elsewhere")
        make_face_sample(employee=asha)

        assert set(names(security.get(f"/people?{query}"))) == found

    def test_shows_each_by_their_best_photo(
        self, security: Client, asha: Employee
    ) -> None:
        for quality in (0.4, 0.9, 0.5):
            make_face_sample(employee=asha, quality=quality)
        best = FaceSample.objects.get(quality=0.9)

        page = security.get("/people")

        assert f'src="/people/E-104/faces/{best.pk}"' in page.content.decode()
        assert "3 photos" in text(page)

    def test_offers_to_enrol_to_those_who_may(
        self, client: Client, asha: Employee
    ) -> None:
        for role, offered in ((SECURITY, False), (HR, True)):
            client.force_login(make_user(role, role=role, sites=[asha.site]))
            page = client.get("/people").content.decode()
            assert ("/people/E-104/enrol" in page) is offered

    def test_needs_as_many_queries_for_many_people_as_for_one(
        self,
        security: Client,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(12):
            department = make_department(site=site)
            make_face_sample(employee=make_employee(department=department))

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/people")

    def test_is_refused_without_the_permission(
        self, client: Client, asha: Employee
    ) -> None:
        client.force_login(make_user("rob", sites=[asha.site]))

        assert client.get("/people").status_code == 403
        assert client.get("/people/E-104").status_code == 403


class TestEmployee:
    def test_shows_facts_and_the_days_of_the_site(
        self, security: Client, asha: Employee, gate: Camera
    ) -> None:
        for at in ("2026-03-01T18:00", "2026-03-01T19:00", "2026-03-02T04:00"):
            occurred_at = datetime.fromisoformat(f"{at}+00:00")
            make_access_log(employee=asha, camera=gate, occurred_at=occurred_at)

        page = text(security.get("/people/E-104"))

        assert "Monday 2 March 2026 2 times" in page
        assert "Sunday 1 March 2026 1 time" in page
        assert "First seen 1 Mar 23:30" in page
        assert "At Gate 1 3x" in page

    def test_leads_through_older_sightings(
        self,
        security: Client,
        asha: Employee,
        gate: Camera,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(people, "SIGHTINGS_SHOWN", 2)
        now = timezone.now()
        for days in range(3):
            at = now - timedelta(days=days)
            make_access_log(employee=asha, camera=gate, occurred_at=at)

        page = security.get("/people/E-104").content.decode()
        older = re.search(r'href="(\?older=[^"]+)"', page)

        assert older is not None
        shown = re.findall(
            r'id="sighting-(\d+)"',
            security.get(f"/people/E-104{older.group(1)}").content.decode(),
        )
        assert shown == [str(AccessLog.objects.earliest("occurred_at").pk)]

    def test_shows_photos_with_a_word_for_their_quality(
        self, security: Client, asha: Employee
    ) -> None:
        make_face_sample(employee=asha, quality=0.81)
        make_face_sample(employee=asha, quality=0.2)

        page = text(security.get("/people/E-104"))

        assert "Good 0.81, 160 px" in page
        assert "Poor 0.20, 160 px" in page

    def test_shows_no_sightings_at_cameras_of_other_sites(
        self, security: Client, asha: Employee
    ) -> None:
        make_access_log(employee=asha, camera=make_camera())

        assert "Not seen at a camera yet" in text(security.get("/people/E-104"))

    @pytest.mark.parametrize(
        "values", [{}, {"status": "inactive", "erased_at": timezone.now()}]
    )
    def test_is_not_found_at_another_site_or_once_erased(
        self, security: Client, site: Site, values: dict[str, Any]
    ) -> None:
        make_employee(code="E-9", site=site if values else make_site(), **values)

        assert security.get("/people/E-9").status_code == 404
        assert security.get("/people/E-9/enrol").status_code in {403, 404}


class TestRemoving:
    def test_takes_a_photo_away(
        self,
        hr: Client,
        asha: Employee,
        stored: str,
        media: Path,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        sample = make_face_sample(employee=asha, image=stored)

        with django_capture_on_commit_callbacks(execute=True):
            answer = hr.post(f"/people/E-104/faces/{sample.pk}/remove", follow=True)

        assert "The photo is removed" in text(answer)
        assert not FaceSample.objects.exists()
        assert not list(media.rglob("*.jpg"))

    def test_is_refused_to_those_who_may_only_look(
        self, security: Client, asha: Employee
    ) -> None:
        sample = make_face_sample(employee=asha)
        address = f"/people/E-104/faces/{sample.pk}/remove"

        assert security.post(address).status_code == 403
        assert address not in security.get("/people/E-104").content.decode()
        assert FaceSample.objects.exists()

    def test_is_not_found_at_another_site(self, hr: Client) -> None:
        sample = make_face_sample(employee=make_employee(code="E-9"))

        answer = hr.post(f"/people/E-9/faces/{sample.pk}/remove")

        assert answer.status_code == 404
        assert FaceSample.objects.exists()


@pytest.mark.usefixtures("photo_worker")
class TestEnrolment:
    def test_takes_a_photo(self, hr: Client, asha: Employee) -> None:
        answer = hr.post("/people/E-104/enrol", upload(cards.card(1)), follow=True)

        sample = FaceSample.objects.get()
        assert answer.redirect_chain == [("/people/E-104", 302)]
        assert "E-104 Asha Rao is known by this photo" in text(answer)
        assert sample.employee == asha
        assert sample.created_by is not None
        assert sample.created_by.username == "hana"

    def test_tells_a_script_where_to_go(self, hr: Client, asha: Employee) -> None:
        photo = upload(cards.card(1))

        answer = hr.post("/people/E-104/enrol", photo, headers=JSON)

        assert answer.json() == {"next": "/people/E-104"}

    @pytest.mark.parametrize(
        ("photo", "sentence"),
        [
            (cards.nobody(), "No face was found"),
            (b"words", "no photo that can be read"),
            (b"", "Choose a photo first"),
        ],
    )
    def test_says_beside_the_field_why_a_photo_is_refused(
        self, hr: Client, asha: Employee, photo: bytes, sentence: str
    ) -> None:
        page = hr.post("/people/E-104/enrol", upload(photo))
        told = hr.post("/people/E-104/enrol", upload(photo), headers=JSON)

        assert page.status_code == told.status_code == 422
        assert sentence in text(page)
        assert 'aria-invalid="true"' in page.content.decode()
        assert sentence in told.json()["sentence"]
        assert not FaceSample.objects.exists()

    def test_asks_for_a_photo_where_none_was_sent(
        self, hr: Client, asha: Employee
    ) -> None:
        assert photos.NO_PHOTO in text(hr.post("/people/E-104/enrol"))

    def test_reads_no_file_that_is_too_large(
        self, hr: Client, asha: Employee, settings: Settings
    ) -> None:
        settings.PHOTO_MAX_MIB = 0

        answer = hr.post("/people/E-104/enrol", upload(cards.card(1)))

        assert answer.status_code == 422
        assert "The file is larger than" in text(answer)

    @pytest.mark.parametrize(
        ("error", "status"), [(desk.Busy("Later."), 429), (desk.NoAnswer("No."), 503)]
    )
    def test_says_when_no_worker_looked_at_it(
        self,
        hr: Client,
        asha: Employee,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        status: int,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(desk, "ask", fail)

        answer = hr.post("/people/E-104/enrol", upload(cards.card(1)))

        assert answer.status_code == status
        assert str(error) in text(answer)

    def test_is_refused_to_those_who_may_not_enrol(
        self, security: Client, asha: Employee
    ) -> None:
        photo = upload(cards.card(1))

        assert security.get("/people/E-104/enrol").status_code == 403
        assert security.post("/people/E-104/enrol", photo).status_code == 403
        assert not FaceSample.objects.exists()

    def test_is_not_found_at_another_site(self, hr: Client) -> None:
        make_employee(code="E-9")

        answer = hr.post("/people/E-9/enrol", upload(cards.card(1)))

        assert answer.status_code == 404
        assert not FaceSample.objects.exists()

    def test_offers_none_where_there_are_as_many_as_are_kept(
        self, hr: Client, asha: Employee
    ) -> None:
        for _ in range(10):
            make_face_sample(employee=asha)

        page = hr.get("/people/E-104/enrol")

        assert "10 is the most that are kept" in text(page)
        assert 'type="file"' not in page.content.decode()


@pytest.mark.usefixtures("photo_worker")
class TestExamining:
    def test_says_what_a_photo_is_good_for_and_stores_nothing(
        self, hr: Client, media: Path
    ) -> None:
        report = hr.post("/people/photos/examine", upload(cards.card(1))).json()

        assert report["box"] == [0, 0, 1, 1]
        assert report["height_px"] == cards.SIZE_PX
        assert report["quality_word"] in {"good", "fair", "poor"}
        assert not list(media.rglob("*"))

    def test_says_why_not(self, hr: Client) -> None:
        report = hr.post("/people/photos/examine", upload(cards.nobody())).json()

        assert not report["ok"]
        assert "No face was found" in report["sentence"]
        assert report["box"] is None

    def test_is_refused_to_those_who_may_not_enrol(self, security: Client) -> None:
        photo = upload(cards.card(1))

        assert security.post("/people/photos/examine", photo).status_code == 403
