"""Sums over days: what each day counts as, and what the share is of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance.models import AttendanceRecord
from attendance.models.days import Plan, Review, Status
from attendance.totals import Summary, by_employee, summarise_records
from tests.factories import make_employee, make_record, make_site

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 2, 26), date(2026, 3, 3)
DAYS = st.dictionaries(
    st.dates(FIRST - timedelta(days=2), LAST + timedelta(days=2)),
    st.tuples(
        st.sampled_from(Status.values),
        st.sampled_from(Plan.values),
        st.frozensets(st.sampled_from(Review.values)),
    ),
    max_size=9,
)


def summary() -> Summary:
    return summarise_records(AttendanceRecord.objects.all(), first=FIRST, last=LAST)


class TestSummariseRecords:
    def test_counts_each_day_as_one_thing(self) -> None:
        make_record()
        make_record(grace_period_applied=True)
        make_record(status="late")
        make_record(status="present", reviews=["early_exit"])
        make_record(status="absent")
        make_record(status="unverified")
        make_record(status="weekly_off", plan="weekly_off")
        make_record(status="holiday", plan="holiday", reviews=["early_exit"])

        assert summary() == Summary(
            total_days=6,
            scheduled_days=6,
            on_time=3,
            late=1,
            early_exits=1,
            absent=1,
            unverified=1,
            on_time_percentage=50.0,
        )

    @pytest.mark.parametrize(
        ("statuses", "percentage"),
        [
            ("", None),
            ("weekly_off", None),
            ("present weekly_off", 100.0),
            ("absent", 0.0),
            ("present late absent", 33.3),
            ("present present late", 66.7),
            ("present late absent unverified", 25.0),
        ],
    )
    def test_gives_the_share_of_all_days_of_work(
        self, statuses: str, percentage: float | None
    ) -> None:
        for status in statuses.split():
            plan = "weekly_off" if status == "weekly_off" else "work"
            make_record(status=status, plan=plan)

        assert summary().on_time_percentage == percentage

    @pytest.mark.parametrize(
        ("on", "counted"),
        [
            (FIRST - timedelta(days=1), 0),
            (FIRST, 1),
            (LAST, 1),
            (LAST + timedelta(days=1), 0),
        ],
    )
    def test_has_both_ends(self, on: date, counted: int) -> None:
        make_record(attendance_date=on)

        assert summary().scheduled_days == counted

    def test_of_one_date_has_one_day(self) -> None:
        make_record(attendance_date=FIRST)

        found = summarise_records(
            AttendanceRecord.objects.all(), first=FIRST, last=FIRST
        )

        assert (found.total_days, found.scheduled_days) == (1, 1)


class TestByEmployee:
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(people=st.lists(DAYS, min_size=1, max_size=3))
    def test_adds_up_to_the_sums_of_all(
        self, people: list[dict[date, tuple[str, str, frozenset[str]]]]
    ) -> None:
        AttendanceRecord.objects.all().delete()
        site = make_site()
        for days in people:
            employee = make_employee(site=site)
            for on, (status, plan, reviews) in days.items():
                make_record(
                    employee=employee,
                    attendance_date=on,
                    status=status,
                    plan=plan,
                    reviews=sorted(reviews),
                )

        whole = asdict(summary())
        each = by_employee(AttendanceRecord.objects.all(), first=FIRST, last=LAST)

        share, _ = whole.pop("on_time_percentage"), whole.pop("total_days")
        sums = [asdict(one) for one in each.values()]
        assert whole == {name: sum(one[name] for one in sums) for name in whole}
        days_of_work = whole["scheduled_days"]
        told = (whole[name] for name in ("on_time", "late", "absent", "unverified"))
        assert sum(told) <= days_of_work
        if days_of_work:
            assert share == round(100 * whole["on_time"] / days_of_work, 1)
        else:
            assert share is None

    def test_costs_one_query_for_any_number_of_people(self) -> None:
        site = make_site()
        for _ in range(5):
            make_record(employee=make_employee(site=site))

        with CaptureQueriesContext(connection) as queries:
            found = by_employee(AttendanceRecord.objects.all(), first=FIRST, last=LAST)

        assert (len(found), len(queries)) == (5, 1)
