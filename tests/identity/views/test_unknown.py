"""The register of strangers: who keeps coming, who it is, and the search by photo."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from factory_site.roles import HR, SITE_ADMIN
from identity.models import AccessLog, Employee, UnknownPerson
from tests import cards
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_site,
    make_unknown_person,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 18


def keys(response: Any) -> list[int]:
    found = re.findall(r'id="unknown-(\d+)"', response.content.decode())
    return [int(key) for key in found]


@pytest.fixture
def stranger(site: Site, gate: Camera) -> UnknownPerson:
    """Return one who came twice."""
    found = make_unknown_person(site=site, sightings=2)
    for _ in range(2):
        make_access_log(camera=gate, unknown_person=found)
    return found


class TestRegister:
    def test_answers_in_its_first_line(self, security: Client, site: Site) -> None:
        for sightings in (1, 1, 4):
            make_unknown_person(site=site, sightings=sightings)
        make_unknown_person()

        assert "3 strangers, 1 came again" in text(security.get("/unknown"))

    def test_lists_each_once_those_seen_last_first(
        self, security: Client, site: Site
    ) -> None:
        now = timezone.now()
        made = [
            make_unknown_person(site=site, last_seen_at=now - timedelta(hours=hours))
            for hours in (3, 1, 2)
        ]

        assert keys(security.get("/unknown")) == [made[n].pk for n in (1, 2, 0)]

    def test_says_how_often_where_and_when(
        self, security: Client, stranger: UnknownPerson
    ) -> None:
        page = text(security.get("/unknown"))

        assert f"Stranger {stranger.pk} 2 visits at Gate 1 Last" in page

    def test_leaves_out_whoever_got_a_name_and_other_sites(
        self, security: Client, site: Site, asha: Employee
    ) -> None:
        make_unknown_person(site=site, employee=asha, promoted_at=timezone.now())
        make_unknown_person()

        page = security.get("/unknown")

        assert keys(page) == []
        assert "No strangers." in text(page)

    def test_narrows_to_those_who_came_more_than_once(
        self, security: Client, site: Site, stranger: UnknownPerson
    ) -> None:
        make_unknown_person(site=site)

        assert keys(security.get("/unknown?again=1")) == [stranger.pk]

    def test_narrows_to_a_site(self, client: Client, site: Site) -> None:
        second = make_site(slug="second")
        client.force_login(make_user("two", role=HR, sites=[site, second]))
        make_unknown_person(site=site)
        there = make_unknown_person(site=second)

        assert keys(client.get("/unknown?site=second")) == [there.pk]

    def test_needs_as_many_queries_for_many_as_for_one(
        self,
        security: Client,
        site: Site,
        gate: Camera,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(12):
            unknown = make_unknown_person(site=site)
            make_access_log(camera=gate, unknown_person=unknown)

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/unknown")

    def test_is_refused_without_the_permission(
        self, client: Client, stranger: UnknownPerson
    ) -> None:
        client.force_login(make_user("rob", sites=[stranger.site]))

        assert client.get("/unknown").status_code == 403
        assert client.get(f"/unknown/{stranger.pk}").status_code == 403
        assert client.post("/unknown/search").status_code == 403


class TestStranger:
    def test_shows_all_visits(
        self, security: Client, stranger: UnknownPerson, gate: Camera
    ) -> None:
        make_access_log(camera=gate)

        page = security.get(f"/unknown/{stranger.pk}")

        assert len(re.findall(r'data-key="', page.content.decode())) == 2
        assert "2 visits at Gate 1, Main plant" in text(page)

    def test_finds_people_of_its_site_by_code_or_name(
        self, hr: Client, stranger: UnknownPerson, asha: Employee
    ) -> None:
        make_employee(name="Asha Elsewhere")

        page = hr.get(f"/unknown/{stranger.pk}?q=asha")

        found = re.findall(r'name="employee" value="([^"]+)"', page.content.decode())
        assert found == ["E-104"]

    def test_says_that_nobody_is_called_so(
        self, hr: Client, stranger: UnknownPerson
    ) -> None:
        page = hr.get(f"/unknown/{stranger.pk}?q=nobody")

        assert 'has "nobody" in' in text(page).replace("&quot;", '"')

    def test_is_not_found_at_another_site(self, hr: Client, asha: Employee) -> None:
        pk = make_unknown_person().pk

        assert hr.get(f"/unknown/{pk}").status_code == 404
        answer = hr.post(f"/unknown/{pk}/promote", {"employee": "E-104"})
        assert answer.status_code == 404


class TestPromotion:
    def test_gives_all_visits_the_name_and_keeps_what_was_decided(
        self, hr: Client, stranger: UnknownPerson, asha: Employee
    ) -> None:
        answer = hr.post(
            f"/unknown/{stranger.pk}/promote", {"employee": "E-104"}, follow=True
        )

        assert answer.redirect_chain == [("/people/E-104", 302)]
        told = f"2 sightings of stranger {stranger.pk} now bear the name E-104"
        assert told in text(answer)
        logs = AccessLog.objects.filter(employee=asha)
        assert [log.decision for log in logs] == ["unknown"] * 2
        named = text(hr.get(f"/unknown/{stranger.pk}"))
        assert "E-104 Asha Rao was stranger" in named.replace("  ", " ")

    def test_adds_somebody_new(self, hr: Client, stranger: UnknownPerson) -> None:
        stores = make_department(site=stranger.site, name="Stores")
        typed = {"code": "E-200", "name": "New Hand", "department": stores.pk}

        answer = hr.post(f"/unknown/{stranger.pk}/promote", typed)

        person = Employee.objects.get(code="E-200")
        stranger.refresh_from_db()
        assert answer["Location"] == "/people/E-200"
        assert stranger.employee == person
        assert person.site == stranger.site
        assert person.created_by is not None

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"code": "e 1", "name": "New"}, "Use capitals, digits and dashes"),
            ({"code": "E-104", "name": "New"}, "already exists"),
            ({"code": "E-200", "name": ""}, "required"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
        self,
        hr: Client,
        stranger: UnknownPerson,
        asha: Employee,
        typed: dict[str, str],
        sentence: str,
    ) -> None:
        typed["email"] = "kept@example.com"

        answer = hr.post(f"/unknown/{stranger.pk}/promote", typed)

        stranger.refresh_from_db()
        assert answer.status_code == 422
        assert sentence in text(answer)
        assert 'value="kept@example.com"' in answer.content.decode()
        assert "<details open>" in answer.content.decode()
        assert stranger.employee is None
        assert Employee.objects.count() == 1

    def test_takes_no_department_of_another_site(
        self, hr: Client, stranger: UnknownPerson
    ) -> None:
        elsewhere = make_department()
        typed = {"code": "E-200", "name": "New", "department": elsewhere.pk}

        answer = hr.post(f"/unknown/{stranger.pk}/promote", typed)

        assert answer.status_code == 422
        assert not Employee.objects.exists()

    def test_says_that_somebody_else_was_faster(
        self, hr: Client, stranger: UnknownPerson, asha: Employee, site: Site
    ) -> None:
        make_employee(site=site, code="E-105")
        hr.post(f"/unknown/{stranger.pk}/promote", {"employee": "E-104"})

        answer = hr.post(
            f"/unknown/{stranger.pk}/promote", {"employee": "E-105"}, follow=True
        )

        assert "is E-104 already" in text(answer)

    def test_keeps_nobody_new_where_it_fails(
        self, hr: Client, stranger: UnknownPerson, asha: Employee
    ) -> None:
        hr.post(f"/unknown/{stranger.pk}/promote", {"employee": "E-104"})

        hr.post(f"/unknown/{stranger.pk}/promote", {"code": "E-200", "name": "New"})

        assert not Employee.objects.filter(code="E-200").exists()

    @pytest.mark.parametrize("code", ["E-9", "%00", "nobody"])
    def test_is_not_found_for_whom_the_site_does_not_have(
        self, hr: Client, stranger: UnknownPerson, code: str
    ) -> None:
        make_employee(code="E-9")

        answer = hr.post(f"/unknown/{stranger.pk}/promote", {"employee": code})

        assert answer.status_code == 404

    def test_is_refused_to_those_who_may_only_look(
        self, security: Client, stranger: UnknownPerson, asha: Employee
    ) -> None:
        address = f"/unknown/{stranger.pk}/promote"

        assert security.post(address, {"employee": "E-104"}).status_code == 403
        assert address not in security.get(f"/unknown/{stranger.pk}").content.decode()

    def test_is_for_site_admins_too(
        self, client: Client, stranger: UnknownPerson, asha: Employee
    ) -> None:
        client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[stranger.site]))

        answer = client.post(f"/unknown/{stranger.pk}/promote", {"employee": "E-104"})

        assert answer["Location"] == "/people/E-104"


class TestTakingBack:
    def test_makes_the_visits_a_strangers_again(
        self, hr: Client, stranger: UnknownPerson, asha: Employee
    ) -> None:
        hr.post(f"/unknown/{stranger.pk}/promote", {"employee": "E-104"})

        answer = hr.post(f"/unknown/{stranger.pk}/unname", follow=True)

        assert "2 sightings bear no name any more" in text(answer)
        assert not AccessLog.objects.filter(employee=asha).exists()

    def test_says_that_there_is_no_name_to_take(
        self, hr: Client, stranger: UnknownPerson
    ) -> None:
        answer = hr.post(f"/unknown/{stranger.pk}/unname", follow=True)

        assert answer.status_code == 200
        assert 'class="problem"' in answer.content.decode()

    def test_is_refused_to_those_who_may_only_look(
        self, security: Client, stranger: UnknownPerson
    ) -> None:
        assert security.post(f"/unknown/{stranger.pk}/unname").status_code == 403

    def test_is_not_found_at_another_site(self, hr: Client) -> None:
        assert hr.post(f"/unknown/{make_unknown_person().pk}/unname").status_code == 404


@pytest.mark.usefixtures("photo_worker")
class TestSearch:
    def search(self, client: Client, photo: bytes) -> Any:
        sent = {"photo": SimpleUploadedFile("photo.jpg", photo)}
        return client.post("/unknown/search", sent)

    def test_finds_where_a_face_was_before(
        self, security: Client, site: Site, gate: Camera
    ) -> None:
        vector = cards.vector_of(cards.card(1)).tolist()
        known = {"embedding": vector, "face_model": "cards"}
        unknown = make_unknown_person(site=site, **known)
        log = make_access_log(camera=gate, unknown_person=unknown, **known)
        make_access_log(camera=make_camera(), **known)
        make_unknown_person(**known)

        page = self.search(security, cards.card(1, noise=0.1))

        assert "Seen 1 time, as far as faces tell" in text(page)
        found = re.findall(r'href="/(?:access|unknown)/(\d+)"', page.content.decode())
        assert found == [str(unknown.pk), str(log.pk)]
        assert re.search(r"Similarity (0\.9\d|1\.00)", text(page))

    def test_does_not_say_never_above_a_stranger_who_is_alike(
        self, security: Client, site: Site
    ) -> None:
        vector = cards.vector_of(cards.card(1)).tolist()
        make_unknown_person(site=site, embedding=vector, face_model="cards")

        assert "Perhaps seen before" in text(self.search(security, cards.card(1)))

    def test_says_that_a_face_was_never_here(
        self, security: Client, stranger: UnknownPerson
    ) -> None:
        assert "Not seen before" in text(self.search(security, cards.card(1)))

    def test_is_not_live_because_its_page_cannot_be_fetched_again(
        self, security: Client, site: Site
    ) -> None:
        found = self.search(security, cards.card(1))

        assert 'id="live"' not in found.content.decode()
        assert 'id="live"' in security.get("/unknown").content.decode()

    def test_says_beside_the_field_why_a_photo_is_refused(
        self, security: Client, site: Site
    ) -> None:
        page = self.search(security, cards.nobody())

        assert page.status_code == 422
        assert "No face was found" in text(page)
        assert 'aria-invalid="true"' in page.content.decode()
