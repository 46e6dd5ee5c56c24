"""Who is inside, and unknown faces, over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.models import PresenceEvent, UnknownAttendance
from tests.clients import rows
from tests.factories import (
    make_access_log,
    make_camera,
    make_employee,
    make_face_sample,
    make_presence,
    make_site,
    make_unknown_attendance,
    make_unknown_person,
    make_vector,
    make_vector_like,
    make_vehicle,
    make_vehicle_log,
)

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from identity.models import Employee
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db
MUSTER, UNKNOWN = "/api/v1/attendance/muster", "/api/v1/attendance/unknown"


class TestMuster:
    def test_tells_who_is_inside(self, security: APIClient, asha: Employee) -> None:
        now = timezone.now()
        came = now - timedelta(minutes=30)
        make_presence(employee=asha, occurred_at=came)
        left = make_employee(site=asha.site)
        make_presence(employee=left, occurred_at=came)
        make_presence(employee=left, occurred_at=now - timedelta(minutes=10), way="out")

        told = security.get(MUSTER).json()

        assert (told["inside"], told["perhaps"], told["strangers"]) == (1, 0, 0)
        (site,) = told["sites"]
        assert (site["site"], site["perhaps"]) == ("own-plant", [])
        (person,) = site["inside"]
        assert (person["code"], person["name"]) == ("E-104", "Asha Rao")
        assert person["since"].startswith(came.strftime("%Y-%m-%dT%H:%M:%S"))
        assert "status" not in person

    def test_tells_the_vehicles_and_whose_they_are(
        self, security: APIClient, asha: Employee
    ) -> None:
        came = timezone.now() - timedelta(minutes=30)
        make_presence(employee=asha, occurred_at=came)
        car = make_vehicle(site=asha.site, plate_number="MH12AB1234", employee=asha)
        gate = make_camera(site=asha.site, name="North gate", direction="entry")
        make_vehicle_log(camera=gate, vehicle=car, direction="entry", occurred_at=came)

        told = security.get(MUSTER).json()

        (site,) = told["sites"]
        (vehicle,) = site["vehicles"]
        assert told["vehicles"] == 1
        assert site["inside"][0]["plates"] == ["MH12AB1234"]
        assert (vehicle["plate_number"], vehicle["gate"]) == (
            "MH12AB1234",
            "North gate",
        )
        assert (vehicle["employee_code"], vehicle["owner"]) == ("E-104", "")
        assert vehicle["since"] == site["inside"][0]["since"]

    def test_is_of_own_sites(self, security: APIClient, asha: Employee) -> None:
        theirs = make_employee()
        for employee in (asha, theirs):
            make_presence(employee=employee)

        told = security.get(MUSTER).json()
        chosen = security.get(MUSTER, {"site": asha.site_id}).json()
        unseen = security.get(MUSTER, {"site": theirs.site_id})

        assert [site["site"] for site in told["sites"]] == ["own-plant"]
        assert (told["inside"], chosen["inside"]) == (1, 1)
        assert (unseen.status_code, set(unseen.json())) == (400, {"site"})

    @pytest.mark.parametrize("name", ["colour", "page_size", "cursor"])
    def test_refuses_filters_that_it_does_not_know(
        self, security: APIClient, name: str
    ) -> None:
        response = security.get(MUSTER, {name: 1})

        assert (response.status_code, set(response.json())) == (400, {name})

    def test_costs_as_many_queries_for_many_as_for_one(
        self, security: APIClient, site: Site
    ) -> None:
        security.get(MUSTER)
        counts = []
        for number in (1, 19):
            for _ in range(number):
                make_presence(employee=make_employee(site=site))
            with CaptureQueriesContext(connection) as queries:
                told = security.get(MUSTER).json()
            counts.append(len(queries))

        assert counts[0] == counts[1]
        assert told["inside"] == 20


@pytest.fixture
def gate(site: Site) -> Camera:
    return make_camera(site=site, code="CAM-GATE", tasks=["faces", "attendance"])


@pytest.fixture
def face(gate: Camera) -> UnknownAttendance:
    """Give an unknown face at the gate, half an hour ago."""
    at = timezone.now() - timedelta(minutes=30)
    log = make_access_log(camera=gate, occurred_at=at, snapshot="unknown/x.jpg")
    return make_unknown_attendance(camera=gate, access_log=log, occurred_at=at)


class TestUnknown:
    def test_are_told_with_their_picture(
        self, reader: APIClient, face: UnknownAttendance
    ) -> None:
        make_unknown_attendance()

        (told,) = rows(reader, "attendance/unknown")

        assert (told["id"], told["camera_code"]) == (face.pk, "CAM-GATE")
        assert (told["state"], told["employee"]) == ("open", None)
        assert told["access_log"] == face.access_log_id
        assert "link=" in told["snapshot_url"]
        assert b"hidden-word" not in reader.get(UNKNOWN).content
        assert b"embedding" not in reader.get(UNKNOWN).content

    def test_are_told_without_one_that_is_not_kept(
        self, reader: APIClient, gate: Camera
    ) -> None:
        make_unknown_attendance(camera=gate)

        (told,) = rows(reader, "attendance/unknown")

        assert (
            told["access_log"] is told["snapshot_url"] is told["unknown_person"] is None
        )

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({}, 2),
            ({"state": "open"}, 1),
            ({"state": "dismissed"}, 1),
            ({"camera": "CAM-GATE"}, 2),
            ({"from": "2100-01-01T00:00:00Z"}, 0),
        ],
    )
    def test_are_filtered(
        self,
        reader: APIClient,
        face: UnknownAttendance,
        query: dict[str, str],
        count: int,
    ) -> None:
        make_unknown_attendance(camera=face.camera, state="dismissed")

        assert len(rows(reader, "attendance/unknown", **query)) == count

    def test_are_linked_to_somebody_and_counted_when_they_were_seen(
        self, hr: APIClient, asha: Employee, face: UnknownAttendance
    ) -> None:
        response = hr.post(
            f"{UNKNOWN}/{face.pk}/link", {"employee": "E-104"}, format="json"
        )

        assert response.status_code == 200
        told = response.json()
        assert (told["state"], told["decided_by"]) == ("linked", "hr")
        assert told["employee"]["code"] == "E-104"
        event = PresenceEvent.objects.get()
        assert (event.employee, event.occurred_at) == (asha, face.occurred_at)

    def test_are_dismissed_and_taken_back(
        self, hr: APIClient, face: UnknownAttendance
    ) -> None:
        address = f"{UNKNOWN}/{face.pk}"

        answers = [
            hr.post(f"{address}/unlink"),
            hr.post(f"{address}/dismiss"),
            hr.post(f"{address}/dismiss"),
            hr.post(f"{address}/unlink"),
        ]

        assert [answer.status_code for answer in answers] == [409, 200, 409, 200]
        assert answers[0].json()["code"] == "not_linked"
        told = [answers[index].json()["state"] for index in (1, 3)]
        assert told == ["dismissed", "open"]

    def test_are_decided_by_whoever_may_about_own_people(
        self, hr: APIClient, reader: APIClient, asha: Employee, face: UnknownAttendance
    ) -> None:
        theirs, elsewhere = make_employee(), make_unknown_attendance()
        body, address = {"employee": "E-104"}, f"{UNKNOWN}/{face.pk}/link"

        answers = [
            reader.post(address, body, format="json"),
            hr.post(address, {"employee": theirs.code}, format="json"),
            hr.post(address, {}, format="json"),
            hr.post(f"{UNKNOWN}/{elsewhere.pk}/link", body, format="json"),
            hr.post(address, body, format="json"),
        ]

        statuses = [answer.status_code for answer in answers]
        assert statuses == [403, 404, 400, 404, 200]

    def test_are_linked_to_people_of_their_site_alone(
        self, hr: APIClient, face: UnknownAttendance
    ) -> None:
        second = make_site()
        hr.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        elsewhere = make_employee(site=second)

        response = hr.post(
            f"{UNKNOWN}/{face.pk}/link", {"employee": elsewhere.pk}, format="json"
        )

        assert (response.status_code, response.json()["code"]) == (409, "not_linked")
        assert "works at another site" in response.json()["detail"]

    def test_tell_who_it_may_be_the_most_alike_first(
        self, reader: APIClient, asha: Employee, gate: Camera
    ) -> None:
        vector = make_vector()
        other = make_employee(site=asha.site)
        for employee, similarity in ((other, 0.4), (asha, 0.6)):
            alike = make_vector_like(vector, similarity)
            make_face_sample(employee=employee, embedding=alike)
        log = make_access_log(camera=gate, embedding=vector)
        face = make_unknown_attendance(camera=gate, access_log=log)

        told = reader.get(f"{UNKNOWN}/{face.pk}/candidates").json()

        assert [each["employee"]["code"] for each in told] == ["E-104", other.code]
        assert told[0]["similarity"] == pytest.approx(0.6, abs=0.01)

    def test_cost_as_many_queries_for_many_as_for_one(
        self, reader: APIClient, asha: Employee, gate: Camera
    ) -> None:
        rows(reader, "attendance/unknown")
        counts = []
        for number in (1, 19):
            for _ in range(number):
                stranger = make_unknown_person(site=gate.site)
                log = make_access_log(camera=gate, unknown_person=stranger)
                make_unknown_attendance(
                    camera=gate, access_log=log, state="linked", employee=asha
                )
            with CaptureQueriesContext(connection) as queries:
                rows(reader, "attendance/unknown")
            counts.append(len(queries))

        assert counts == [1, 1]
