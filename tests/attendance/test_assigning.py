"""Putting people on shifts: what is shown is what happens, date by date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from attendance import assigning
from attendance.assigning import Effect, ShiftNotAssigned, Touched
from attendance.models import Holiday, Leave, ShiftAssignment
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_shift,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from attendance.models import Shift
    from identity.models import Employee
    from streaming.models import Site

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(60)]


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant")


@pytest.fixture
def early(site: Site) -> Shift:
    return make_shift(site=site, shift_name="Early")


@pytest.fixture
def late(site: Site) -> Shift:
    return make_shift(site=site, shift_name="Late")


def put(
    employee: Employee, shift: Shift, starts_on: date, ends_on: date | None = None
) -> list[Touched]:
    return assigning.assign(
        employees=[employee],
        shift=shift,
        starts_on=starts_on,
        ends_on=ends_on,
        by=None,
        at=NOW,
    )


def shown(
    employee: Employee, shift: Shift, starts_on: date, ends_on: date | None = None
) -> Effect:
    (effect,) = assigning.preview(
        employees=[employee], shift=shift, starts_on=starts_on, ends_on=ends_on
    )
    return effect


def periods(employee: Employee) -> list[tuple[str, date, date | None]]:
    rows = employee.shift_assignments.select_related("shift").order_by("starts_on")
    return [(row.shift.shift_name, row.starts_on, row.ends_on) for row in rows]


def by_date(employee: Employee) -> list[int | None]:
    """Return the shift of each of DAYS."""
    rows = list(employee.shift_assignments.all())
    return [
        next(
            (
                row.shift_id
                for row in rows
                if row.starts_on <= day and (row.ends_on is None or day < row.ends_on)
            ),
            None,
        )
        for day in DAYS
    ]


@pytest.mark.django_db
class TestAssign:
    def test_puts_somebody_on_a_shift(self, site: Site, early: Shift) -> None:
        hana = make_user("hana")
        employee = make_employee(site=site)

        touched = assigning.assign(
            employees=[employee],
            shift=early,
            starts_on=DAYS[3],
            ends_on=DAYS[5],
            by=hana,
            at=NOW,
        )

        row = ShiftAssignment.objects.get()
        assert periods(employee) == [("Early", DAYS[3], DAYS[5])]
        assert touched == [Touched(frozenset({employee.pk}), DAYS[3], DAYS[4])]
        assert row.created_by == hana
        change = row.history.get()
        assert (change.history_user, change.history_change_reason) == (
            hana,
            "Put on Early",
        )

    @pytest.mark.parametrize(
        ("there", "words", "then"),
        [
            (
                (DAYS[0], None),
                "Ends Early 09:00-17:00 on 2026-03-11.",
                [("Early", DAYS[0], DAYS[10]), ("Late", DAYS[10], None)],
            ),
            (
                (DAYS[12], DAYS[15]),
                "Replaces Early 09:00-17:00 (from 2026-03-13 until 2026-03-16).",
                [("Late", DAYS[10], None)],
            ),
            (
                (DAYS[10], None),
                "Replaces Early 09:00-17:00 (from 2026-03-11 until further notice).",
                [("Late", DAYS[10], None)],
            ),
            (
                (DAYS[0], DAYS[10]),
                "Had no shift on these dates.",
                [("Early", DAYS[0], DAYS[10]), ("Late", DAYS[10], None)],
            ),
        ],
    )
    def test_for_good_takes_the_place_of_what_is_there(
        self,
        early: Shift,
        late: Shift,
        there: tuple[date, date | None],
        words: str,
        then: list[tuple[str, date, date | None]],
    ) -> None:
        row = make_assignment(shift=early, starts_on=there[0], ends_on=there[1])

        told = shown(row.employee, late, DAYS[10]).words
        put(row.employee, late, DAYS[10])

        assert told == words
        assert periods(row.employee) == then

    @pytest.mark.parametrize(
        ("there", "words", "then"),
        [
            (
                (DAYS[0], None),
                "Interrupts Early 09:00-17:00, which goes on from 2026-03-21.",
                [
                    ("Early", DAYS[0], DAYS[10]),
                    ("Late", DAYS[10], DAYS[20]),
                    ("Early", DAYS[20], None),
                ],
            ),
            (
                (DAYS[15], None),
                "Early 09:00-17:00 starts on 2026-03-21 instead of 2026-03-16.",
                [("Late", DAYS[10], DAYS[20]), ("Early", DAYS[20], None)],
            ),
            (
                (DAYS[20], None),
                "Had no shift on these dates.",
                [("Late", DAYS[10], DAYS[20]), ("Early", DAYS[20], None)],
            ),
        ],
    )
    def test_for_a_while_gives_back_what_was_there(
        self,
        early: Shift,
        late: Shift,
        there: tuple[date, date | None],
        words: str,
        then: list[tuple[str, date, date | None]],
    ) -> None:
        row = make_assignment(shift=early, starts_on=there[0], ends_on=there[1])

        told = shown(row.employee, late, DAYS[10], DAYS[20]).words
        put(row.employee, late, DAYS[10], DAYS[20])

        assert told == words
        assert periods(row.employee) == then

    def test_leaves_who_is_on_it_already(self, early: Shift) -> None:
        row = make_assignment(shift=early, starts_on=DAYS[0])

        assert "already" in shown(row.employee, early, DAYS[5], DAYS[9]).words
        assert put(row.employee, early, DAYS[5], DAYS[9]) == []
        assert row.history.count() == 1

    def test_keeps_the_history_of_what_goes(self, early: Shift, late: Shift) -> None:
        hana = make_user("hana")
        row = make_assignment(shift=early, starts_on=DAYS[3], ends_on=DAYS[4])

        assigning.assign(
            employees=[row.employee],
            shift=late,
            starts_on=DAYS[0],
            ends_on=None,
            by=hana,
            at=NOW,
        )

        gone = ShiftAssignment.history.get(id=row.pk, history_type="-")
        assert (gone.history_user, gone.starts_on) == (hana, DAYS[3])

    def test_writes_nothing_to_look_at_it(self, early: Shift) -> None:
        employee = make_employee(site=early.site)

        shown(employee, early, DAYS[0])

        assert not ShiftAssignment.objects.exists()

    def test_refuses_a_shift_of_another_site(self, early: Shift, site: Site) -> None:
        theirs = make_employee(code="E-9")

        with pytest.raises(ShiftNotAssigned, match="another site than that of E-9"):
            put(theirs, early, DAYS[0])
        put(make_employee(site=site), early, DAYS[0])

        assert not theirs.shift_assignments.exists()

    def test_refuses_who_is_not_active(self, early: Shift, site: Site) -> None:
        left = make_employee(site=site, code="E-9", status="inactive")

        with pytest.raises(ShiftNotAssigned, match="Not active: E-9"):
            put(left, early, DAYS[0])

    def test_refuses_a_shift_that_is_not_active(self, early: Shift, site: Site) -> None:
        early.is_active = False

        with pytest.raises(ShiftNotAssigned, match="Early is not active"):
            put(make_employee(site=site), early, DAYS[0])

    def test_refuses_an_end_before_the_start(self, early: Shift, site: Site) -> None:
        employee = make_employee(site=site)

        with pytest.raises(ShiftNotAssigned, match="ends before it starts"):
            put(employee, early, DAYS[3], DAYS[3])
        put(employee, early, DAYS[3], DAYS[4])

    def test_refuses_nobody(self, early: Shift) -> None:
        with pytest.raises(ShiftNotAssigned, match="at least one employee"):
            assigning.assign(
                employees=[],
                shift=early,
                starts_on=DAYS[0],
                ends_on=None,
                by=None,
                at=NOW,
            )

    def test_names_a_few_of_many(self, early: Shift) -> None:
        many = [make_employee(code=f"E-{number}") for number in range(7)]

        with pytest.raises(ShiftNotAssigned, match=r"E-0, .*E-4 and 2 more"):
            assigning.preview(
                employees=many, shift=early, starts_on=DAYS[0], ends_on=None
            )

    def test_asks_no_more_for_more_people(self, early: Shift, late: Shift) -> None:
        department = make_department(site=early.site)
        counts = []
        for number in (1, 20):
            rows = [
                make_assignment(
                    shift=early,
                    employee=make_employee(department=department),
                    starts_on=DAYS[0],
                )
                for _ in range(number)
            ]
            for row in rows:
                row.employee.shift_assignments.create(
                    shift=early, starts_on=date(2019, 1, 1), ends_on=date(2019, 2, 1)
                )
            with CaptureQueriesContext(connection) as queries:
                assigning.assign(
                    employees=[row.employee for row in rows],
                    shift=late,
                    starts_on=date(2018, 12, 1),
                    ends_on=DAYS[9],
                    by=None,
                    at=NOW,
                )
            counts.append(len(queries))

        assert counts[0] == counts[1]

    def test_says_that_another_was_quicker(self, early: Shift, late: Shift) -> None:
        employee = make_employee(site=early.site)
        found = assigning.preview(
            employees=[employee], shift=late, starts_on=DAYS[0], ends_on=None
        )
        make_assignment(employee=employee, shift=early, starts_on=DAYS[0])

        with pytest.raises(ShiftNotAssigned, match="at the same moment"):
            assigning.write(found, by=None, at=NOW, reason="")

        assert periods(employee) == [("Early", DAYS[0], None)]


class TestAssignments(TestCase):
    """Whatever was there, the dates asked for change and no others."""

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 1), st.integers(0, 40), st.none() | st.integers(1, 15)
            ),
            min_size=1,
            max_size=6,
        )
    )
    def test_change_the_dates_asked_for_and_no_others(
        self, wishes: list[tuple[int, int, int | None]]
    ) -> None:
        site = make_site()
        shifts = [make_shift(site=site), make_shift(site=site)]
        employee = make_employee(site=site)
        for which, first, length in wishes:
            before = by_date(employee)
            end = None if length is None else DAYS[first] + timedelta(days=length)

            put(employee, shifts[which], DAYS[first], end)

            last = len(DAYS) if length is None else first + length
            expected = [
                shifts[which].pk if first <= number < last else was
                for number, was in enumerate(before)
            ]
            assert by_date(employee) == expected


@pytest.mark.django_db
class TestKeep:
    def test_tells_the_dates_before_and_after(self, early: Shift) -> None:
        row = make_assignment(shift=early, starts_on=DAYS[0], ends_on=DAYS[9])
        people = frozenset({row.employee_id})

        row.starts_on, row.ends_on = DAYS[5], None
        touched = assigning.keep(row, by=None)

        assert touched == [
            Touched(people, DAYS[5], None),
            Touched(people, DAYS[0], DAYS[8]),
        ]

    def test_notes_who_entered_a_leave(self, site: Site) -> None:
        hana = make_user("hana")
        leave = Leave(
            employee=make_employee(site=site), starts_on=DAYS[0], ends_on=DAYS[2]
        )

        (touched,) = assigning.keep(leave, by=hana)

        assert Leave.objects.get().created_by == hana
        assert touched.last == DAYS[1]

    def test_touches_everybody_of_a_site_that_has_a_holiday(self, site: Site) -> None:
        here = [make_employee(site=site), make_employee(site=site)]
        make_employee()
        holiday = Holiday(site=site, holiday_date=DAYS[4], name="Holi")

        (touched,) = assigning.keep(holiday, by=None)

        assert touched == Touched(frozenset(one.pk for one in here), DAYS[4], DAYS[4])


@pytest.mark.django_db
class TestRemove:
    def test_tells_the_dates_and_keeps_the_history(self, early: Shift) -> None:
        row = make_assignment(shift=early, starts_on=DAYS[0])

        touched = assigning.remove(ShiftAssignment.objects.all())

        assert touched == [Touched(frozenset({row.employee_id}), DAYS[0], None)]
        assert not ShiftAssignment.objects.exists()
        assert ShiftAssignment.history.latest().history_type == "-"


@pytest.mark.django_db(transaction=True)
class TestLockRosters:
    def test_needs_a_transaction_and_ends_with_it(self, early: Shift) -> None:
        for _ in range(2):
            with transaction.atomic():
                assigning.lock_rosters(sites={early.site_id})
