from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
    Leave,
    PresenceEvent,
    Shift,
    ShiftAssignment,
)
from factory_site.demo import history, roster, staff
from identity.models import Employee
from tests.factories import make_camera, make_shift, make_site

if TYPE_CHECKING:
    from streaming.models import Site

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 3, 18, 12, 20, tzinfo=ZONE)
"""A Wednesday."""


@pytest.fixture
def site() -> Site:
    site = make_site(time_zone="Asia/Kolkata")
    make_camera(site=site, code="CAM-RECEPTION", tasks=["faces", "attendance"])
    for person in staff.STAFF:
        Employee.objects.create(
            site=site, code=person.code, name=person.name, status=person.status
        )
    return site


def board(at: datetime) -> dict[str, set[str]]:
    """Return who has which status on the site's date, by code."""
    rows = AttendanceRecord.objects.filter(attendance_date=at.date())
    found: dict[str, set[str]] = {}
    for code, status in rows.values_list("employee__code", "status"):
        found.setdefault(status, set()).add(code)
    return found


class TestSeed:
    def test_tells_five_weeks_with_everything_that_happens_to_days(
        self, site: Site
    ) -> None:
        history.seed(site, at=NOON)

        days = AttendanceRecord.objects.all()
        assert set(days.values_list("status", flat=True)) == {
            "present",
            "late",
            "absent",
            "unverified",
            "weekly_off",
            "holiday",
            "on_leave",
        }
        reviews = {each for row in days for each in row.reviews}
        assert {"early_exit", "missing_check_out"} <= reviews
        assert days.filter(unscheduled=True).exists()
        assert days.filter(shift__shift_name="Night", worked_minutes__gt=400).exists()
        present = days.filter(status="present").count()
        assert 0.7 < present / days.filter(plan="work").count() < 0.95

    def test_leaves_somebody_to_be_decided_on_by_hr(self, site: Site) -> None:
        history.seed(site, at=NOON)

        request = CorrectionRequest.objects.get()
        assert (request.state, request.record.check_out_at) == ("open", None)
        correction = AttendanceCorrection.objects.get()
        assert correction.record.check_out_at is not None
        assert correction.record_id != request.record_id

    @pytest.mark.parametrize("hour", range(0, 24, 3))
    def test_has_people_who_came_who_are_late_and_who_are_expected(
        self, site: Site, hour: int
    ) -> None:
        now = NOON.replace(hour=hour, minute=50)
        history.seed(site, at=now)

        today = board(now)
        assert len(today["present"]) >= 4
        assert today["late"]
        told = set().union(*today.values())
        expected = ShiftAssignment.objects.on(now.date()).exclude(
            employee__code__in=told
        )
        assert expected.filter(employee__status="active").exists()

    def test_adds_nothing_when_it_is_done_again(self, site: Site) -> None:
        history.seed(site, at=NOON)
        before = list(AttendanceRecord.objects.order_by("pk").values())
        stamps = PresenceEvent.objects.count()

        assert history.seed(site, at=NOON) == 0

        assert list(AttendanceRecord.objects.order_by("pk").values()) == before
        assert PresenceEvent.objects.count() == stamps
        assert Shift.objects.count() == 3
        assert CorrectionRequest.objects.count() == 1

    def test_goes_on_at_a_later_start(self, site: Site) -> None:
        history.seed(site, at=NOON)
        before = AttendanceRecord.objects.get(
            employee__code="D-114", attendance_date=NOON.date()
        )
        assert before.check_out_at is None or before.check_out_at < NOON

        assert history.seed(site, at=NOON + timedelta(days=1)) > 20

        before.refresh_from_db()
        assert before.is_settled
        assert before.check_out_at is not None
        assert before.check_out_at.astimezone(ZONE).hour in {17, 18}

    def test_keeps_a_roster_that_is_edited(self, site: Site) -> None:
        history.seed(site, at=NOON)
        Leave.objects.all().delete()
        Shift.objects.filter(shift_name="Day").update(shift_name="General")

        history.seed(site, at=NOON + timedelta(hours=1))

        assert not Leave.objects.exists()
        assert Shift.objects.count() == 3

    def test_puts_nobody_on_a_shift_of_somebody_elses_roster(self, site: Site) -> None:
        make_shift(site=site)

        assert history.seed(site, at=NOON) == 0

        assert not ShiftAssignment.objects.exists()
        assert not AttendanceRecord.objects.exists()

    def test_stamps_nothing_that_is_to_come(self, site: Site) -> None:
        history.seed(site, at=NOON)

        newest = PresenceEvent.objects.order_by("-occurred_at")[0]
        assert newest.occurred_at <= NOON.astimezone(UTC)


class TestRoster:
    def test_knows_everybody_of_the_staff(self) -> None:
        assert set(roster.CREW) == {person.code for person in staff.STAFF}

    def test_is_what_the_admin_would_take(self, site: Site) -> None:
        roster.seed(site, at=NOON)

        for model in (Shift, ShiftAssignment, Leave):
            for row in model.objects.all():
                row.full_clean()
