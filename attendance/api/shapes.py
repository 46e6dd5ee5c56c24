"""The shapes of questions and answers that are no rows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.models import AttendanceRecord
from attendance.models.days import Plan, Review, Status
from attendance.rules import Status as PlainStatus
from attendance.serializers import AttendanceRecordSerializer
from identity.serializers import PersonSerializer
from streaming.models import check_time_zone

from .base import DayField, EmployeeField, InstantField

STATUSES = [each.value for each in PlainStatus]


class StampSerializer(serializers.Serializer[Any]):
    """Who came or went, and when."""

    employee = EmployeeField()
    time = InstantField(help_text="With its zone.")
    event_id = serializers.UUIDField(
        required=False,
        help_text="Your own: sent twice, it is recorded once. Without one, the same "
        "employee, way and time is.",
    )


class MarksSerializer(serializers.Serializer[Any]):
    """What a day is, in the words that payroll asks for."""

    status = serializers.ChoiceField(
        choices=STATUSES,
        allow_null=True,
        help_text="`expected`: nobody was seen yet, and it is too early to say more. "
        "`none`: nothing was planned and nobody came.",
    )
    is_late = serializers.BooleanField()
    is_early_exit = serializers.BooleanField()
    grace_period_applied = serializers.BooleanField(
        help_text="They came after the start and within the grace."
    )
    flagged_for_review = serializers.BooleanField()
    late_minutes = serializers.IntegerField(help_text="Counted from the start.")


class StampedSerializer(MarksSerializer):
    """What a stamp made of its day."""

    event_id = serializers.UUIDField()
    skipped_duplicate = serializers.BooleanField(
        help_text="They were here already: it changes nothing."
    )
    detail = serializers.CharField(help_text="What became of it, in a sentence.")
    record = AttendanceRecordSerializer(
        allow_null=True, help_text="Null while there is nothing to say of the day."
    )


class ShiftDataSerializer(serializers.Serializer[Any]):
    """A shift that need not be stored."""

    start_time = serializers.TimeField()
    end_time = serializers.TimeField(help_text="Not after the start: on the next day.")
    grace_period_minutes = serializers.IntegerField(
        min_value=0, max_value=240, default=0
    )
    date = DayField(
        required=False, help_text="On which it starts. If not given, what fits best."
    )
    time_zone = serializers.CharField(
        required=False,
        validators=[check_time_zone],
        help_text="IANA name of the site's clock. If not given, that of your sites.",
    )
    is_weekly_off = serializers.BooleanField(default=False)


class EvaluateSerializer(serializers.Serializer[Any]):
    """An arrival, perhaps an exit, and the shift that they are held against."""

    check_in_time = InstantField(help_text="With its zone.")
    check_out_time = InstantField(required=False, allow_null=True)
    shift_data = ShiftDataSerializer()


class EvaluatedSerializer(MarksSerializer):
    """What the rules say of an arrival and an exit."""

    date = serializers.DateField(source="occurrence.date")
    start_at = serializers.DateTimeField(source="occurrence.start_at")
    end_at = serializers.DateTimeField(source="occurrence.end_at")
    plan = serializers.ChoiceField(source="occurrence.plan", choices=Plan.choices)
    check_in_at = serializers.DateTimeField(
        allow_null=True, help_text="Null where it does not open the shift."
    )
    check_out_at = serializers.DateTimeField(allow_null=True)
    early_minutes = serializers.IntegerField()
    worked_minutes = serializers.IntegerField(allow_null=True)
    overtime_minutes = serializers.IntegerField(allow_null=True)
    unscheduled = serializers.BooleanField()
    reviews = serializers.ListField(
        child=serializers.ChoiceField(choices=Review.choices)
    )
    explanation = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="How it came about, in sentences by the site's clock.",
    )


class SumsSerializer(serializers.Serializer[Any]):
    total_days = serializers.IntegerField(help_text="Of the calendar, in the period.")
    scheduled_days = serializers.IntegerField(
        help_text="On which there was work, of each employee, and a result."
    )
    on_time = serializers.IntegerField()
    late = serializers.IntegerField()
    early_exits = serializers.IntegerField()
    absent = serializers.IntegerField()
    unverified = serializers.IntegerField()
    on_time_percentage = serializers.FloatField(
        allow_null=True, help_text="Of the scheduled days; null of none."
    )


class EmployeeSumsSerializer(SumsSerializer):
    employee = PersonSerializer()


class SummarySerializer(SumsSerializer):
    from_date = serializers.DateField()
    to_date = serializers.DateField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = EmployeeSumsSerializer(many=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    explanation = serializers.ListField(child=serializers.CharField())


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000)


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.CharField(
        max_length=1000, allow_blank=True, default="", help_text="To the worker."
    )


class CorrectSerializer(ReasonSerializer):
    """What is right of a day; times that are not given were none."""

    employee = EmployeeField()
    date = DayField(source="on", help_text="On which the shift starts.")
    status = serializers.ChoiceField(
        choices=Status.choices,
        allow_null=True,
        default=None,
        help_text="If not given, what the rules make of the times.",
    )
    check_in_at = InstantField(allow_null=True, default=None)
    check_out_at = InstantField(allow_null=True, default=None)


class WishSerializer(serializers.Serializer[Any]):
    """What a worker says of a day."""

    employee = EmployeeField()
    date = DayField()
    text = serializers.CharField(max_length=1000, help_text="What is wrong.")
    check_in_at = InstantField(allow_null=True, default=None, help_text="Came at.")
    check_out_at = InstantField(allow_null=True, default=None, help_text="Left at.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the day that it is about."""
        named = {
            "employee": attrs.pop("employee"),
            "attendance_date": attrs.pop("date"),
        }
        record = AttendanceRecord.objects.filter(**named).first()
        if record is None:
            raise serializers.ValidationError(
                {"date": "There is no record of them on this date."}
            )
        return {**attrs, "record": record}


