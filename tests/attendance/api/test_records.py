"""Days over the API, and their sums."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.models import AttendanceRecord
from tests.clients import rows
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_presence,
    make_record,
    make_shift,
)

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from identity.models import Employee
    from streaming.models import Site

pytestmark = pytest.mark.django_db
RECORDS, SUMMARY = "/api/v1/attendance/records", "/api/v1/attendance/summary"
MONDAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


class TestRecords:
    def test_tell_the_day_and_its_proof(
        self, reader: APIClient, asha: Employee
    ) -> None:
        gate = make_camera(site=asha.site, code="CAM-GATE")
        log = make_access_log(employee=asha, camera=gate)
        came = make_presence(
            employee=asha, camera=gate, source="face", access_log=log, similarity=0.71
        )
        shift = make_shift(site=asha.site, shift_name="Early")
        make_record(
            employee=asha,
            shift=shift,
            status="late",
            late_minutes=21,
            reviews=["early_exit"],
            check_in=came,
            check_out_at=NINE + timedelta(hours=7),
            worked_minutes=420,
        )

        (day,) = rows(reader, "attendance/records")

        assert day["employee"] == {"id": asha.pk, "code": "E-104", "name": "Asha Rao"}
        assert (day["site"], day["time_zone"]) == ("own-plant", "Asia/Kolkata")
        assert day["shift"] == {"id": shift.pk, "shift_name": "Early"}
        assert (day["attendance_date"], day["status"]) == ("2026-03-02", "late")
        assert day["check_in_at"] == "2026-03-02T09:00:00Z"
        assert (day["late_minutes"], day["worked_minutes"]) == (21, 420)
        assert (
            day["is_late"] is day["is_early_exit"] is day["flagged_for_review"] is True
        )
        assert (day["is_corrected"], day["check_out"]) == (False, None)
        proof = day["check_in"]
        assert (proof["camera_code"], proof["access_log"]) == ("CAM-GATE", log.pk)
        assert (proof["source"], proof["similarity"]) == ("face", 0.71)
        assert b"hidden-word" not in reader.get(RECORDS).content

    def test_are_those_of_own_sites(self, reader: APIClient, asha: Employee) -> None:
        own, theirs = make_record(employee=asha), make_record()

        assert [day["id"] for day in rows(reader, "attendance/records")] == [own.pk]
        assert reader.get(f"{RECORDS}/{own.pk}").status_code == 200
        assert reader.get(f"{RECORDS}/{theirs.pk}").status_code == 404

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ({}, [4, 3, 2]),
            ({"employee": "E-104"}, [4, 2]),
            ({"status": "absent"}, [3]),
            ({"from": "2026-03-03"}, [4, 3]),
            ({"to": "2026-03-03"}, [3, 2]),
            ({"from": "2026-03-03", "to": "2026-03-03"}, [3]),
            ({"flagged": "true"}, [4]),
            ({"flagged": "false"}, [3, 2]),
            ({"corrected": "true"}, [2]),
            ({"corrected": "false"}, [4, 3]),
            ({"unscheduled": "true"}, [4]),
            ({"plan": "weekly_off"}, [4]),
            ({"is_settled": "true"}, [3]),
        ],
    )
    def test_are_filtered(
        self,
        reader: APIClient,
        asha: Employee,
        query: dict[str, str],
        days: list[int],
    ) -> None:
        make_record(employee=asha, corrected_at=timezone.now())
        make_record(
            employee=make_employee(site=asha.site),
            attendance_date=date(2026, 3, 3),
            status="absent",
            is_settled=True,
        )
        make_record(
            employee=asha,
            attendance_date=date(2026, 3, 4),
            plan="weekly_off",
            unscheduled=True,
            reviews=["missing_check_out"],
        )

        found = rows(reader, "attendance/records", **query)

        assert [int(day["attendance_date"][-2:]) for day in found] == days

    def test_are_filtered_by_department_site_and_shift(
        self, reader: APIClient, site: Site
    ) -> None:
        press, shift = make_department(site=site), make_shift(site=site)
        own = make_record(employee=make_employee(department=press), shift=shift)
        make_record(employee=make_employee(site=site))
        wanted = {"department": press.pk, "site": site.pk, "shift": shift.pk}

        found = [
            rows(reader, "attendance/records", **{k: v}) for k, v in wanted.items()
        ]

        assert [len(each) for each in found] == [1, 2, 1]
        assert found[2][0]["id"] == own.pk

    def test_tell_which_changed_since(self, reader: APIClient, asha: Employee) -> None:
        old, new = (
            make_record(employee=asha),
            make_record(employee=make_employee(site=asha.site)),
        )
        AttendanceRecord.objects.filter(pk=old.pk).update(changed_at=NINE)

        found = rows(reader, "attendance/records", changed_from="2026-03-03T00:00:00Z")

        assert [day["id"] for day in found] == [new.pk]

    @pytest.mark.parametrize(
        "query",
        [
            {"colour": "red"},
            {"from": "02/03/2026"},
            {"to": "soon"},
            {"employee": "E-NONE"},
            {"department": "0"},
            {"shift": "0"},
            {"site": "0"},
            {"status": "here"},
            {"flagged": "perhaps"},
            {"is_settled": "perhaps"},
        ],
    )
    def test_refuse_filters_they_do_not_understand(
        self, reader: APIClient, query: dict[str, str]
    ) -> None:
        response = reader.get(RECORDS, query)

        assert response.status_code == 400
        assert set(response.json()) <= set(query)

    def test_cost_as_many_queries_for_many_as_for_one(
        self, reader: APIClient, site: Site
    ) -> None:
        rows(reader, "attendance/records")
        counts = []
        for number in (1, 19):
            for _ in range(number):
                press = make_department(site=site)
                somebody = make_employee(department=press)
                camera = make_camera(site=site)
                come = make_presence(employee=somebody, camera=camera)
                make_record(
                    employee=somebody,
                    shift=make_shift(site=site),
                    check_in=come,
                    check_out=come,
                )
            with CaptureQueriesContext(connection) as queries:
                rows(reader, "attendance/records")
            counts.append(len(queries))

        assert counts == [1, 1]


def pages(client: APIClient, address: str, *, way: str = "next") -> list[list[int]]:
    """Follow the links from a page on; return the keys on each."""
    found = []
    link: str | None = address
    while link:
        page = client.get(link).json()
        found.append([row["id"] for row in page["results"]])
        link = page[way]
    return found


class TestPages:
    def test_tell_every_day_once_though_many_share_a_date(
        self, reader: APIClient, site: Site
    ) -> None:
        for day in (2, 3):
            on = date(2026, 3, day)
            for _ in range(12):
                make_record(employee=make_employee(site=site), attendance_date=on)

        found = pages(reader, f"{RECORDS}?page_size=5")

        wanted = AttendanceRecord.objects.order_by("-attendance_date", "-id")
        told = [key for page in found for key in page]
        assert told == list(wanted.values_list("pk", flat=True))
        assert [len(page) for page in found] == [5, 5, 5, 5, 4]

    def test_lead_back_over_the_same_days(self, reader: APIClient, site: Site) -> None:
        for _ in range(7):
            make_record(employee=make_employee(site=site))
        there = pages(reader, f"{RECORDS}?page_size=3")
        second = reader.get(f"{RECORDS}?page_size=3").json()["next"]
        third = reader.get(second).json()["next"]

        back = pages(reader, third, way="previous")

        assert back == there[::-1]

    def test_lose_and_repeat_nothing_while_days_come_and_go(
        self, reader: APIClient, site: Site
    ) -> None:
        old = [make_record(employee=make_employee(site=site)) for _ in range(6)]
        first = reader.get(f"{RECORDS}?page_size=3").json()
        make_record(employee=make_employee(site=site))
        old[5].delete()

        rest = pages(reader, first["next"])

        assert rest == [[old[2].pk, old[1].pk, old[0].pk]]

    @pytest.mark.parametrize(
        "place", ["", "p=x", "p=2026-03-02", "p=2026-03-02+x", "p=2026-03-02+9+9"]
    )
    def test_refuse_a_cursor_that_no_page_gave(
        self, reader: APIClient, place: str
    ) -> None:
        cursor = b64encode(place.encode()).decode()

        answers = [
            reader.get(RECORDS, {"cursor": cursor}),
            reader.get(RECORDS, {"cursor": "none"}),
        ]

        assert [answer.status_code for answer in answers] == [404, 404]


class TestSummary:
    def test_sums_in_all_and_by_employee(
        self, reader: APIClient, asha: Employee
    ) -> None:
        other = make_employee(site=asha.site)
        for back, status in enumerate(["present", "late", "absent", "unverified"]):
            on = MONDAY + timedelta(days=back)
            make_record(employee=asha, attendance_date=on, status=status)
        make_record(employee=other, reviews=["early_exit"])
        make_record(employee=other, attendance_date=date(2026, 3, 9))
        make_record()
        period = {"from": "2026-03-01", "to": "2026-03-07"}

        told = reader.get(SUMMARY, period).json()

        results = told.pop("results")
        assert told == {
            "from_date": "2026-03-01",
            "to_date": "2026-03-07",
            "total_days": 7,
            "scheduled_days": 5,
            "on_time": 2,
            "late": 1,
            "early_exits": 1,
            "absent": 1,
            "unverified": 1,
            "on_time_percentage": 40.0,
            "next": None,
            "previous": None,
        }
        assert [row["employee"]["code"] for row in results] == ["E-104", other.code]
        assert [row["on_time_percentage"] for row in results] == [25.0, 100.0]

    def test_is_of_whom_was_asked_for(self, reader: APIClient, site: Site) -> None:
        press = make_department(site=site)
        one = make_record(employee=make_employee(department=press)).employee
        make_record(employee=make_employee(site=site))
        period = {"from": "2026-03-01", "to": "2026-03-07"}

        wanted = {
            "employee": one.code,
            "department": str(press.pk),
            "site": str(site.pk),
        }

        found = [
            reader.get(SUMMARY, {**period, name: key}).json()["scheduled_days"]
            for name, key in wanted.items()
        ]

        assert found == [1, 1, 2]

    def test_is_of_the_last_thirty_days_if_nobody_says(
        self, reader: APIClient, asha: Employee
    ) -> None:
        today = asha.site.local(timezone.now()).date()
        make_record(employee=asha, attendance_date=today)
        make_record(employee=asha, attendance_date=today - timedelta(days=31))

        told = reader.get(SUMMARY).json()

        assert (told["total_days"], told["on_time"]) == (30, 1)
        assert told["to_date"] == today.isoformat()

    def test_tells_nothing_as_nothing(self, reader: APIClient) -> None:
        told = reader.get(SUMMARY, {"to": "2026-03-07"}).json()

        assert (told["scheduled_days"], told["on_time_percentage"]) == (0, None)
        assert (told["from_date"], told["results"]) == ("2026-02-06", [])

    @pytest.mark.parametrize(
        ("query", "first"),
        [
            ({"to": "0001-01-05"}, "0001-01-01"),
            ({"from": " 2026-03-02\n"}, "2026-03-02"),
        ],
    )
    def test_takes_every_date_that_the_lists_take(
        self, reader: APIClient, query: dict[str, str], first: str
    ) -> None:
        assert reader.get(RECORDS, query).status_code == 200
        assert reader.get(SUMMARY, query).json()["from_date"] == first

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"from": "2026-03-08", "to": "2026-03-07"}, "from"),
            ({"from": "yesterday"}, "from"),
            ({"employee": "E-NONE"}, "employee"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_refuses_what_it_does_not_understand(
        self, reader: APIClient, query: dict[str, str], field: str
    ) -> None:
        response = reader.get(SUMMARY, query)

        assert (response.status_code, set(response.json())) == (400, {field})

    def test_costs_as_many_queries_for_many_as_for_one(
        self, reader: APIClient, site: Site
    ) -> None:
        period = {"from": "2026-03-01", "to": "2026-03-07"}
        reader.get(SUMMARY, period)
        counts = []
        for number in (1, 19):
            for _ in range(number):
                make_record(employee=make_employee(site=site))
            with CaptureQueriesContext(connection) as queries:
                told = reader.get(SUMMARY, period)
            counts.append(len(queries))

        assert counts == [3, 3]
        assert len(told.json()["results"]) == 20
