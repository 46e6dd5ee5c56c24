"""Unknown faces: the list, each face, and what is said of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from attendance.models import AttendanceRecord, PresenceEvent, UnknownAttendance
from attendance.views import unknown as views
from factory_site.roles import HR
from tests.factories import (
    FACE_MODEL,
    make_access_log,
    make_assignment,
    make_camera,
    make_employee,
    make_face_sample,
    make_site,
    make_unknown_attendance,
    make_unknown_person,
    make_user,
    make_vector,
    make_vector_like,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db

State = UnknownAttendance.State
PAGE_QUERIES_MAX = 20
ADDRESS = "/attendance/unknown"


def make_face(camera: Camera, *, minutes_ago: int = 5, **log: Any) -> UnknownAttendance:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    seen = make_access_log(camera=camera, occurred_at=at, **log)
    return make_unknown_attendance(
        camera=camera,
        occurred_at=at,
        access_log=seen,
        event_id=seen.event_id,
        session=seen.session,
        track_id=seen.track_id,
    )


def states() -> dict[int, str]:
    return dict(UnknownAttendance.objects.values_list("pk", "state"))


class TestList:
    def test_answers_in_its_first_line(self, hr: Client, gate: Camera) -> None:
        for _ in range(2):
            make_face(gate)
        make_face(make_camera())
        make_unknown_attendance(camera=gate, state=State.DISMISSED)

        assert "2 unknown faces to link" in text(hr.get(ADDRESS))

    def test_puts_the_visits_of_one_stranger_together(
        self, hr: Client, gate: Camera, site: Site
    ) -> None:
        stranger = make_unknown_person(site=site)
        faces = [
            make_face(gate, minutes_ago=minutes, unknown_person=stranger)
            for minutes in (9, 3, 6)
        ]

        page = hr.get(ADDRESS)

        assert f"Stranger {stranger.pk} Gate 1 3 visits," in text(page)
        assert page.text.count('class="card"') == 1
        assert f'href="/attendance/unknown/{faces[2].pk}"' in page.text

    def test_tells_that_the_register_knows_by_now(
        self, hr: Client, gate: Camera, site: Site, asha: Employee
    ) -> None:
        stranger = make_unknown_person(
            site=site, employee=asha, promoted_at=timezone.now()
        )
        make_face(gate, unknown_person=stranger)

        assert "The register says E-104" in text(hr.get(ADDRESS))

    @pytest.mark.parametrize("state", ["linked", "dismissed", "recognised"])
    def test_shows_those_that_were_decided(
        self, hr: Client, gate: Camera, asha: Employee, state: str
    ) -> None:
        who = None if state == "dismissed" else asha
        make_unknown_attendance(camera=gate, state=state, employee=who)

        assert "1 face" in text(hr.get(ADDRESS, {"state": state}))
        assert "0 unknown faces to link" in text(hr.get(ADDRESS, {"state": "x"}))

    def test_needs_as_many_queries_for_many_faces_as_for_one(
        self,
        hr: Client,
        gate: Camera,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            make_face(gate, unknown_person=make_unknown_person(site=site))

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            assert hr.get(ADDRESS).text.count('class="card"') == 20


class TestFace:
    def test_says_who_it_may_be_and_how_alike_they_are(
        self, hr: Client, gate: Camera, site: Site, asha: Employee
    ) -> None:
        vector = make_vector()
        other = make_employee(site=site, code="E-2", name="Imran Sheikh")
        for person, similarity in ((asha, 0.35), (other, 0.2)):
            like = make_vector_like(vector, similarity)
            make_face_sample(employee=person, embedding=like, face_model=FACE_MODEL)
        face = make_face(gate, embedding=vector)

        response = hr.get(f"{ADDRESS}/{face.pk}")
        page = text(response)

        best = asha.faces.get()
        assert f'src="/people/E-104/faces/{best.pk}"' in response.text
        assert "This is E-104 Asha Rao somewhat alike: 0.35, 0.42 gives a name" in page
        assert "This is E-2 Imran Sheikh hardly alike: 0.20" in page

    def test_finds_people_of_the_site_by_code_or_name(
        self, hr: Client, gate: Camera, asha: Employee
    ) -> None:
        make_employee(code="E-999", name="Asha Elsewhere")
        face = make_face(gate)

        page = text(hr.get(f"{ADDRESS}/{face.pk}?q=asha"))

        assert "This is E-104 Asha Rao" in page
        assert "E-999" not in page
        assert 'has "zed" in their' in text(hr.get(f"{ADDRESS}/{face.pk}?q=zed"))

    def test_shows_its_reader_no_button_where_they_may_not_act(
        self, integrator: Client, gate: Camera
    ) -> None:
        face = make_face(gate)

        page = integrator.get(f"{ADDRESS}/{face.pk}")

        assert page.status_code == 200
        assert "HR says who this was" in text(page)
        assert "/link" not in page.text

    def test_stays_readable_when_the_visit_is_no_longer_kept(
        self, hr: Client, gate: Camera
    ) -> None:
        face = make_unknown_attendance(camera=gate)

        page = text(hr.get(f"{ADDRESS}/{face.pk}"))

        assert "No picture" in page
        assert "Nobody enrolled here is like this face" in page

    def test_is_not_found_at_another_site(self, hr: Client, site: Site) -> None:
        face = make_face(make_camera())

        assert hr.get(f"{ADDRESS}/{face.pk}").status_code == 404
        assert hr.post(f"{ADDRESS}/{face.pk}/dismiss").status_code == 404


class TestAlike:
    @pytest.mark.parametrize(
        ("similarity", "threshold", "expected"),
        [
            (0.42, 0.42, "very alike: 0.42, 0.42 gives a name"),
            (0.41, 0.42, "somewhat alike: 0.41, 0.42 gives a name"),
            (0.2, 0.42, "hardly alike: 0.20, 0.42 gives a name"),
            (0.2, None, "similarity 0.20"),
        ],
    )
    def test_is_told_beside_what_gives_a_name(
        self, similarity: float, threshold: float | None, expected: str
    ) -> None:
        assert views.alike(similarity, threshold) == expected


class TestLink:
    def test_makes_the_day_of_who_it_was(
        self, hr: Client, gate: Camera, asha: Employee
    ) -> None:
        make_assignment(employee=asha)
        face = make_face(gate, minutes_ago=60)

        page = hr.post(f"{ADDRESS}/{face.pk}/link", {"employee": "E-104"}, follow=True)

        assert "1 visit is linked to E-104 Asha Rao." in text(page)
        assert states() == {face.pk: State.LINKED}
        assert PresenceEvent.objects.get().employee == asha
        assert AttendanceRecord.objects.filter(employee=asha).exists()

    @pytest.mark.parametrize(("ticked", "linked"), [("1", 3), ("", 1)])
    def test_takes_all_visits_of_the_stranger_in_one_go(
        self,
        hr: Client,
        gate: Camera,
        site: Site,
        asha: Employee,
        ticked: str,
        linked: int,
    ) -> None:
        stranger = make_unknown_person(site=site)
        faces = [make_face(gate, unknown_person=stranger) for _ in range(3)]
        make_face(gate)
        assert "All 3 visits" in text(hr.get(f"{ADDRESS}/{faces[0].pk}"))

        hr.post(f"{ADDRESS}/{faces[0].pk}/link", {"employee": "E-104", "all": ticked})

        assert list(states().values()).count(State.LINKED) == linked

    def test_leads_to_the_next_face(
        self, hr: Client, gate: Camera, asha: Employee
    ) -> None:
        first, second = make_face(gate), make_face(gate, minutes_ago=9)

        pages = [
            hr.post(f"{ADDRESS}/{pk}/link", {"employee": "E-104"})
            for pk in (first.pk, second.pk)
        ]

        assert [page["Location"] for page in pages] == [
            f"{ADDRESS}/{second.pk}",
            ADDRESS,
        ]

    def test_refuses_somebody_who_does_not_work_there(
        self, client: Client, gate: Camera, site: Site, asha: Employee
    ) -> None:
        other = make_site()
        client.force_login(make_user("two", role=HR, sites=[site, other]))
        make_employee(site=other, code="E-9")
        face = make_face(gate)

        for code in ("E-9", "E-77", ""):
            page = client.post(
                f"{ADDRESS}/{face.pk}/link", {"employee": code}, follow=True
            )
            assert f'Nobody at Main plant has the code "{code}"' in text(page).replace(
                "&quot;", '"'
            )
        assert states() == {face.pk: State.OPEN}

    def test_says_why_it_cannot_be(
        self, hr: Client, gate: Camera, asha: Employee
    ) -> None:
        face = make_face(gate)
        make_employee(site=gate.site, code="E-2")
        hr.post(f"{ADDRESS}/{face.pk}/link", {"employee": "E-104"})

        page = hr.post(f"{ADDRESS}/{face.pk}/link", {"employee": "E-2"}, follow=True)

        assert "This is E-104 already" in text(page)
        assert PresenceEvent.objects.get().employee == asha


class TestDismiss:
    def test_puts_the_face_aside(self, hr: Client, gate: Camera) -> None:
        face = make_face(gate)

        page = hr.post(f"{ADDRESS}/{face.pk}/dismiss", follow=True)

        assert "1 visit is put aside: no employee." in text(page)
        assert states() == {face.pk: State.DISMISSED}


class TestUndo:
    @pytest.mark.parametrize("said", [("link", "E-104"), ("dismiss", "")])
    def test_takes_it_back_from_the_list_of_the_last_ones(
        self, hr: Client, gate: Camera, asha: Employee, said: tuple[str, str]
    ) -> None:
        action, code = said
        face = make_face(gate)
        page = hr.post(f"{ADDRESS}/{face.pk}/{action}", {"employee": code}, follow=True)
        assert f'action="/attendance/unknown/{face.pk}/undo"' in page.text

        after = hr.post(f"{ADDRESS}/{face.pk}/undo", follow=True)

        assert "1 visit is to be linked again" in text(after)
        assert states() == {face.pk: State.OPEN}
        assert not PresenceEvent.objects.exists()

    @pytest.mark.parametrize(("all_of_it", "left"), [("1", 1), ("", 3)])
    def test_takes_back_all_that_was_said_by_one_press(
        self,
        hr: Client,
        gate: Camera,
        site: Site,
        asha: Employee,
        all_of_it: str,
        left: int,
    ) -> None:
        other, *faces = (
            make_face(gate, unknown_person=stranger)
            for stranger in (None, *[make_unknown_person(site=site)] * 3)
        )
        hr.post(f"{ADDRESS}/{other.pk}/link", {"employee": "E-104"})
        linked = hr.post(
            f"{ADDRESS}/{faces[0].pk}/link",
            {"employee": "E-104", "all": "1"},
            follow=True,
        )
        assert "3 visits linked to E-104 Asha Rao Undo" in text(linked)
        assert "1 visit linked to E-104 Asha Rao Undo" in text(linked)

        hr.post(f"{ADDRESS}/{faces[1].pk}/undo", {"all": all_of_it})

        assert list(states().values()).count(State.LINKED) == left

    def test_says_that_there_is_nothing_to_undo(self, hr: Client, gate: Camera) -> None:
        face = make_face(gate)

        page = hr.post(f"{ADDRESS}/{face.pk}/undo", follow=True)

        assert "nothing to undo" in text(page)


class TestPermission:
    @pytest.mark.parametrize("action", ["link", "dismiss", "undo"])
    def test_to_act_is_hrs_alone(
        self, integrator: Client, gate: Camera, asha: Employee, action: str
    ) -> None:
        face = make_face(gate)

        response = integrator.post(
            f"{ADDRESS}/{face.pk}/{action}", {"employee": "E-104"}
        )

        assert response.status_code == 403
        assert states() == {face.pk: State.OPEN}

    def test_to_look_is_not_the_guards(self, security: Client, gate: Camera) -> None:
        face = make_face(gate)

        assert security.get(ADDRESS).status_code == 403
        assert security.get(f"{ADDRESS}/{face.pk}").status_code == 403

    def test_acts_by_post_alone(self, hr: Client, gate: Camera) -> None:
        face = make_face(gate)

        assert hr.get(f"{ADDRESS}/{face.pk}/dismiss").status_code == 405
