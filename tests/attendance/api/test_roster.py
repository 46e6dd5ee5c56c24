"""Shifts, assignments, holidays and leaves over the API."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance import assigning
from attendance.models import (
    AttendanceRecord,
    Holiday,
    Leave,
    ShiftAssignment,
)
from tests.clients import API, rows
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_record,
    make_shift,
    make_site,
)

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from identity.models import Employee
    from streaming.models import Site

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
OVERLAPS = "They are on another shift on some of these dates."


def assign(client: APIClient, **values: object) -> Any:
    return client.post(f"{API}shift-assignments", values, format="json")


class TestShiftAssignments:
    def test_are_made_with_who_made_them(self, hr: APIClient, asha: Employee) -> None:
        shift = make_shift(site=asha.site)

        made = assign(hr, employee=asha.pk, shift=shift.pk, starts_on="2026-03-02")

        assert made.status_code == 201
        told = made.json()
        assert (told["employee_code"], told["shift_name"]) == (
            "E-104",
            shift.shift_name,
        )
        assert (told["ends_on"], told["created_by"]) == (None, "hr")

    def test_overlap_no_other_of_the_employee(
        self, hr: APIClient, asha: Employee
    ) -> None:
        old = make_assignment(employee=asha, ends_on=date(2026, 3, 2))
        wanted = {"employee": asha.pk, "shift": old.shift_id}

        refused = assign(hr, **wanted, starts_on="2026-03-01")
        backwards = assign(hr, **wanted, starts_on="2026-03-09", ends_on="2026-03-08")
        taken = assign(hr, **wanted, starts_on="2026-03-02")

        answers = (refused, backwards, taken)
        assert [answer.status_code for answer in answers] == [400, 400, 201]
        assert OVERLAPS in str(refused.json())
        assert "The period ends before it starts." in str(backwards.json())

    def test_refuse_what_somebody_else_made_meanwhile(
        self, hr: APIClient, asha: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shift = make_shift(site=asha.site)
        keep = assigning.keep

        def keep_second(row: ShiftAssignment, **values: Any) -> object:
            make_assignment(employee=asha, shift=shift)
            return keep(row, **values)

        monkeypatch.setattr(assigning, "keep", keep_second)

        response = assign(hr, employee=asha.pk, shift=shift.pk, starts_on="2026-03-02")

        assert (response.status_code, response.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize("field", ["employee", "shift"])
    def test_refuse_people_and_shifts_that_they_cannot_see(
        self, hr: APIClient, asha: Employee, field: str
    ) -> None:
        good = {"employee": asha.pk, "shift": make_shift(site=asha.site).pk}
        theirs = {"employee": make_employee().pk, "shift": make_shift().pk}

        refused = assign(hr, **{**good, field: theirs[field]}, starts_on="2026-03-02")
        taken = assign(hr, **good, starts_on="2026-03-02")

        assert (refused.status_code, set(refused.json())) == (400, {field})
        assert taken.status_code == 201

    def test_refuse_who_left_and_what_is_over(
        self, hr: APIClient, asha: Employee
    ) -> None:
        left = make_employee(site=asha.site, status="inactive")
        shift, old = (
            make_shift(site=asha.site),
            make_shift(site=asha.site, is_active=False),
        )
        second = make_site()
        hr.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        elsewhere = make_shift(site=second)

        answers = [
            assign(hr, employee=who.pk, shift=what.pk, starts_on="2026-03-02").json()
            for who, what in ((left, shift), (asha, old), (asha, elsewhere))
        ]

        assert [set(answer) for answer in answers] == [
            {"employee"},
            {"shift"},
            {"shift"},
        ]
        assert not ShiftAssignment.objects.exists()

    def test_stay_with_their_employee(self, hr: APIClient, asha: Employee) -> None:
        row = make_assignment(employee=asha)
        other = make_employee(site=asha.site)
        address = f"{API}shift-assignments/{row.pk}"

        refused = hr.patch(address, {"employee": other.pk}, format="json")
        ended = hr.patch(address, {"ends_on": "2026-03-02"}, format="json")

        assert (refused.status_code, ended.status_code) == (400, 200)
        row.refresh_from_db()
        assert (row.employee, row.ends_on) == (asha, date(2026, 3, 2))

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({}, 2),
            ({"from": "2026-03-02", "to": "2026-03-02"}, 1),
            ({"to": "2026-03-01"}, 1),
            ({"from": "2026-03-01"}, 2),
            ({"employee": "E-104"}, 2),
        ],
    )
    def test_are_filtered_by_the_dates_that_they_have(
        self,
        reader: APIClient,
        asha: Employee,
        query: dict[str, str],
        count: int,
    ) -> None:
        make_assignment(employee=asha, ends_on=date(2026, 3, 2))
        make_assignment(employee=asha, starts_on=date(2026, 3, 2))
        make_assignment()

        assert len(rows(reader, "shift-assignments", **query)) == count

    def test_are_filtered_by_shift_department_and_site(
        self, reader: APIClient, site: Site
    ) -> None:
        press = make_department(site=site)
        row = make_assignment(employee=make_employee(department=press))
        make_assignment(employee=make_employee(site=site))
        wanted = {"shift": row.shift_id, "department": press.pk, "site": site.pk}

        found = [
            len(rows(reader, "shift-assignments", **{name: key}))
            for name, key in wanted.items()
        ]

        assert found == [1, 1, 2]

    @pytest.mark.parametrize(
        "route", ["shift-assignments", "shifts", "holidays", "leaves"]
    )
    def test_cost_as_many_queries_for_many_as_for_one(
        self, reader: APIClient, site: Site, route: str
    ) -> None:
        rows(reader, route)
        counts = []
        for number in (1, 19):
            for _ in range(number):
                row = make_assignment(employee=make_employee(site=site))
                dates = {"starts_on": date(2026, 3, 2), "ends_on": date(2026, 3, 4)}
                Leave.objects.create(employee=row.employee, **dates)
                on = date(2026, 1, 1) + timedelta(days=row.pk % 300)
                Holiday.objects.get_or_create(site=site, holiday_date=on)
            with CaptureQueriesContext(connection) as queries:
                rows(reader, route)
            counts.append(len(queries))

        assert counts == [1, 1]


class TestChangesOfPastDays:
    """Days that are over are marked for being worked out anew, and no others."""

    @pytest.fixture
    def first(self, asha: Employee) -> date:
        """Give the first of ten days of two employees, all settled."""
        first = asha.site.local(timezone.now()).date() - timedelta(days=9)
        for employee in (asha, make_employee(site=asha.site)):
            for number in range(10):
                make_record(
                    employee=employee,
                    attendance_date=first + timedelta(days=number),
                    is_settled=True,
                )
        return first

    def to_settle(self, first: date) -> list[tuple[str, int]]:
        """Return whose days are to be worked out, as numbers, and settle them."""
        rows = AttendanceRecord.objects.filter(is_settled=False)
        told = rows.order_by("employee__code", "attendance_date").values_list(
            "employee__code", "attendance_date"
        )
        found = [(code, (on - first).days) for code, on in told]
        rows.update(is_settled=True)
        return found

    def test_are_told_of_assignments(
        self, hr: APIClient, asha: Employee, first: date
    ) -> None:
        shift = make_shift(site=asha.site)
        dates = {"starts_on": first + 2 * DAY, "ends_on": first + 5 * DAY}

        made = assign(hr, employee=asha.pk, shift=shift.pk, **dates)
        at_first = self.to_settle(first)
        address = f"{API}shift-assignments/{made.json()['id']}"
        hr.patch(address, {"ends_on": first + 4 * DAY}, format="json")
        then = self.to_settle(first)
        hr.delete(address)

        assert at_first == [("E-104", 2), ("E-104", 3), ("E-104", 4)]
        assert then == [("E-104", 2), ("E-104", 3), ("E-104", 4)]
        assert self.to_settle(first) == [("E-104", 2), ("E-104", 3)]

    def test_are_told_of_leaves_and_holidays(
        self, hr: APIClient, asha: Employee, first: date
    ) -> None:
        dates = {"starts_on": first, "ends_on": first + 2 * DAY}

        leave = hr.post(
            f"{API}leaves",
            {"employee": asha.pk, "kind": "sick", **dates},
            format="json",
        )
        of_leave = self.to_settle(first)
        wanted = {"site": asha.site_id, "holiday_date": first, "name": "Founders' day"}
        holiday = hr.post(f"{API}holidays", wanted, format="json")
        of_holiday = self.to_settle(first)

        assert (leave.status_code, holiday.status_code) == (201, 201)
        assert (leave.json()["created_by"], leave.json()["kind"]) == ("hr", "sick")
        assert of_leave == [("E-104", 0), ("E-104", 1)]
        assert [number for _, number in of_holiday] == [0, 0]

    def test_are_none_where_the_change_was_refused(
        self, hr: APIClient, asha: Employee, first: date
    ) -> None:
        shift = make_assignment(employee=asha).shift

        refused = assign(hr, employee=asha.pk, shift=shift.pk, starts_on=first)

        assert refused.status_code == 400
        assert self.to_settle(first) == []


class TestLeaves:
    def test_overlap_no_other_of_the_employee(
        self, hr: APIClient, asha: Employee
    ) -> None:
        dates = {"starts_on": "2026-03-02", "ends_on": "2026-03-05"}
        wanted = {"employee": asha.pk, **dates}

        answers = [
            hr.post(f"{API}leaves", {**wanted, **other}, format="json")
            for other in ({}, {"ends_on": "2026-03-03"}, {"starts_on": "2026-03-05"})
        ]

        assert [answer.status_code for answer in answers] == [201, 400, 400]
        assert "They are on leave on some of these dates already." in str(
            answers[1].json()
        )
        assert Leave.objects.count() == 1

    def test_are_of_own_sites(self, hr: APIClient, asha: Employee) -> None:
        dates = {"starts_on": date(2026, 3, 2), "ends_on": date(2026, 3, 4)}
        own = Leave.objects.create(employee=asha, **dates)
        theirs = Leave.objects.create(employee=make_employee(), **dates)

        assert [row["id"] for row in rows(hr, "leaves")] == [own.pk]
        assert hr.delete(f"{API}leaves/{theirs.pk}").status_code == 404
        assert hr.delete(f"{API}leaves/{own.pk}").status_code == 204


class TestHolidays:
    def test_are_once_a_date(self, hr: APIClient, site: Site) -> None:
        wanted = {"site": site.pk, "holiday_date": "2026-01-26", "name": "Republic Day"}

        answers = [hr.post(f"{API}holidays", wanted, format="json") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 400]
        assert "This date is a holiday already." in str(answers[1].json())

    def test_are_of_own_sites_and_filtered(self, hr: APIClient, site: Site) -> None:
        for month in (1, 3):
            Holiday.objects.create(
                site=site, holiday_date=date(2026, month, 26), name="Day"
            )
        Holiday.objects.create(
            site=make_site(), holiday_date=date(2026, 3, 26), name="Day"
        )

        found = rows(hr, "holidays", site=site.pk, **{"from": "2026-02-01"})

        assert [row["holiday_date"] for row in found] == ["2026-03-26"]
        assert len(rows(hr, "holidays", to="2026-03-26")) == 2
