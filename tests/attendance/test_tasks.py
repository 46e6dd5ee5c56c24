"""The roster's changes worked out in the background, and what is left alone."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from attendance import tasks
from attendance.assigning import Touched
from attendance.models import AttendanceRecord, Leave, PresenceEvent
from factory_site import schedules
from tests.factories import make_assignment, make_employee, make_site

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from pytest_django import Settings

    from identity.models import Employee
    from streaming.models import Site

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 20, tzinfo=UTC)
"""At a site in India it is the 21st."""
TODAY = date(2026, 3, 21)


@pytest.fixture
def site() -> Site:
    return make_site(time_zone="Asia/Kolkata")


@pytest.fixture
def asha(site: Site) -> Employee:
    """Somebody who was first seen on 2 March."""
    asha = make_employee(site=site)
    see(asha, datetime(2026, 3, 2, 4, tzinfo=UTC))
    return asha


def see(employee: Employee, at: datetime) -> PresenceEvent:
    return PresenceEvent.objects.create(
        event_id=uuid4(),
        employee=employee,
        source=PresenceEvent.Source.API,
        way="in",
        occurred_at=at,
        last_seen_at=at,
    )


@pytest.fixture
def sent(
    monkeypatch: pytest.MonkeyPatch,
    redis_client: redis.Redis,
    django_capture_on_commit_callbacks: Any,
) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that gives what a change of the roster sends to the worker."""
    found: list[dict[str, Any]] = []

    def take(*, kwargs: dict[str, Any], retry: object) -> None:
        found.append(kwargs)

    monkeypatch.setattr(tasks.recompute, "apply_async", take)

    def change(*touched: Touched) -> list[dict[str, Any]]:
        found.clear()
        with django_capture_on_commit_callbacks(execute=True):
            change.days = tasks.all_changed(touched, now=NOW)  # type: ignore[attr-defined]
        return list(found)

    return change


