"""The roster as files: what each row does, what is refused, and how much it asks."""

from __future__ import annotations

import csv
from datetime import date, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tablib import Dataset

from attendance.models import Holiday, Leave, ShiftAssignment
from attendance.resources import (
    HolidayResource,
    LeaveResource,
    ShiftAssignmentResource,
)
from tests.factories import (
    make_assignment,
    make_employee,
    make_shift,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attendance.bulk_import import RosterResource
    from identity.models import Employee, User
    from streaming.models import Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant", slug="own-plant")


@pytest.fixture
def hana(site: Site) -> User:
    return make_user("hana", sites=[site])


@pytest.fixture
def asha(site: Site) -> Employee:
    make_shift(site=site, shift_name="Early")
    make_shift(site=site, shift_name="Late")
    return make_employee(site=site, code="E-1")


def take(
    kind: type[RosterResource],
    user: User,
    *rows: Sequence[object],
    dry_run: bool = False,
) -> Any:
    """Import rows, the first of which names the columns."""
    data = Dataset(*[list(row) for row in rows[1:]], headers=list(rows[0]))
    return kind(user=user).import_data(
        data,
        dry_run=dry_run,
        user=user,
        file_name="roster.csv",
        rollback_on_validation_errors=True,
        retain_instance_in_row_result=True,
    )


def assign(user: User, *rows: Sequence[object], dry_run: bool = False) -> Any:
    head = ("employee", "shift", "from", "until")
    return take(ShiftAssignmentResource, user, head, *rows, dry_run=dry_run)


def wrong(result: Any) -> dict[int, str]:
    """Return what is said of each wrong row in the file with errors."""
    return {
        number: row[-1]
        for number, row in enumerate(result.with_errors[1:], 1)
        if row[-1]
    }


def periods() -> list[tuple[str, date, date | None]]:
    rows = ShiftAssignment.objects.select_related("shift").order_by("starts_on")
    return [(row.shift.shift_name, row.starts_on, row.ends_on) for row in rows]


class TestShiftAssignmentResource:
    def test_ends_what_somebody_was_on(self, hana: User, asha: Employee) -> None:
        assign(hana, ("E-1", "Early", "2026-01-01", ""))

        result = assign(hana, ("E-1", "Late", "2026-03-01", None))

        assert periods() == [
            ("Early", date(2026, 1, 1), date(2026, 3, 1)),
            ("Late", date(2026, 3, 1), None),
        ]
        assert [(each.employees, each.first) for each in result.touched] == [
            (frozenset({asha.pk}), date(2026, 3, 1))
        ]
        row = ShiftAssignment.objects.get(shift__shift_name="Late")
        assert row.created_by == hana
        change = row.history.get()
        assert (change.history_user, change.history_change_reason) == (
            hana,
            "Import of roster.csv",
        )

    def test_shows_what_each_row_does_before_it_writes_one(
        self, hana: User, asha: Employee
    ) -> None:
        assign(hana, ("E-1", "Early", "2026-01-01", ""))

        result = assign(hana, ("E-1", "Late", "2026-03-01", ""), dry_run=True)

        (row,) = result.rows
        assert result.diff_headers[-1] == "what happens"
        assert row.diff[-1] == "Ends Early 09:00-17:00 on 2026-03-01."
        assert periods() == [("Early", date(2026, 1, 1), None)]

    def test_changes_the_row_with_the_same_first_date(
        self, hana: User, asha: Employee
    ) -> None:
        assign(hana, ("E-1", "Early", "2026-01-01", ""))

        result = assign(hana, ("E-1", "Late", "2026-01-01", "2026-02-01"))

        assert periods() == [("Late", date(2026, 1, 1), date(2026, 2, 1))]
        assert result.totals["update"] == 1
        assert {each.last for each in result.touched} == {None, date(2026, 1, 31)}

    def test_changes_nothing_the_second_time(self, hana: User, asha: Employee) -> None:
        rows = (
            ("E-1", "Early", "2026-01-01", "2026-03-01"),
            ("E-1", "Late", "2026-03-01", ""),
        )
        assign(hana, *rows)

        again = assign(hana, *rows)

        assert (again.totals["skip"], again.touched) == (2, [])
        assert ShiftAssignment.history.count() == 2

    def test_passes_over_who_is_on_the_shift_already(
        self, hana: User, asha: Employee
    ) -> None:
        assign(hana, ("E-1", "Early", "2026-01-01", ""))

        result = assign(hana, ("E-1", "Early", "2026-02-01", ""))

        assert (result.totals["new"], result.totals["skip"]) == (0, 1)
        assert periods() == [("Early", date(2026, 1, 1), None)]

    def test_reads_the_dates_of_a_sheet(self, hana: User, asha: Employee) -> None:
        assign(hana, ("E-1", "Early", datetime(2026, 1, 1), date(2026, 2, 1)))  # noqa: DTZ001 - a sheet's dates have no zone

        assert periods() == [("Early", date(2026, 1, 1), date(2026, 2, 1))]

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (("", "Early", "2026-01-01", ""), "employee: The employee's code is mis"),
            (("E-9", "Early", "2026-01-01", ""), "Nobody at your sites has the code"),
            (("E-7", "Early", "2026-01-01", ""), "Nobody at your sites has the code"),
            (
                ("E-1", "Night", "2026-01-01", ""),
                "shift: There is no shift 'Night' at Own plant. Its shifts: Early, L",
            ),
            (("E-1", "Theirs", "2026-01-01", ""), "There is no shift 'Theirs' at Own"),
            (("E-1", "Early", "", ""), "from: The first date is missing."),
            (
                ("E-1", "Early", "05/03/2026", ""),
                "from: '05/03/2026' is no date that can be read in one way. Write ye",
            ),
            (("E-1", "Early", "2026-01-01", "5.3.26"), "until: '5.3.26' is no date"),
            (
                ("E-1", "Early", "2026-01-02", "2026-01-02"),
                "until: The period ends before it starts.",
            ),
            (
                ("E-2", "Early", "2026-06-01", ""),
                "Row 1 has E-2 on some of these dates too. Fill in 'until'",
            ),
            (("E-8", "Early", "2026-01-01", ""), "Not active: E-8."),
            (("E-1", "Old", "2026-01-01", ""), "Old is not active"),
        ],
    )
    def test_says_what_is_wrong_with_a_row_and_writes_none(
        self, hana: User, asha: Employee, row: Sequence[object], sentence: str
    ) -> None:
        make_employee(site=asha.site, code="E-2")
        make_employee(site=asha.site, code="E-8", status="inactive")
        make_employee(code="E-7")
        make_shift(shift_name="Theirs")
        make_shift(site=asha.site, shift_name="Old", is_active=False)

        result = assign(hana, ("E-2", "Late", "2026-01-01", ""), row)

        assert list(wrong(result)) == [2]
        assert sentence in wrong(result)[2]
        assert not ShiftAssignment.objects.exists()

    def test_gives_the_file_back_with_its_errors(
        self, hana: User, asha: Employee
    ) -> None:
        result = assign(
            hana,
            ("E-1", "Early", datetime(2026, 1, 1), ""),  # noqa: DTZ001 - a sheet's dates have no zone
            ("E-9", "=1+1", "2026-01-01", ""),
        )

        assert result.with_errors == [
            ["employee", "shift", "from", "until", "errors"],
            ["E-1", "Early", "2026-01-01", "", ""],
            [
                "E-9",
                "'=1+1",
                "2026-01-01",
                "",
                "employee: Nobody at your sites has the code E-9.",
            ],
        ]

    def test_passes_the_column_of_errors_over(self, hana: User, asha: Employee) -> None:
        head = ("employee", "shift", "from", "errors")
        row = ("E-1", "Early", "2026-01-01", "Nobody has this code.")

        result = take(ShiftAssignmentResource, hana, head, row)

        assert not result.base_errors
        assert periods() == [("Early", date(2026, 1, 1), None)]

    @pytest.mark.parametrize(
        ("head", "sentence"),
        [
            (("employee", "shift"), "The column 'from' is missing: it says from when."),
            (("employee", "shift", "from", "x"), "There is no column 'x'."),
        ],
    )
    def test_says_what_is_wrong_with_a_whole_file(
        self, hana: User, head: Sequence[str], sentence: str
    ) -> None:
        result = take(ShiftAssignmentResource, hana, head, ["E-1"] * len(head))

        (error,) = result.base_errors
        assert sentence in str(error.error)

    def test_leaves_an_end_that_the_file_does_not_name(
        self, hana: User, asha: Employee
    ) -> None:
        assign(hana, ("E-1", "Early", "2026-01-01", "2026-02-01"))

        head = ("employee", "shift", "from")
        take(ShiftAssignmentResource, hana, head, ("E-1", "Late", "2026-01-01"))

        assert periods() == [("Late", date(2026, 1, 1), date(2026, 2, 1))]

    def test_asks_no_more_for_more_rows(self, hana: User, asha: Employee) -> None:
        counts = []
        for number in (2, 40):
            people = [make_employee(site=asha.site) for _ in range(number)]
            shift = make_shift(site=asha.site)
            for employee in people:
                make_assignment(employee=employee, shift=shift)
            rows = [(one.code, "Late", "2026-03-01", "2026-04-01") for one in people]
            with CaptureQueriesContext(connection) as queries:
                result = assign(hana, *rows)
            assert result.totals["new"] == number
            counts.append(len(queries))

        assert counts[0] == counts[1]

    def test_holds_no_formula_in_an_export(self, hana: User, asha: Employee) -> None:
        shift = make_shift(site=asha.site, shift_name="=Night")
        make_assignment(employee=asha, shift=shift, starts_on=date(2026, 1, 1))

        table = ShiftAssignmentResource(user=hana).export(ShiftAssignment.objects.all())

        (row,) = csv.DictReader(StringIO(table.csv))
        assert row == {
            "employee": "E-1",
            "shift": "'=Night",
            "from": "2026-01-01",
            "until": "",
        }
        assert assign(hana, tuple(row.values())).totals["skip"] == 1


