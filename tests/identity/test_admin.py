"""People and sightings in the admin: who may see, say, erase and change what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factory_site.roles import HR, SECURITY, SITE_ADMIN
from identity import erasure
from identity.models import AccessLog, Department, Employee, Erasure, UnknownPerson
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_face_sample,
    make_site,
    make_unknown_person,
    make_user,
)
from tests.races import change_before_saving

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
PEOPLE = "admin:identity_employee_changelist"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant", time_zone="Asia/Kolkata")


@pytest.fixture
def hr(client: Client, site: Site) -> Client:
    client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))
    return client


def log_in(client: Client, role: str, site: Site) -> None:
    client.force_login(make_user("other", role=role, sites=[site], is_staff=True))


def text(page: Any) -> str:
    return str(page.content.decode())


def values(employee: Employee, **changed: object) -> dict[str, object]:
    return {
        "site": employee.site_id,
        "code": employee.code,
        "name": employee.name,
        "email": employee.email or "",
        "department": employee.department_id or "",
        "status": employee.status,
        "is_authorized": "on" if employee.is_authorized else "",
        "notes": employee.notes,
        "faces-TOTAL_FORMS": 0,
        "faces-INITIAL_FORMS": 0,
        **changed,
    }


def act(client: Client, action: str, *people: Employee, **more: str) -> Any:
    keys = [person.pk for person in people]
    form = {"action": action, ACTION_CHECKBOX_NAME: keys, **more}
    return client.post(reverse(PEOPLE), form, follow=True)


class TestEmployeeAdmin:
    def test_tells_who_has_no_photo_and_who_was_seen_when(
        self, hr: Client, site: Site
    ) -> None:
        at = datetime(2026, 3, 1, 3, 30, 15, tzinfo=UTC)
        asha = make_employee(site=site, name="Asha", last_seen_at=at)
        make_face_sample(employee=asha)
        make_face_sample(employee=asha)
        make_employee(site=site, name="Ravi")

        everybody = text(hr.get(reverse(PEOPLE)))
        without = text(hr.get(reverse(PEOPLE), {"photos": "none"}))

        assert "2026-03-01 09:00:15 IST" in everybody
        assert "none" in everybody
        assert ("Asha" in without, "Ravi" in without) == (False, True)

    def test_shows_photos_and_leads_to_the_enrolment_page(
        self, hr: Client, site: Site
    ) -> None:
        sample = make_face_sample(employee=make_employee(site=site, code="E-1"))

        page = text(hr.get(change(sample.employee)))

        assert reverse("photo-of-face", args=["E-1", sample.pk]) in page
        assert reverse("enrol", args=["E-1"]) in page

    def test_notes_who_made_somebody_and_who_changed_what(
        self, hr: Client, site: Site
    ) -> None:
        new = Employee(site=site, code="E-1", name="Asha")
        hr.post(reverse("admin:identity_employee_add"), values(new))
        made = Employee.objects.get()

        hr.post(change(made), values(made, status="inactive"))

        made.refresh_from_db()
        page = text(hr.get(reverse("admin:identity_employee_history", args=[made.pk])))
        assert made.created_by
        assert made.created_by.username == "hana"
        assert made.history.latest().history_user.username == "hana"
        assert (made.status, made.history.count()) == ("inactive", 2)
        assert "Inactive" in page or "inactive" in page

    def test_writes_only_what_was_edited(
        self, hr: Client, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        employee = make_employee(site=site)
        seen_at = timezone.now()
        change_before_saving(monkeypatch, Employee, last_seen_at=seen_at)
        hr.post(change(employee), values(employee, name="New"))

        employee.refresh_from_db()
        assert (employee.name, employee.last_seen_at) == ("New", seen_at)

    def test_refuses_a_department_of_another_own_site(
        self, client: Client, site: Site
    ) -> None:
        second = make_site()
        hana = make_user("hana", role=HR, sites=[site, second], is_staff=True)
        client.force_login(hana)
        employee = make_employee(site=site)
        department = make_department(site=second, name="Paint")

        page = client.post(change(employee), values(employee, department=department.pk))

        assert "Paint is a department of another site." in text(page)
        employee.refresh_from_db()
        assert employee.department is None

    @pytest.mark.parametrize("field", ["site", "department"])
    def test_cannot_be_given_what_the_user_does_not_see(
        self, hr: Client, site: Site, field: str
    ) -> None:
        employee = make_employee(site=site)
        theirs = make_site() if field == "site" else make_department()

        page = hr.post(change(employee), values(employee, **{field: theirs.pk}))

        assert "Select a valid choice" in text(page)
        employee.refresh_from_db()
        assert (employee.site, employee.department) == (site, None)

    @pytest.mark.parametrize("route", ["change", "history", "delete"])
    def test_of_another_site_does_not_open(
        self, hr: Client, site: Site, route: str
    ) -> None:
        theirs = make_employee(name="Somebody of theirs")

        page = hr.get(
            reverse(f"admin:identity_employee_{route}", args=[theirs.pk]), follow=True
        )

        assert "Somebody of theirs" not in text(page)

    def test_shows_an_old_state_of_own_sites_and_takes_it_back_for_nobody(
        self, hr: Client, site: Site
    ) -> None:
        own, theirs = make_employee(site=site), make_employee(name="Theirs")
        states = {
            person: reverse(
                "admin:identity_employee_simple_history",
                args=[person.pk, person.history.get().pk],
            )
            for person in (own, theirs)
        }

        assert hr.get(states[own]).status_code == 200
        assert hr.get(states[theirs]).status_code == 404
        assert hr.post(states[own], values(own, name="Old")).status_code == 403

    def test_changes_many_at_once_with_their_history(
        self, hr: Client, site: Site
    ) -> None:
        one = make_employee(site=site)
        gone = make_employee(site=site, status="inactive")

        page = act(hr, "make_inactive", one, gone)
        act(hr, "refuse", one)

        one.refresh_from_db()
        assert "Employees changed: 1." in text(page)
        assert (one.status, one.is_authorized) == ("inactive", False)
        assert (one.history.count(), gone.history.count()) == (3, 1)
        act(hr, "make_active", one)
        act(hr, "let_in", one)
        one.refresh_from_db()
        assert one.may_enter

    def test_changes_nobody_of_another_site(self, hr: Client, site: Site) -> None:
        theirs = make_employee()

        act(hr, "make_inactive", theirs)

        theirs.refresh_from_db()
        assert theirs.status == "active"

    def test_asks_before_it_erases_and_says_what_went(
        self, hr: Client, site: Site
    ) -> None:
        employee = make_employee(site=site, code="E-1", name="Asha Rao")
        make_face_sample(employee=employee)
        make_access_log(employee=employee)

        asked = act(hr, "erase", employee)
        employee.refresh_from_db()
        before = employee.erased_at
        done = act(hr, "erase", employee, confirmed="yes")

        employee.refresh_from_db()
        assert "Asha Rao" in text(asked)
        assert "photos: 1" in text(asked)
        assert before is None
        assert employee.erased_at
        assert "E-1 was erased" in text(done)
        assert Erasure.objects.get().erased_by
        page = text(hr.get(reverse("admin:identity_erasure_changelist")))
        assert employee.code in page
        assert "Asha" not in page

    def test_says_what_an_erasure_has_left(
        self,
        hr: Client,
        site: Site,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        def refuse(name: str) -> None:
            raise PermissionError(name)

        employee = make_employee(site=site, code="E-1")
        make_face_sample(employee=employee)
        monkeypatch.setattr(default_storage, "delete", refuse)

        with django_capture_on_commit_callbacks(execute=True):
            done = act(hr, "erase", employee, confirmed="yes")

        assert "It is tried again every hour" in text(done)
        page = text(hr.get(reverse("admin:identity_erasure_changelist")))
        assert "files: 1" in page

    def test_erases_the_others_where_one_was_erased_meanwhile(
        self, hr: Client, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (make_employee(site=site, code=f"E-{n}") for n in range(2))
        erase = erasure.erase

        def erase_late(*, employee: Employee, **values: Any) -> Erasure:
            if employee == first:
                erase(employee=employee, **values)
            return erase(employee=employee, **values)

        monkeypatch.setattr(erasure, "erase", erase_late)
        done = act(hr, "erase", first, second, confirmed="yes")

        second.refresh_from_db()
        assert "was erased already" in text(done)
        assert second.erased_at

    def test_erases_nobody_for_those_who_may_not(
        self, client: Client, site: Site
    ) -> None:
        log_in(client, SECURITY, site)
        employee = make_employee(site=site)

        page = act(client, "erase", employee, confirmed="yes")

        employee.refresh_from_db()
        assert "Erase for good" not in text(page)
        assert employee.erased_at is None

    def test_erases_nobody_of_another_site(self, hr: Client, site: Site) -> None:
        theirs = make_employee()

        act(hr, "erase", theirs, confirmed="yes")

        theirs.refresh_from_db()
        assert theirs.erased_at is None

    def test_shows_nobody_who_was_erased(self, hr: Client, site: Site) -> None:
        gone = make_employee(
            site=site, status="inactive", erased_at=timezone.now(), name="Erased person"
        )

        assert "Erased person" not in text(hr.get(reverse(PEOPLE)))
        assert "Erased person" not in text(hr.get(change(gone), follow=True))

    def test_asks_no_more_for_more_people(self, hr: Client, site: Site) -> None:
        make_employee(site=site, department=make_department(site=site))
        hr.get(reverse(PEOPLE))
        with CaptureQueriesContext(connection) as for_one:
            hr.get(reverse(PEOPLE))
        for _ in range(3):
            make_employee(site=site, department=make_department(site=site))

        with CaptureQueriesContext(connection) as for_four:
            hr.get(reverse(PEOPLE))

        assert len(for_four) == len(for_one)


def change(row: Any) -> str:
    return reverse(f"admin:identity_{row._meta.model_name}_change", args=[row.pk])


class TestDepartmentAdmin:
    def test_is_made_at_own_sites_alone(self, hr: Client, site: Site) -> None:
        address = reverse("admin:identity_department_add")

        hr.post(address, {"site": make_site().pk, "name": "Theirs"})
        hr.post(address, {"site": site.pk, "name": "Ours"})

        assert [row.name for row in Department.objects.all()] == ["Ours"]


class TestAccessLogAdmin:
    def test_says_who_and_why_in_words(self, hr: Client, site: Site) -> None:
        at = datetime(2026, 3, 1, 3, 30, 15, tzinfo=UTC)
        log = make_access_log(
            employee=make_employee(site=site, name="Asha"),
            occurred_at=at,
            snapshot="snapshots/known/a.jpg",
        )

        page = text(hr.get(reverse("admin:identity_accesslog_changelist")))

        assert "0.70, needed 0.42; next best 0.10" in page
        assert "2026-03-01 09:00:15 IST" in page
        assert reverse("snapshot-of-access", args=[log.pk]) in page
        assert "Asha" in page

    def test_takes_a_flag_and_notes_and_nothing_else(
        self, hr: Client, site: Site
    ) -> None:
        log = make_access_log(camera=make_camera(site=site))
        form = {"flagged": "on", "notes": "Tailgating.", "decision": "authorized"}

        hr.post(change(log), form)

        log.refresh_from_db()
        assert (log.flagged, log.notes) == (True, "Tailgating.")
        assert log.decision == AccessLog.Decision.UNKNOWN

    def test_is_neither_made_nor_deleted_by_anybody(
        self, client: Client, site: Site
    ) -> None:
        log_in(client, SITE_ADMIN, site)
        log = make_access_log(camera=make_camera(site=site))
        delete = reverse("admin:identity_accesslog_delete", args=[log.pk])

        assert client.get(reverse("admin:identity_accesslog_add")).status_code == 403
        assert client.post(delete, {"post": "yes"}).status_code == 403

    def test_loads_neither_vectors_nor_camera_addresses(
        self, hr: Client, site: Site
    ) -> None:
        stranger = make_unknown_person(site=site)
        make_access_log(camera=make_camera(site=site), unknown_person=stranger)

        with CaptureQueriesContext(connection) as queries:
            hr.get(reverse("admin:identity_accesslog_changelist"))

        visits = [
            each["sql"] for each in queries if '"identity_accesslog"' in each["sql"]
        ]
        assert visits
        assert not [sql for sql in visits if "embedding" in sql or "source_url" in sql]

    def test_asks_no_more_for_more_visits(self, hr: Client, site: Site) -> None:
        address = reverse("admin:identity_accesslog_changelist")
        make_access_log(employee=make_employee(site=site))
        hr.get(address)
        with CaptureQueriesContext(connection) as for_one:
            hr.get(address)
        camera = make_camera(site=site)
        for _ in range(3):
            make_access_log(
                camera=camera, unknown_person=make_unknown_person(site=site)
            )

        with CaptureQueriesContext(connection) as for_four:
            hr.get(address)

        assert len(for_four) == len(for_one)


class TestUnknownPersonAdmin:
    def test_is_said_to_be_an_employee_of_the_site(
        self, hr: Client, site: Site
    ) -> None:
        stranger = make_unknown_person(site=site)
        employee = make_employee(site=site, code="E-1")
        log = make_access_log(camera=make_camera(site=site), unknown_person=stranger)

        page = hr.post(change(stranger), {"notes": "", "this_is": "E-1"}, follow=True)

        log.refresh_from_db()
        stranger.refresh_from_db()
        assert "Sightings that bear the name: 1." in text(page)
        assert (stranger.employee, log.employee) == (employee, employee)
        assert 'name="this_is"' not in text(hr.get(change(stranger)))
        assert stranger.promoted_by
        assert stranger.history.latest().employee == employee

    @pytest.mark.parametrize("code", ["E-THEIRS", "E-NONE", "E-GONE"])
    def test_is_nobody_of_another_site_and_nobody_erased(
        self, hr: Client, site: Site, code: str
    ) -> None:
        stranger = make_unknown_person(site=site)
        make_employee(code="E-THEIRS")
        make_employee(
            site=site, code="E-GONE", status="inactive", erased_at=timezone.now()
        )

        page = hr.post(change(stranger), {"notes": "N", "this_is": code})

        assert f"Nobody at Own plant has the code {code}." in text(page)
        stranger.refresh_from_db()
        assert (stranger.employee, stranger.notes) == (None, "")

    def test_shows_how_it_was_before_it_had_a_name(
        self, hr: Client, site: Site
    ) -> None:
        stranger = make_unknown_person(site=site, notes="A visitor?")
        first = stranger.history.get()
        keys = [stranger.pk, first.pk]

        history = reverse("admin:identity_unknownperson_history", args=keys[:1])
        before = reverse("admin:identity_unknownperson_simple_history", args=keys)

        assert hr.get(history).status_code == 200
        assert "A visitor?" in text(hr.get(before))
        assert "How it was once" in text(hr.get(before))

    def test_keeps_its_notes(self, hr: Client, site: Site) -> None:
        stranger = make_unknown_person(site=site)

        hr.post(change(stranger), {"notes": "A visitor?", "this_is": ""})

        assert UnknownPerson.objects.get().notes == "A visitor?"

    def test_is_only_shown_to_those_who_may_only_look(
        self, client: Client, site: Site
    ) -> None:
        log_in(client, SECURITY, site)
        stranger = make_unknown_person(site=site)
        make_employee(site=site, code="E-1")

        page = client.get(change(stranger))
        refused = client.post(change(stranger), {"notes": "N", "this_is": "E-1"})

        assert page.status_code == 200
        assert 'name="this_is"' not in text(page)
        assert refused.status_code == 403