class TestAllChanged:
    def test_sends_the_dates_until_tomorrow_of_the_sites_clock(
        self, sent: Any, asha: Employee
    ) -> None:
        batches = sent(Touched(frozenset({asha.pk}), date(2026, 3, 19), None))

        assert batches == [
            {"employees": [asha.pk], "first": "2026-03-19", "last": "2026-03-22"}
        ]
        assert sent.days == 3

    def test_counts_nothing_for_days_to_come(self, sent: Any, asha: Employee) -> None:
        people = frozenset({asha.pk})

        tomorrow = sent(Touched(people, date(2026, 3, 22), None))
        assert (len(tomorrow), sent.days) == (1, 0)
        assert sent(Touched(people, date(2026, 3, 23), None)) == []
        assert sent.days == 0

    def test_sends_each_once_with_all_their_dates(
        self, sent: Any, asha: Employee
    ) -> None:
        people = frozenset({asha.pk})

        batches = sent(
            Touched(people, date(2026, 3, 12), date(2026, 3, 13)),
            Touched(people, date(2026, 3, 5), date(2026, 3, 6)),
        )

        assert batches == [
            {"employees": [asha.pk], "first": "2026-03-05", "last": "2026-03-13"}
        ]

    def test_leaves_the_time_before_the_site_knew_anybody(
        self, sent: Any, asha: Employee
    ) -> None:
        (batch,) = sent(Touched(frozenset({asha.pk}), date(2015, 1, 1), None))

        assert batch["first"] == "2026-03-02"

    def test_leaves_it_at_each_site_by_itself(self, sent: Any, asha: Employee) -> None:
        """Else all of a new site were absent since the first one had cameras."""
        new = make_employee(site=make_site(time_zone="Asia/Kolkata"))
        see(new, datetime(2026, 3, 17, 20, tzinfo=UTC))

        batches = sent(Touched(frozenset({asha.pk, new.pk}), date(2015, 1, 1), None))

        firsts = {batch["employees"][0]: batch["first"] for batch in batches}
        assert firsts == {asha.pk: "2026-03-02", new.pk: "2026-03-18"}

    def test_sends_nothing_where_nobody_was_ever_seen(self, sent: Any) -> None:
        new = make_employee()

        assert sent(Touched(frozenset({new.pk}), date(2015, 1, 1), None)) == []

    def test_leaves_what_is_no_longer_kept(
        self, sent: Any, asha: Employee, settings: Settings
    ) -> None:
        settings.ATTENDANCE_DAYS = 31
        see(asha, datetime(2025, 1, 2, 4, tzinfo=UTC))

        (batch,) = sent(Touched(frozenset({asha.pk}), date(2015, 1, 1), None))

        assert batch["first"] == (TODAY - timedelta(days=28)).isoformat()

    def test_sends_many_in_batches(
        self, sent: Any, asha: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks, "AT_ONCE", 2)
        people = [asha, *(make_employee(site=asha.site) for _ in range(4))]
        keys = frozenset(person.pk for person in people)

        batches = sent(Touched(keys, TODAY, None))

        assert [len(batch["employees"]) for batch in batches] == [2, 2, 1]
        assert sent.days == 5

    def test_leaves_the_days_to_the_schedule_where_there_is_no_redis(
        self,
        asha: Employee,
        settings: Settings,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        record = make_record(asha, date(2026, 3, 10))
        said = make_record(asha, date(2026, 3, 11), corrected_at=NOW)
        touched = Touched(frozenset({asha.pk}), date(2026, 3, 1), None)

        with django_capture_on_commit_callbacks(execute=True):
            tasks.all_changed([touched], now=NOW)

        record.refresh_from_db()
        said.refresh_from_db()
        assert (record.is_settled, said.is_settled) == (False, True)


def make_record(employee: Employee, on: date, **values: Any) -> AttendanceRecord:
    start_at = datetime(on.year, on.month, on.day, 3, 30, tzinfo=UTC)
    defaults = {
        "plan": "work",
        "status": "absent",
        "start_at": start_at,
        "end_at": start_at + timedelta(hours=8),
        "closes_at": start_at + timedelta(hours=12),
        "is_settled": True,
    }
    return AttendanceRecord.objects.create(
        employee=employee, attendance_date=on, **defaults | values
    )


class TestRecompute:
    def test_makes_a_day_of_absence_one_of_leave(
        self, sent: Any, asha: Employee
    ) -> None:
        make_assignment(employee=asha)
        on = timezone.now().date() - timedelta(days=5)
        tasks.recompute(employees=[asha.pk], first=on.isoformat(), last=on.isoformat())
        before = AttendanceRecord.objects.get().status

        Leave.objects.create(
            employee=asha, starts_on=on, ends_on=on + timedelta(days=1)
        )
        done = tasks.recompute(
            employees=[asha.pk], first=on.isoformat(), last=on.isoformat()
        )

        assert (before, AttendanceRecord.objects.get().status) == ("absent", "on_leave")
        assert done == {"days": 1, "changed": 1, "deleted": 0}


class TestInWords:
    @pytest.mark.parametrize(
        ("count", "sentence"),
        [
            (0, ""),
            (1, "1 day is being worked out anew."),
            (1200, "1,200 days are being worked out anew."),
        ],
    )
    def test_says_how_many(self, count: int, sentence: str) -> None:
        assert tasks.in_words(count) == sentence


class TestSchedule:
    def test_closes_days_tells_of_them_and_forgets_the_old_ones(self) -> None:
        runs = {
            job.task: (job.hour, job.minute)
            for job in schedules.JOBS
            if job.task.startswith("attendance.")
        }

        assert runs == {
            tasks.close_occurrences.name: ("*", "*/15"),
            tasks.tell_of_the_day.name: ("*", "5,35"),
            tasks.forget_old_attendance.name: ("2", "0"),
        }

    def test_says_what_it_did(self) -> None:
        assert tasks.close_occurrences() == {"days": 0, "changed": 0, "linked": 0}
        assert tasks.tell_of_the_day() == {"sites": 0}
        assert tasks.forget_old_attendance() == {
            "records": 0,
            "corrections": 0,
            "requests": 0,
            "events": 0,
            "unknown": 0,
            "passages": 0,
        }


@pytest.mark.django_db(transaction=True)
class TestAllChangedMeanwhile:
    def test_may_be_told_after_the_change_is_committed(
        self, asha: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks.recompute, "apply_async", lambda **_: None)
        record = make_record(asha, date(2026, 3, 9))
        AttendanceRecord.objects.update(is_settled=True)

        touched = Touched(frozenset({asha.pk}), date(2026, 3, 9), None)
        assert tasks.all_changed([touched], now=NOW) > 0
        record.refresh_from_db()
        assert not record.is_settled

    def test_waits_for_no_day_that_is_being_written(
        self, asha: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else the two wait for each other, and one of them is lost."""
        monkeypatch.setattr(tasks.recompute, "apply_async", lambda **_: None)
        first, _ = (make_record(asha, date(2026, 3, day)) for day in (9, 10))
        records = AttendanceRecord.objects.order_by("attendance_date")
        records.update(is_settled=True)
        written, done = threading.Event(), threading.Event()

        def write() -> None:
            try:
                with transaction.atomic():
                    AttendanceRecord.objects.filter(pk=first.pk).update(late_minutes=1)
                    written.set()
                    done.wait(60)
            finally:
                connection.close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert written.wait(60)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                touched = Touched(frozenset({asha.pk}), date(2026, 3, 9), None)
                tasks.all_changed([touched], now=NOW)
        finally:
            done.set()
            writer.join(60)

        assert [row.is_settled for row in records] == [True, False]
