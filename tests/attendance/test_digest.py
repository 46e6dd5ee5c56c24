from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection

from alerts.models import Alert, AlertRule, Kind
from alerts.services import resolve
from attendance import digest
from attendance.models import (
    AttendanceRecord,
    CorrectionRequest,
    UnknownAttendance,
)
from attendance.models.days import PRESENT
from tests.factories import (
    make_assignment,
    make_camera,
    make_channel,
    make_employee,
    make_rule,
    make_shift,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

    from attendance.models import Shift
    from streaming.models import Site

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 3, 3, 4, 30, tzinfo=UTC)
"""Tuesday, 10:00 in Kolkata."""
TODAY = date(2026, 3, 3)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def rule() -> AlertRule:
    return make_rule(kind=Kind.ATTENDANCE_DIGEST)


@pytest.fixture
def site() -> Site:
    return make_site(name="Press plant", slug="press", time_zone="Asia/Kolkata")


@pytest.fixture
def shift(site: Site) -> Shift:
    """From 09:00 to 17:00."""
    return make_shift(site=site)


def make_day(shift: Shift, on: date, status: str, **values: Any) -> AttendanceRecord:
    """Put somebody on the shift, with what became of one of their dates."""
    employee = make_employee(site=shift.site)
    make_assignment(employee=employee, shift=shift, starts_on=on, ends_on=on + DAY)
    start_at = datetime(on.year, on.month, on.day, 3, 30, tzinfo=UTC)
    end_at = start_at + 8 * HOUR
    came = {"check_in_at": start_at} if status in PRESENT else {}
    return AttendanceRecord.objects.create(
        employee=employee,
        attendance_date=on,
        shift=shift,
        plan="work",
        start_at=start_at,
        end_at=end_at,
        closes_at=end_at + 4 * HOUR,
        status=status,
        **came | values,
    )


def make_unknown(site: Site, **values: Any) -> UnknownAttendance:
    at = TEN - 3 * DAY
    defaults = {
        "event_id": uuid4(),
        "camera": make_camera(site=site),
        "session": "one",
        "track_id": 1,
        "occurred_at": at,
        "last_seen_at": at,
    }
    return UnknownAttendance.objects.create(**defaults | values)


class TestTell:
    def test_gives_figures_of_yesterday_and_today_and_no_names(
        self, site: Site, shift: Shift
    ) -> None:
        yesterday = TODAY - DAY
        for status in ("late", "late", "absent", "unverified", "present"):
            make_day(shift, yesterday, status)
        waits = make_day(shift, yesterday, "present", reviews=["missing_check_out"])
        CorrectionRequest.objects.create(
            record=waits, made_at=TEN, text="I left at five."
        )
        make_day(shift, TODAY, "late")
        missing = make_assignment(shift=shift).employee
        make_assignment(shift=shift, ends_on=TODAY - DAY)
        for state in ("open", "open", "dismissed"):
            make_unknown(site, state=state)

        assert digest.tell(now=TEN) == 1

        alert = Alert.objects.get()
        assert (alert.site, alert.kind) == (site, Kind.ATTENDANCE_DIGEST)
        assert alert.subject == "press 2026-03-03"
        assert alert.text == (
            "Attendance at Press plant. 2026-03-02: 2 late, 1 absent, 1 unverified, "
            "1 without an exit. 2026-03-03 so far: 1 late, 1 not seen yet. Waiting for "
            "an answer: 2 unknown faces, 1 request."
        )
        assert missing.name not in alert.text

    def test_waits_for_the_hour_of_the_sites_own_clock(
        self, shift: Shift, settings: Settings
    ) -> None:
        make_day(shift, TODAY, "late")
        second = make_site(time_zone="UTC")

        assert digest.tell(now=TEN - timedelta(seconds=1)) == 0
        settings.ATTENDANCE_DIGEST_HOUR = 9
        assert digest.tell(now=TEN - timedelta(seconds=1)) == 1

        assert not Alert.objects.filter(site=second).exists()

    def test_catches_up_on_the_same_day_and_tells_it_once(self, shift: Shift) -> None:
        make_day(shift, TODAY, "late")

        told = [digest.tell(now=TEN + hours * HOUR) for hours in (9, 10, 13)]

        assert told == [1, 0, 0]

    def test_tells_nothing_again_that_somebody_has_resolved(self, shift: Shift) -> None:
        make_day(shift, TODAY, "late")
        digest.tell(now=TEN)
        resolve(alert=Alert.objects.get(), by=make_user("hana"), at=TEN)

        assert digest.tell(now=TEN + HOUR) == 0

    def test_takes_the_place_of_the_day_before(self, shift: Shift) -> None:
        make_day(shift, TODAY, "late")
        digest.tell(now=TEN)

        assert digest.tell(now=TEN + DAY) == 1

        older, newer = Alert.objects.order_by("opened_at")
        assert (older.state, older.note) == ("resolved", digest.NEWER)
        assert (newer.state, "2026-03-03: 1 late." in newer.text) == ("open", True)

    def test_is_silent_where_nothing_is_left(self, shift: Shift) -> None:
        make_day(shift, TODAY, "late")
        digest.tell(now=TEN)

        assert digest.tell(now=TEN + 2 * DAY) == 0

        alert = Alert.objects.get()
        assert (alert.state, alert.note) == ("resolved", digest.DONE)

    def test_needs_a_rule_and_leaves_the_older_one_without(
        self, shift: Shift, rule: AlertRule
    ) -> None:
        make_day(shift, TODAY, "late")
        digest.tell(now=TEN)
        AlertRule.objects.update(enabled=False)

        assert digest.tell(now=TEN + DAY) == 0

        assert Alert.objects.get().state == "open"

    def test_tells_nobody_of_the_end_of_one(
        self, shift: Shift, rule: AlertRule
    ) -> None:
        rule.channels.add(make_channel())
        make_day(shift, TODAY, "late")

        digest.tell(now=TEN)
        digest.tell(now=TEN + DAY)

        events = [
            list(alert.deliveries.values_list("event", flat=True))
            for alert in Alert.objects.all()
        ]
        assert events == [["alert.opened"], ["alert.opened"]]

    def test_costs_as_much_for_many_people(
        self, shift: Shift, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(5):
            make_day(shift, TODAY, "late")

        with django_assert_max_num_queries(40):
            digest.tell(now=TEN)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_raise_one_alert(self, shift: Shift) -> None:
        make_day(shift, TODAY, "late")
        start, told = threading.Barrier(4), list[int]()

        def work() -> None:
            start.wait(30)
            try:
                told.append(digest.tell(now=TEN))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(told) == [0, 0, 0, 1]
        assert Alert.objects.count() == 1
