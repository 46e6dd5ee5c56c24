"""The public shapes of attendance, in the API and on the live socket."""

from __future__ import annotations

from copy import copy
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model
from rest_framework import serializers

from identity.models import Employee
from identity.serializers import PersonSerializer, PictureSerializer
from streaming.models import Site
from streaming.rest import CheckedSerializer, VisibleKey

from .models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
    Holiday,
    Leave,
    PresenceEvent,
    Shift,
    ShiftAssignment,
    UnknownAttendance,
)
from .models.days import Status

RowT = TypeVar("RowT", bound=Model)


class ShiftNameSerializer(serializers.ModelSerializer[Shift]):
    """Which shift it was, in a few words; its times then are the record's."""

    class Meta:
        model = Shift
        fields = ["id", "shift_name"]
        read_only_fields = fields


class ProofSerializer(serializers.ModelSerializer[PresenceEvent]):
    """What an arrival or an exit was told by."""

    camera_code = serializers.CharField(
        source="camera.code",
        default=None,
        read_only=True,
        help_text="Null where no camera saw it.",
    )

    class Meta:
        model = PresenceEvent
        fields = [
            "event_id",
            "source",
            "way",
            "camera_code",
            "access_log",
            "similarity",
            "threshold",
        ]
        read_only_fields = fields


class AttendanceRecordSerializer(serializers.ModelSerializer[AttendanceRecord]):
    """A day of an employee; of rows with `with_proof()`, else more queries each."""

    site = serializers.CharField(source="employee.site.slug", read_only=True)
    time_zone = serializers.CharField(
        source="employee.site.time_zone",
        read_only=True,
        help_text="The site's; IANA name.",
    )
    employee = PersonSerializer(read_only=True)
    department = serializers.CharField(
        source="employee.department.name", default=None, read_only=True
    )
    shift = ShiftNameSerializer(
        read_only=True, allow_null=True, help_text="Null where none was assigned."
    )
    is_late = serializers.BooleanField(read_only=True)
    is_early_exit = serializers.BooleanField(read_only=True)
    flagged_for_review = serializers.BooleanField(read_only=True)
    is_corrected = serializers.BooleanField(
        read_only=True,
        help_text="A person said what is right; the rules change it no more.",
    )
    check_in = ProofSerializer(
        read_only=True, allow_null=True, help_text="What the arrival was told by."
    )
    check_out = ProofSerializer(
        read_only=True, allow_null=True, help_text="What the exit was told by."
    )

    class Meta:
        model = AttendanceRecord
        fields = [
            "id",
            "site",
            "time_zone",
            "employee",
            "department",
            "attendance_date",
            "shift",
            "plan",
            "is_weekly_off",
            "start_at",
            "end_at",
            "grace_minutes",
            "status",
            "is_late",
            "is_early_exit",
            "grace_period_applied",
            "flagged_for_review",
            "reviews",
            "check_in_at",
            "check_out_at",
            "check_in",
            "check_out",
            "late_minutes",
            "early_minutes",
            "worked_minutes",
            "overtime_minutes",
            "unscheduled",
            "is_settled",
            "is_corrected",
            "corrected_at",
            "recorded_at",
            "changed_at",
        ]
        read_only_fields = fields


