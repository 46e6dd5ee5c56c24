"""Arrivals and exits that other systems tell."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.models import AttendanceRecord, PresenceEvent
from streaming import live
from tests.factories import (
    make_assignment,
    make_employee,
    make_presence,
    make_shift,
)

if TYPE_CHECKING:
    import redis
    from pytest_django import DjangoCaptureOnCommitCallbacks
    from rest_framework.test import APIClient

    from identity.models import Employee

pytestmark = pytest.mark.django_db
API = "/api/v1/attendance/"
DAY = "2026-03-02T{}+05:30"
EVENT = "0b6f6a1e-63f4-4d0e-9d55-6f1c2a7b8c90"


@pytest.fixture
def worker(asha: Employee) -> Employee:
    """Give Asha, who works from 09:00 to 17:00 in Kolkata, with 10 minutes of grace."""
    make_assignment(employee=asha)
    return asha


def stamp(
    client: APIClient, way: str, clock: str, who: int | str = "E-104", **values: object
) -> Any:
    body = {"employee": who, "time": DAY.format(clock), **values}
    return client.post(f"{API}check-{way}", body, format="json")


class TestCheckIn:
    @pytest.mark.parametrize(
        ("clock", "status", "late_minutes", "grace_period_applied"),
        [
            ("08:55:00", "present", 0, False),
            ("09:00:00", "present", 0, False),
            ("09:10:00", "present", 0, True),
            ("09:10:01", "late", 10, False),
            ("11:30:00", "late", 150, False),
        ],
    )
    def test_tells_what_the_day_is(
        self,
        reader: APIClient,
        worker: Employee,
        clock: str,
        status: str,
        late_minutes: int,
        grace_period_applied: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        response = stamp(reader, "in", clock)

        assert response.status_code == 201
        told = response.json()
        assert (told["status"], told["late_minutes"]) == (status, late_minutes)
        assert told["is_late"] is (status == "late")
        assert told["grace_period_applied"] is grace_period_applied
        assert (told["skipped_duplicate"], told["detail"]) == (
            False,
            "It is the arrival.",
        )
        record = told["record"]
        assert (record["attendance_date"], record["status"]) == ("2026-03-02", status)
        assert record["check_in"]["event_id"] == told["event_id"]
        event = PresenceEvent.objects.get()
        assert (event.source, event.way) == ("api", "in")
        assert event.recorded_by
        assert event.recorded_by.username == "integrator"

    def test_takes_the_id_for_the_code(
        self, reader: APIClient, worker: Employee
    ) -> None:
        response = stamp(reader, "in", "09:00:00", who=worker.pk)

        assert response.json()["record"]["employee"]["code"] == "E-104"

    def test_is_recorded_once(self, reader: APIClient, worker: Employee) -> None:
        answers = [
            stamp(reader, "in", "09:00:00", event_id=EVENT),
            stamp(reader, "in", "09:00:00", event_id=EVENT),
            stamp(reader, "in", "09:20:00"),
            stamp(reader, "in", "09:20:00"),
        ]

        assert [answer.status_code for answer in answers] == [201, 200, 201, 200]
        first, again, _, _ = (answer.json() for answer in answers)
        assert first == again
        assert first["event_id"] == EVENT
        assert PresenceEvent.objects.count() == 2
        assert AttendanceRecord.objects.count() == 1

    def test_is_skipped_where_they_came_already(
        self, reader: APIClient, worker: Employee
    ) -> None:
        stamp(reader, "in", "09:00:00")

        told = stamp(reader, "in", "12:00:00").json()

        assert told["skipped_duplicate"] is True
        assert told["detail"] == "They were here already, which changes nothing."
        assert told["record"]["check_in_at"] == "2026-03-02T03:30:00Z"

    def test_does_not_open_a_shift_that_is_over(
        self, reader: APIClient, worker: Employee
    ) -> None:
        told = stamp(reader, "in", "17:05:00").json()

        assert (told["status"], told["flagged_for_review"]) == ("absent", True)
        assert told["detail"] == "The shift was over, so it opens nothing."

    def test_counts_for_nobody_where_no_shift_is(
        self, reader: APIClient, asha: Employee
    ) -> None:
        short = {"start_time": time(10), "end_time": time(14)}
        make_assignment(employee=asha, shift=make_shift(site=asha.site, **short))

        response = stamp(reader, "in", "03:00:00")

        assert response.status_code == 201
        told = response.json()
        assert (told["record"], told["status"]) == (None, None)
        assert "is kept as presence" in told["detail"]
        assert PresenceEvent.objects.get().employee == asha

    def test_is_unscheduled_of_somebody_without_a_shift(
        self, reader: APIClient, asha: Employee
    ) -> None:
        told = stamp(reader, "in", "03:00:00").json()

        assert (told["status"], told["record"]["unscheduled"]) == ("present", True)
        assert told["record"]["shift"] is None

    def test_leaves_what_a_person_corrected(
        self, reader: APIClient, worker: Employee
    ) -> None:
        stamp(reader, "in", "09:30:00")
        AttendanceRecord.objects.update(status="present", corrected_at=timezone.now())

        told = stamp(reader, "in", "09:20:00").json()

        assert (told["status"], told["is_late"]) == ("present", False)
        assert told["record"]["check_in_at"] == "2026-03-02T04:00:00Z"
        assert "so it stays as it is" in told["detail"]


class TestCheckOut:
    def test_ends_the_day(self, reader: APIClient, worker: Employee) -> None:
        stamp(reader, "in", "09:00:00")

        told = stamp(reader, "out", "17:30:00").json()

        assert (told["status"], told["is_early_exit"]) == ("present", False)
        assert told["detail"] == "It is an exit; the last one counts."
        assert told["record"]["worked_minutes"] == 510
        assert told["record"]["overtime_minutes"] == 30

    def test_is_flagged_where_it_is_early(
        self, reader: APIClient, worker: Employee
    ) -> None:
        stamp(reader, "in", "09:00:00")

        told = stamp(reader, "out", "15:00:00").json()

        assert told["is_early_exit"] is told["flagged_for_review"] is True
        assert told["record"]["reviews"] == ["early_exit"]

    def test_without_an_arrival_is_conflicting(
        self, reader: APIClient, worker: Employee
    ) -> None:
        told = stamp(reader, "out", "17:30:00").json()

        assert (told["status"], told["flagged_for_review"]) == ("absent", True)
        assert told["detail"].startswith("Nobody was seen to come before")

    def test_may_be_told_before_the_arrival(
        self, reader: APIClient, worker: Employee
    ) -> None:
        stamp(reader, "out", "17:00:00")

        told = stamp(reader, "in", "09:00:00").json()

        assert (told["status"], told["flagged_for_review"]) == ("present", False)
        assert told["record"]["worked_minutes"] == 480


class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("time", "2026-03-02T09:00:00", "Give the time with its zone, such as"),
            ("time", "2026-03-02", "Give the time with its zone"),
            ("time", "at nine", "Datetime has wrong format"),
            ("time", "1999-12-31T23:59:59Z", "It lies before 2000"),
            ("time", "0001-01-01T00:00:00+14:00", "It lies before 2000"),
            ("time", "9999-12-31T23:59:59-12:00", "or after 2199"),
            ("time", None, "may not be null"),
            ("employee", None, "may not be null"),
            ("employee", True, "Give the id as a number"),
            ("employee", ["E-104"], "Give the id as a number"),
            ("employee", 1.5, "Give the id as a number"),
            ("event_id", "7", "Must be a valid UUID."),
        ],
    )
    def test_name_the_field(
        self,
        reader: APIClient,
        worker: Employee,
        field: str,
        value: object,
        sentence: str,
    ) -> None:
        good = {"employee": "E-104", "time": DAY.format("09:00:00")}

        refused = reader.post(f"{API}check-in", {**good, field: value}, format="json")
        taken = reader.post(f"{API}check-in", good, format="json")

        assert (refused.status_code, set(refused.json())) == (400, {field})
        assert sentence in refused.json()[field][0]
        assert taken.status_code == 201
        assert PresenceEvent.objects.count() == 1

    @pytest.mark.parametrize("who", ["E-NONE", "e-104", "", "a\0b", 0, -1, 2**70])
    def test_tell_that_there_is_nobody_of_that_name(
        self, reader: APIClient, worker: Employee, who: int | str
    ) -> None:
        response = stamp(reader, "in", "09:00:00", who=who)

        assert response.status_code == 404
        assert response.json() == {
            "detail": "There is no employee of this id or code.",
            "code": "employee_unknown",
        }

    def test_tell_so_of_what_is_no_text_too(
        self, reader: APIClient, worker: Employee
    ) -> None:
        body = r'{"employee": "\ud800", "time": "2026-03-02T09:00:00Z"}'

        response = reader.generic(
            "POST", f"{API}check-in", body, content_type="application/json"
        )

        assert (response.status_code, response.json()["code"]) == (
            404,
            "employee_unknown",
        )

    def test_tell_nothing_of_other_sites_and_of_the_erased(
        self, reader: APIClient, worker: Employee
    ) -> None:
        theirs = make_employee()
        erased = make_employee(
            site=worker.site, status="inactive", erased_at=timezone.now()
        )

        answers = [
            stamp(reader, "in", "09:00:00", who=who)
            for who in (theirs.pk, theirs.code, erased.pk, worker.pk)
        ]

        assert [answer.status_code for answer in answers] == [404, 404, 404, 201]

    def test_tell_that_somebody_left(self, reader: APIClient, worker: Employee) -> None:
        left = make_employee(site=worker.site, code="E-105", status="inactive")

        refused = stamp(reader, "in", "09:00:00", who=left.code)

        assert (refused.status_code, refused.json()["code"]) == (
            409,
            "employee_inactive",
        )
        assert "E-105" in refused.json()["detail"]
        assert not PresenceEvent.objects.exists()

    def test_keep_nothing_of_the_future(
        self, reader: APIClient, worker: Employee
    ) -> None:
        now = timezone.now()
        ahead = [now + timedelta(minutes=minutes) for minutes in (6, 4)]

        refused, taken = (
            reader.post(
                f"{API}check-in", {"employee": "E-104", "time": at}, format="json"
            )
            for at in ahead
        )

        assert (refused.status_code, refused.json()["code"]) == (400, "in_future")
        assert "in the future" in refused.json()["detail"]
        assert taken.status_code == 201
        assert PresenceEvent.objects.count() == 1

    def test_leave_an_event_what_it_was(
        self, reader: APIClient, worker: Employee
    ) -> None:
        make_employee(site=worker.site, code="E-105")
        camera_event = make_presence(employee=worker, source="face")
        stamp(reader, "in", "09:00:00", event_id=EVENT)
        days = list(AttendanceRecord.objects.values())

        answers = [
            stamp(reader, "in", "09:00:00", event_id=EVENT, who="E-105"),
            stamp(reader, "out", "09:00:00", event_id=EVENT),
            stamp(reader, "in", "09:01:00", event_id=EVENT),
            stamp(reader, "in", "09:00:00", event_id=str(camera_event.event_id)),
        ]

        assert {answer.status_code for answer in answers} == {409}
        assert {answer.json()["code"] for answer in answers} == {"event_conflict"}
        assert list(AttendanceRecord.objects.values()) == days
        assert PresenceEvent.objects.count() == 2


class TestReplay:
    def test_of_a_day_changes_nothing(
        self, reader: APIClient, worker: Employee
    ) -> None:
        shift = make_shift(site=worker.site, start_time=time(22), end_time=time(6))
        night = make_employee(site=worker.site, code="E-106")
        make_assignment(employee=night, shift=shift)
        stamps = [
            ("in", "09:04:00", "E-104"),
            ("out", "12:00:00", "E-104"),
            ("in", "12:30:00", "E-104"),
            ("out", "17:20:00", "E-104"),
            ("in", "22:20:00", "E-106"),
        ]

        first = [stamp(reader, *each).status_code for each in stamps]
        days = list(AttendanceRecord.objects.order_by("pk").values())
        events = set(PresenceEvent.objects.values_list("event_id", flat=True))
        again = [stamp(reader, *each).status_code for each in reversed(stamps)]

        assert (set(first), set(again)) == ({201}, {200})
        assert list(AttendanceRecord.objects.order_by("pk").values()) == days
        assert set(PresenceEvent.objects.values_list("event_id", flat=True)) == events
        assert [(day["status"], day["worked_minutes"]) for day in days] == [
            ("present", 496),
            ("late", None),
        ]

    def test_costs_few_queries(self, reader: APIClient, worker: Employee) -> None:
        stamp(reader, "in", "09:00:00", event_id=str(uuid4()))

        with CaptureQueriesContext(connection) as queries:
            stamp(reader, "out", "17:00:00")

        assert len(queries) <= 20


class TestLive:
    def test_tells_the_row_as_the_list_gives_it(
        self,
        reader: APIClient,
        worker: Employee,
        redis_client: redis.Redis,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        topic = "attendance.attendancerecord"
        channel = live.channel_name(topic=topic, site_id=worker.site_id)
        listen: Any = redis_client.pubsub
        with listen(ignore_subscribe_messages=True) as heard:
            heard.subscribe(channel)
            heard.get_message(timeout=5)
            with django_capture_on_commit_callbacks(execute=True):
                stamped = stamp(reader, "in", "09:04:00").json()
            message = heard.get_message(timeout=5)

        (row,) = reader.get(f"{API}records").json()["results"]
        assert json.loads(message["data"]) == {"topic": topic, "data": row}
        assert stamped["record"] == row
        assert date.fromisoformat(row["attendance_date"]) == date(2026, 3, 2)
        assert datetime.fromisoformat(row["check_in_at"]) == datetime(
            2026, 3, 2, 3, 34, tzinfo=UTC
        )
        assert settings.TIME_ZONE == "UTC"
