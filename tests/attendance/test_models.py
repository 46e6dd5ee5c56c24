"""What the database forbids about attendance."""

from __future__ import annotations

from datetime import date, time

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from attendance.models import ShiftAssignment
from tests.factories import make_assignment, make_employee, make_shift

pytestmark = pytest.mark.django_db
FIRST, MIDDLE, LAST = date(2026, 3, 1), date(2026, 3, 15), date(2026, 4, 1)
OVERLAPS = "They are on another shift on some of these dates."
ENDS_EARLY = "The period ends before it starts."


class TestShiftAssignment:
    @pytest.mark.parametrize(
        ("starts_on", "ends_on"),
        [(FIRST, LAST), (MIDDLE, None), (date(2026, 2, 1), MIDDLE), (MIDDLE, MIDDLE)],
    )
    def test_overlaps_no_other_of_the_employee(
        self, starts_on: date, ends_on: date | None
    ) -> None:
        there = make_assignment(starts_on=FIRST, ends_on=LAST)
        twin = ShiftAssignment(
            employee=there.employee,
            shift=there.shift,
            starts_on=starts_on,
            ends_on=ends_on,
        )

        sentence = OVERLAPS if starts_on != ends_on else ENDS_EARLY
        with pytest.raises(ValidationError, match=sentence):
            twin.full_clean()
        with pytest.raises(IntegrityError):
            twin.save()

    def test_may_follow_another_and_be_of_somebody_else(self) -> None:
        there = make_assignment(starts_on=FIRST, ends_on=LAST)
        other = make_employee(site=there.employee.site)

        for employee, starts_on in [(there.employee, LAST), (other, FIRST)]:
            row = ShiftAssignment(
                employee=employee, shift=there.shift, starts_on=starts_on
            )
            row.full_clean()
            row.save()
        assert ShiftAssignment.objects.count() == 3

    def test_ends_after_it_starts(self) -> None:
        there = make_assignment(starts_on=FIRST, ends_on=LAST)
        there.ends_on = date(2026, 2, 1)

        with pytest.raises(ValidationError, match=ENDS_EARLY):
            there.full_clean()

    def test_is_to_a_shift_of_their_site(self) -> None:
        row = ShiftAssignment(
            employee=make_employee(), shift=make_shift(), starts_on=FIRST
        )

        with pytest.raises(ValidationError, match="is a shift of another site"):
            row.full_clean()


class TestShift:
    def test_is_as_long_as_the_clock_says(self) -> None:
        night = make_shift(start_time=time(22), end_time=time(6))

        assert (night.times.start, night.times.end) == (time(22), time(6))
