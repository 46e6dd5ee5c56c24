"""The month grid: a letter for every day, and what the letters add up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from attendance import grid
from attendance.models.days import Review, Status
from attendance.roster import Plan
from tests.factories import make_employee, make_record, make_site

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee

MARCH = date(2026, 3, 1)
TODAY = date(2026, 3, 20)


def nothing(employee_id: int, on: date) -> Plan:
    return Plan.NOTHING


def row_of(employee: Employee) -> grid.Row:
    found = grid.month(employees=[employee], month=MARCH, today=TODAY, plan=nothing)
    return found.rows[0]


def cell_of(employee: Employee, day: int = 2) -> grid.Cell:
    return row_of(employee).cells[day - 1]


class TestBounds:
    @pytest.mark.parametrize(
        ("on", "last"),
        [
            (date(2026, 3, 17), date(2026, 3, 31)),
            (date(2026, 12, 31), date(2026, 12, 31)),
            (date(2028, 2, 1), date(2028, 2, 29)),
        ],
    )
    def test_are_the_first_and_the_last_date(self, on: date, last: date) -> None:
        assert grid.bounds(on) == (on.replace(day=1), last)


class TestHours:
    @pytest.mark.parametrize(
        ("minutes", "text"), [(0, "0:00"), (65, "1:05"), (10_265, "171:05")]
    )
    def test_are_written_with_minutes(self, minutes: int, text: str) -> None:
        assert grid.hours(minutes) == text


class TestDays:
    def test_are_all_of_the_month_and_one_may_be_today(self) -> None:
        days = grid.days_of(MARCH, today=TODAY)

        assert len(days) == 31
        assert [day.date.day for day in days if day.is_today] == [20]
        assert sum(day.is_past for day in days) == 19


@pytest.fixture
def asha(db: None) -> Employee:
    return make_employee(site=make_site(time_zone="Asia/Kolkata"))


class TestCell:
    @pytest.mark.parametrize("status", Status)
    def test_has_a_letter_for_every_status(
        self, asha: Employee, status: Status
    ) -> None:
        make_record(employee=asha, status=status)

        cell = cell_of(asha)

        assert (cell.letter, cell.status) == (grid.LETTERS[status], status)
        assert not cell.is_planned

    def test_has_letters_that_differ(self) -> None:
        assert len(set(grid.LETTERS.values())) == len(Status)

    def test_says_all_of_it_in_words_by_the_clock_of_the_site(
        self, asha: Employee
    ) -> None:
        make_record(
            employee=asha,
            status=Status.LATE,
            check_in_at=datetime(2026, 3, 2, 16, 47, tzinfo=UTC),
            check_out_at=datetime(2026, 3, 3, 0, 32, tzinfo=UTC),
            late_minutes=17,
            unscheduled=True,
            reviews=[Review.EARLY_EXIT],
        )

        cell = cell_of(asha)

        assert cell.words == (
            "Late, in 22:17, out 06:02 (+1 day), 17 min late, not planned, "
            "to review: Left early"
        )
        assert cell.is_to_review
        assert cell.is_unscheduled
        assert not cell.is_corrected

    def test_is_not_to_be_reviewed_once_somebody_decided(self, asha: Employee) -> None:
        make_record(
            employee=asha,
            reviews=[Review.EARLY_EXIT],
            corrected_at=datetime(2026, 3, 4, tzinfo=UTC),
        )

        cell = cell_of(asha)

        assert cell.words.endswith(", left early, corrected")
        assert cell.is_corrected
        assert not cell.is_to_review

    @pytest.mark.parametrize(
        ("plan", "letter"),
        [
            (Plan.WORK, grid.NO_LETTER),
            (Plan.WEEKLY_OFF, "W"),
            (Plan.HOLIDAY, "H"),
            (Plan.ON_LEAVE, "V"),
            (Plan.NOTHING, ""),
        ],
    )
    def test_tells_what_is_planned_where_nothing_happened_yet(
        self, asha: Employee, plan: Plan, letter: str
    ) -> None:
        def planned(employee_id: int, on: date) -> Plan:
            return plan

        found = grid.month(employees=[asha], month=MARCH, today=TODAY, plan=planned)
        cell = found.rows[0].cells[24]

        assert (cell.letter, cell.status, cell.is_planned) == (letter, "", True)

    def test_says_that_a_past_day_has_no_result(self, asha: Employee) -> None:
        def work(employee_id: int, on: date) -> Plan:
            return Plan.WORK

        found = grid.month(employees=[asha], month=MARCH, today=TODAY, plan=work)

        assert [found.rows[0].cells[day].words for day in (0, 19)] == [
            "no result yet",
            "work planned",
        ]


class TestMonth:
    def test_adds_up_the_days_of_the_month_alone(self, asha: Employee) -> None:
        for day, status in ((2, "present"), (3, "present"), (4, "late"), (5, "absent")):
            worked = 480 if status in {"present", "late"} else None
            make_record(
                employee=asha,
                attendance_date=date(2026, 3, day),
                status=status,
                worked_minutes=worked,
                overtime_minutes=worked and 10,
            )
        make_record(employee=asha, attendance_date=date(2026, 2, 28))
        make_record(attendance_date=date(2026, 3, 2))

        totals = row_of(asha).totals

        assert dict(zip(grid.LETTERS.values(), totals.counts, strict=True)) == {
            "P": 2,
            "L": 1,
            "A": 1,
            "U": 0,
            "W": 0,
            "H": 0,
            "V": 0,
        }
        assert (totals.worked, totals.overtime) == ("24:00", "0:30")

    def test_keeps_the_order_of_the_people(self, asha: Employee) -> None:
        other = make_employee()

        found = grid.month(
            employees=[other, asha], month=MARCH, today=TODAY, plan=nothing
        )

        assert [row.employee for row in found.rows] == [other, asha]

    def test_needs_one_query_for_everybody(
        self, asha: Employee, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        people = [make_employee(site=asha.site) for _ in range(5)]
        for person in people:
            for day in range(10):
                on = MARCH + timedelta(days=day)
                make_record(employee=person, attendance_date=on)

        with django_assert_num_queries(1):
            grid.month(employees=people, month=MARCH, today=TODAY, plan=nothing)
