from __future__ import annotations

import threading
from datetime import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance.closing import close_occurrences
from attendance.models import (
    Passage,
    PresenceEvent,
    UnknownAttendance,
)
from attendance.rules import Part, Status, Way
from attendance.services import EventConflict, InTheFuture, NotEmployed
from identity.models import AccessLog, Employee
from identity.rules import Standing
from streaming.models import Camera
from tests.factories import (
    make_assignment,
    make_employee,
    make_shift,
    make_site,
    make_user,
)
from tests.presence import (
    cross,
    day,
    event_id,
    make_gate,
    presence,
    rows,
    see,
    stamp,
    statuses,
    visit,
)
from tests.sightings import LATER, ON, instant

if TYPE_CHECKING:
    from identity.models import User

pytestmark = pytest.mark.django_db
STATES = UnknownAttendance.State


@pytest.fixture
def worker() -> Employee:
    """Give somebody who works from 09:00 to 17:00."""
    return make_assignment().employee


class TestStamp:
    def test_opens_and_ends_a_day(self, worker: Employee) -> None:
        came = stamp(worker, "> 09:05")
        left = stamp(worker, "< 17:30")

        assert came.is_new
        assert came.result is not None
        assert came.result.grace_period_applied
        assert left.result is not None
        assert left.result.overtime_minutes == 30
        assert left.record == day(worker)
        assert (day(worker).check_in, day(worker).check_out) == (came.event, left.event)
        assert day(worker).worked_minutes == 505

    def test_knows_who_stamped(self, worker: Employee, role_groups: None) -> None:
        clock: User = make_user("clock")

        assert stamp(worker, "> 09:05", by=clock).event.recorded_by == clock

    @pytest.mark.parametrize("key", [None, event_id("stamp")])
    def test_twice_changes_nothing(self, worker: Employee, key: object) -> None:
        first = stamp(worker, "> 09:05", event_id=key)
        before = rows(), presence(), day(worker).changed_at

        again = stamp(worker, "> 09:05", event_id=key)

        assert not again.is_new
        assert (again.event, again.record) == (first.event, first.record)
        assert again.result == first.result
        assert (rows(), presence(), day(worker).changed_at) == before

    @pytest.mark.parametrize("words", ["< 09:05", "> 09:06"])
    def test_refuses_an_id_that_stands_for_something_else(
        self, worker: Employee, words: str
    ) -> None:
        key = event_id("stamp")
        stamp(worker, "> 09:05", event_id=key)
        before = rows(), presence()

        with pytest.raises(EventConflict, match="an id of its own"):
            stamp(worker, words, event_id=key)
        with pytest.raises(EventConflict):
            stamp(make_employee(site=worker.site), "> 09:05", event_id=key)

        assert (rows(), presence()) == before

    def test_refuses_more_than_five_minutes_of_future(self, worker: Employee) -> None:
        stamp(worker, "> 09:05", now=instant("09:00"))

        with pytest.raises(InTheFuture, match="Check the clock"):
            stamp(worker, "> 09:05:01", now=instant("09:00"))

        assert PresenceEvent.objects.count() == 1

    def test_refuses_who_left(self, worker: Employee) -> None:
        stamp(worker, "> 09:05")
        Employee.objects.update(status="inactive")

        with pytest.raises(NotEmployed, match=f"{worker.code} does not work here"):
            stamp(worker, "< 17:00")

        assert PresenceEvent.objects.count() == 1

    def test_of_no_shift_is_kept_and_counts_for_an_unscheduled_day(self) -> None:
        who = make_employee()

        came = stamp(who, "> 09:05")
        left = stamp(make_employee(), "< 09:05")

        assert came.record is not None
        assert came.record.unscheduled
        assert left.record is None
        assert PresenceEvent.objects.count() == 2

    def test_takes_an_absence_back(self, worker: Employee) -> None:
        stamp(worker, "> 09:00 -1")
        close_occurrences(now=LATER)
        assert statuses(worker)[0] == "absent"

        late = stamp(worker, "> 09:05")

        assert late.result is not None
        assert late.result.status is Status.PRESENT
        assert statuses(worker)[0] == "present"

    def test_says_nothing_of_days_of_which_nothing_was_seen(
        self, worker: Employee
    ) -> None:
        """Who is put on a shift since long ago was not absent yesterday for that."""
        stamp(worker, "> 09:05")

        assert statuses(worker) == {0: "present"}

    def test_alone_of_an_exit_is_conflicting_evidence(self, worker: Employee) -> None:
        left = stamp(worker, "< 17:00")

        assert left.result is not None
        assert [part for _, part in left.result.seen] == [Part.STRAY_EXIT]
        assert (day(worker).status, day(worker).reviews) == ("absent", ["exit_only"])

    def test_of_the_morning_ends_the_night_before(self) -> None:
        night = make_shift(start_time=time(22), end_time=time(6))
        who = make_assignment(shift=night).employee
        stamp(who, "> 21:55")
        left = stamp(who, "< 06:10 1")
        stamp(who, "> 22:20 1")

        assert left.record == day(who)
        assert (day(who).worked_minutes, day(who).overtime_minutes) == (495, 10)
        assert statuses(who) == {0: "present", 1: "late"}

    def test_needs_few_queries(self, worker: Employee) -> None:
        stamp(worker, "> 09:00 -1")

        for words in ("> 09:05", "< 17:00", "< 17:00"):
            with CaptureQueriesContext(connection) as asked:
                stamp(worker, words)
            # Two of them are the savepoint that a test's own transaction makes of it.
            assert len(asked) - 2 <= 12, words

    @pytest.mark.django_db(transaction=True)
    def test_is_stored_once_from_many_at_once(self) -> None:
        worker = make_assignment().employee
        done: list[bool] = []

        def work(words: str) -> None:
            try:
                done.append(stamp(worker, words).is_new)
            finally:
                connection.close()

        words = ["> 09:05", "> 09:05", "< 17:00", "> 13:00", "< 12:30", "> 09:05"]
        threads = [threading.Thread(target=work, args=[each]) for each in words]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert sorted(done) == [False, False, True, True, True, True]
        assert PresenceEvent.objects.count() == 4
        assert day(worker).check_in_at == instant("09:05")
        assert day(worker).check_out_at == instant("17:00")


