"""The public shapes of vehicles, gates and visits, in the API and on live sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as ModelValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from identity.models import Employee
from identity.serializers import PersonSerializer, PictureSerializer, SentFieldsOnly
from streaming.models import Site
from streaming.rest import CheckedSerializer, VisibleKey

from .formats import (
    LENGTH_MAX,
    WRITE_LATIN,
    NeverRead,
    check_as_read,
    has_foreign,
    normalise,
)
from .models import BLOCK_FIELDS, BarrierCall, Gate, PlateFormat, Vehicle, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCKED = Vehicle.Status.BLOCKED


class PlateField(serializers.CharField):
    """A plate, however it is written: "mh 12 ab 1234" is MH12AB1234."""

    default_error_messages = {
        "blank": "Give the plate, such as MH12AB1234.",
        "foreign": WRITE_LATIN,
        "too_long": "A plate has at most {most} letters and digits.",
    }

    def __init__(self, *, most: int = LENGTH_MAX, **values: Any) -> None:
        super().__init__(**values)
        self.most = most

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if has_foreign(text):
            self.fail("foreign")
        plain = normalise(text)
        if not plain:
            self.fail("blank")
        if len(plain) > self.most:
            self.fail("too_long", most=self.most)
        return plain


class KnownVehicleSerializer(serializers.ModelSerializer[Vehicle]):
    """A registered vehicle in a few words."""

    employee = PersonSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Vehicle
        fields = ["id", "plate_number", "owner", "employee"]
        read_only_fields = fields


class VehicleSerializer(SentFieldsOnly[Vehicle], CheckedSerializer[Vehicle]):
    """A vehicle of the register; of rows with `employee` and `registered_by`."""

    site = VisibleKey(queryset=Site.objects.all())
    plate_number = PlateField(
        help_text="Spaces, dashes and case do not matter: mh 12 ab 1234 is MH12AB1234."
    )
    employee = VisibleKey(
        queryset=Employee.objects.present(),
        allow_null=True,
        required=False,
        help_text="Id of who drives it, if they work here.",
    )
    employee_code = serializers.CharField(
        source="employee.code", default=None, read_only=True
    )
    registered_by = serializers.CharField(
        source="registered_by.username", default=None, read_only=True
    )

    class Meta:
        model = Vehicle
        fields = [
            "id",
            "site",
            "plate_number",
            "vehicle_type",
            "status",
            "reason",
            "owner",
            "employee",
            "employee_code",
            "valid_from",
            "valid_until",
            "notes",
            "registered_by",
            "created_at",
        ]
        read_only_fields = ["created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None:
            _keep_block(self.instance, attrs)
        _check_plate(self.instance, attrs)
        candidate = Vehicle(
            **{
                name: attrs.get(name, getattr(self.instance, name, None))
                for name in ("site", "employee", "status", "valid_until")
            }
        )
        try:
            candidate.clean()
        except ModelValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return super().validate(attrs)


def _check_plate(vehicle: Vehicle | None, wanted: dict[str, Any]) -> None:
    """Refuse a plate that no camera would read; one that stays was known before."""
    site: Any = wanted.get("site", getattr(vehicle, "site", None))
    plate = wanted.get("plate_number", getattr(vehicle, "plate_number", ""))
    if vehicle is not None and (site, plate) == (vehicle.site, vehicle.plate_number):
        return
    try:
        check_as_read(plate, PlateFormat.objects.of_site(site.pk))
    except NeverRead as error:
        raise serializers.ValidationError({"plate_number": str(error)}) from error


def _keep_block(vehicle: Vehicle, wanted: dict[str, Any]) -> None:
    """Refuse to block or unblock in passing, without who may and why."""
    if vehicle.status != BLOCKED:
        if wanted.get("status") == BLOCKED:
            sentence = "Block it with POST vehicles/{id}/block, which takes a reason."
            raise serializers.ValidationError({"status": sentence})
        return
    changed = [
        name
        for name in BLOCK_FIELDS
        if wanted.get(name, getattr(vehicle, name)) != getattr(vehicle, name)
    ]
    if changed:
        sentence = "It is blocked. Unblock it first: POST vehicles/{id}/unblock."
        raise serializers.ValidationError(dict.fromkeys(changed, sentence))


class GateSerializer(serializers.ModelSerializer[Gate]):
    """A gate; of rows with their cameras. Where its barrier is is told to nobody."""

    cameras = serializers.SerializerMethodField()

    class Meta:
        model = Gate
        fields = [
            "id",
            "site",
            "name",
            "driver",
            "confidence",
            "opens_for_unknown",
            "opens_for_visitors",
            "enabled",
            "cameras",
        ]
        read_only_fields = fields

    def get_cameras(self, gate: Gate) -> list[str]:
        """Give the codes of those that read plates there."""
        return [each.camera.code for each in gate.gate_cameras.all()]


class BarrierCallSerializer(serializers.ModelSerializer[BarrierCall]):
    """A barrier that was told to open."""

    asked_by = serializers.CharField(
        source="asked_by.username", default=None, read_only=True
    )

    class Meta:
        model = BarrierCall
        fields = [
            "id",
            "gate",
            "log",
            "asked_by",
            "reason",
            "asked_at",
            "result",
            "answer",
            "took_ms",
        ]
        read_only_fields = fields


class VehicleLogSerializer(PictureSerializer[VehicleLog]):
    """One visit of one vehicle.

    Of rows with `with_names()` and `with_calls()`, else more queries each.
    """

    site = serializers.CharField(source="camera.site.slug", read_only=True)
    time_zone = serializers.CharField(
        source="camera.site.time_zone",
        read_only=True,
        help_text="The site's; IANA name.",
    )
    camera_code = serializers.CharField(source="camera.code", read_only=True)
    camera_name = serializers.CharField(source="camera.name", read_only=True)
    gate_name = serializers.CharField(source="gate.name", default=None, read_only=True)
    vehicle = KnownVehicleSerializer(
        read_only=True, allow_null=True, help_text="Null where none is registered."
    )
    possible_match = serializers.CharField(
        source="possible_match.plate_number",
        default=None,
        read_only=True,
        help_text="Plate of a blocked vehicle that it may be, misread.",
    )
    named_by = serializers.CharField(
        source="named_by.username",
        default=None,
        read_only=True,
        help_text="Who said which plate it was, where the gate could not tell.",
    )
    denied_by = serializers.CharField(
        source="denied_by.username",
        default=None,
        read_only=True,
        help_text="Who refused it: no rule opens for this visit any more.",
    )
    barrier_call = serializers.SerializerMethodField()
    snapshot_url = serializers.SerializerMethodField()
    plate_url = serializers.SerializerMethodField()

    class Meta:
        model = VehicleLog
        fields = [
            "id",
            "event_id",
            "site",
            "time_zone",
            "camera",
            "camera_code",
            "camera_name",
            "gate",
            "gate_name",
            "plate_number",
            "as_read",
            "ocr_confidence",
            "threshold",
            "agreeing",
            "vehicle_type",
            "vehicle",
            "status",
            "reason",
            "opens",
            "possible_match",
            "direction",
            "track_id",
            "occurred_at",
            "last_seen_at",
            "recorded_at",
            "named_by",
            "named_at",
            "denied_by",
            "denied_at",
            "denied_reason",
            "barrier_call",
            "notes",
            "snapshot_url",
            "plate_url",
        ]
        read_only_fields = [name for name in fields if name != "notes"]

    @extend_schema_field(BarrierCallSerializer(allow_null=True))
    def get_barrier_call(self, log: VehicleLog) -> Mapping[str, Any] | None:
        """Give the newest call of its barrier; null where none was told to open."""
        calls = log.barrier_calls.all()
        newest = max(calls, key=lambda call: (call.asked_at, call.pk), default=None)
        return BarrierCallSerializer(newest).data if newest else None

    def get_snapshot_url(self, log: VehicleLog) -> str | None:
        """Say where the picture is; null where there is none."""
        return self.address("snapshot-of-vehicle", log.pk) if log.snapshot else None

    def get_plate_url(self, log: VehicleLog) -> str | None:
        """Say where the plate's picture is; null where there is none."""
        return self.address("snapshot-of-plate", log.pk) if log.plate_snapshot else None
