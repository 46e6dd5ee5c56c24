"""What people say of a day, on a real database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from attendance import claims, corrections, days
from attendance.corrections import NotCorrected
from attendance.models import AttendanceRecord, CorrectionRequest
from attendance.models.days import Status
from tests.factories import (
    make_assignment,
    make_employee,
    make_presence,
    make_shift,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from attendance.models import AttendanceCorrection, Shift
    from identity.models import Employee, User

pytestmark = pytest.mark.django_db

KOLKATA = ZoneInfo("Asia/Kolkata")
MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 4, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def local(hour: int, minute: int = 0, *, on: date = MONDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), KOLKATA).astimezone(UTC)


@dataclass(frozen=True)
class Plant:
    """Somebody on a shift from 09:00 to 17:00, with ten minutes of grace."""

    employee: Employee
    shift: Shift
    hr: User

    def comes(self, at: datetime, *, way: str = "in") -> AttendanceRecord:
        make_presence(employee=self.employee, occurred_at=at, way=way)
        return self.worked_out()

    def worked_out(self, *, now: datetime = NOW) -> AttendanceRecord:
        days.recompute_days(
            employees=[self.employee.pk], first=MONDAY, last=MONDAY, now=now
        )
        return self.record()

    def record(self) -> AttendanceRecord:
        return AttendanceRecord.objects.get(
            employee=self.employee, attendance_date=MONDAY
        )

    def says(self, **values: Any) -> AttendanceCorrection:
        defaults: dict[str, Any] = {
            "employee": self.employee,
            "on": MONDAY,
            "status": None,
            "check_in_at": None,
            "check_out_at": None,
            "reason": "The foreman saw them.",
            "by": self.hr,
            "at": NOW,
        }
        return corrections.correct_day(**defaults | values)

    def asks(self, **values: Any) -> CorrectionRequest:
        defaults: dict[str, Any] = {
            "record": self.record(),
            "text": "I was there from nine.",
            "check_in_at": local(9),
            "check_out_at": local(17),
            "by": self.hr,
            "at": NOW,
        }
        return corrections.request_correction(**defaults | values)


@pytest.fixture
def plant() -> Plant:
    site = make_site(time_zone="Asia/Kolkata")
    shift = make_shift(site=site)
    employee = make_employee(site=site, code="E-104")
    make_assignment(employee=employee, shift=shift)
    return Plant(employee, shift, make_user("hana", sites=[site]))


class TestCorrection:
    def test_puts_times_in_the_place_of_an_absence(self, plant: Plant) -> None:
        assert plant.worked_out().status == Status.ABSENT

        made = plant.says(check_in_at=local(9, 30), check_out_at=local(17, 20))

        record = plant.record()
        assert record.status == Status.LATE
        assert record.late_minutes == 30
        assert record.worked_minutes == 470
        assert record.overtime_minutes == 20
        assert record.corrected_at == NOW
        assert made.made_by == plant.hr
        assert made.reason == "The foreman saw them."
        assert made.before == {
            "status": "absent",
            "check_in_at": None,
            "check_out_at": None,
        }
        assert made.after == {
            "status": "late",
            "check_in_at": "2026-03-02T04:00:00+00:00",
            "check_out_at": "2026-03-02T11:50:00+00:00",
        }

    def test_is_never_overwritten_by_what_is_seen_later(self, plant: Plant) -> None:
        plant.comes(local(9, 30))
        plant.says(check_in_at=local(9))

        record = plant.comes(local(8, 30))

        assert record.status == Status.PRESENT
        assert record.check_in_at == local(9)

    def test_keeps_the_proof_of_a_time_that_it_does_not_change(
        self, plant: Plant
    ) -> None:
        seen = plant.comes(local(9, 30)).check_in

        plant.says(check_in_at=local(9, 30), check_out_at=local(17))
        assert plant.record().check_in == seen

        plant.says(check_in_at=local(9), check_out_at=local(17))
        assert plant.record().check_in is None

    def test_excuses_whoever_came_late(self, plant: Plant) -> None:
        plant.comes(local(9, 30))

        plant.says(status="present", check_in_at=local(9, 30))

        record = plant.record()
        assert (record.status, record.late_minutes) == (Status.PRESENT, 0)

    def test_confirms_a_day_that_is_to_be_reviewed_once(self, plant: Plant) -> None:
        plant.comes(local(9))
        early = plant.comes(local(15), way="out")
        assert early.is_to_review

        plant.says(check_in_at=local(9), check_out_at=local(15))

        record = plant.record()
        assert (record.check_in, record.check_out) == (early.check_in, early.check_out)
        assert record.is_early_exit
        assert not record.is_to_review
        with pytest.raises(NotCorrected, match="says already"):
            plant.says(check_in_at=local(9), check_out_at=local(15))

    def test_makes_a_record_of_a_day_that_had_none(self, plant: Plant) -> None:
        plant.employee.shift_assignments.all().delete()

        made = plant.says(check_in_at=local(11), check_out_at=local(12))

        record = plant.record()
        assert record.unscheduled
        assert (record.status, record.worked_minutes) == (Status.PRESENT, 60)
        assert made.before == {}

    @pytest.mark.parametrize("status", ["on_leave", "holiday", "weekly_off"])
    def test_takes_a_day_off_out_of_the_scheduled_ones(
        self, plant: Plant, status: str
    ) -> None:
        plant.worked_out()

        plant.says(status=status)

        assert (plant.record().status, plant.record().plan) == (status, status)

    def test_puts_an_absence_in_the_place_of_a_wrong_sighting(
        self, plant: Plant
    ) -> None:
        plant.comes(local(9))

        plant.says(status="absent")

        record = plant.record()
        assert (record.status, record.plan) == (Status.ABSENT, "work")
        assert record.check_in_at is None
        assert record.check_in is None

    def test_changes_no_other_day(self, plant: Plant) -> None:
        tuesday = MONDAY + timedelta(days=1)
        make_presence(employee=plant.employee, occurred_at=local(9, on=tuesday))
        span = {"first": MONDAY, "last": tuesday, "now": NOW}
        days.recompute_days(employees=[plant.employee.pk], **span)  # type: ignore[arg-type]
        others = AttendanceRecord.objects.exclude(attendance_date=MONDAY)
        before = list(others.values())

        plant.says(check_in_at=local(9), check_out_at=local(17))

        assert list(others.values()) == before

    def test_stays_as_it_was_made_when_another_follows(self, plant: Plant) -> None:
        plant.worked_out()
        first = plant.says(check_in_at=local(9))
        second = plant.says(status="absent", reason="It was somebody else.")

        first.refresh_from_db()
        assert second.before == first.after
        assert [one.reason for one in plant.record().corrections.order_by("pk")] == [
            "The foreman saw them.",
            "It was somebody else.",
        ]

    def test_keeps_the_times_of_the_shift_as_they_were(self, plant: Plant) -> None:
        plant.worked_out()
        plant.shift.start_time = time(7)
        plant.shift.save()

        plant.says(check_in_at=local(9, 5))

        assert plant.record().status == Status.PRESENT
        assert plant.record().start_at == local(9)

    def test_is_of_a_night_that_ends_on_the_next_day(self, plant: Plant) -> None:
        night = make_shift(
            site=plant.employee.site, start_time=time(22), end_time=time(6)
        )
        plant.employee.shift_assignments.update(shift=night)
        tuesday = MONDAY + timedelta(days=1)

        plant.says(
            check_in_at=local(0, 30, on=tuesday), check_out_at=local(6, on=tuesday)
        )

        assert plant.record().late_minutes == 150
        assert plant.record().early_minutes == 0

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"reason": "  "}, "reason", corrections.NO_REASON),
            ({}, "check_in_at", claims.NO_ARRIVAL),
            (
                {"check_in_at": local(9), "check_out_at": local(8)},
                "check_out_at",
                claims.EXIT_FIRST,
            ),
            (
                {
                    "check_in_at": local(9),
                    "check_out_at": local(9, 1, on=date(2026, 3, 3)),
                },
                "check_out_at",
                claims.TOO_LONG,
            ),
            ({"check_in_at": local(17)}, "check_in_at", claims.DAY_OVER),
            (
                {"check_in_at": local(20, on=date(2026, 3, 1))},
                "check_in_at",
                claims.TOO_EARLY,
            ),
            (
                {"status": "absent", "check_in_at": local(9)},
                "status",
                claims.NO_TIMES,
            ),
            (
                {"status": "late", "check_in_at": local(9)},
                "status",
                claims.ON_TIME,
            ),
            ({"status": "unverified"}, "status", claims.NOBODY_KNOWS),
            ({"status": "absent"}, "", corrections.NOTHING_CHANGED),
            (
                {"on": date(2026, 3, 5), "status": "on_leave"},
                "on",
                corrections.NOT_COME,
            ),
        ],
    )
    def test_is_refused_for_what_cannot_be(
        self, plant: Plant, values: dict[str, Any], field: str, sentence: str
    ) -> None:
        before = plant.worked_out()

        with pytest.raises(NotCorrected) as refused:
            plant.says(**values)

        assert (str(refused.value), refused.value.field) == (sentence, field)
        assert plant.record().changed_at == before.changed_at
        assert not before.corrections.exists()

    def test_is_refused_for_times_that_have_not_come(self, plant: Plant) -> None:
        at = local(9, 1)
        with pytest.raises(NotCorrected, match="has not come yet"):
            plant.says(check_in_at=local(9, 30), at=at)
        with pytest.raises(NotCorrected, match="has not come yet"):
            plant.says(check_in_at=local(9), check_out_at=local(17), at=at)

        plant.says(check_in_at=local(9), at=at)

    def test_is_no_absence_before_the_shift_begins(self, plant: Plant) -> None:
        with pytest.raises(NotCorrected, match="has not begun"):
            plant.says(status="absent", at=local(8, 59))

        plant.says(status="absent", at=local(9))

    def test_is_no_absence_where_no_shift_was_planned(self, plant: Plant) -> None:
        plant.employee.shift_assignments.all().delete()

        with pytest.raises(NotCorrected, match="No shift was planned"):
            plant.says(status="absent")

    def test_is_refused_of_somebody_who_was_erased(self, plant: Plant) -> None:
        record = plant.worked_out()
        plant.employee.status, plant.employee.erased_at = "inactive", NOW
        plant.employee.save()

        with pytest.raises(NotCorrected, match="were erased"):
            plant.says(check_in_at=local(9))
        with pytest.raises(NotCorrected, match="were erased"):
            plant.asks(record=record)


class TestGivingBack:
    def test_has_the_rules_decide_at_once(self, plant: Plant) -> None:
        seen = plant.comes(local(9, 30))
        plant.says(status="absent")

        made = corrections.give_back(
            record=plant.record(), reason="Wrong person.", by=plant.hr, at=NOW
        )

        record = plant.record()
        assert record.status == Status.LATE
        assert record.check_in == seen.check_in
        assert record.corrected_at is None
        assert (made.before["status"], made.after) == ("absent", {})

    def test_is_refused_where_nobody_corrected(self, plant: Plant) -> None:
        record = plant.worked_out()

        with pytest.raises(NotCorrected, match="Nobody has corrected"):
            corrections.give_back(record=record, reason="x", by=None, at=NOW)

    def test_needs_a_reason(self, plant: Plant) -> None:
        plant.worked_out()
        plant.says(check_in_at=local(9))

        with pytest.raises(NotCorrected, match="Say why"):
            corrections.give_back(record=plant.record(), reason="", by=None, at=NOW)

        assert plant.record().is_corrected

    def test_is_refused_where_the_rules_would_say_nothing(self, plant: Plant) -> None:
        plant.employee.shift_assignments.all().delete()
        plant.says(check_in_at=local(11))

        with pytest.raises(NotCorrected, match="a day without a shift"):
            corrections.give_back(record=plant.record(), reason="x", by=None, at=NOW)


class TestConfirmingAbsences:
    def test_takes_only_days_that_nobody_could_verify(self, plant: Plant) -> None:
        record = plant.worked_out()
        AttendanceRecord.objects.update(status="unverified")
        tuesday = MONDAY + timedelta(days=1)
        other = AttendanceRecord.objects.get(pk=record.pk)
        other.pk, other.attendance_date, other.status = None, tuesday, "on_leave"
        other.save()

        done = corrections.confirm_absent(
            records=[record.pk, other.pk], reason="Not listed.", by=plant.hr, at=NOW
        )

        other.refresh_from_db()
        assert done == 1
        assert plant.record().status == Status.ABSENT
        assert plant.record().is_corrected
        assert plant.record().corrections.get().before["status"] == "unverified"
        assert other.status == "on_leave"

    @pytest.mark.parametrize(
        "values", [{"plan": "nothing", "shift": None}, {"start_at": NOW + HOUR}]
    )
    def test_takes_no_day_on_which_nobody_had_to_be_there(
        self, plant: Plant, values: dict[str, Any]
    ) -> None:
        record = plant.worked_out()
        AttendanceRecord.objects.update(
            status="unverified", end_at=NOW + 8 * HOUR, **values
        )

        done = corrections.confirm_absent(
            records=[record.pk], reason="Not listed.", by=plant.hr, at=NOW
        )

        assert done == 0
        assert plant.record().status == Status.UNVERIFIED
        assert not plant.record().is_corrected

    def test_needs_a_reason(self, plant: Plant) -> None:
        record = plant.worked_out()
        AttendanceRecord.objects.update(status="unverified")

        with pytest.raises(NotCorrected, match="Say why"):
            corrections.confirm_absent(
                records=[record.pk], reason=" ", by=plant.hr, at=NOW
            )

        assert plant.record().status == Status.UNVERIFIED


class TestRequest:
    def test_becomes_a_correction_when_it_is_accepted(self, plant: Plant) -> None:
        plant.worked_out()
        asked = plant.asks()

        made = corrections.accept_request(
            request=asked, answer="So it was.", by=plant.hr, at=NOW
        )

        asked.refresh_from_db()
        assert (asked.state, asked.answer) == ("accepted", "So it was.")
        assert (asked.answered_by, asked.answered_at) == (plant.hr, NOW)
        assert asked.correction == made
        assert plant.record().status == Status.PRESENT
        assert made.reason == (
            "As the worker says: I was there from nine. (So it was.)"
        )

    def test_changes_only_the_times_that_it_names(self, plant: Plant) -> None:
        plant.comes(local(9, 30))
        asked = plant.asks(check_in_at=None)

        corrections.accept_request(request=asked, answer="", by=plant.hr, at=NOW)

        record = plant.record()
        assert record.check_in_at == local(9, 30)
        assert record.check_out_at == local(17)

    def test_leaves_an_excuse_for_the_arrival_that_it_does_not_name(
        self, plant: Plant
    ) -> None:
        plant.comes(local(9, 30))
        plant.says(status="present", check_in_at=local(9, 30))
        asked = plant.asks(check_in_at=None, check_out_at=local(17, 30))

        corrections.accept_request(request=asked, answer="", by=plant.hr, at=NOW)

        record = plant.record()
        assert (record.status, record.late_minutes) == (Status.PRESENT, 0)
        assert record.check_out_at == local(17, 30)

    def test_is_closed_by_a_correction_that_answers_it(self, plant: Plant) -> None:
        plant.worked_out()
        asked = plant.asks(check_in_at=None, check_out_at=None)
        with pytest.raises(NotCorrected, match="names no time"):
            corrections.accept_request(request=asked, answer="", by=None, at=NOW)

        made = plant.says(status="on_leave", answers=asked)

        asked.refresh_from_db()
        assert (asked.state, asked.correction) == ("accepted", made)

    def test_leaves_the_day_as_it_is_when_it_is_declined(self, plant: Plant) -> None:
        before = plant.worked_out()
        asked = plant.asks()
        with pytest.raises(NotCorrected, match="Say why the day stays"):
            corrections.decline_request(request=asked, answer=" ", by=None, at=NOW)

        asked.answer = ""
        corrections.decline_request(
            request=asked, answer="The gate was open.", by=plant.hr, at=NOW
        )

        asked.refresh_from_db()
        assert (asked.state, asked.answer) == ("declined", "The gate was open.")
        assert plant.record().changed_at == before.changed_at

    def test_is_answered_once(self, plant: Plant) -> None:
        plant.worked_out()
        asked = plant.asks()
        corrections.decline_request(request=asked, answer="No.", by=None, at=NOW)

        with pytest.raises(NotCorrected, match="answered already"):
            corrections.accept_request(request=asked, answer="", by=None, at=NOW)

        assert not plant.record().is_corrected

    def test_waits_once_a_day(self, plant: Plant) -> None:
        plant.worked_out()
        plant.asks()

        with pytest.raises(NotCorrected, match="waiting already"):
            plant.asks()

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"text": " "}, "text"),
            ({"check_out_at": local(8)}, "check_out_at"),
            ({"check_in_at": NOW + timedelta(hours=1)}, "check_in_at"),
        ],
    )
    def test_is_refused_for_what_cannot_be(
        self, plant: Plant, values: dict[str, Any], field: str
    ) -> None:
        plant.worked_out()

        with pytest.raises(NotCorrected) as refused:
            plant.asks(**values)

        assert refused.value.field == field