class TestLeaveResource:
    HEAD = ("employee", "kind", "from", "until", "notes")

    def test_adds_and_changes_leaves(self, hana: User, asha: Employee) -> None:
        take(
            LeaveResource,
            hana,
            self.HEAD,
            ("E-1", "Sick", "2026-03-02", "2026-03-04", "Flu"),
            ("E-1", "", "2026-03-09", "2026-03-10", ""),
        )
        result = take(
            LeaveResource,
            hana,
            self.HEAD,
            ("E-1", "sick", "2026-03-02", "2026-03-06", "Flu"),
        )

        rows = Leave.objects.order_by("starts_on")
        assert [(row.kind, row.ends_on, row.notes) for row in rows] == [
            ("sick", date(2026, 3, 6), "Flu"),
            ("paid", date(2026, 3, 10), ""),
        ]
        assert [row.created_by for row in rows] == [hana, hana]
        assert [each.last for each in result.touched] == [
            date(2026, 3, 3),
            date(2026, 3, 5),
        ]

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (
                ("E-1", "", "2026-03-03", "2026-03-05", ""),
                "E-1 is on leave from 2026-03-02 until 2026-03-04 already.",
            ),
            (("E-1", "", "2026-05-03", "", ""), "until: The first day back is missing"),
            (
                ("E-1", "holiday", "2026-05-03", "2026-05-05", ""),
                "kind: 'holiday' is no kind of leave. Write paid, unpaid",
            ),
            (("E-1", "", "2026-05-05", "2026-05-03", ""), "until: The period ends bef"),
        ],
    )
    def test_says_what_is_wrong_with_a_row(
        self, hana: User, asha: Employee, row: Sequence[object], sentence: str
    ) -> None:
        Leave.objects.create(
            employee=asha, starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 4)
        )

        result = take(LeaveResource, hana, self.HEAD, row)

        assert sentence in wrong(result)[1]
        assert Leave.objects.count() == 1

    def test_goes_by_what_the_file_says_of_a_known_one(
        self, hana: User, asha: Employee
    ) -> None:
        Leave.objects.create(
            employee=asha, starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 9)
        )

        result = take(
            LeaveResource,
            hana,
            self.HEAD,
            ("E-1", "sick", "2026-03-05", "2026-03-06", ""),
            ("E-1", "paid", "2026-03-02", "2026-03-05", ""),
        )

        assert not result.with_errors
        assert Leave.objects.count() == 2


