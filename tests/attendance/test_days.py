from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance import days
from attendance.days import recompute_days
from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    Holiday,
    Leave,
    PresenceEvent,
    Shift,
    ShiftAssignment,
)
from attendance.rules import Part, Status, Way
from attendance.serializers import AttendanceRecordSerializer
from identity.models import Employee
from streaming import live
from tests.factories import (
    make_assignment,
    make_employee,
    make_outage,
    make_shift,
    make_site,
)
from tests.presence import (
    day,
    later,
    make_gate,
    rows,
    see,
    stamp,
    statuses,
    visit,
)
from tests.sightings import BERLIN, LATER, NEW_YORK, ON, instant

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    import redis

pytestmark = pytest.mark.django_db


def recompute(
    *people: Employee, first: date = ON, last: date = ON, now: datetime = LATER
) -> days.Recomputed:
    keys = [who.pk for who in people]
    return recompute_days(employees=keys, first=first, last=last, now=now)


class TestRecomputeDays:
    def test_gives_each_date_its_one_result(self) -> None:
        shift = make_shift(weekly_off_days=["sat"])
        who = make_assignment(shift=shift).employee
        Holiday.objects.create(site=shift.site, holiday_date=later(2), name="Day")
        Leave.objects.create(employee=who, starts_on=later(3), ends_on=later(4))
        stamp(who, "> 09:05")
        stamp(who, "> 09:30 4")

        recompute(who, last=later(5))

        assert statuses(who) == {
            0: "present",
            1: "weekly_off",
            2: "holiday",
            3: "on_leave",
            4: "late",
            5: "absent",
        }

    def test_changes_nothing_when_repeated(self) -> None:
        who = make_assignment().employee
        stamp(who, "> 09:05")
        stamp(who, "< 17:30")
        first = recompute(who, last=later(2))
        changed = AttendanceRecord.objects.values_list("changed_at", flat=True)
        before = list(changed.order_by("pk"))

        again = recompute(who, last=later(2))

        assert (first.days, first.changed) == (3, 2)
        assert (again.days, again.changed, again.deleted) == (3, 0, 0)
        assert list(changed.order_by("pk")) == before

    def test_moves_the_time_of_change_of_changed_days_only(self) -> None:
        who = make_assignment().employee
        recompute(who, last=later(1))
        before = {row.attendance_date: row for row in AttendanceRecord.objects.all()}

        stamp(who, "> 09:05")

        assert day(who).changed_at > before[ON].changed_at
        assert day(who).pk == before[ON].pk
        assert day(who).recorded_at == before[ON].recorded_at
        assert day(who, later(1)).changed_at == before[later(1)].changed_at

    def test_says_nothing_of_what_is_to_come(self) -> None:
        shift = make_shift(weekly_off_days=["sat"])
        who = make_assignment(shift=shift).employee

        recompute(who, last=later(3), now=instant("12:00"))

        assert statuses(who) == {}

    def test_keeps_who_came_early(self) -> None:
        who = make_assignment().employee

        stamp(who, "> 07:00", now=instant("07:01"))

        assert statuses(who) == {0: "present"}

    @pytest.mark.parametrize("status", ["inactive", "active"])
    def test_says_of_nobody_who_left_that_they_were_absent(self, status: str) -> None:
        who = make_assignment().employee
        stamp(who, "> 09:05")
        recompute(who, first=later(-1))
        Employee.objects.update(status=status)

        recompute(who, first=later(-2), last=later(2))

        said = {-1: "absent", 0: "present"}
        more = {-2: "absent", 1: "absent", 2: "absent"}
        assert statuses(who) == (said if status == "inactive" else said | more)

    def test_keeps_what_was_said_of_who_left_whatever_the_roster_says_now(self) -> None:
        who = make_assignment().employee
        recompute(who)
        Employee.objects.update(status="inactive")
        ShiftAssignment.objects.all().delete()

        recompute(who)

        assert statuses(who) == {0: "absent"}

    def test_lets_leave_and_holidays_change_the_days_before_somebody_left(self) -> None:
        """Their last month is paid after they are gone."""
        who = make_assignment().employee
        recompute(who, last=later(2))
        Employee.objects.update(status="inactive")
        Leave.objects.create(employee=who, starts_on=ON, ends_on=later(1))
        for number in (1, 3):
            Holiday.objects.create(
                site=who.site, holiday_date=later(number), name=f"Day {number}"
            )

        recompute(who, last=later(3))

        assert statuses(who) == {0: "on_leave", 1: "holiday", 2: "absent"}

    def test_deletes_what_the_roster_no_longer_supports(self) -> None:
        assignment = make_assignment()
        recompute(assignment.employee)
        assignment.delete()

        done = recompute(assignment.employee)

        assert done.deleted == 1
        assert statuses(assignment.employee) == {}

    def test_keeps_what_people_spoke_of_as_unverified(self) -> None:
        assignment = make_assignment()
        who = assignment.employee
        event = stamp(who, "> 09:05").event
        AttendanceCorrection.objects.create(
            record=day(who), made_at=LATER, reason="A slip", before={}, after={}
        )
        event.delete()
        assignment.delete()

        recompute(who)

        assert statuses(who) == {0: "unverified"}
        assert day(who).is_settled
        assert recompute(who).changed == 0

    def test_never_overwrites_what_a_person_corrected(self) -> None:
        who = make_assignment().employee
        recompute(who)
        AttendanceRecord.objects.update(
            status="present", check_in_at=instant("09:00"), corrected_at=LATER
        )
        before = day(who)

        stamp(who, "> 09:40")
        recompute(who)

        assert day(who).check_in_at == instant("09:00")
        assert day(who).status == "present"
        assert day(who).changed_at == before.changed_at

    def test_settles_what_a_person_corrected_once_it_has_closed(self) -> None:
        """Else every run would look at it again."""
        who = make_assignment().employee
        stamp(who, "> 09:05", now=instant("09:06"))
        AttendanceRecord.objects.update(corrected_at=instant("10:00"))

        recompute(who)

        assert not AttendanceRecord.objects.to_settle(now=LATER).exists()
        assert day(who).check_out_at is None

    def test_keeps_the_times_that_a_shift_had_then(self) -> None:
        who = make_assignment().employee
        stamp(who, "> 09:05")
        before = rows()
        Shift.objects.update(start_time=time(6), grace_period_minutes=0)

        recompute(who)

        assert rows() == before
        recompute(who, last=later(1))
        assert day(who, later(1)).start_at == instant("06:00 1")

    def test_lets_leave_and_holidays_change_what_is_past(self) -> None:
        who = make_assignment().employee
        recompute(who, last=later(1))
        Leave.objects.create(employee=who, starts_on=ON, ends_on=later(1))
        Holiday.objects.create(site=who.site, holiday_date=later(1), name="Day")

        recompute(who, last=later(1))

        assert statuses(who) == {0: "on_leave", 1: "holiday"}

    @pytest.mark.parametrize(
        ("zone", "on", "end_at", "worked"),
        [
            (BERLIN, "2026-03-28", "2026-03-29T06:00+02:00", 7 * 60),
            (BERLIN, "2026-10-24", "2026-10-25T06:00+01:00", 9 * 60),
            (NEW_YORK, "2026-03-07", "2026-03-08T06:00-04:00", 7 * 60),
            (NEW_YORK, "2026-10-31", "2026-11-01T06:00-05:00", 9 * 60),
        ],
    )
    def test_counts_the_nights_of_a_clock_change(
        self, zone: ZoneInfo, on: str, end_at: str, worked: int
    ) -> None:
        site = make_site(time_zone=zone.key)
        shift = make_shift(site=site, start_time=time(22), end_time=time(6))
        who = make_assignment(shift=shift).employee
        begins = datetime.fromisoformat(f"{on}T22:00").replace(tzinfo=zone)
        ends = datetime.fromisoformat(end_at)
        for way, at in ((Way.IN, begins), (Way.OUT, ends)):
            PresenceEvent.objects.create(
                event_id=f"00000000-0000-0000-0000-00000000000{len(way)}",
                employee=who,
                source="api",
                way=way.value,
                occurred_at=at,
                last_seen_at=at,
            )

        recompute(who, first=begins.date(), last=ends.date())

        night = AttendanceRecord.objects.get(check_in_at__isnull=False)
        assert night.attendance_date == begins.date()
        assert (night.start_at, night.end_at) == (begins, ends)
        assert (night.check_out_at, night.worked_minutes) == (ends, worked)
        assert night.reviews == []

    def test_says_unverified_where_cameras_were_down(self) -> None:
        shift = make_shift()
        gate = make_gate(shift.site, "entry")
        elsewhere = make_assignment().employee
        here = make_assignment(shift=shift).employee
        came = make_assignment(shift=shift).employee
        stamp(came, "> 09:05")
        make_outage(camera=gate, started_at=instant("08:30"), ended_at=instant("08:45"))

        recompute(here, elsewhere, came, last=later(1))

        assert statuses(here) == {0: "unverified", 1: "absent"}
        assert statuses(elsewhere) == {0: "absent", 1: "absent"}
        assert statuses(came)[0] == "present"

    def test_waits_as_long_as_the_setting_says(self, settings: object) -> None:
        settings.ABSENT_AFTER_MINUTES = 90  # type: ignore[attr-defined]
        who = make_assignment().employee

        recompute(who, now=instant("18:29"))
        assert statuses(who) == {}

        recompute(who, now=instant("18:30"))
        assert statuses(who) == {0: "absent"}

    def test_costs_as_many_queries_for_many_as_for_one(self) -> None:
        shift = make_shift()
        people = [make_assignment(shift=shift).employee for _ in range(60)]
        counts = []
        for some in (people[:1], people[1:]):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                recompute(*some, last=later(30))
            counts.append(len(asked))

        one, many = counts
        # Of one alone the days are loaded with names, to be announced.
        assert many <= one
        assert one <= 13
        assert AttendanceRecord.objects.count() == 60 * 31

    def test_works_through_more_people_than_it_locks_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(days, "AT_ONCE", 2)
        shift = make_shift()
        people = [make_assignment(shift=shift).employee for _ in range(5)]

        assert recompute(*people).changed == 5

    def test_leaves_out_who_is_not_there(self) -> None:
        assert recompute_days(employees=[0], first=ON, last=ON, now=LATER).days == 0


