"""Corrections and requests over the API."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
)
from tests.clients import rows
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_record,
)

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from identity.models import Employee

pytestmark = pytest.mark.django_db
CORRECTIONS = "/api/v1/attendance/corrections"
REQUESTS = "/api/v1/attendance/correction-requests"
MONDAY = date(2026, 3, 2)
AT_NINE = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
"""In Kolkata."""


@pytest.fixture
def absent(asha: Employee) -> AttendanceRecord:
    """Give a day on which Asha, who works from 09:00 to 17:00, was not seen."""
    shift = make_assignment(employee=asha).shift
    return make_record(
        employee=asha,
        shift=shift,
        status="absent",
        start_at=AT_NINE,
        end_at=AT_NINE + timedelta(hours=8),
        closes_at=AT_NINE + timedelta(hours=12),
    )


def correct(client: APIClient, **values: object) -> Any:
    body = {
        "employee": "E-104",
        "date": "2026-03-02",
        "check_in_at": "2026-03-02T09:25:00+05:30",
        "check_out_at": "2026-03-02T17:00:00+05:30",
        "reason": "The camera was covered.",
        **values,
    }
    return client.post(CORRECTIONS, body, format="json")


class TestCorrections:
    def test_change_the_day_and_say_who_why_and_from_what(
        self, hr: APIClient, absent: AttendanceRecord
    ) -> None:
        made = correct(hr)

        assert made.status_code == 201
        (told,) = rows(hr, "attendance/corrections")
        assert told == made.json()
        assert (told["made_by"], told["reason"]) == ("hr", "The camera was covered.")
        assert told["before"] == {
            "status": "absent",
            "check_in_at": None,
            "check_out_at": None,
        }
        assert told["after"]["status"] == told["record"]["status"] == "late"
        assert told["after"]["check_in_at"].startswith("2026-03-02T03:55:00")
        assert told["record"]["employee"]["code"] == "E-104"
        absent.refresh_from_db()
        assert (absent.status, absent.late_minutes) == ("late", 25)
        assert absent.is_corrected

    def test_may_be_about_a_day_without_a_record(
        self, hr: APIClient, asha: Employee
    ) -> None:
        make_assignment(employee=asha)

        made = correct(hr, employee=asha.pk, status="present")

        assert made.status_code == 201
        assert made.json()["record"]["status"] == "present"
        assert AttendanceRecord.objects.get().employee == asha

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("reason", ""),
            ("reason", None),
            ("date", "2099-01-01"),
            ("date", "2999-01-01"),
            ("date", "0001-01-01"),
            ("date", "02/03/2026"),
            ("status", "here"),
            ("status", "unverified"),
            ("check_in_at", None),
            ("check_in_at", "2026-03-02T09:25:00"),
            ("check_in_at", "2026-03-01T03:00:00+05:30"),
            ("check_out_at", "2026-03-02T09:00:00+05:30"),
            ("check_out_at", "2026-03-09T09:00:00+05:30"),
            ("employee", None),
        ],
    )
    def test_refuse_bad_values_by_field(
        self, hr: APIClient, absent: AttendanceRecord, field: str, value: object
    ) -> None:
        times = {"check_in_at": None, "check_out_at": None}
        others = times if value == "unverified" else {}

        refused = correct(hr, **{**others, field: value})

        assert (refused.status_code, set(refused.json())) == (400, {field})
        absent.refresh_from_db()
        assert (absent.status, absent.is_corrected) == ("absent", False)
        assert correct(hr).status_code == 201

    def test_refuse_what_changes_nothing(
        self, hr: APIClient, absent: AttendanceRecord
    ) -> None:
        answers = [correct(hr), correct(hr)]

        assert [answer.status_code for answer in answers] == [201, 409]
        assert answers[1].json()["code"] == "not_corrected"
        assert AttendanceCorrection.objects.count() == 1

    def test_are_made_by_whoever_may_and_of_own_people(
        self, hr: APIClient, reader: APIClient, absent: AttendanceRecord
    ) -> None:
        theirs = make_employee()

        answers = [
            correct(reader),
            correct(hr, employee=theirs.code),
            correct(hr, employee="E-NONE"),
            correct(hr),
        ]

        assert [answer.status_code for answer in answers] == [403, 404, 404, 201]
        assert answers[1].json()["code"] == "employee_unknown"

    def test_can_be_given_back_to_the_rules(
        self, hr: APIClient, reader: APIClient, absent: AttendanceRecord
    ) -> None:
        address = f"/api/v1/attendance/records/{absent.pk}/give-back"
        reason = {"reason": "It was somebody else."}
        early = hr.post(address, reason, format="json")
        correct(hr)

        answers = [
            reader.post(address, reason, format="json"),
            hr.post(address, {}, format="json"),
            hr.post(address, reason, format="json"),
        ]

        assert (early.status_code, early.json()["code"]) == (409, "not_corrected")
        assert [answer.status_code for answer in answers] == [403, 400, 200]
        assert answers[2].json()["before"]["status"] == "late"
        assert answers[2].json()["after"]["status"] is None
        assert answers[2].json()["record"]["status"] == "absent"
        absent.refresh_from_db()
        assert (absent.status, absent.is_corrected) == ("absent", False)

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({}, 2),
            ({"employee": "E-104"}, 1),
            ({"from": "2026-03-03"}, 1),
            ({"to": "2026-03-02"}, 1),
            ({"from": "2026-03-04"}, 0),
        ],
    )
    def test_are_filtered_and_of_own_sites(
        self,
        reader: APIClient,
        asha: Employee,
        query: dict[str, str],
        count: int,
    ) -> None:
        other = make_employee(site=asha.site)
        for employee, on in ((asha, 2), (other, 3), (make_employee(), 3)):
            record = make_record(employee=employee, attendance_date=date(2026, 3, on))
            make_correction(record)

        assert len(rows(reader, "attendance/corrections", **query)) == count

    def test_are_found_by_their_day_and_department(
        self, reader: APIClient, asha: Employee
    ) -> None:
        press = make_department(site=asha.site)
        record = make_record(employee=make_employee(department=press))
        own, theirs = make_correction(record), make_correction(make_record())
        make_correction(make_record(employee=asha))

        found = [
            rows(reader, "attendance/corrections", **{name: key})
            for name, key in {"record": record.pk, "department": press.pk}.items()
        ]

        assert [[row["id"] for row in each] for each in found] == [[own.pk], [own.pk]]
        assert reader.get(f"{CORRECTIONS}/{theirs.pk}").status_code == 404
        assert reader.get(CORRECTIONS, {"record": theirs.record_id}).status_code == 400

    def test_are_never_changed_or_deleted(
        self, hr: APIClient, absent: AttendanceRecord
    ) -> None:
        address = f"{CORRECTIONS}/{correct(hr).json()['id']}"

        answers = [hr.patch(address, {}, format="json"), hr.delete(address)]

        assert {answer.status_code for answer in answers} <= {403, 405}
        assert AttendanceCorrection.objects.count() == 1

    @pytest.mark.parametrize("route", ["corrections", "correction-requests"])
    def test_cost_as_many_queries_for_many_as_for_one(
        self, reader: APIClient, asha: Employee, route: str
    ) -> None:
        rows(reader, f"attendance/{route}")
        counts = []
        for number in (1, 19):
            for _ in range(number):
                record = make_record(employee=make_employee(site=asha.site))
                make_correction(record)
                make_request(record)
            with CaptureQueriesContext(connection) as queries:
                rows(reader, f"attendance/{route}")
            counts.append(len(queries))

        assert counts == [1, 1]


def make_correction(record: AttendanceRecord) -> AttendanceCorrection:
    return AttendanceCorrection.objects.create(
        record=record, made_at=timezone.now(), reason="x", before={}, after={}
    )


def make_request(record: AttendanceRecord, **values: Any) -> CorrectionRequest:
    defaults = {"made_at": timezone.now(), "text": "I was there."}
    return CorrectionRequest.objects.create(record=record, **defaults | values)


class TestRequests:
    def test_are_entered_for_a_worker(
        self, reader: APIClient, absent: AttendanceRecord
    ) -> None:
        body = {
            "employee": "E-104",
            "date": "2026-03-02",
            "text": "I was there.",
            "check_in_at": "2026-03-02T09:00:00+05:30",
        }

        made = reader.post(REQUESTS, body, format="json")
        again = reader.post(REQUESTS, body, format="json")

        assert (made.status_code, again.status_code) == (201, 409)
        (told,) = rows(reader, "attendance/correction-requests", state="open")
        assert told == made.json()
        assert (told["made_by"], told["text"]) == ("integrator", "I was there.")
        assert (told["state"], told["answered_at"]) == ("open", None)
        assert told["check_in_at"] == "2026-03-02T03:30:00Z"
        absent.refresh_from_db()
        assert absent.status == "absent"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("date", "2026-03-03"),
            ("text", " "),
            ("check_in_at", "2026-03-02T09:00:00"),
            ("check_in_at", "2100-03-02T09:00:00+05:30"),
            ("check_out_at", "2026-03-02T01:00:00+05:30"),
        ],
    )
    def test_refuse_bad_values_by_field(
        self, reader: APIClient, absent: AttendanceRecord, field: str, value: str
    ) -> None:
        good = {
            "employee": "E-104",
            "date": "2026-03-02",
            "text": "I was there.",
            "check_in_at": "2026-03-02T09:00:00+05:30",
        }

        refused = reader.post(REQUESTS, {**good, field: value}, format="json")
        taken = reader.post(REQUESTS, good, format="json")

        assert (refused.status_code, set(refused.json())) == (400, {field})
        assert taken.status_code == 201

    def test_become_corrections_when_they_are_accepted(
        self, hr: APIClient, reader: APIClient, absent: AttendanceRecord
    ) -> None:
        wish = make_request(absent, check_in_at=AT_NINE)
        address = f"{REQUESTS}/{wish.pk}/accept"

        answers = [
            reader.post(address, {}, format="json"),
            hr.post(address, {"answer": "The guard saw you."}, format="json"),
            hr.post(address, {}, format="json"),
        ]

        assert [answer.status_code for answer in answers] == [403, 200, 409]
        told = answers[1].json()
        assert (told["state"], told["answered_by"]) == ("accepted", "hr")
        assert told["answer"] == "The guard saw you."
        assert told["record"]["status"] == "present"
        assert told["correction"] == AttendanceCorrection.objects.get().pk

    def test_are_declined_with_an_answer(
        self, hr: APIClient, absent: AttendanceRecord
    ) -> None:
        wish = make_request(absent)
        address = f"{REQUESTS}/{wish.pk}/decline"

        answers = [
            hr.post(address, {}, format="json"),
            hr.post(address, {"answer": "Nobody saw you."}, format="json"),
        ]

        assert [answer.status_code for answer in answers] == [400, 200]
        assert set(answers[0].json()) == {"answer"}
        assert answers[1].json()["state"] == "declined"
        absent.refresh_from_db()
        assert absent.status == "absent"

    def test_without_a_time_cannot_be_accepted(
        self, hr: APIClient, absent: AttendanceRecord
    ) -> None:
        wish = make_request(absent)

        refused = hr.post(f"{REQUESTS}/{wish.pk}/accept", {}, format="json")

        assert (refused.status_code, refused.json()["code"]) == (409, "not_corrected")

    def test_of_other_sites_are_not_there(
        self, hr: APIClient, absent: AttendanceRecord
    ) -> None:
        own, theirs = make_request(absent), make_request(make_record())
        body = {"employee": theirs.record.employee_id, "date": "2026-03-02"}

        entered = hr.post(REQUESTS, {**body, "text": "I was there."}, format="json")

        found = rows(hr, "attendance/correction-requests")
        assert [row["id"] for row in found] == [own.pk]
        assert entered.status_code == 404
        for way in ("accept", "decline"):
            address = f"{REQUESTS}/{theirs.pk}/{way}"
            assert hr.post(address, {"answer": "x"}, format="json").status_code == 404


class TestExplanation:
    def test_says_how_a_day_came_about(
        self, reader: APIClient, absent: AttendanceRecord
    ) -> None:
        theirs = make_record()
        address = "/api/v1/attendance/records/{}/explanation"

        told = reader.get(address.format(absent.pk)).json()["explanation"]
        unseen = reader.get(address.format(theirs.pk))

        assert any("Absent: nobody saw them come" in line for line in told)
        assert unseen.status_code == 404
        assert time(9).strftime("%H:%M") in told[0]
