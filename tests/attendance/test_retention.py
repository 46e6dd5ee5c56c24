from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from attendance import retention
from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
    Passage,
    PresenceEvent,
    UnknownAttendance,
)
from attendance.retention import Forgotten, forget_old
from tests.factories import make_access_log, make_camera, make_employee

if TYPE_CHECKING:
    from pytest_django import Settings

    from identity.models import Employee

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS_KEPT = 100
OLD, KEPT = NOW - (DAYS_KEPT + 2) * DAY, NOW - DAYS_KEPT * DAY
NOTHING = Forgotten(
    records=0, corrections=0, requests=0, events=0, unknown=0, passages=0
)


@pytest.fixture(autouse=True)
def kept(settings: Settings) -> None:
    settings.ATTENDANCE_DAYS = DAYS_KEPT


@pytest.fixture
def employee() -> Employee:
    return make_employee()


def make_event(employee: Employee, at: datetime, **values: Any) -> PresenceEvent:
    defaults = {
        "event_id": uuid4(),
        "employee": employee,
        "source": "api",
        "way": "in",
        "occurred_at": at,
        "last_seen_at": at,
    }
    return PresenceEvent.objects.create(**defaults | values)


def make_record(employee: Employee, at: datetime, **values: Any) -> AttendanceRecord:
    defaults = {
        "employee": employee,
        "attendance_date": at.date(),
        "plan": "work",
        "start_at": at,
        "end_at": at + timedelta(hours=8),
        "closes_at": at + timedelta(hours=12),
        "status": "present",
        "check_in_at": at,
    }
    return AttendanceRecord.objects.create(**defaults | values)


class TestForgetOld:
    def test_deletes_what_is_older_with_all_that_belongs_to_it(
        self, employee: Employee
    ) -> None:
        for at in (OLD, KEPT):
            event = make_event(employee, at)
            record = make_record(employee, at, check_in=event)
            correction = AttendanceCorrection.objects.create(
                record=record, made_at=at, reason="Forgot", before={}, after={}
            )
            CorrectionRequest.objects.create(
                record=record, made_at=at, text="Forgot", correction=correction
            )
            UnknownAttendance.objects.create(
                event_id=uuid4(),
                camera=make_camera(),
                session="one",
                track_id=1,
                occurred_at=at,
                last_seen_at=at,
            )
            Passage.objects.create(
                event_id=uuid4(),
                camera=make_camera(),
                session="one",
                track_id=1,
                way="in",
                occurred_at=at,
            )

        assert forget_old(now=NOW) == Forgotten(
            records=1, corrections=1, requests=1, events=1, unknown=1, passages=1
        )

        assert PresenceEvent.objects.get().occurred_at == KEPT
        assert UnknownAttendance.objects.get().occurred_at == KEPT
        # Whoever is named then went the way that the line told.
        assert Passage.objects.get().occurred_at == KEPT
        assert AttendanceRecord.objects.get().start_at == KEPT
        assert AttendanceCorrection.objects.get().made_at == KEPT
        assert CorrectionRequest.objects.get().made_at == KEPT

    def test_keeps_an_event_on_which_a_kept_day_rests(self, employee: Employee) -> None:
        came, left, _ = (make_event(employee, OLD) for _ in range(3))
        make_record(employee, KEPT, check_in=came)
        make_record(employee, KEPT + DAY, check_out=left)

        assert forget_old(now=NOW).events == 1

        kept = PresenceEvent.objects.order_by("pk")
        assert list(kept) == [came, left]

    def test_keeps_somebody_who_was_still_seen_lately(self, employee: Employee) -> None:
        make_event(employee, OLD, last_seen_at=KEPT)

        assert forget_old(now=NOW) == NOTHING

    def test_keeps_people_and_visits(self, employee: Employee) -> None:
        visit = make_access_log(employee=employee, occurred_at=OLD)
        make_event(employee, OLD, access_log=visit)

        assert forget_old(now=NOW).events == 1

        visit.refresh_from_db()
        assert visit.employee == employee

    def test_goes_on_over_as_many_batches_as_it_takes(
        self, employee: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        for days in range(5):
            at = OLD - days * DAY
            make_record(employee, at, check_in=make_event(employee, at))

        done = forget_old(now=NOW)

        assert (done.records, done.events) == (5, 5)
        assert forget_old(now=NOW) == NOTHING

    def test_goes_on_where_it_was_broken_off(
        self, employee: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        for days in range(5):
            make_event(employee, OLD - days * DAY)
        delete, calls = PresenceEvent.objects.filter().__class__.delete, []

        def once(rows: Any) -> Any:
            calls.append(1)
            if len(calls) == 2:
                raise ConnectionError
            return delete(rows)

        with monkeypatch.context() as broken:
            broken.setattr(type(PresenceEvent.objects.all()), "delete", once)
            with pytest.raises(ConnectionError):
                forget_old(now=NOW)
        left = list(PresenceEvent.objects.order_by("occurred_at"))

        assert [event.occurred_at for event in left] == [
            OLD - days * DAY for days in (2, 1, 0)
        ]
        assert forget_old(now=NOW).events == 3