class TestAnnouncement:
    @pytest.fixture
    def heard(self, redis_client: redis.Redis) -> redis.client.PubSub:
        listener: redis.client.PubSub = redis_client.pubsub(  # type: ignore[no-untyped-call]
            ignore_subscribe_messages=True
        )
        listener.psubscribe("live:attendance.attendancerecord:*")
        listener.get_message(timeout=2)
        return listener

    @staticmethod
    def messages(listener: redis.client.PubSub) -> list[tuple[str, object]]:
        found = []
        while message := listener.get_message(timeout=0.5):
            found.append((message["channel"].decode(), json.loads(message["data"])))
        return found

    @pytest.mark.django_db(transaction=True)
    def test_is_of_every_changed_day_as_the_api_gives_it(
        self, heard: redis.client.PubSub
    ) -> None:
        who = make_assignment().employee
        stamp(who, "> 09:05")
        stamp(who, "> 09:05")
        record = AttendanceRecord.objects.with_proof().get()
        topic = "attendance.attendancerecord"

        said = live.message(topic=topic, data=AttendanceRecordSerializer(record).data)

        channel = live.channel_name(topic=topic, site_id=who.site_id)
        assert self.messages(heard) == [(channel, json.loads(said))]

    @pytest.mark.django_db(transaction=True)
    def test_is_not_made_where_very_many_change(
        self, heard: redis.client.PubSub
    ) -> None:
        who = make_assignment().employee

        recompute(who, first=later(-days.TOLD), last=ON)

        assert AttendanceRecord.objects.count() == days.TOLD + 1
        assert self.messages(heard) == []


class TestWorkings:
    def test_tell_what_a_day_rests_on(self) -> None:
        shift = make_shift()
        gate = make_gate(shift.site, "entry")
        who = make_assignment(shift=shift).employee
        see(visit(gate, "09:05", of=who))
        stamp(who, "< 17:30")
        make_outage(camera=gate, started_at=instant("11:00"))

        told = days.workings(employee=who, on=ON, now=LATER)

        assert told.planned.shift == shift
        assert told.result.status is Status.PRESENT
        assert [part for _, part in told.result.seen] == [Part.CHECK_IN, Part.EXIT]
        assert [seen.at for seen in told.sightings] == [
            instant("09:05"),
            instant("17:30"),
        ]
        assert {str(event.event_id) for event in PresenceEvent.objects.all()} == set(
            told.events
        )
        assert len(told.outages) == 1

    def test_are_the_same_for_a_day_without_a_record(self) -> None:
        who = make_employee()

        told = days.workings(employee=who, on=ON, now=LATER)

        assert told.result.status is Status.NONE
        assert told.result.occurrence.end_at - told.result.occurrence.start_at == (
            timedelta(days=1)
        )
        assert not AttendanceRecord.objects.exists()
