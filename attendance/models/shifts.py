"""Shifts, and who works which from when to when."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from attendance import roster
from identity.models import Employee
from identity.models.people import OfSite
from streaming.models import Site

from .base import OverDates, ends_after_start, no_overlap


class ShiftQuerySet(OfSite["Shift"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Shift(models.Model):
    """Times of work by the site's clock."""

    class Weekday(models.TextChoices):
        MONDAY = "mon", "Monday"
        TUESDAY = "tue", "Tuesday"
        WEDNESDAY = "wed", "Wednesday"
        THURSDAY = "thu", "Thursday"
        FRIDAY = "fri", "Friday"
        SATURDAY = "sat", "Saturday"
        SUNDAY = "sun", "Sunday"

    site = models.ForeignKey(Site, models.PROTECT, related_name="shifts")
    shift_name = models.CharField(
        "name", max_length=100, help_text="What people call it: Early, Night B."
    )
    start_time = models.TimeField(
        "starts at", help_text="By the site's clock, such as 22:00."
    )
    end_time = models.TimeField(
        "ends at",
        help_text="An end that is not after the start is on the next day: 22:00 to "
        "06:00 is a night of eight hours.",
    )
    grace_period_minutes = models.PositiveSmallIntegerField(
        "grace, minutes",
        default=10,
        validators=[MaxValueValidator(240)],
        help_text="Who arrives so many minutes after the start is still on time. "
        "Lateness is counted from the start.",
    )
    weekly_off_days = ArrayField(
        models.CharField(max_length=3, choices=Weekday),
        default=list,
        blank=True,
        help_text="Days of the week on which nobody of this shift has to come. A "
        "night belongs to the day on which it starts.",
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Untick when nobody is to be put on it any more. Who is on it stays.",
    )

    objects = ShiftQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "shift_name"],
                name="shift_name_once",
                violation_error_message="This site has a shift of that name.",
            ),
            models.CheckConstraint(
                condition=models.Q(grace_period_minutes__lte=240),
                name="shift_grace_range",
                violation_error_message="Grace is at most 240 minutes.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shift_name} {self.start_time:%H:%M}-{self.end_time:%H:%M}"

    def clean(self) -> None:
        """Keep a shift where the people are who are on it."""
        before = Shift.objects.filter(pk=self.pk).exclude(site=self.site_id)
        if before.exists() and self.assignments.exists():
            sentence = (
                "Employees of its site are or were on it. Make another shift there."
            )
            raise ValidationError({"site": sentence})

    @property
    def times(self) -> roster.Shift:
        """The times as a value."""
        grace = timedelta(minutes=self.grace_period_minutes)
        return roster.Shift(self.start_time, self.end_time, grace)


class ShiftAssignmentQuerySet(OverDates["ShiftAssignment"]):
    pass


class ShiftAssignment(models.Model):
    """An employee works a shift on the dates [starts_on, ends_on)."""

    employee = models.ForeignKey(
        Employee, models.PROTECT, related_name="shift_assignments"
    )
    shift = models.ForeignKey(Shift, models.PROTECT, related_name="assignments")
    starts_on = models.DateField("from", help_text="The first date on this shift.")
    ends_on = models.DateField(
        "until",
        null=True,
        blank=True,
        help_text="The first date that is no longer on this shift. Empty: until "
        "further notice.",
    )
    created_by = models.ForeignKey(
        "identity.User",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ShiftAssignmentQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        indexes = [
            # Who is on a shift.
            models.Index(fields=["shift", "starts_on"], name="assignment_of_shift"),
        ]
        constraints = [
            no_overlap(
                name="assignment_no_overlap",
                sentence="They are on another shift on some of these dates. End that "
                "one first, or choose other dates.",
            ),
            ends_after_start(name="assignment_ends_after_start"),
        ]

    def __str__(self) -> str:
        until = f" until {self.ends_on}" if self.ends_on else ""
        return f"{self.employee_id} {self.shift_id} from {self.starts_on}{until}"

    def clean(self) -> None:
        """Refuse a shift of another site."""
        if (
            self.shift_id
            and self.employee_id
            and self.shift.site_id != self.employee.site_id
        ):
            sentence = f"{self.shift.shift_name} is a shift of another site."
            raise ValidationError({"shift": sentence})