class TestHolidayResource:
    HEAD = ("site", "date", "name")

    def test_adds_and_names_holidays(self, hana: User, asha: Employee) -> None:
        take(HolidayResource, hana, ("date", "name"), ("2026-01-26", "Republic"))
        result = take(
            HolidayResource,
            hana,
            self.HEAD,
            ("own-plant", "2026-01-26", "Republic Day"),
            ("", "2026-08-15", "Independence Day"),
        )

        rows = Holiday.objects.order_by("holiday_date")
        assert [(str(row.holiday_date), row.name) for row in rows] == [
            ("2026-01-26", "Republic Day"),
            ("2026-08-15", "Independence Day"),
        ]
        assert {tuple(each.employees) for each in result.touched} == {(asha.pk,)}

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (("theirs", "2026-01-26", "X"), "site: There is no site 'theirs'. Yours:"),
            (("", "26/01/2026", "X"), "date: '26/01/2026' is no date"),
            (("", "", "X"), "date: The date is missing."),
            (("", "2026-08-15", "X"), "Row 1 has this date too."),
            (("", "2026-01-26", ""), "name: This field cannot be blank."),
        ],
    )
    def test_says_what_is_wrong_with_a_row(
        self, hana: User, row: Sequence[object], sentence: str
    ) -> None:
        make_site(slug="theirs")

        result = take(
            HolidayResource, hana, self.HEAD, ("", "2026-08-15", "Independence"), row
        )

        assert sentence in wrong(result)[2]
        assert not Holiday.objects.exists()

    def test_asks_no_more_for_more_rows(self, hana: User) -> None:
        counts = []
        for year, number in ((2026, 1), (2027, 28)):
            rows = [("", f"{year}-01-{day:02}", "X") for day in range(1, number + 1)]
            with CaptureQueriesContext(connection) as queries:
                take(HolidayResource, hana, self.HEAD, *rows)
            counts.append(len(queries))

        assert counts[0] == counts[1]