class TestRecordSeen:
    def test_makes_presence_of_who_was_let_in(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site, "entry"), "09:05:10", of=worker)

        see(log, first_seen_at=instant("09:05"))

        event = PresenceEvent.objects.get()
        assert (event.event_id, event.access_log) == (log.event_id, log)
        assert (event.source, event.way) == ("face", "in")
        assert event.similarity == log.similarity
        assert day(worker).check_in == event
        # When they came into view, not when they were recognised.
        assert day(worker).check_in_at == instant("09:05")

    @pytest.mark.parametrize(
        ("direction", "way"),
        [("entry", "in"), ("exit", "out"), ("both", "either"), ("none", "either")],
    )
    def test_goes_by_the_cameras_direction(
        self, worker: Employee, direction: str, way: str
    ) -> None:
        see(visit(make_gate(worker.site, direction), "09:05", of=worker))

        assert PresenceEvent.objects.get().way == way

    def test_twice_changes_nothing(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05", of=worker)
        see(log)
        before = rows(), presence()

        see(log)

        assert (rows(), presence()) == before

    def test_moves_on_with_the_visit(self, worker: Employee) -> None:
        """Its end is when they left, at a camera of exits, in whatever order told."""
        stamp(worker, "> 09:00")
        log = visit(make_gate(worker.site, "exit"), "17:00", of=worker)

        for words in ("17:00:05", "17:01", "17:00:30"):
            see(log, at=instant(words))

        assert PresenceEvent.objects.count() == 2
        assert day(worker).check_out_at == instant("17:01")

    def test_does_nothing_at_another_camera(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05", of=worker)
        Camera.objects.update(tasks=["faces"])

        see(log)
        see(log, camera="CAM-GONE")

        assert not PresenceEvent.objects.exists()

    def test_leaves_out_who_was_refused(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05", of=worker)

        see(log, decision=Standing.UNAUTHORIZED)

        assert not PresenceEvent.objects.exists()
        assert not UnknownAttendance.objects.exists()

    def test_leaves_out_who_was_erased_meanwhile(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05", of=worker)
        Employee.objects.update(status="inactive", erased_at=LATER)

        see(log)

        assert not PresenceEvent.objects.exists()

    def test_drops_what_is_told_of_the_future(
        self, worker: Employee, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = visit(make_gate(worker.site), "09:05", of=worker)
        stranger = visit(log.camera, "09:05")

        for each in (log, stranger):
            see(each, now=instant("08:59"))
            cross(each, Way.IN, "09:05", now=instant("08:59"))

        assert not PresenceEvent.objects.exists()
        assert not UnknownAttendance.objects.exists()
        assert not Passage.objects.exists()
        assert "told of the future" in caplog.text

    def test_shows_the_check_out_of_no_direction_once_all_is_over(
        self, worker: Employee
    ) -> None:
        gate = make_gate(worker.site)
        for words in ("08:55", "12:00", "17:05"):
            see(visit(gate, words, of=worker), now=instant("17:06"))
        assert day(worker).check_out_at is None

        close_occurrences(now=instant("20:59"))
        assert day(worker).check_out_at is None

        close_occurrences(now=instant("21:00"))
        assert day(worker).check_out_at == instant("17:05")
        assert day(worker).is_settled


class TestUnknownFaces:
    @pytest.mark.parametrize("decision", [Standing.UNKNOWN, Standing.AMBIGUOUS])
    def test_are_kept_one_for_each_track(
        self, worker: Employee, decision: Standing
    ) -> None:
        log = visit(make_gate(worker.site), "09:05")

        see(log, decision=decision)
        see(log, decision=decision, at=instant("09:06"))
        # The same track, decided otherwise.
        see(log, event_id=event_id("again"), decision=Standing.UNKNOWN)

        row = UnknownAttendance.objects.get()
        assert (row.event_id, row.access_log, row.state) == (
            log.event_id,
            log,
            STATES.OPEN,
        )
        assert (row.occurred_at, row.last_seen_at) == (
            instant("09:05"),
            instant("09:06"),
        )
        assert not PresenceEvent.objects.exists()

    @pytest.mark.parametrize("is_known_first", [True, False])
    def test_that_are_recognised_on_the_same_track_are_done_with(
        self, worker: Employee, *, is_known_first: bool
    ) -> None:
        unknown = visit(make_gate(worker.site), "09:05")
        known = visit(unknown.camera, "09:05:10", of=worker)
        AccessLog.objects.update(track_id=7)
        order = [known, unknown] if is_known_first else [unknown, known]

        for log in order:
            log.refresh_from_db()
            see(log, first_seen_at=instant("09:05"))

        row = UnknownAttendance.objects.get()
        assert (row.state, row.employee) == (STATES.RECOGNISED, worker)
        assert row.decided_by is None
        assert day(worker).check_in_at == instant("09:05")


class TestDates:
    def test_are_of_the_sites_own_dates(self) -> None:
        """In Kiritimati it is tomorrow already."""
        zone = ZoneInfo("Pacific/Kiritimati")
        site = make_site(time_zone=zone.key)
        who = make_assignment(shift=make_shift(site=site)).employee

        done = stamp(who, "> 09:05", zone=zone)

        assert done.event.occurred_at.date() < ON
        assert done.record is not None
        assert done.record.attendance_date == ON
        assert done.record.status == "present"
