"""What is told of a day that is in the database, by the page and by the command."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.explanations import explain_day
from attendance.models import AttendanceCorrection, Holiday, Leave, PresenceEvent
from identity.models import AccessLog
from tests.factories import (
    make_access_log,
    make_assignment,
    make_camera,
    make_outage,
    make_presence,
    make_record,
    make_shift,
    make_user,
)
from tests.sightings import LATER, NIGHT, ON, instant

if TYPE_CHECKING:
    from identity.models import Employee
    from streaming.models import Camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def employee() -> Employee:
    shift = make_shift(shift_name="Early")
    return make_assignment(shift=shift).employee


@pytest.fixture
def gate(employee: Employee) -> Camera:
    return make_camera(site=employee.site, name="Gate 1", tasks=["faces", "attendance"])


def lines(employee: Employee, on: date = ON, now: datetime = LATER) -> list[str]:
    return explain_day(employee=employee, on=on, now=now).lines


def visit(employee: Employee, at: str, camera: Camera, **values: Any) -> AccessLog:
    return make_access_log(
        employee=employee,
        camera=camera,
        occurred_at=instant(at),
        decision=values.pop("decision", AccessLog.Decision.AUTHORIZED),
        **values,
    )


class TestEvents:
    def test_are_told_by_camera_score_and_who_recorded_them(
        self, employee: Employee, gate: Camera
    ) -> None:
        hr = make_user("hr")
        stamps: list[tuple[str, str, dict[str, Any]]] = [
            ("09:05", "face", {"similarity": 0.71, "threshold": 0.45}),
            ("12:00", "line", {"way": "out"}),
            ("12:30", "linked", {"recorded_by": hr}),
            ("17:02", "api", {"way": "out", "camera": None, "recorded_by": hr}),
        ]
        for at, source, values in stamps:
            make_presence(
                employee=employee,
                occurred_at=instant(at),
                source=source,
                **{"camera": gate} | values,
            )

        assert lines(employee)[1:5] == [
            "09:05:00 recognised at Gate 1 (similarity 0.71, needed 0.45), coming in: "
            "the arrival.",
            "12:00:00 crossed the line at Gate 1, going out: an exit that was taken "
            "back.",
            f"12:30:00 seen at Gate 1 and named by {hr}, coming in: they came back "
            "before the end, which takes the exit back.",
            f"17:02:00 stamped by {hr}, going out: the exit.",
        ]

    def test_of_the_night_before_are_told_as_such(self, employee: Employee) -> None:
        night = make_shift(
            site=employee.site, start_time=NIGHT.start, end_time=NIGHT.end
        )
        employee.shift_assignments.update(shift=night)
        for at, way in [("22:00", "in"), ("06:05 1", "out"), ("21:55 1", "in")]:
            make_presence(employee=employee, occurred_at=instant(at), way=way)

        told = lines(employee, ON + timedelta(days=1))
        assert [line for line in told if "06:05:00" in line] == []
        assert "21:55:00 stamped, coming in: the arrival." in told

        day = make_shift(site=employee.site)
        employee.shift_assignments.update(ends_on=ON + timedelta(days=1))
        make_assignment(employee=employee, shift=day, starts_on=ON + timedelta(days=1))
        told = lines(employee, ON + timedelta(days=1))
        assert told[1] == "06:05:00 stamped, going out: counted for 2026-11-20."

    def test_of_no_attendance_are_told_from_the_access_log(
        self, employee: Employee, gate: Camera
    ) -> None:
        canteen = make_camera(site=employee.site, name="Canteen")
        refused = AccessLog.Decision.UNAUTHORIZED
        visit(employee, "08:55", gate, decision=refused)
        visit(employee, "12:00", canteen)
        visit(employee, "12:30", canteen)
        log = visit(employee, "09:20", gate)
        make_presence(
            employee=employee,
            occurred_at=log.occurred_at,
            source=PresenceEvent.Source.FACE,
            camera=gate,
            access_log=log,
        )

        told = lines(employee)
        assert told[1] == "08:55:00 refused at Gate 1, which is no attendance."
        assert told[2].startswith("09:20:00 recognised at Gate 1, coming in")
        assert told[3] == (
            "12:00:00 recognised 2 times from then on at Canteen, where no attendance "
            "was kept."
        )
        visit(employee, "13:00", gate)
        assert "3 times from then on at 2 cameras" in lines(employee)[3]


class TestDay:
    def test_is_told_by_its_holiday_or_leave(self, employee: Employee) -> None:
        Leave.objects.create(
            employee=employee,
            kind=Leave.Kind.SICK,
            starts_on=ON,
            ends_on=ON + timedelta(days=1),
        )
        assert lines(employee)[0].startswith("On leave (Sick leave);")

        Holiday.objects.create(
            site=employee.site, holiday_date=ON, name="Founder's Day"
        )
        assert lines(employee)[0].startswith("Holiday (Founder's Day);")

    def test_is_told_by_what_was_down(self, employee: Employee, gate: Camera) -> None:
        make_outage(camera=gate, started_at=instant("08:30"), ended_at=instant("09:10"))

        assert lines(employee)[-1] == (
            "A camera that sees arrivals was down from 08:30:00 to 09:10:00."
        )

    def test_tells_what_a_person_said_of_it(self, employee: Employee) -> None:
        hr = make_user("hr")
        record = make_record(employee=employee, attendance_date=ON)
        for at, reason in [("10:00 1", "first"), ("11:00 1", "was at the dentist")]:
            AttendanceCorrection.objects.create(
                record=record,
                made_by=hr,
                made_at=instant(at),
                reason=reason,
                before={},
                after={},
            )
        assert not any("corrected" in line for line in lines(employee))

        record.corrected_at = instant("11:00 1")
        record.save()
        assert lines(employee)[-1] == (
            f'2026-11-21 11:00:00 corrected by {hr}: "was at the dentist". That '
            "stands, whatever the rules say."
        )

    def test_is_told_with_few_queries_however_much_was_seen(
        self, employee: Employee, gate: Camera
    ) -> None:
        def seen(minute: int) -> None:
            make_presence(
                employee=employee,
                occurred_at=instant(f"09:{minute:02}"),
                camera=gate,
                recorded_by=make_user(f"hr-{minute}"),
                access_log=visit(employee, f"09:{minute:02}", gate),
            )

        seen(0)
        with CaptureQueriesContext(connection) as few:
            lines(employee)
        for minute in range(1, 20):
            seen(minute)
        with CaptureQueriesContext(connection) as many:
            lines(employee)
        assert len(few) == len(many)


class TestExplainDay:
    def test_prints_the_lines(self, employee: Employee) -> None:
        make_presence(employee=employee, occurred_at=instant("09:12"))
        out = StringIO()
        asked = ["--employee", employee.code, "--date", "2026-11-20"]
        call_command("explain_day", *asked, stdout=out)

        title, *told = out.getvalue().splitlines()
        assert title == f"{employee}, Friday 2026-11-20, times of Asia/Kolkata"
        assert told == lines(employee, now=timezone.now())

    @pytest.mark.parametrize(
        ("code", "day", "sentence"),
        [
            ("E-NOBODY", "2026-11-20", "Nobody has the code E-NOBODY."),
            (None, "20.11.2026", "20.11.2026 is no date. Use one like 2026-03-02."),
            (None, "0001-01-01", "0001-01-01 is no date."),
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, employee: Employee, code: str | None, day: str, sentence: str
    ) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command(
                "explain_day", "--employee", code or employee.code, "--date", day
            )