class WholeRowSerializer(CheckedSerializer[RowT]):
    """Asks the row itself as well, for what no constraint of one table can tell."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        candidate = copy(self.instance) or self.Meta.model()  # type: ignore[misc]
        for name, value in attrs.items():
            setattr(candidate, name, value)
        try:
            candidate.clean()
        except ModelValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return attrs


class ShiftSerializer(WholeRowSerializer[Shift]):
    site = VisibleKey(queryset=Site.objects.all())

    class Meta:
        model = Shift
        fields = [
            "id",
            "site",
            "shift_name",
            "start_time",
            "end_time",
            "grace_period_minutes",
            "weekly_off_days",
            "is_active",
        ]

    def validate_weekly_off_days(self, days: list[str]) -> list[str]:
        """Name each day once, Monday first."""
        return [day for day in Shift.Weekday.values if day in days]


class OfEmployeeSerializer(WholeRowSerializer[RowT]):
    """What an employee has over dates; of rows with the employee loaded."""

    employee = VisibleKey(queryset=Employee.objects.present(), help_text="Their id.")
    employee_code = serializers.CharField(source="employee.code", read_only=True)
    created_by = serializers.CharField(
        source="created_by.username", default=None, read_only=True
    )

    def validate_employee(self, employee: Employee) -> Employee:
        """Keep what somebody had theirs."""
        row: Any = self.instance
        if row and row.employee_id != employee.pk:
            raise serializers.ValidationError(
                "It belongs to somebody else. Delete it, and add one for them."
            )
        return employee


class ShiftAssignmentSerializer(OfEmployeeSerializer[ShiftAssignment]):
    """Who works which shift, on the dates [starts_on, ends_on)."""

    shift = VisibleKey(queryset=Shift.objects.all(), help_text="Its id.")
    shift_name = serializers.CharField(source="shift.shift_name", read_only=True)

    class Meta:
        model = ShiftAssignment
        fields = [
            "id",
            "employee",
            "employee_code",
            "shift",
            "shift_name",
            "starts_on",
            "ends_on",
            "created_by",
            "created_at",
        ]
        read_only_fields = ["created_at"]

    def validate_shift(self, shift: Shift) -> Shift:
        row = self.instance
        if not shift.is_active and (row is None or row.shift_id != shift.pk):
            raise serializers.ValidationError(
                f"{shift.shift_name} is not active: nobody is put on it any more."
            )
        return shift

    def validate_employee(self, employee: Employee) -> Employee:
        if self.instance is None and employee.status != Employee.Status.ACTIVE:
            raise serializers.ValidationError(
                f"{employee.code} is inactive. Make them active first."
            )
        return super().validate_employee(employee)


class LeaveSerializer(OfEmployeeSerializer[Leave]):
    """An approved leave, on the dates [starts_on, ends_on)."""

    class Meta:
        model = Leave
        fields = [
            "id",
            "employee",
            "employee_code",
            "kind",
            "starts_on",
            "ends_on",
            "notes",
            "created_by",
            "created_at",
        ]
        read_only_fields = ["created_at"]


class HolidaySerializer(CheckedSerializer[Holiday]):
    site = VisibleKey(queryset=Site.objects.all())

    class Meta:
        model = Holiday
        fields = ["id", "site", "holiday_date", "name"]
        # Told by the constraint, with the sentence that says what to do.
        validators: list[Any] = []


class DaySerializer(serializers.ModelSerializer[AttendanceRecord]):
    """Which day something is about, in a few words."""

    employee = PersonSerializer(read_only=True)

    class Meta:
        model = AttendanceRecord
        fields = ["id", "employee", "attendance_date", "status"]
        read_only_fields = fields


class StateOfDaySerializer(serializers.Serializer[Any]):
    """What a day was, or became, by a correction."""

    status = serializers.ChoiceField(choices=Status.choices, allow_null=True)
    check_in_at = serializers.DateTimeField(allow_null=True)
    check_out_at = serializers.DateTimeField(allow_null=True)


class AttendanceCorrectionSerializer(serializers.ModelSerializer[AttendanceCorrection]):
    """Who changed what of a day, and why; of rows with the day and people loaded."""

    record = DaySerializer(read_only=True)
    made_by = serializers.CharField(
        source="made_by.username", default=None, read_only=True
    )
    before = StateOfDaySerializer(
        read_only=True, help_text="`status` is null where there was no record."
    )
    after = StateOfDaySerializer(
        read_only=True, help_text="`status` is null where the rules decide again."
    )

    class Meta:
        model = AttendanceCorrection
        fields = ["id", "record", "made_by", "made_at", "reason", "before", "after"]
        read_only_fields = fields


class CorrectionRequestSerializer(serializers.ModelSerializer[CorrectionRequest]):
    """What a worker says of a day; of rows with the day and people loaded."""

    record = DaySerializer(read_only=True)
    made_by = serializers.CharField(
        source="made_by.username", default=None, read_only=True
    )
    answered_by = serializers.CharField(
        source="answered_by.username", default=None, read_only=True
    )

    class Meta:
        model = CorrectionRequest
        fields = [
            "id",
            "record",
            "made_by",
            "made_at",
            "text",
            "check_in_at",
            "check_out_at",
            "state",
            "answer",
            "answered_by",
            "answered_at",
            "correction",
        ]
        read_only_fields = fields


class UnknownAttendanceSerializer(PictureSerializer[UnknownAttendance]):
    """A face that nobody could name; of rows with `with_names()`."""

    site = serializers.CharField(source="camera.site.slug", read_only=True)
    camera_code = serializers.CharField(source="camera.code", read_only=True)
    employee = PersonSerializer(
        read_only=True, allow_null=True, help_text="Who it turned out to be."
    )
    unknown_person = serializers.IntegerField(
        source="access_log.unknown_person_id",
        default=None,
        read_only=True,
        help_text="Its row in the register of strangers.",
    )
    decided_by = serializers.CharField(
        source="decided_by.username",
        default=None,
        read_only=True,
        help_text="Null where nobody did, or the system found out by itself.",
    )
    snapshot_url = serializers.SerializerMethodField()

    class Meta:
        model = UnknownAttendance
        fields = [
            "id",
            "event_id",
            "site",
            "camera_code",
            "track_id",
            "access_log",
            "unknown_person",
            "occurred_at",
            "last_seen_at",
            "state",
            "employee",
            "decided_at",
            "decided_by",
            "snapshot_url",
        ]
        read_only_fields = fields

    def get_snapshot_url(self, unknown: UnknownAttendance) -> str | None:
        """Say where the picture is; null where it is not kept any more."""
        log = unknown.access_log
        if log is None or not log.snapshot:
            return None
        return self.address("snapshot-of-access", log.pk)
