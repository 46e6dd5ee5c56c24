"""What the API tells of people and sightings, to whom, and what it refuses."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from factory_site.roles import HR, INTEGRATOR, SECURITY, SITE_ADMIN
from identity import erasure, usage
from identity.models import AccessLog, Department, Employee, Erasure, UnknownPerson
from streaming import desk
from tests.cards import card, nobody, vector_of
from tests.clients import API, client_of, rows
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_face_sample,
    make_site,
    make_unknown_person,
)
from tests.races import change_before_saving

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from streaming.models import Site

pytestmark = pytest.mark.django_db
Decision = AccessLog.Decision


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Own plant", slug="own-plant", time_zone="Asia/Kolkata")


@pytest.fixture
def hr(site: Site) -> APIClient:
    return client_of(HR, site)


@pytest.fixture
def reader(site: Site) -> APIClient:
    return client_of(INTEGRATOR, site)


@pytest.fixture
def security(site: Site) -> APIClient:
    return client_of(SECURITY, site)


@pytest.fixture
def amir(site: Site) -> APIClient:
    return client_of(SITE_ADMIN, site)


@pytest.fixture
def photo() -> bytes:
    """Return a picture of nothing."""
    picture = BytesIO()
    Image.new("RGB", (320, 240), "grey").save(picture, "JPEG")
    return picture.getvalue()


class TestDepartments:
    def test_are_those_of_own_sites(self, hr: APIClient, site: Site) -> None:
        own, theirs = make_department(site=site), make_department()

        assert [row["id"] for row in rows(hr, "departments")] == [own.pk]
        assert hr.get(f"{API}departments/{theirs.pk}").status_code == 404

    def test_bear_a_name_once_per_site(self, hr: APIClient, site: Site) -> None:
        wanted = {"site": site.pk, "name": "Press shop"}

        first = hr.post(f"{API}departments", wanted, format="json")
        again = hr.post(f"{API}departments", wanted, format="json")

        assert (first.status_code, again.status_code) == (201, 400)
        assert "This site has a department of that name." in str(again.json())

    def test_stay_while_somebody_is_in_them(self, hr: APIClient, site: Site) -> None:
        empty, full = make_department(site=site), make_department(site=site)
        make_employee(site=site, department=full)

        gone = hr.delete(f"{API}departments/{empty.pk}")
        kept = hr.delete(f"{API}departments/{full.pk}")

        assert (gone.status_code, kept.status_code) == (204, 409)
        assert kept.json()["code"] == "protected"
        assert list(Department.objects.all()) == [full]


class TestEmployees:
    def test_are_made_and_changed_with_their_history(
        self, hr: APIClient, site: Site
    ) -> None:
        department = make_department(site=site)
        wanted = {
            "site": site.pk,
            "code": "E-104",
            "name": "Asha Rao",
            "email": "",
            "department": department.pk,
        }

        made = hr.post(f"{API}employees", wanted, format="json")
        address = f"{API}employees/{made.json()['id']}"
        changed = hr.patch(address, {"is_authorized": False}, format="json")

        assert (made.status_code, changed.status_code) == (201, 200)
        assert made.json()["may_enter"] is True
        assert changed.json()["may_enter"] is False
        employee = Employee.objects.get()
        assert employee.email is None
        assert employee.created_by
        assert employee.created_by.username == "hr"
        history = employee.history.order_by("history_date")
        assert [row.is_authorized for row in history] == [True, False]
        assert {row.history_user.username for row in history} == {"hr"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("code", "e 104"),
            ("code", "E-1"),
            ("email", "nowhere"),
            ("email", "one@example.com"),
            ("status", "gone"),
            ("site", 0),
            ("department", 0),
            ("name", ""),
        ],
    )
    def test_refuse_bad_values_by_field(
        self, hr: APIClient, site: Site, field: str, value: object
    ) -> None:
        make_employee(site=site, code="E-1", email="one@example.com")
        good = {"site": site.pk, "code": "E-104", "name": "Asha Rao"}

        response = hr.post(f"{API}employees", {**good, field: value}, format="json")

        assert response.status_code == 400
        assert set(response.json()) == {field}
        assert Employee.objects.count() == 1

    def test_refuse_a_department_and_a_site_of_others(
        self, hr: APIClient, site: Site
    ) -> None:
        employee = make_employee(site=site)
        second = make_site()
        hr.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        elsewhere = make_department(site=second)
        address = f"{API}employees/{employee.pk}"

        department = hr.patch(address, {"department": elsewhere.pk}, format="json")
        unseen = hr.patch(address, {"department": make_department().pk}, format="json")
        moved = hr.patch(address, {"site": make_site().pk}, format="json")

        assert department.json() == {
            "department": [f"{elsewhere} is a department of another site."]
        }
        assert set(unseen.json()) == {"department"}
        assert set(moved.json()) == {"site"}

    def test_move_to_another_site_without_photos_alone(
        self, hr: APIClient, site: Site
    ) -> None:
        next_site = make_site()
        get_user_model().objects.get(username="hr").sites.add(next_site)
        employee = make_employee(site=site)
        photo = make_face_sample(employee=employee)
        address = f"{API}employees/{employee.pk}"
        body = {"site": next_site.pk, "name": "New"}

        refused = hr.patch(address, body, format="json")
        renamed = hr.patch(address, {"name": "New"}, format="json")
        photo.delete()
        moved = hr.patch(address, body, format="json")

        answers = (refused, renamed, moved)
        assert [answer.status_code for answer in answers] == [400, 200, 200]
        assert "Remove these" in refused.json()["site"][0]
        employee.refresh_from_db()
        assert employee.site == next_site

    def test_of_another_site_are_not_there(self, hr: APIClient) -> None:
        theirs = make_employee()
        address = f"{API}employees/{theirs.pk}"

        assert rows(hr, "employees") == []
        for ask in (hr.get, hr.patch):
            assert ask(address, {}, format="json").status_code == 404
        assert hr.post(f"{address}/erase").status_code == 404
        assert hr.get(f"{address}/faces").status_code == 404

    @pytest.mark.parametrize(
        ("query", "codes"),
        [
            ({}, ["E-1", "E-2"]),
            ({"q": "ASHA"}, ["E-1"]),
            ({"q": "e-2"}, ["E-2"]),
            ({"q": "two@"}, ["E-2"]),
            ({"status": "inactive"}, ["E-2"]),
            ({"is_authorized": "false"}, []),
            ({"code": "E-1"}, ["E-1"]),
            ({"has_photo": "true"}, ["E-1"]),
            ({"has_photo": "false"}, ["E-2"]),
        ],
    )
    def test_are_filtered(
        self, hr: APIClient, site: Site, query: dict[str, str], codes: list[str]
    ) -> None:
        asha = make_employee(site=site, code="E-1", name="Asha")
        make_employee(
            site=site, code="E-2", name="B", email="two@x.com", status="inactive"
        )
        for _ in range(2):
            make_face_sample(employee=asha)

        found = rows(hr, "employees", **query)

        assert [row["code"] for row in found] == codes
        counts = {row["code"]: row["photo_count"] for row in found}
        assert counts.get("E-1", 2) == 2

    def test_are_filtered_by_site_and_department(
        self, hr: APIClient, site: Site
    ) -> None:
        department = make_department(site=site)
        inside = make_employee(site=site, department=department)
        make_employee(site=site)

        found = rows(hr, "employees", department=department.pk, site=site.pk)
        unseen = hr.get(f"{API}employees", {"site": make_site().pk})
        theirs = hr.get(f"{API}employees", {"department": make_department().pk})
        unknown = hr.get(f"{API}employees", {"colour": "red"})

        assert [row["id"] for row in found] == [inside.pk]
        assert (unseen.status_code, unknown.status_code) == (400, 400)
        assert theirs.json() == {"department": ["There is no such department."]}
        assert set(unknown.json()) == {"colour"}

    def test_cost_no_more_queries_for_more_of_them(
        self, hr: APIClient, site: Site
    ) -> None:
        rows(hr, "employees")
        make_face_sample(employee=make_employee(site=site))
        for _ in range(3):
            make_employee(site=site, department=make_department(site=site))

        with CaptureQueriesContext(connection) as queries:
            rows(hr, "employees")

        assert len(queries) == 1

    def test_stay_once_there_are_records_of_them(self, site: Site) -> None:
        root = client_of(SITE_ADMIN, site, is_superuser=True)
        fresh, seen = make_employee(site=site), make_employee(site=site)
        make_access_log(employee=seen)

        gone = root.delete(f"{API}employees/{fresh.pk}")
        kept = root.delete(f"{API}employees/{seen.pk}")

        assert (gone.status_code, kept.status_code) == (204, 409)
        assert "inactive" in kept.json()["detail"]
        assert list(Employee.objects.all()) == [seen]

    def test_keep_what_a_worker_wrote_meanwhile(
        self, hr: APIClient, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        employee = make_employee(site=site)
        seen_at = timezone.now()
        change_before_saving(monkeypatch, Employee, last_seen_at=seen_at)
        hr.patch(f"{API}employees/{employee.pk}", {"name": "New"}, format="json")

        employee.refresh_from_db()
        assert (employee.name, employee.last_seen_at) == ("New", seen_at)

    def test_are_erased_by_one_of_two_alone(
        self, hr: APIClient, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        employee = make_employee(site=site)
        erase = erasure.erase

        def erase_second(**values: Any) -> Erasure:
            erase(**values)
            return erase(**values)

        monkeypatch.setattr(erasure, "erase", erase_second)
        response = hr.post(f"{API}employees/{employee.pk}/erase")

        assert response.status_code == 409
        assert "was erased already" in response.json()["detail"]

    def test_are_gone_once_erased(self, hr: APIClient, site: Site) -> None:
        employee = make_employee(site=site)
        address = f"{API}employees/{employee.pk}"

        erased = hr.post(f"{address}/erase")

        assert erased.status_code == 200
        assert erased.json()["employee"] == employee.pk
        assert set(erased.json()["removed"]) >= {"photos"}
        assert Erasure.objects.get().erased_by
        assert hr.get(address).status_code == 404
        assert hr.post(f"{address}/erase").status_code == 404
        assert rows(hr, "employees") == []


class TestFaces:
    def test_tell_where_the_photo_is_and_never_the_vector(
        self, reader: APIClient, site: Site
    ) -> None:
        sample = make_face_sample(employee=make_employee(site=site))
        other = make_face_sample(employee=make_employee(site=site))

        address = f"{API}employees/{sample.employee_id}/faces"
        (row,) = rows(reader, f"employees/{sample.employee_id}/faces")

        assert row["id"] == sample.pk
        assert "link=" in row["photo_url"]
        assert not {"embedding", "external_face_id", "image"} & set(row)
        assert reader.get(f"{address}/{other.pk}").status_code == 404

    def test_are_removed(self, reader: APIClient, site: Site) -> None:
        sample = make_face_sample(employee=make_employee(site=site))

        response = reader.delete(
            f"{API}employees/{sample.employee_id}/faces/{sample.pk}"
        )

        assert response.status_code == 204
        assert not sample.employee.faces.exists()


class TestPhotos:
    """What is refused before anybody looks at the photo."""

    @pytest.mark.parametrize(
        ("photo", "field"),
        [(None, "photo"), ("", "photo"), (7, "photo"), ("not base64!", "photo")],
    )
    def test_are_refused_where_they_are_none(
        self, reader: APIClient, site: Site, photo: object, field: str
    ) -> None:
        employee = make_employee(site=site)
        body = {"employee": employee.pk, "photo": photo}

        response = reader.post(f"{API}identity/enroll", body, format="json")

        assert response.status_code == 400
        assert set(response.json()) == {field}

    def test_are_refused_where_they_are_too_large(
        self, reader: APIClient, site: Site, settings: Settings
    ) -> None:
        settings.PHOTO_MAX_MIB = 1
        address = f"{API}employees/{make_employee(site=site).pk}/faces"
        large = b"x" * (2**20 + 1)

        as_text = {"photo": base64.b64encode(large).decode()}
        as_file = {"photo": SimpleUploadedFile("face.jpg", large)}
        as_field = {"photo": "x" * 3_000_000}
        answers = [
            reader.post(address, as_text, format="json"),
            reader.post(address, as_file, format="multipart"),
            reader.post(address, as_field, format="multipart"),
        ]

        assert [answer.status_code for answer in answers] == [413, 413, 413]
        assert {answer.json()["code"] for answer in answers} == {"too_large"}
        assert "at most 1 MiB" in answers[0].json()["detail"]

    def test_are_not_even_read_beyond_the_limit(
        self, reader: APIClient, site: Site
    ) -> None:
        body = {"photo": "x" * 16 * 2**20}

        response = reader.post(f"{API}identity/enroll", body, format="json")

        assert response.status_code == 413

    def test_need_to_say_whose_they_are(self, reader: APIClient, site: Site) -> None:
        photo = base64.b64encode(b"photo").decode()
        theirs = make_employee()
        own = make_employee(site=site)
        for who in (
            {},
            {"employee": own.pk, "code": own.code},
            {"employee": theirs.pk},
            {"code": theirs.code},
            {"code": "E-NONE"},
        ):
            body = {"photo": photo, **who}

            response = reader.post(f"{API}identity/enroll", body, format="json")

            assert response.status_code == 400
            assert set(response.json()) <= {"employee", "code"}

    def test_of_nothing_but_bytes_are_refused_with_code_and_sentence(
        self, reader: APIClient, site: Site
    ) -> None:
        employee = make_employee(site=site)
        text = SimpleUploadedFile("face.jpg", b"this is no picture")
        body = {"code": employee.code, "photo": text}

        response = reader.post(f"{API}identity/enroll", body, format="multipart")

        assert response.status_code == 400
        assert set(response.json()) == {"detail", "code"}
        assert not employee.faces.exists()

    def test_are_refused_while_too_many_wait(
        self, reader: APIClient, site: Site, redis_client: redis.Redis, photo: bytes
    ) -> None:
        until = timezone.now().timestamp() + 60
        redis_client.zadd("desk:waiting", {str(number): until for number in range(99)})
        body = {
            "employee": make_employee(site=site).pk,
            "photo": SimpleUploadedFile("face.jpg", photo),
        }

        response = reader.post(f"{API}identity/enroll", body, format="multipart")

        assert response.status_code == 429
        assert response.json()["code"] == "busy"

    def test_go_unanswered_without_a_worker(
        self,
        reader: APIClient,
        site: Site,
        redis_client: redis.Redis,
        photo: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(desk.ask, "__kwdefaults__", {"blob": b"", "timeout_s": 0.2})
        body = {"site": site.slug, "frame": SimpleUploadedFile("face.jpg", photo)}

        response = reader.post(f"{API}identity/process-frame", body, format="multipart")

        assert response.status_code == 503
        assert "Nothing was stored" in response.json()["detail"]


def as_file(jpeg: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("face.jpg", jpeg, content_type="image/jpeg")


def as_text(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode()


@pytest.mark.usefixtures("photo_worker")
class TestEnrolment:
    def test_takes_a_file_and_base64(self, reader: APIClient, site: Site) -> None:
        one, two = make_employee(site=site), make_employee(site=site)
        data_url = f"data:image/jpeg;base64,{as_text(card(2))}"

        answers = [
            reader.post(f"{API}employees/{one.pk}/faces", {"photo": as_file(card(1))}),
            reader.post(
                f"{API}identity/enroll",
                {"code": two.code, "photo": data_url},
                format="json",
            ),
        ]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert [answer.json()["employee"] for answer in answers] == [one.pk, two.pk]
        assert answers[0].json()["created_by"] == "integrator"
        photo = reader.get(answers[0].json()["photo_url"])
        assert photo["Content-Type"] == "image/jpeg"
        assert rows(reader, "employees", has_photo="true", code=one.code)

    def test_refuses_with_code_and_sentence_and_stores_nothing(
        self, reader: APIClient, site: Site
    ) -> None:
        known, other = make_employee(site=site), make_employee(site=site)
        reader.post(f"{API}employees/{known.pk}/faces", {"photo": as_file(card(1))})

        answers = [
            reader.post(f"{API}employees/{other.pk}/faces", {"photo": as_file(jpeg)})
            for jpeg in (nobody(), card(1))
        ]

        assert [answer.status_code for answer in answers] == [400, 400]
        assert answers[0].json()["code"] == "no_face"
        assert known.code in answers[1].json()["detail"]
        assert not other.faces.exists()

    def test_is_not_for_those_who_may_only_look(
        self, security: APIClient, site: Site
    ) -> None:
        employee = make_employee(site=site)
        body = {"code": employee.code, "photo": as_text(card(1))}

        response = security.post(f"{API}identity/enroll", body, format="json")

        assert response.status_code == 403
        assert not employee.faces.exists()


@pytest.mark.usefixtures("photo_worker")
class TestPeopleInAFrame:
    def test_are_recognised_and_nothing_is_kept(
        self, reader: APIClient, site: Site
    ) -> None:
        employee = make_employee(site=site)
        reader.post(f"{API}employees/{employee.pk}/faces", {"photo": as_file(card(1))})
        address = f"{API}identity/process-frame"

        known, unknown, empty = (
            reader.post(address, {"site": site.slug, "frame": as_file(jpeg)}).json()
            for jpeg in (card(1, noise=0.3, seed=1), card(2), nobody())
        )

        (face,) = known["faces"]
        assert (face["decision"], face["employee"]["code"]) == (
            "authorized",
            employee.code,
        )
        assert face["similarity"] > face["threshold"]
        assert face["box"] == [0, 0, 1, 1]
        assert "vector" not in face
        assert unknown["faces"][0]["decision"] == "unknown"
        assert unknown["faces"][0]["employee"] is None
        assert empty["faces"] == []
        assert not AccessLog.objects.exists()

    def test_are_not_those_of_another_site(self, reader: APIClient, site: Site) -> None:
        second = make_site()
        reader.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        employee = make_employee(site=second)
        reader.post(f"{API}employees/{employee.pk}/faces", {"photo": as_file(card(1))})

        body = {"site": site.slug, "frame": as_file(card(1))}
        told = reader.post(f"{API}identity/process-frame", body).json()

        assert told["faces"][0]["decision"] == "unknown"

    def test_are_recorded_once_however_often_it_is_sent(
        self, reader: APIClient, site: Site
    ) -> None:
        employee = make_employee(site=site)
        reader.post(f"{API}employees/{employee.pk}/faces", {"photo": as_file(card(1))})
        camera = make_camera(site=site, direction="entry")
        at = timezone.now() - timedelta(hours=1)
        body = {
            "camera": camera.code,
            "record": True,
            "event_id": str(uuid4()),
            "at": at.isoformat(),
            "frame": as_text(card(1)),
        }

        address = f"{API}identity/process-frame"

        first = reader.post(address, body, format="json").json()
        Employee.objects.update(is_authorized=False)
        again = reader.post(address, body, format="json").json()

        log = AccessLog.objects.get()
        assert first["event_id"] == again["event_id"] == body["event_id"]
        assert [row["id"] for row in first["access_logs"]] == [log.pk]
        assert [row["id"] for row in again["access_logs"]] == [log.pk]
        assert (log.camera, log.employee, log.occurred_at) == (camera, employee, at)
        assert (log.direction, log.x, log.y) == ("entry", 0.5, 1)
        assert log.snapshot


@pytest.mark.usefixtures("photo_worker")
class TestSearchByPhoto:
    def test_finds_who_was_here_before_at_own_sites_alone(
        self, security: APIClient, site: Site
    ) -> None:
        face = {"embedding": vector_of(card(1)).tolist(), "face_model": "cards"}
        log = make_access_log(camera=make_camera(site=site), **face)
        make_access_log(camera=make_camera(site=site), face_model="cards")
        make_access_log(**face)
        stranger = make_unknown_person(site=site, **face)
        make_unknown_person(**face)
        body = {"photo": as_file(card(1, noise=0.2, seed=3))}

        found = security.post(f"{API}unknown-persons/search", body).json()

        assert [row["access_log"]["id"] for row in found["sightings"]] == [log.pk]
        assert [row["unknown_person"]["id"] for row in found["strangers"]] == [
            stranger.pk
        ]
        assert found["sightings"][0]["similarity"] > 0.8

    def test_refuses_a_photo_of_nobody(self, security: APIClient) -> None:
        body = {"photo": as_file(nobody())}

        response = security.post(f"{API}unknown-persons/search", body)

        assert response.status_code == 400
        assert response.json()["code"] == "no_face"

    def test_refuses_a_site_that_the_user_does_not_see(
        self, security: APIClient
    ) -> None:
        body = {"photo": as_file(card(1)), "site": make_site().slug}

        response = security.post(f"{API}unknown-persons/search", body)

        assert response.status_code == 400
        assert set(response.json()) == {"site"}


class TestProcessFrame:
    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"camera": "{camera}", "site": "{site}"},
            {"site": "{site}", "record": True},
            {"site": "{their_site}"},
            {"site": "a\0"},
            {"camera": 7},
            {"camera": "{their_camera}"},
            {"camera": "{camera}", "record": True, "event_id": "seven"},
            {"camera": "{camera}", "record": True, "at": "2199-01-01T00:00:00Z"},
            {"camera": "{camera}", "record": True, "at": "0001-01-01T00:00:00Z"},
        ],
    )
    def test_refuses_what_it_cannot_mean(
        self, amir: APIClient, site: Site, photo: bytes, asked: dict[str, Any]
    ) -> None:
        codes = {
            "{camera}": make_camera(site=site).code,
            "{their_camera}": make_camera().code,
            "{site}": site.slug,
            "{their_site}": make_site().slug,
        }
        body = {name: codes.get(value, value) for name, value in asked.items()}
        body["frame"] = base64.b64encode(photo).decode()

        response = amir.post(f"{API}identity/process-frame", body, format="json")

        assert response.status_code == 400
        assert set(response.json()) <= {"camera", "site", "event_id", "at"}
        assert not AccessLog.objects.exists()

    def test_records_only_for_those_who_may(
        self, security: APIClient, site: Site, photo: bytes
    ) -> None:
        body = {
            "camera": make_camera(site=site).code,
            "record": True,
            "frame": base64.b64encode(photo).decode(),
        }

        response = security.post(f"{API}identity/process-frame", body, format="json")

        assert response.status_code == 403
        assert response.json()["detail"] == "Your role may not record."


class TestAccessLogs:
    def test_are_those_of_own_sites_newest_first(
        self, security: APIClient, site: Site
    ) -> None:
        camera = make_camera(site=site)
        theirs = make_access_log()
        hour = timedelta(hours=1)
        old = make_access_log(camera=camera, occurred_at=timezone.now() - hour)
        new = make_access_log(camera=camera)

        assert [row["id"] for row in rows(security, "access-logs")] == [new.pk, old.pk]
        assert security.get(f"{API}access-logs/{theirs.pk}").status_code == 404

    def test_say_who_it_was_and_why_and_never_the_vector(
        self, reader: APIClient, site: Site
    ) -> None:
        employee = make_employee(site=site)
        log = make_access_log(employee=employee, snapshot="snapshots/known/a.jpg")
        stranger = make_unknown_person(site=site, sightings=3)
        make_access_log(camera=log.camera, unknown_person=stranger)

        unknown, known = rows(reader, "access-logs")

        assert known["employee"] == {
            "id": employee.pk,
            "code": employee.code,
            "name": employee.name,
        }
        assert (known["site"], known["camera_code"]) == (site.slug, log.camera.code)
        assert (known["similarity"], known["threshold"]) == (0.7, 0.42)
        assert "link=" in known["snapshot_url"]
        assert "a.jpg" not in known["snapshot_url"]
        assert unknown["employee"] is unknown["snapshot_url"] is None
        assert (unknown["unknown_person"], unknown["unknown_sightings"]) == (
            stranger.pk,
            3,
        )
        assert "embedding" not in known

    def test_cost_no_more_queries_for_more_of_them(
        self, reader: APIClient, site: Site
    ) -> None:
        rows(reader, "access-logs")
        for _ in range(2):
            log = make_access_log(employee=make_employee(site=site))
            stranger = make_unknown_person(site=site)
            make_access_log(camera=log.camera, unknown_person=stranger)

        with CaptureQueriesContext(connection) as queries:
            rows(reader, "access-logs")

        assert len(queries) == 1

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"camera": "CAM-A"}, 2),
            ({"employee": "E-1"}, 1),
            ({"decision": "unknown"}, 1),
            ({"flagged": "true"}, 1),
            ({"from": "2026-03-02T00:00:00Z"}, 1),
            ({"to": "2026-03-02T00:00:00Z"}, 1),
            ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:01Z"}, 1),
        ],
    )
    def test_are_filtered(
        self, reader: APIClient, site: Site, query: dict[str, str], count: int
    ) -> None:
        camera = make_camera(site=site, code="CAM-A")
        then = datetime(2026, 3, 1, tzinfo=UTC)
        employee = make_employee(site=site, code="E-1")
        make_access_log(camera=camera, employee=employee, occurred_at=then)
        make_access_log(camera=camera, flagged=True)

        assert len(rows(reader, "access-logs", **query)) == count

    @pytest.mark.parametrize(
        "query",
        [
            {"colour": "red"},
            {"camera": "CAM-THEIRS"},
            {"employee": "E-THEIRS"},
            {"site": "999999"},
            {"decision": "perhaps"},
            {"from": "yesterday"},
        ],
    )
    def test_refuse_filters_they_do_not_understand(
        self, reader: APIClient, query: dict[str, str]
    ) -> None:
        make_camera(code="CAM-THEIRS")
        make_employee(code="E-THEIRS")

        response = reader.get(f"{API}access-logs", query)

        assert response.status_code == 400
        assert set(response.json()) == set(query)

    def test_refuse_a_stranger_of_another_site(self, reader: APIClient) -> None:
        query = {"unknown_person": make_unknown_person().pk}

        response = reader.get(f"{API}access-logs", query)

        assert response.status_code == 400
        assert set(response.json()) == {"unknown_person"}

    def test_take_a_flag_and_notes_and_nothing_else(
        self, security: APIClient, site: Site
    ) -> None:
        log = make_access_log(camera=make_camera(site=site))
        said = {"flagged": True, "notes": "Tailgating.", "decision": "authorized"}

        answer = security.patch(f"{API}access-logs/{log.pk}", said, format="json")

        log.refresh_from_db()
        assert answer.status_code == 200
        assert (log.flagged, log.notes) == (True, "Tailgating.")
        assert log.decision == Decision.UNKNOWN

    def test_come_in_pages_that_miss_none(self, reader: APIClient, site: Site) -> None:
        camera = make_camera(site=site)
        same = timezone.now()
        made = [make_access_log(camera=camera, occurred_at=same).pk for _ in range(5)]
        seen: list[int] = []
        address: str | None = f"{API}access-logs?page_size=2"

        while address:
            page = reader.get(address).json()
            seen += [row["id"] for row in page["results"]]
            address = page["next"]

        assert seen == made[::-1]


class TestSummary:
    def test_counts_by_decision_and_by_the_sites_own_day(
        self, reader: APIClient, site: Site
    ) -> None:
        camera = make_camera(site=site)
        employee = make_employee(site=site)
        late = datetime(2026, 3, 1, 18, 29, tzinfo=UTC)  # 23:59 in Kolkata
        for minutes, decision in enumerate(Decision):
            make_access_log(
                camera=camera,
                employee=employee,
                decision=decision,
                occurred_at=late + timedelta(minutes=minutes),
            )
        make_access_log(occurred_at=late)

        summary = reader.get(
            f"{API}access-logs/summary", {"from": "2026-03-01T00:00:00Z"}
        ).json()

        assert (summary["total"], summary["authorized_rate"]) == (4, 0.25)
        assert [(day["date"], day["total"]) for day in summary["days"]] == [
            ("2026-03-01", 1),
            ("2026-03-02", 3),
        ]
        assert summary["days"][0]["authorized_rate"] == 1.0

    def test_of_nobody_has_no_rate(self, reader: APIClient) -> None:
        summary = reader.get(f"{API}access-logs/summary").json()

        assert (summary["total"], summary["authorized_rate"]) == (0, None)
        assert summary["days"] == []

    @pytest.mark.parametrize("query", [{}, {"from": ""}])
    def test_looks_back_a_month_where_nobody_says_how_far(
        self, reader: APIClient, site: Site, query: dict[str, str]
    ) -> None:
        camera = make_camera(site=site)
        for days in (29, 31):
            at = timezone.now() - timedelta(days=days)
            make_access_log(camera=camera, occurred_at=at)

        told = reader.get(f"{API}access-logs/summary", query).json()
        assert told["total"] == 1

    def test_adds_up_sites_of_two_zones(self, reader: APIClient, site: Site) -> None:
        second = make_site(time_zone="America/New_York")
        reader.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        for where in (site, second):
            make_access_log(camera=make_camera(site=where))

        summary = reader.get(f"{API}access-logs/summary").json()
        one = reader.get(f"{API}access-logs/summary", {"site": second.pk}).json()

        assert (summary["total"], one["total"]) == (2, 1)

    @pytest.mark.parametrize(
        "query", [{"colour": "red"}, {"camera": "NONE"}, {"to": "x"}, {"page_size": 1}]
    )
    def test_refuses_filters_it_does_not_understand(
        self, reader: APIClient, query: dict[str, str | int]
    ) -> None:
        response = reader.get(f"{API}access-logs/summary", query)

        assert response.status_code == 400
        assert set(response.json()) == set(query)


class TestUnknownPersons:
    def test_are_those_of_own_sites_seen_last_first(
        self, security: APIClient, site: Site
    ) -> None:
        now = timezone.now()
        old = make_unknown_person(site=site, last_seen_at=now - timedelta(days=1))
        new = make_unknown_person(site=site, last_seen_at=now)
        theirs = make_unknown_person()

        found = rows(security, "unknown-persons")

        assert [row["id"] for row in found] == [new.pk, old.pk]
        assert "embedding" not in found[0]
        assert security.get(f"{API}unknown-persons/{theirs.pk}").status_code == 404

    def test_have_their_visits_in_the_access_logs(
        self, security: APIClient, site: Site
    ) -> None:
        stranger = make_unknown_person(site=site)
        log = make_access_log(camera=make_camera(site=site), unknown_person=stranger)
        make_access_log(camera=log.camera)

        found = rows(security, "access-logs", unknown_person=stranger.pk)

        assert [row["id"] for row in found] == [log.pk]

    def test_become_an_employee_that_is_there(self, hr: APIClient, site: Site) -> None:
        stranger, employee = make_unknown_person(site=site), make_employee(site=site)
        log = make_access_log(camera=make_camera(site=site), unknown_person=stranger)
        address = f"{API}unknown-persons/{stranger.pk}/promote"

        answer = hr.post(address, {"employee": employee.pk}, format="json")
        again = hr.post(address, {"employee": employee.pk}, format="json")

        log.refresh_from_db()
        assert (answer.status_code, answer.json()["rows"]) == (200, 1)
        assert (log.employee, log.decision) == (employee, Decision.UNKNOWN)
        assert again.status_code == 409
        assert set(again.json()) == {"detail", "code"}
        assert rows(hr, "unknown-persons", promoted="true")
        assert not rows(hr, "unknown-persons", promoted="false")

    def test_become_somebody_new(self, hr: APIClient, site: Site) -> None:
        stranger = make_unknown_person(site=site)
        address = f"{API}unknown-persons/{stranger.pk}/promote"
        new = {"code": "E-9", "name": "Ravi"}

        bad = hr.post(address, {"new_employee": {"code": "E-9"}}, format="json")
        made = hr.post(address, {"new_employee": new}, format="json")

        assert (bad.status_code, made.status_code) == (400, 200)
        employee = Employee.objects.get()
        assert (employee.site, employee.code) == (site, "E-9")
        assert UnknownPerson.objects.get().employee == employee

    def test_refuse_a_name_of_another_site_and_none_and_two(
        self, hr: APIClient, site: Site
    ) -> None:
        stranger = make_unknown_person(site=site)
        address = f"{API}unknown-persons/{stranger.pk}/promote"
        own = make_employee(site=site)
        for said in (
            {},
            {"employee": make_employee().pk},
            {"employee": own.pk, "new_employee": {"code": "E-9", "name": "R"}},
            {"new_employee": {"code": own.code, "name": "R"}},
        ):
            assert hr.post(address, said, format="json").status_code == 400

        stranger.refresh_from_db()
        assert stranger.employee is None
        assert Employee.objects.filter(site=site).count() == 1

    def test_take_notes_and_nothing_else(
        self, hr: APIClient, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stranger = make_unknown_person(site=site, sightings=2)
        said = {"notes": "A visitor?", "sightings": 99}
        change_before_saving(monkeypatch, UnknownPerson, sightings=3)
        answer = hr.patch(f"{API}unknown-persons/{stranger.pk}", said, format="json")

        stranger.refresh_from_db()
        assert answer.status_code == 200
        assert (stranger.notes, stranger.sightings) == ("A visitor?", 3)


class TestCacheStats:
    def test_count_hits_calls_and_cost_by_day(
        self, reader: APIClient, site: Site, redis_client: redis.Redis
    ) -> None:
        make_face_sample(employee=make_employee(site=site), face_model="sface")
        make_face_sample(face_model="theirs")
        usage.count("hits", 3)
        usage.count("misses")
        usage.count("calls")

        told = reader.get(f"{API}identity/cache-stats").json()

        today = told["days"][0]
        assert len(told["days"]) == 8
        assert (today["hits"], today["hit_rate"], today["calls"]) == (3, 0.75, 1)
        assert today["cost_usd"] > 0
        assert told["days"][1]["hit_rate"] is None
        assert (told["engine"], told["breaker"]) == ("local", None)
        assert told["face_models"] == {"sface": 1}

    def test_tell_the_breaker_of_the_remote_engine(
        self, reader: APIClient, redis_client: redis.Redis, settings: Settings
    ) -> None:
        settings.FACE_ENGINE = "rekognition"

        told = reader.get(f"{API}identity/cache-stats").json()

        assert told["breaker"] == "closed"


class TestSnapshots:
    def test_are_counted_and_removed_at_own_sites_alone(
        self, amir: APIClient, site: Site
    ) -> None:
        then = timezone.now() - timedelta(days=100)
        for camera in (make_camera(site=site), make_camera()):
            kept = {"snapshot": f"snapshots/unknown/{uuid4().hex}.jpg"}
            make_access_log(camera=camera, occurred_at=then, snapshot_bytes=10, **kept)
        body = {"older_than_days": 90}
        address = f"{API}identity/cleanup-snapshots"

        before = amir.get(f"{API}identity/snapshot-stats").json()
        tried = amir.post(address, {**body, "dry_run": True}, format="json").json()
        done = amir.post(address, body, format="json").json()
        after = amir.get(f"{API}identity/snapshot-stats").json()

        assert before["total"] == {"files": 1, "bytes": 10}
        assert (tried["rows"], done["rows"]) == (1, 1)
        assert after["total"] == {"files": 0, "bytes": 0}
        assert AccessLog.objects.exclude(snapshot="").count() == 1

    @pytest.mark.parametrize(
        "body", [{}, {"older_than_days": 0}, {"older_than_days": "all"}]
    )
    def test_are_kept_where_the_age_is_missing_or_none(
        self, amir: APIClient, site: Site, body: dict[str, object]
    ) -> None:
        make_access_log(camera=make_camera(site=site), snapshot="snapshots/a.jpg")

        answer = amir.post(f"{API}identity/cleanup-snapshots", body, format="json")

        assert answer.status_code == 400
        assert set(answer.json()) == {"older_than_days"}
        assert AccessLog.objects.exclude(snapshot="").exists()
