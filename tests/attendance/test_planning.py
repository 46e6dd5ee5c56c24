from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from attendance.models import AttendanceRecord, Holiday, Leave
from attendance.planning import Roster, outages
from attendance.roster import Plan
from streaming.models import Camera
from tests.factories import (
    make_assignment,
    make_employee,
    make_outage,
    make_shift,
    make_site,
)
from tests.presence import day, later, make_gate, stamp
from tests.sightings import ON, instant

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from attendance.planning import Planned
    from identity.models import Employee

pytestmark = pytest.mark.django_db
FRIDAY = "fri"
"""The weekday of `ON`."""


def planned(employee: Employee, on: date = ON) -> Planned:
    return Roster.load(employees=[employee.pk], first=on, last=on).on(employee.pk, on)


class TestRoster:
    def test_has_the_shift_of_the_date(self) -> None:
        early, late = make_shift(), make_shift(start_time=time(14), end_time=time(22))
        late.site = early.site
        late.save()
        who = make_assignment(shift=early, ends_on=ON).employee
        make_assignment(employee=who, shift=late, starts_on=ON, ends_on=later(1))

        assert planned(who, later(-1)).shift == early
        assert planned(who).shift == late
        assert planned(who).occurrence.start_at == instant("14:00")
        assert planned(who, later(1)).shift is None

    def test_has_nothing_planned_for_who_is_on_no_shift(self) -> None:
        there = planned(make_employee())

        assert there.occurrence.plan is Plan.NOTHING
        assert there.occurrence.end_at - there.occurrence.start_at == timedelta(days=1)

    def test_is_by_the_clock_of_the_site(self) -> None:
        site = make_site(time_zone="America/New_York")
        who = make_assignment(shift=make_shift(site=site)).employee

        start_at = planned(who).occurrence.start_at

        assert start_at == datetime(2026, 11, 20, 9, tzinfo=ZoneInfo(site.time_zone))

    def test_tells_why_nobody_has_to_come(self) -> None:
        shift = make_shift(weekly_off_days=[FRIDAY])
        who = make_assignment(shift=shift).employee
        Leave.objects.create(employee=who, starts_on=later(3), ends_on=later(4))
        holiday = Holiday.objects.create(
            site=shift.site, holiday_date=later(1), name="Founders' day"
        )
        Holiday.objects.create(site=make_site(), holiday_date=later(2), name="There")
        roster = Roster.load(employees=[who.pk], first=ON, last=later(4))

        plans = [roster.on(who.pk, later(n)).occurrence.plan for n in range(5)]

        assert plans == [
            Plan.WEEKLY_OFF,
            Plan.HOLIDAY,
            Plan.WORK,
            Plan.ON_LEAVE,
            Plan.WORK,
        ]
        assert roster.on(who.pk, later(1)).holiday == holiday
        assert roster.on(who.pk, later(3)).leave is not None

    def test_keeps_the_times_of_a_date_that_has_a_record(self) -> None:
        """SPEC: an edit of a shift never rewrites what is past."""
        shift = make_shift()
        who = make_assignment(shift=shift).employee
        stamp(who, "> 09:05")
        shift.start_time, shift.grace_period_minutes = time(8), 0
        shift.weekly_off_days = [FRIDAY]
        shift.save()

        kept, new = planned(who), planned(who, later(7))

        assert kept.occurrence.start_at == instant("09:00")
        assert kept.occurrence.grace == timedelta(minutes=10)
        assert not kept.is_weekly_off
        assert new.occurrence.start_at == instant("08:00 7")
        assert new.is_weekly_off

    def test_takes_the_times_of_another_shift_that_the_date_is_given(self) -> None:
        assignment = make_assignment()
        stamp(assignment.employee, "> 09:05")
        other = make_shift(site=assignment.shift.site, start_time=time(6))
        assignment.shift = other
        assignment.save()

        assert planned(assignment.employee).occurrence.start_at == instant("06:00")

    def test_costs_as_many_queries_for_many_as_for_one(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        shift = make_shift()
        people = [make_assignment(shift=shift).employee for _ in range(20)]
        stamp(people[0], "> 09:05")

        for some in (people[:1], people):
            with django_assert_num_queries(5):
                keys = [who.pk for who in some]
                roster = Roster.load(employees=keys, first=ON, last=later(30))
                for pk in keys:
                    for number in range(31):
                        roster.on(pk, later(number))

    def test_gives_the_records_that_it_had_to_load(self) -> None:
        who = make_assignment().employee
        stamp(who, "> 09:05")

        roster = Roster.load(employees=[who.pk], first=ON, last=later(1))

        assert roster.records == {(who.pk, ON): day(who)}
        assert AttendanceRecord.objects.count() == 1


class TestOutages:
    START, END = instant("00:00"), instant("00:00 1")

    def of(self, camera: Camera) -> list[tuple[datetime, datetime]]:
        found = outages(sites=[camera.site_id], start=self.START, end=self.END)
        return list(found.get(camera.site_id, ()))

    def down(self, camera: Camera, *, until: str | None = "10:00") -> None:
        make_outage(
            camera=camera,
            started_at=instant("08:00"),
            ended_at=instant(until) if until else None,
        )

    @pytest.mark.parametrize("direction", ["entry", "both", "none"])
    def test_are_of_cameras_through_which_people_come(self, direction: str) -> None:
        gate = make_gate(make_site(), direction)
        self.down(gate)

        assert self.of(gate) == [(instant("08:00"), instant("10:00"))]

    @pytest.mark.parametrize(
        "values", [{"direction": "exit"}, {"tasks": ["people", "faces"]}]
    )
    def test_are_of_no_other_camera(self, values: dict[str, object]) -> None:
        gate = make_gate(make_site())
        Camera.objects.filter(pk=gate.pk).update(**values)
        self.down(gate)

        assert self.of(gate) == []

    def test_last_until_now_while_they_are_not_over(self) -> None:
        gate = make_gate(make_site())
        self.down(gate, until=None)

        assert self.of(gate) == [(instant("08:00"), self.END)]

    def test_do_not_go_on_for_a_camera_that_was_switched_off(self) -> None:
        """Nor does what is over turn into absence when the camera is taken away."""
        gate, replaced = (make_gate(make_site()) for _ in range(2))
        Camera.objects.update(enabled=False)
        self.down(gate, until=None)
        self.down(replaced)

        assert self.of(gate) == []
        assert len(self.of(replaced)) == 1

    @pytest.mark.parametrize(
        ("values", "is_told"),
        [({}, True), ({"state": "offline"}, False), ({"enabled": False}, False)],
    )
    def test_are_told_before_anybody_noted_them(
        self, values: dict[str, object], *, is_told: bool
    ) -> None:
        """After a power cut days are closed before the cameras are looked at again."""
        gate, well = (make_gate(make_site()) for _ in range(2))
        last = {"state": "online", "last_frame_at": instant("05:00")}
        Camera.objects.filter(pk=gate.pk).update(**last | values)
        Camera.objects.filter(pk=well.pk).update(state="online", last_frame_at=self.END)

        assert self.of(gate) == ([(instant("05:00"), self.END)] if is_told else [])
        assert self.of(well) == []

    def test_are_told_by_site(self) -> None:
        gate = make_gate(make_site())
        self.down(make_gate(make_site()))

        assert self.of(gate) == []
