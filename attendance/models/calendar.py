"""Days on which nobody, or one person, has to come."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords

from identity.models import Employee
from identity.models.people import OfSite
from streaming.models import Site

from .base import OverDates, ends_after_start, no_overlap


class HolidayQuerySet(OfSite["Holiday"]):
    pass


class Holiday(models.Model):
    """A date on which a site does not work."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="holidays")
    holiday_date = models.DateField("date")
    name = models.CharField(max_length=100, help_text="Such as Republic Day.")

    objects = HolidayQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "holiday_date"],
                name="holiday_once",
                violation_error_message="This date is a holiday already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.holiday_date} {self.name}"


class LeaveQuerySet(OverDates["Leave"]):
    pass


class Leave(models.Model):
    """An employee's approved leave, on the dates [starts_on, ends_on)."""

    class Kind(models.TextChoices):
        PAID = "paid", "Paid leave"
        UNPAID = "unpaid", "Unpaid leave"
        SICK = "sick", "Sick leave"
        COMPENSATORY = "compensatory", "Compensatory day off"
        OTHER = "other", "Other"

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="leaves")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PAID)
    starts_on = models.DateField("from", help_text="The first day of leave.")
    ends_on = models.DateField("until", help_text="The first day back at work.")
    notes = models.TextField(blank=True)
    created_by = models.ForeignKey(
        "identity.User", models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LeaveQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        constraints = [
            no_overlap(
                name="leave_no_overlap",
                sentence="They are on leave on some of these dates already.",
            ),
            ends_after_start(name="leave_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_on} to {self.ends_on}"
