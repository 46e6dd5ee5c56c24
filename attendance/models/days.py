"""What became of each day, and what people said of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from attendance.roster import Plan as PlainPlan
from attendance.rules import Review as PlainReview
from attendance.rules import Status as PlainStatus
from identity.models import Employee

from .base import OfEmployee
from .presence import PresenceEvent
from .shifts import Shift

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

PRESENT: Final = ("present", "late")


class Status(models.TextChoices):
    """The one result of a date; EXPECTED and no plan at all have no row."""

    PRESENT = PlainStatus.PRESENT.value, "Present"
    LATE = PlainStatus.LATE.value, "Late"
    ABSENT = PlainStatus.ABSENT.value, "Absent"
    UNVERIFIED = PlainStatus.UNVERIFIED.value, "Unverified"
    WEEKLY_OFF = PlainStatus.WEEKLY_OFF.value, "Weekly off"
    HOLIDAY = PlainStatus.HOLIDAY.value, "Holiday"
    ON_LEAVE = PlainStatus.ON_LEAVE.value, "On leave"


class Plan(models.TextChoices):
    """What the roster says of a date."""

    WORK = PlainPlan.WORK.value, "Work"
    WEEKLY_OFF = PlainPlan.WEEKLY_OFF.value, "Weekly off"
    HOLIDAY = PlainPlan.HOLIDAY.value, "Holiday"
    ON_LEAVE = PlainPlan.ON_LEAVE.value, "On leave"
    NOTHING = PlainPlan.NOTHING.value, "No shift"


class Review(models.TextChoices):
    """Why a person has to look at a day."""

    EARLY_EXIT = PlainReview.EARLY_EXIT.value, "Left early"
    MISSING_CHECK_OUT = PlainReview.MISSING_CHECK_OUT.value, "No exit was seen"
    EXIT_ONLY = PlainReview.EXIT_ONLY.value, "Only an exit was seen"
    EXIT_BEFORE_CHECK_IN = (
        PlainReview.EXIT_BEFORE_CHECK_IN.value,
        "An exit was seen before the arrival",
    )
    CAME_AFTER_END = PlainReview.CAME_AFTER_END.value, "Seen after the end"


class AttendanceRecordQuerySet(OfEmployee["AttendanceRecord"]):
    def between(self, first: date, last: date) -> Self:
        """Keep the dates [first, last], both included."""
        return self.filter(attendance_date__range=(first, last))

    def to_settle(self, *, now: datetime) -> Self:
        """Keep the days that have closed since they were worked out last."""
        return self.filter(is_settled=False, closes_at__lte=now)

    def with_names(self) -> Self:
        return self.select_related("employee__site", "employee__department", "shift")

    def with_proof(self) -> Self:
        """Load what the API tells of a day; no secret of a camera."""
        told = self.with_names().select_related("check_in__camera", "check_out__camera")
        secret = ("source_url", "sub_stream_url")
        return told.defer(
            *(
                f"{way}__camera__{name}"
                for way in ("check_in", "check_out")
                for name in secret
            )
        )


class AttendanceRecord(models.Model):
    """What is known of an employee on a date; the shift's times are as they were."""

    employee = models.ForeignKey(
        Employee, models.PROTECT, related_name="attendance_records"
    )
    attendance_date = models.DateField("date")
    """The site's date on which the shift starts."""
    shift = models.ForeignKey(
        Shift, models.PROTECT, null=True, related_name="attendance_records"
    )
    """Empty where none was assigned."""
    plan = models.CharField(max_length=10, choices=Plan)
    is_weekly_off = models.BooleanField(default=False)
    """By the shift as it was then, whatever else the date was."""
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    grace_minutes = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status)
    check_in_at = models.DateTimeField("in", null=True)
    check_out_at = models.DateTimeField("out", null=True)
    check_in = models.ForeignKey(
        PresenceEvent, models.SET_NULL, null=True, related_name="+"
    )
    """The event that proves it; empty where a person corrected it."""
    check_out = models.ForeignKey(
        PresenceEvent, models.SET_NULL, null=True, related_name="+"
    )
    grace_period_applied = models.BooleanField(default=False)
    late_minutes = models.PositiveIntegerField(default=0)
    early_minutes = models.PositiveIntegerField(default=0)
    worked_minutes = models.PositiveIntegerField(null=True)
    overtime_minutes = models.PositiveIntegerField(null=True)
    unscheduled = models.BooleanField(
        default=False, help_text="They came though nothing was planned."
    )
    reviews = ArrayField(
        models.CharField(max_length=20, choices=Review), default=list, blank=True
    )
    closes_at = models.DateTimeField()
    """From then on nothing new can belong to it."""
    is_settled = models.BooleanField(default=False)
    """Whether it was worked out after it had closed."""
    corrected_at = models.DateTimeField(null=True)
    """When a person last said what is right; the rules change nothing any more."""
    recorded_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = AttendanceRecordQuerySet.as_manager()

    class Meta:
        permissions = [
            ("correct_attendancerecord", "Can correct a day"),
            ("view_muster", "Can see who is inside now"),
        ]
        indexes = [
            # The day board and the month grid.
            models.Index(
                fields=["attendance_date", "employee"], name="attendance_by_date"
            ),
            # Days that have closed.
            models.Index(
                fields=["closes_at"],
                name="attendance_to_settle",
                condition=models.Q(is_settled=False),
            ),
            # What changed since an integrator asked last.
            models.Index(fields=["changed_at"], name="attendance_changed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["employee", "attendance_date"],
                name="attendance_once_a_date",
                violation_error_message="There is a record of them on this date.",
            ),
            models.CheckConstraint(
                condition=models.Q(end_at__gt=models.F("start_at")),
                name="attendance_shift_ends_after_start",
                violation_error_message="The shift ends before it starts.",
            ),
            models.CheckConstraint(
                condition=models.Q(check_out_at=None)
                | models.Q(check_out_at__gte=models.F("check_in_at")),
                name="attendance_out_after_in",
                violation_error_message="The exit is before the arrival.",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=PRESENT, check_in_at__isnull=False)
                | ~models.Q(status__in=PRESENT) & models.Q(check_in_at=None),
                name="attendance_present_has_arrival",
                violation_error_message="Who was present has an arrival, and nobody "
                "else.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.attendance_date} {self.status}"

    @property
    def is_late(self) -> bool:
        return self.status == Status.LATE

    @property
    def is_early_exit(self) -> bool:
        return Review.EARLY_EXIT in self.reviews

    @property
    def flagged_for_review(self) -> bool:
        return bool(self.reviews)

    @property
    def is_excused(self) -> bool:
        """Whether a person said that they are not late, though they came late."""
        on_time_until = self.start_at + timedelta(minutes=self.grace_minutes)
        came = self.check_in_at
        is_after = came is not None and came > on_time_until
        is_on_time = self.status == Status.PRESENT and self.plan == Plan.WORK
        return self.is_corrected and is_on_time and is_after

    @property
    def is_corrected(self) -> bool:
        return self.corrected_at is not None

    @property
    def is_to_review(self) -> bool:
        """Whether it is flagged, and no person has decided since."""
        return self.flagged_for_review and not self.is_corrected


class OfRecord(models.QuerySet[Any]):
    """Rows about a day."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep those about employees that the user sees."""
        return self.filter(record__employee__in=Employee.objects.visible_to(user))

    def newest_first(self) -> Self:
        return self.order_by("-made_at", "-id")


class AttendanceCorrection(models.Model):
    """Who changed what of a day, from what to what, and why. Never changed."""

    record = models.ForeignKey(
        AttendanceRecord, models.CASCADE, related_name="corrections"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    made_at = models.DateTimeField()
    reason = models.TextField()
    before = models.JSONField()
    """`status`, `check_in_at` and `check_out_at` as they were, instants ISO in UTC."""
    after = models.JSONField()
    """The same as they are since; {} where the day was given back to the rules."""

    objects = OfRecord.as_manager()

    def __str__(self) -> str:
        return f"correction {self.pk}"


class CorrectionRequestQuerySet(OfRecord):
    def open(self) -> Self:
        return self.filter(state=CorrectionRequest.State.OPEN)

    def with_names(self) -> Self:
        """Load what a list shows of each, the day and the people."""
        return self.select_related(
            "record__employee__site",
            "record__employee__department",
            "made_by",
            "answered_by",
        )


class CorrectionRequest(models.Model):
    """What a worker says of a day that is wrong to them, and what HR answered."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"

    record = models.ForeignKey(
        AttendanceRecord, models.CASCADE, related_name="requests"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """The login that entered it for the worker."""
    made_at = models.DateTimeField()
    text = models.TextField("what is wrong")
    check_in_at = models.DateTimeField("came at", null=True, blank=True)
    check_out_at = models.DateTimeField("left at", null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    correction = models.OneToOneField(
        AttendanceCorrection, models.SET_NULL, null=True, related_name="request"
    )

    objects = CorrectionRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["-made_at", "-id"],
                name="correction_request_open",
                condition=models.Q(state="open"),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["record"],
                condition=models.Q(state="open"),
                name="correction_request_one_open",
                violation_error_message="A request about this day is waiting already.",
            )
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"
