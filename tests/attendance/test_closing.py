from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import pytest

from attendance.closing import BACK, close_occurrences
from attendance.models import AttendanceRecord, Holiday, Leave, UnknownAttendance
from identity.models import AccessLog, Employee
from tests.factories import (
    make_assignment,
    make_employee,
    make_outage,
    make_record,
    make_shift,
    make_user,
)
from tests.presence import day, later, make_gate, see, stamp, statuses, visit
from tests.sightings import LATER, ON, instant

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import DjangoAssertNumQueries

    from attendance.models import Shift

pytestmark = pytest.mark.django_db
EVENING = instant("18:00")
"""An hour after the end of a shift from 09:00 to 17:00."""


@pytest.fixture
def shift() -> Shift:
    """Give a shift of a site of which something is known since the day `ON`."""
    shift = make_shift()
    stamp(make_employee(site=shift.site), "> 09:00", now=instant("09:00"))
    return shift


def put_on(shift: Shift, **values: object) -> Employee:
    return make_assignment(shift=shift, **values).employee


class TestCloseOccurrences:
    def test_says_who_did_not_come_once_that_is_sure(self, shift: Shift) -> None:
        who = put_on(shift)

        close_occurrences(now=instant("17:59"))
        assert statuses(who) == {}

        done = close_occurrences(now=EVENING)
        assert statuses(who) == {0: "absent"}
        assert done.changed == 1
        assert close_occurrences(now=EVENING).days == 0

    def test_says_unverified_where_cameras_were_down(self, shift: Shift) -> None:
        who = put_on(shift)
        make_outage(
            camera=make_gate(shift.site),
            started_at=instant("08:50"),
            ended_at=instant("09:20"),
        )

        close_occurrences(now=EVENING)

        assert statuses(who) == {0: "unverified"}

    def test_says_who_had_not_to_come_when_their_shift_would_be_over(
        self, shift: Shift
    ) -> None:
        shift.weekly_off_days = ["fri"]
        shift.save()
        who = put_on(shift)
        Holiday.objects.create(site=shift.site, holiday_date=later(1), name="Day")
        Leave.objects.create(employee=who, starts_on=later(2), ends_on=later(3))

        close_occurrences(now=instant("17:59 2"))
        assert statuses(who) == {0: "weekly_off", 1: "holiday"}

        close_occurrences(now=instant("18:00 2"))
        assert statuses(who)[2] == "on_leave"

    def test_closes_nights_the_morning_after(self, shift: Shift) -> None:
        shift.start_time, shift.end_time = time(22), time(6)
        shift.save()
        who = put_on(shift)

        close_occurrences(now=instant("06:59 1"))
        assert statuses(who) == {}

        close_occurrences(now=instant("07:00 1"))
        assert statuses(who) == {0: "absent"}

    def test_settles_days_that_have_closed(self, shift: Shift) -> None:
        who = put_on(shift)
        stamp(who, "> 09:00", now=instant("09:00"))

        close_occurrences(now=instant("20:59"))
        assert day(who).reviews == []

        close_occurrences(now=instant("21:00"))
        assert day(who).reviews == ["missing_check_out"]
        assert not AttendanceRecord.objects.to_settle(now=instant("21:00")).exists()

    def test_catches_up_with_what_was_missed(self, shift: Shift) -> None:
        who = put_on(shift)
        stamp(who, "> 09:00", now=instant("09:00"))

        close_occurrences(now=instant("18:00 5"))

        absent = dict.fromkeys(range(1, 6), "absent")
        assert statuses(who) == {0: "present"} | absent
        assert day(who).is_settled

    def test_looks_back_so_far_and_no_farther(self, shift: Shift) -> None:
        who = put_on(shift)

        close_occurrences(now=EVENING + BACK)
        assert len(statuses(who)) == BACK.days + 1

        close_occurrences(now=EVENING + 3 * BACK)
        assert len(statuses(who)) == 2 * (BACK.days + 1)

    def test_says_nothing_of_the_time_before_a_site_was_known(
        self, shift: Shift
    ) -> None:
        """Whoever sets the system up finds no weeks of absence in it."""
        who = put_on(shift)
        elsewhere = make_assignment().employee

        close_occurrences(now=EVENING)

        assert statuses(who) == {0: "absent"}
        assert statuses(elsewhere) == {}

    def test_takes_a_corrected_day_for_no_knowledge_of_the_site(
        self, shift: Shift
    ) -> None:
        """HR enters an old day of one: the others were not absent on it."""
        who = put_on(shift)
        make_record(
            employee=make_employee(site=shift.site),
            attendance_date=later(-9),
            corrected_at=EVENING,
            is_settled=True,
        )

        close_occurrences(now=EVENING)

        assert statuses(who) == {0: "absent"}

    def test_says_nothing_of_dates_without_a_shift(self, shift: Shift) -> None:
        who = put_on(shift, starts_on=later(1), ends_on=later(3))
        nobody = make_employee(site=shift.site)

        close_occurrences(now=instant("18:00 5"))

        assert statuses(who) == {1: "absent", 2: "absent"}
        assert statuses(nobody) == {}

    @pytest.mark.parametrize("values", [{}, {"erased_at": LATER}])
    def test_says_nothing_of_who_left(
        self, shift: Shift, values: dict[str, datetime]
    ) -> None:
        who = put_on(shift)
        Employee.objects.filter(pk=who.pk).update(status="inactive", **values)

        close_occurrences(now=EVENING)

        assert statuses(who) == {}

    def test_is_by_the_clock_of_each_site(self, shift: Shift) -> None:
        shift.site.time_zone = "America/New_York"
        shift.site.save()
        who = put_on(shift)

        close_occurrences(now=EVENING)
        assert statuses(who) == {-1: "absent"}

        close_occurrences(now=instant("18:00 1"))
        assert statuses(who) == {-1: "absent", 0: "absent"}

    def test_follows_what_was_said_in_the_register(self, shift: Shift) -> None:
        who = put_on(shift)
        see(visit(make_gate(shift.site, "entry"), "09:05"))
        AccessLog.objects.update(
            employee=who, linked_at=EVENING, linked_by=make_user("hr")
        )

        done = close_occurrences(now=EVENING)

        assert done.linked == 1
        assert UnknownAttendance.objects.get().employee == who
        assert statuses(who) == {0: "present"}

    def test_needs_few_queries_where_there_is_nothing_to_do(
        self, shift: Shift, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(20):
            put_on(shift)
        close_occurrences(now=LATER)

        with django_assert_num_queries(5):
            assert close_occurrences(now=LATER).days == 0

    def test_keeps_what_a_person_corrected(self, shift: Shift) -> None:
        who = put_on(shift)
        stamp(who, "> 09:00", now=instant("09:00"))
        AttendanceRecord.objects.update(corrected_at=instant("10:00"))

        close_occurrences(now=LATER)

        assert day(who, ON).reviews == []
        assert close_occurrences(now=LATER).days == 0
