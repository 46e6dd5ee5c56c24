"""The shapes of questions and answers that are no rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from identity.models import AccessLog, Employee
from identity.serializers import (
    AccessLogSerializer,
    EmployeeSerializer,
    PersonSerializer,
    UnknownPersonSerializer,
)
from streaming.models import Camera, Site
from streaming.rest import VisibleKey

from .base import PhotoField, PhotoSerializer

AHEAD = timedelta(minutes=5)
"""By how much the clock of whoever sends pictures may be fast."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A clock that says less was never set."""


class CountsSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    authorized = serializers.IntegerField()
    unauthorized = serializers.IntegerField()
    unknown = serializers.IntegerField()
    ambiguous = serializers.IntegerField()
    authorized_rate = serializers.FloatField(
        allow_null=True, help_text="Share of the total, 0..1; null of nobody."
    )


class DayCountsSerializer(CountsSerializer):
    date = serializers.DateField()


class AccessSummarySerializer(CountsSerializer):
    days = DayCountsSerializer(
        many=True, help_text="Days on which somebody was seen, the first one first."
    )


class UsageSerializer(serializers.Serializer[Any]):
    """What was counted on one UTC day."""

    date = serializers.DateField()
    calls = serializers.IntegerField(help_text="Paid calls.")
    hits = serializers.IntegerField(help_text="Answered by the cache.")
    misses = serializers.IntegerField(help_text="An engine was asked.")
    hit_rate = serializers.FloatField(allow_null=True, help_text="0..1")
    retries = serializers.IntegerField()
    throttled = serializers.IntegerField()
    failures = serializers.IntegerField()
    fallbacks = serializers.IntegerField(
        help_text="Answered by the local engine in place of the remote one."
    )
    cost_usd = serializers.FloatField()


class CacheStatsSerializer(serializers.Serializer[Any]):
    engine = serializers.CharField()
    breaker = serializers.CharField(
        allow_null=True, help_text="Of the remote engine: closed, open or half-open."
    )
    face_models = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Photos by the face model that described them.",
    )
    cache_ttl_s = serializers.IntegerField()
    unknown_cooldown_s = serializers.IntegerField()
    days = UsageSerializer(many=True, help_text="Today and the seven days before.")


class HeldSerializer(serializers.Serializer[Any]):
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()


class SnapshotStatsSerializer(serializers.Serializer[Any]):
    total = HeldSerializer()
    known = HeldSerializer()
    unknown = HeldSerializer()
    oldest_at = serializers.DateTimeField(allow_null=True)
    per_day = serializers.DictField(child=HeldSerializer())


class CleanupSerializer(serializers.Serializer[Any]):
    older_than_days = serializers.IntegerField(min_value=1, max_value=36500)
    dry_run = serializers.BooleanField(default=False)


class FreedSerializer(serializers.Serializer[Any]):
    """What a clean-up removed, or would remove."""

    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    rows = serializers.IntegerField(help_text="Visits that have no picture any more.")
    missing = serializers.IntegerField(help_text="Of these, whose file was gone.")
    failed = serializers.IntegerField(help_text="Files that could not be removed.")


class EnrolSerializer(PhotoSerializer):
    """Whom to enrol, by `employee` or by `code`, and the photo."""

    employee = VisibleKey(queryset=Employee.objects.present(), required=False)
    code = serializers.CharField(required=False, help_text="The employee's code.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("employee" in attrs) == ("code" in attrs):
            raise serializers.ValidationError(
                {"employee": "Say who it is: by `employee` or by `code`."}
            )
        if "code" in attrs:
            user = self.context["request"].user
            seen = Employee.objects.present().visible_to(user)
            attrs["employee"] = seen.filter(code=attrs.pop("code")).first()
        if attrs["employee"] is None:
            raise serializers.ValidationError(
                {"code": "There is no employee of this code."}
            )
        return attrs


class VisibleCode(serializers.SlugRelatedField[Any]):
    """Names a row by its code or slug; one that the user does not see is 400."""

    default_error_messages = {"does_not_exist": "There is none of this name."}

    def to_internal_value(self, data: object) -> Any:
        if not isinstance(data, str) or "\0" in data:  # Postgres takes no such text.
            self.fail("does_not_exist")
        return super().to_internal_value(data)

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.context["request"].user)


