"""Sums that the database counts are those that are counted from values."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance.models import AttendanceRecord
from attendance.roster import Occurrence, Plan
from attendance.rules import DayResult, Review, Status
from attendance.summary import Summary, summarise
from attendance.totals import by_employee, summarise_records
from tests.factories import make_employee, make_record, make_site

if TYPE_CHECKING:
    from identity.models import Employee

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 2, 26), date(2026, 3, 3)
STORED = [each for each in Status if each not in {Status.EXPECTED, Status.NONE}]


def day(on: date, status: Status, plan: Plan, reviews: frozenset[Review]) -> DayResult:
    start = datetime.combine(on, time(9), UTC)
    occurrence = Occurrence(on, start, start + timedelta(hours=8), plan=plan)
    return DayResult(occurrence=occurrence, status=status, reviews=reviews)


DAYS = st.dictionaries(
    st.dates(FIRST - timedelta(days=2), LAST + timedelta(days=2)),
    st.tuples(
        st.sampled_from(STORED),
        st.sampled_from(Plan),
        st.frozensets(st.sampled_from(Review)),
    ),
    max_size=9,
)


def store(employee: Employee, days: list[DayResult]) -> None:
    for result in days:
        make_record(
            employee=employee,
            attendance_date=result.occurrence.date,
            status=result.status.value,
            plan=result.occurrence.plan.value,
            reviews=sorted(result.reviews),
        )


class TestSummariseRecords:
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(people=st.lists(DAYS, min_size=1, max_size=3))
    def test_counts_what_the_values_count(
        self,
        people: list[dict[date, tuple[Status, Plan, frozenset[Review]]]],
    ) -> None:
        AttendanceRecord.objects.all().delete()
        site = make_site()
        of: dict[int, list[DayResult]] = {}
        for days in people:
            employee = make_employee(site=site)
            of[employee.pk] = [day(on, *told) for on, told in days.items()]
            store(employee, of[employee.pk])
        rows = AttendanceRecord.objects.all()

        together = summarise_records(rows, first=FIRST, last=LAST)
        each = by_employee(rows, first=FIRST, last=LAST)

        everything = [result for results in of.values() for result in results]
        assert together == summarise(everything, first=FIRST, last=LAST)
        nothing = summarise([], first=FIRST, last=LAST)
        for key, results in of.items():
            alone = summarise(results, first=FIRST, last=LAST)
            assert each.get(key, nothing) == alone

    def test_costs_one_query_for_any_number_of_people(self) -> None:
        site = make_site()
        for _ in range(5):
            make_record(employee=make_employee(site=site))

        with CaptureQueriesContext(connection) as queries:
            found = by_employee(AttendanceRecord.objects.all(), first=FIRST, last=LAST)

        assert (len(found), len(queries)) == (5, 1)

    def test_leaves_the_share_open_where_there_was_no_work(self) -> None:
        make_record(status="weekly_off", plan="weekly_off")

        found = summarise_records(
            AttendanceRecord.objects.all(), first=FIRST, last=LAST
        )

        assert found == Summary(
            total_days=6,
            scheduled_days=0,
            on_time=0,
            late=0,
            early_exits=0,
            absent=0,
            unverified=0,
            on_time_percentage=None,
        )
