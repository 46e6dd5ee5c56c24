"""The public shapes of people and sightings, in the API and on the live socket."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model
from django.urls import reverse
from rest_framework import serializers

from streaming.models import Site
from streaming.rest import CheckedSerializer, VisibleKey
from streaming.snapshots import signed_url

from .models import AccessLog, Department, Employee, Erasure, FaceSample, UnknownPerson

ModelT = TypeVar("ModelT", bound=Model)


class SentFieldsOnly(serializers.ModelSerializer[ModelT]):
    """Writes what was sent and nothing else: vision workers write the same rows."""

    def update(self, instance: ModelT, validated_data: dict[str, Any]) -> ModelT:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance


class DepartmentSerializer(CheckedSerializer[Department]):
    site = VisibleKey(queryset=Site.objects.all())

    class Meta:
        model = Department
        fields = ["id", "site", "name"]


class PersonSerializer(serializers.ModelSerializer[Employee]):
    """Who somebody is, in a few words."""

    class Meta:
        model = Employee
        fields = ["id", "code", "name"]
        read_only_fields = fields


class EmployeeSerializer(SentFieldsOnly[Employee], CheckedSerializer[Employee]):
    """An employee; of rows with `with_photo_count()`, else one more query each."""

    site = VisibleKey(queryset=Site.objects.all())
    department = VisibleKey(
        queryset=Department.objects.all(), allow_null=True, required=False
    )
    may_enter = serializers.BooleanField(
        read_only=True, help_text="Active and authorised."
    )
    photo_count = serializers.SerializerMethodField()

    class Meta:
        model = Employee
        fields = [
            "id",
            "site",
            "code",
            "name",
            "email",
            "department",
            "status",
            "is_authorized",
            "may_enter",
            "notes",
            "photo_count",
            "enrolled_at",
            "last_seen_at",
            "created_at",
        ]
        read_only_fields = ["enrolled_at", "last_seen_at", "created_at"]

    def get_photo_count(self, employee: Employee) -> int:
        counted: int | None = getattr(employee, "photo_count", None)
        return employee.faces.count() if counted is None else counted

    def validate_email(self, email: str | None) -> str | None:
        """Keep no address as null, of which there may be many."""
        return email or None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        candidate = Employee(
            pk=getattr(self.instance, "pk", None),
            **{
                name: attrs.get(name, getattr(self.instance, name, None))
                for name in ("site", "department")
            },
        )
        try:
            candidate.clean()
        except ModelValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return super().validate(attrs)


class PictureSerializer(SentFieldsOnly[ModelT]):
    """Of rows with a picture: its address, for API users with a link of 5 minutes."""

    def address(self, route: str, *args: object) -> str:
        path = reverse(route, args=args)
        return signed_url(path, request=self.context.get("request"))


class FaceSampleSerializer(PictureSerializer[FaceSample]):
    """One photo by which an employee is known. Its vector is told to nobody."""

    created_by = serializers.CharField(
        source="created_by.username", default=None, read_only=True
    )
    photo_url = serializers.SerializerMethodField()

    class Meta:
        model = FaceSample
        fields = [
            "id",
            "employee",
            "quality",
            "height_px",
            "face_model",
            "created_at",
            "created_by",
            "photo_url",
        ]
        read_only_fields = fields

    def get_photo_url(self, sample: FaceSample) -> str:
        """Say where the photo is."""
        return self.address("photo-of-face", sample.employee.code, sample.pk)


class AccessLogSerializer(PictureSerializer[AccessLog]):
    """One visit of one person to one camera; of rows with `with_names()`."""

    site = serializers.CharField(source="camera.site.slug", read_only=True)
    time_zone = serializers.CharField(
        source="camera.site.time_zone",
        read_only=True,
        help_text="The site's; IANA name.",
    )
    camera_code = serializers.CharField(source="camera.code", read_only=True)
    camera_name = serializers.CharField(source="camera.name", read_only=True)
    employee = PersonSerializer(
        read_only=True, allow_null=True, help_text="Null for a stranger."
    )
    unknown_sightings = serializers.IntegerField(
        source="unknown_person.sightings",
        default=None,
        read_only=True,
        help_text="Visits of this stranger so far; null where nobody was grouped.",
    )
    snapshot_url = serializers.SerializerMethodField()

    class Meta:
        model = AccessLog
        fields = [
            "id",
            "event_id",
            "site",
            "time_zone",
            "camera",
            "camera_code",
            "camera_name",
            "employee",
            "unknown_person",
            "unknown_sightings",
            "decision",
            "similarity",
            "runner_up",
            "threshold",
            "margin",
            "engine",
            "votes",
            "track_id",
            "direction",
            "x",
            "y",
            "quality",
            "flagged",
            "notes",
            "occurred_at",
            "last_seen_at",
            "recorded_at",
            "linked_at",
            "snapshot_url",
        ]
        read_only_fields = [name for name in fields if name not in {"flagged", "notes"}]

    def get_snapshot_url(self, log: AccessLog) -> str | None:
        """Say where the picture is; null where there is none."""
        return self.address("snapshot-of-access", log.pk) if log.snapshot else None


class UnknownPersonSerializer(PictureSerializer[UnknownPerson]):
    """A stranger, and who it turned out to be."""

    employee = PersonSerializer(
        read_only=True, allow_null=True, help_text="Who it turned out to be."
    )
    snapshot_url = serializers.SerializerMethodField()

    class Meta:
        model = UnknownPerson
        fields = [
            "id",
            "site",
            "sightings",
            "first_seen_at",
            "last_seen_at",
            "notes",
            "employee",
            "promoted_at",
            "snapshot_url",
        ]
        read_only_fields = [name for name in fields if name != "notes"]

    def get_snapshot_url(self, person: UnknownPerson) -> str:
        """Say where the best picture is, while there is one."""
        return self.address("snapshot-of-unknown", person.pk)


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """The certificate of an erasure: what was removed, and whether all is gone."""

    is_complete = serializers.BooleanField(
        read_only=True,
        help_text="False while files or remote faces wait for being removed.",
    )

    class Meta:
        model = Erasure
        fields = ["id", "employee", "erased_at", "removed", "is_complete"]
        read_only_fields = fields
