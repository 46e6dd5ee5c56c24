"""What payroll takes over: the lines, and what is still open."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from attendance import payroll
from attendance.models import (
    AttendanceRecord,
    CorrectionRequest,
    Leave,
    ShiftAssignment,
)
from attendance.models.days import Review
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_record,
    make_shift,
    make_site,
)

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from attendance.models.days import AttendanceRecordQuerySet
    from identity.models import Employee

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def asha(db: None) -> Employee:
    site = make_site(name="Main plant", time_zone="Asia/Kolkata")
    stores = make_department(site=site, name="Stores")
    return make_employee(site=site, code="E-2", name="Asha Rao", department=stores)


def every() -> AttendanceRecordQuerySet:
    return AttendanceRecord.objects.all()


def only() -> payroll.Line:
    (line,) = payroll.lines(every())
    return line


class TestLines:
    def test_say_who_when_and_how_long(self, asha: Employee) -> None:
        make_record(
            employee=asha,
            shift=make_shift(site=asha.site, shift_name="Early"),
            status="late",
            check_in_at=datetime(2026, 3, 2, 9, 17, tzinfo=UTC),
            check_out_at=datetime(2026, 3, 2, 18, 0, tzinfo=UTC),
            late_minutes=17,
            worked_minutes=523,
            overtime_minutes=60,
            reviews=[Review.EARLY_EXIT, Review.CAME_AFTER_END],
            corrected_at=NOW,
        )

        line = only()

        assert (line.code, line.name, line.department, line.site) == (
            "E-2",
            "Asha Rao",
            "Stores",
            "Main plant",
        )
        assert (line.date, line.shift, line.status) == (
            date(2026, 3, 2),
            "Early",
            "Late",
        )
        assert line.check_in_at
        assert line.check_in_at.isoformat() == "2026-03-02T14:47:00+05:30"
        assert line.starts_at
        assert line.starts_at.isoformat() == "2026-03-02T14:30:00+05:30"
        assert (line.late_minutes, line.worked_minutes, line.overtime_minutes) == (
            17,
            523,
            60,
        )
        assert line.reviews == "Left early; Seen after the end"
        assert line.corrected

    def test_have_no_planned_times_where_no_shift_was(self, asha: Employee) -> None:
        make_record(employee=asha, plan="nothing", unscheduled=True)

        line = only()

        assert (line.shift, line.starts_at, line.ends_at) == ("", None, None)
        assert line.unscheduled

    @pytest.mark.parametrize(
        ("status", "kind"), [("on_leave", "Unpaid leave"), ("present", "")]
    )
    def test_say_which_leave_it_was(
        self, asha: Employee, status: str, kind: str
    ) -> None:
        dates = {"starts_on": date(2026, 3, 1), "ends_on": date(2026, 3, 3)}
        Leave.objects.create(employee=asha, kind=Leave.Kind.UNPAID, **dates)
        make_record(employee=asha, status=status, plan="on_leave")

        assert only().leave == kind

    def test_are_by_code_and_date(self, asha: Employee) -> None:
        first = make_employee(code="E-1")
        for person, day in ((asha, 3), (first, 2), (asha, 2)):
            make_record(employee=person, attendance_date=date(2026, 3, day))

        found = [(line.code, line.date.day) for line in payroll.lines(every())]

        assert found == [("E-1", 2), ("E-2", 2), ("E-2", 3)]

    def test_are_as_many_as_are_wanted(self, asha: Employee) -> None:
        for day in (1, 2, 3):
            make_record(employee=asha, attendance_date=date(2026, 3, day))

        assert len(list(payroll.lines(every(), at_most=2))) == 2

    def test_need_one_query(
        self, asha: Employee, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for day in range(1, 11):
            make_record(employee=asha, attendance_date=date(2026, 3, day))

        with django_assert_num_queries(1):
            list(payroll.lines(every()))


class TestTotals:
    def test_are_nothing_of_nothing(self, db: None) -> None:
        totals = payroll.totals(every())

        assert (totals.lines, totals.worked_minutes, totals.open_requests) == (0, 0, 0)

    def test_count_what_may_still_change(self, asha: Employee) -> None:
        days: list[dict[str, Any]] = [
            {"is_settled": True, "worked_minutes": 480, "overtime_minutes": 5},
            {"is_settled": False},
            {"is_settled": False, "corrected_at": NOW},
            {"is_settled": True, "status": "unverified"},
            {"is_settled": True, "status": "absent"},
            {"is_settled": True, "reviews": [Review.EARLY_EXIT]},
            {
                "is_settled": True,
                "reviews": [Review.EARLY_EXIT],
                "corrected_at": NOW,
            },
        ]
        records = [
            make_record(employee=asha, attendance_date=date(2026, 3, number), **values)
            for number, values in enumerate(days, start=1)
        ]
        for record, state in zip(records, ("open", "declined"), strict=False):
            CorrectionRequest.objects.create(
                record=record, made_at=NOW, text="I was here.", state=state
            )

        totals = payroll.totals(every())

        assert (totals.lines, totals.employees, totals.present) == (7, 1, 5)
        assert (totals.unsettled, totals.unverified, totals.absent) == (1, 1, 1)
        assert (totals.flagged, totals.open_requests) == (1, 1)
        assert (totals.worked_minutes, totals.overtime_minutes) == (480, 5)


class TestWithoutResult:
    ON = date(2026, 3, 31)

    def test_counts_who_works_a_shift_that_date_and_has_no_line(
        self, asha: Employee
    ) -> None:
        for values in ({}, {"attendance_date": self.ON}):
            there = make_assignment(employee=make_employee(site=asha.site)).employee
            make_record(employee=there, **values)
        make_assignment(employee=make_employee(status="inactive"))
        make_assignment(employee=asha, ends_on=self.ON)

        every = ShiftAssignment.objects.all()
        assert payroll.without_result(every, on=self.ON) == 1
