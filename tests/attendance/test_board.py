"""The board's counts and rows, on a real database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from attendance import days
from attendance.board import Standing, day_board
from attendance.models import AttendanceRecord, CorrectionRequest, Holiday, Leave
from tests.factories import (
    make_assignment,
    make_camera,
    make_department,
    make_employee,
    make_presence,
    make_record,
    make_shift,
    make_site,
    make_unknown_attendance,
)

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from attendance.board import Board
    from attendance.models import Shift
    from identity.models import Employee
    from streaming.models import Site

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)


def at(hour: int, minute: int = 0, *, on: date = MONDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), UTC)


@dataclass(frozen=True)
class Plant:
    """A site whose clock is UTC, with a shift from 09:00 to 17:00."""

    site: Site
    shift: Shift

    def worker(self, code: str, **values: Any) -> Employee:
        employee = make_employee(site=self.site, code=code, **values)
        make_assignment(employee=employee, shift=self.shift)
        return employee

    def comes(self, employee: Employee, when: datetime) -> None:
        make_presence(employee=employee, occurred_at=when)
        days.recompute_days(
            employees=[employee.pk], first=MONDAY - DAY, last=MONDAY, now=when
        )

    def board(self, now: datetime, **values: Any) -> Board:
        return day_board(sites=[self.site], now=now, **values)


@pytest.fixture
def plant() -> Plant:
    site = make_site(time_zone="UTC")
    return Plant(site, make_shift(site=site, shift_name="Day"))


def standings(board: Board) -> dict[str, Standing]:
    return {row.employee.code: row.standing for row in board.rows}


class TestBoard:
    def test_expects_people_until_grace_is_over(self, plant: Plant) -> None:
        plant.worker("E-1")

        assert standings(plant.board(at(9, 10))) == {"E-1": Standing.EXPECTED}
        assert standings(plant.board(at(9, 11))) == {"E-1": Standing.MISSING}

    def test_counts_who_is_here_of_those_who_should_be(self, plant: Plant) -> None:
        early, late, _ = (plant.worker(f"E-{number}") for number in range(3))
        plant.comes(early, at(8, 55))
        plant.comes(late, at(9, 30))
        Leave.objects.create(
            employee=plant.worker("E-8"), starts_on=MONDAY, ends_on=MONDAY + DAY
        )

        counts = plant.board(at(10)).counts

        assert (counts.here, counts.wanted) == (2, 3)
        assert (counts.late, counts.missing, counts.on_leave) == (1, 1, 1)

    def test_puts_first_what_needs_a_person(self, plant: Plant) -> None:
        for code in ("E-1", "E-2", "E-3"):
            plant.worker(code)
        plant.comes(plant.worker("E-0"), at(9))

        rows = plant.board(at(10)).rows

        assert [row.employee.code for row in rows] == ["E-1", "E-2", "E-3", "E-0"]

    def test_has_nothing_to_review_where_somebody_decided(self, plant: Plant) -> None:
        early = plant.worker("E-1")
        plant.comes(early, at(9))
        AttendanceRecord.objects.update(reviews=["early_exit"])
        assert plant.board(at(18)).counts.to_review == 1

        AttendanceRecord.objects.update(corrected_at=at(17))

        assert plant.board(at(18)).counts.to_review == 0

    def test_knows_days_off_that_have_no_record_yet(self, plant: Plant) -> None:
        plant.worker("E-1")
        Holiday.objects.create(site=plant.site, holiday_date=MONDAY, name="Holi")

        board = plant.board(at(12))

        assert standings(board) == {"E-1": Standing.HOLIDAY}
        assert (board.counts.off, board.counts.wanted) == (1, 0)

    def test_counts_whoever_comes_without_a_shift(self, plant: Plant) -> None:
        make_employee(site=plant.site, code="E-1")
        plant.comes(make_employee(site=plant.site, code="E-2"), at(11))

        board = plant.board(at(12))

        assert standings(board) == {"E-2": Standing.PRESENT}
        assert (board.counts.here, board.counts.wanted) == (1, 1)
        assert board.without_shift == 1

    def test_leaves_out_who_works_here_no_more(self, plant: Plant) -> None:
        gone = plant.worker("E-1", status="inactive")
        plant.worker("E-2", status="inactive")
        make_record(employee=gone, attendance_date=MONDAY, shift=plant.shift)

        board = plant.board(at(12))

        assert standings(board) == {"E-1": Standing.PRESENT}
        assert board.without_shift == 0

    def test_shows_a_past_day_as_it_was_recorded(self, plant: Plant) -> None:
        worker = plant.worker("E-1")
        make_record(employee=worker, attendance_date=MONDAY, status="absent")

        board = plant.board(at(12, on=MONDAY + 9 * DAY), on=MONDAY)

        assert standings(board) == {"E-1": Standing.ABSENT}

    def test_is_of_each_sites_own_day(self, plant: Plant) -> None:
        samoa = make_site(time_zone="Pacific/Apia")
        make_assignment(shift=make_shift(site=samoa, start_time=time(1)))
        plant.worker("E-1")

        board = day_board(sites=[plant.site, samoa], now=at(22))

        dates = {row.site.pk: row.date for row in board.rows}
        assert dates == {plant.site.pk: MONDAY, samoa.pk: MONDAY + DAY}

    def test_shows_the_night_that_is_still_on_with_its_date(self, plant: Plant) -> None:
        night = make_shift(site=plant.site, start_time=time(22), end_time=time(6))
        guard = make_employee(site=plant.site, code="N-1")
        make_assignment(employee=guard, shift=night)
        plant.comes(guard, at(22, on=MONDAY - DAY))

        board = plant.board(at(5, 59))
        assert [(row.employee.code, row.date) for row in board.going_on] == [
            ("N-1", MONDAY - DAY)
        ]
        assert board.going_on[0].standing is Standing.PRESENT
        assert standings(board) == {"N-1": Standing.EXPECTED}
        assert plant.board(at(6)).going_on == []
        assert plant.board(at(5), on=MONDAY - DAY).going_on == []

    def test_counts_by_department_and_by_shift(self, plant: Plant) -> None:
        stores = make_department(site=plant.site, name="Stores")
        plant.comes(plant.worker("E-1", department=stores), at(9))
        plant.worker("E-2", department=stores)
        plant.worker("E-3")

        board = plant.board(at(10))

        assert [
            (group.name, group.counts.here, group.counts.missing)
            for group in (*board.by_department(), *board.by_shift())
        ] == [("No department", 0, 1), ("Stores", 1, 1), ("Day", 1, 2)]

    def test_counts_faces_of_the_day_and_requests_of_any(self, plant: Plant) -> None:
        camera = make_camera(site=plant.site)
        for when in (at(0), at(23, 59), at(0, on=MONDAY + DAY)):
            make_unknown_attendance(camera=camera, occurred_at=when)
        make_unknown_attendance(occurred_at=at(9))
        for employee in (plant.worker("E-1"), make_employee()):
            record = make_record(employee=employee)
            CorrectionRequest.objects.create(record=record, made_at=at(9), text="x")

        board = plant.board(at(10))

        assert (board.unknown, board.requests) == (2, 1)

    def test_is_empty_without_sites(self) -> None:
        board = day_board(sites=[], now=at(9))

        assert (list(board.rows), board.unknown, board.requests) == ([], 0, 0)

    def test_needs_as_many_queries_for_many_people_as_for_one(
        self, plant: Plant, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(8):
            worker = plant.worker(f"E-{number}")
            if number % 2:
                plant.comes(worker, at(9))

        with django_assert_num_queries(10):
            board = plant.board(at(10))
            board.by_department()
            board.by_shift()

        assert len(board.rows) == 8