class LinkSerializer(serializers.Serializer[Any]):
    employee = EmployeeField()


class CandidateSerializer(serializers.Serializer[Any]):
    employee = PersonSerializer()
    similarity = serializers.FloatField(help_text="0..1")


class PersonInsideSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    department = serializers.CharField()
    since = serializers.DateTimeField(
        allow_null=True, help_text="When they came, where that was seen."
    )
    seen_at = serializers.DateTimeField(help_text="When they were seen last.")
    camera = serializers.CharField(
        help_text="The name of the camera that saw them last; empty where none did."
    )
    plates = serializers.ListField(
        child=serializers.CharField(), help_text="Of their vehicles on the site."
    )


class VehicleInsideSerializer(serializers.Serializer[Any]):
    plate_number = serializers.CharField()
    vehicle_type = serializers.CharField(help_text="In words.")
    owner = serializers.CharField(help_text="Empty where nobody is known.")
    employee_code = serializers.CharField(help_text="Of who drives it; may be empty.")
    employee_name = serializers.CharField()
    since = serializers.DateTimeField(
        allow_null=True,
        help_text="When it drove in; null where it was seen within 24 hours "
        "and no gate can tell that it drove in.",
    )
    seen_at = serializers.DateTimeField(help_text="When it was seen last.")
    gate = serializers.CharField(help_text="Where it was seen last.")


class SiteMusterSerializer(serializers.Serializer[Any]):
    site = serializers.CharField(source="site.slug")
    inside = PersonInsideSerializer(many=True)
    perhaps = PersonInsideSerializer(many=True, help_text="May have left unseen.")
    strangers = serializers.IntegerField(
        help_text="Faces without a name that were seen to come in."
    )
    vehicles = VehicleInsideSerializer(many=True)


class MusterSerializer(serializers.Serializer[Any]):
    """How many are inside, and who."""

    at = serializers.DateTimeField()
    inside = serializers.IntegerField()
    perhaps = serializers.IntegerField()
    strangers = serializers.IntegerField()
    vehicles = serializers.IntegerField()
    sites = SiteMusterSerializer(many=True)
