"""The public shapes of vehicles and visits, in the API and on the live socket."""

from __future__ import annotations

from rest_framework import serializers

from identity.serializers import PersonSerializer, PictureSerializer

from .models import Vehicle, VehicleLog


class KnownVehicleSerializer(serializers.ModelSerializer[Vehicle]):
    """A registered vehicle in a few words."""

    employee = PersonSerializer(read_only=True)

    class Meta:
        model = Vehicle
        fields = ["id", "plate_number", "owner", "employee"]
        read_only_fields = fields


class VehicleLogSerializer(PictureSerializer[VehicleLog]):
    """One visit of one vehicle; of rows with `with_names()`, else more queries each."""

    camera_code = serializers.CharField(source="camera.code", read_only=True)
    gate_name = serializers.CharField(source="gate.name", default=None, read_only=True)
    vehicle = KnownVehicleSerializer(read_only=True)
    possible_match = serializers.CharField(
        source="possible_match.plate_number",
        default=None,
        read_only=True,
        help_text="Plate of a blocked vehicle that it may be, misread.",
    )

    class Meta:
        model = VehicleLog
        fields = [
            "id",
            "event_id",
            "camera",
            "camera_code",
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
            "notes",
        ]
        read_only_fields = [name for name in fields if name != "notes"]