class FrameSerializer(serializers.Serializer[Any]):
    """A picture in which to recognise people, and where it was taken."""

    frame = PhotoField()
    camera = VisibleCode("code", queryset=Camera.objects.all(), required=False)
    site = VisibleCode(
        "slug",
        queryset=Site.objects.all(),
        required=False,
        help_text="Whose people are looked for, where no camera is named.",
    )
    record = serializers.BooleanField(
        default=False, help_text="Keep it as access logs of the camera."
    )
    event_id = serializers.UUIDField(
        required=False, help_text="Your own: sent twice, it is recorded once."
    )
    at = serializers.DateTimeField(
        required=False, help_text="When the picture was taken; now if not given."
    )

    def validate_at(self, at: Any) -> Any:
        if at > timezone.now() + AHEAD:
            raise serializers.ValidationError("It lies in the future.")
        if at < EARLIEST:
            raise serializers.ValidationError(f"It lies before {EARLIEST:%Y}.")
        return at

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("camera" in attrs) == ("site" in attrs):
            raise serializers.ValidationError(
                {"camera": "Name the camera by its code, or the site by its slug."}
            )
        if attrs["record"] and "camera" not in attrs:
            raise serializers.ValidationError(
                {"camera": "What is recorded needs a camera."}
            )
        return attrs


class FaceInFrameSerializer(serializers.Serializer[Any]):
    box = serializers.ListField(
        source="seen.face.box",
        child=serializers.FloatField(),
        help_text="Left, top, right and bottom edge as shares of the picture.",
    )
    decision = serializers.ChoiceField(choices=AccessLog.Decision.choices)
    employee = PersonSerializer(allow_null=True)
    similarity = serializers.FloatField(
        source="seen.verdict.similarity", allow_null=True
    )
    runner_up = serializers.FloatField(source="seen.verdict.runner_up", allow_null=True)
    threshold = serializers.FloatField(source="seen.policy.threshold")
    margin = serializers.FloatField(source="seen.policy.margin")
    engine = serializers.CharField(source="seen.engine")
    quality = serializers.FloatField(source="seen.face.quality.score")
    height_px = serializers.FloatField(source="seen.face.height_px")


class PeopleInFrameSerializer(serializers.Serializer[Any]):
    event_id = serializers.UUIDField()
    faces = FaceInFrameSerializer(many=True)
    access_logs = AccessLogSerializer(
        many=True, help_text="What was recorded, in the order of the faces."
    )


class NewEmployeeSerializer(EmployeeSerializer):
    """An employee to be made of a stranger, at the stranger's site."""

    class Meta(EmployeeSerializer.Meta):
        fields = [
            "site",
            "code",
            "name",
            "email",
            "department",
            "is_authorized",
            "notes",
        ]


class PromoteSerializer(serializers.Serializer[Any]):
    """Who a stranger is: somebody who is there already, or somebody new."""

    employee = VisibleKey(queryset=Employee.objects.present(), required=False)
    new_employee = serializers.DictField(
        required=False, help_text="code, name, and what else an employee may have."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("employee" in attrs) == ("new_employee" in attrs):
            raise serializers.ValidationError(
                {"employee": "Say who it is: `employee` or `new_employee`."}
            )
        return attrs


class PromotedSerializer(serializers.Serializer[Any]):
    employee = EmployeeSerializer()
    rows = serializers.IntegerField(help_text="Access logs that bear the name now.")


class SearchSerializer(PhotoSerializer):
    site = VisibleCode("slug", queryset=Site.objects.all(), required=False)
    at_least = serializers.FloatField(min_value=0, max_value=1, default=0.3)


class AlikeStrangerSerializer(serializers.Serializer[Any]):
    similarity = serializers.FloatField()
    unknown_person = UnknownPersonSerializer()


class AlikeSightingSerializer(serializers.Serializer[Any]):
    similarity = serializers.FloatField()
    access_log = AccessLogSerializer()


class ResemblingSerializer(serializers.Serializer[Any]):
    """Who resembles the face, most alike first."""

    strangers = AlikeStrangerSerializer(many=True)
    sightings = AlikeSightingSerializer(many=True)
