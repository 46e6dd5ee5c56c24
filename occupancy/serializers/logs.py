"""The public shapes of what was counted."""

from __future__ import annotations

from rest_framework import serializers

from occupancy.models import Area, OccupancyLog


class OccupancyLogSerializer(serializers.ModelSerializer[OccupancyLog]):
    camera_code = serializers.CharField(source="camera.code", read_only=True)
    line_name = serializers.CharField(source="line.name", default=None, read_only=True)
    direction = serializers.ChoiceField(
        choices=["in", "out", ""], read_only=True, help_text="Empty for a correction."
    )

    class Meta:
        model = OccupancyLog
        fields = [
            "id",
            "event_id",
            "camera",
            "camera_code",
            "line",
            "line_name",
            "cause",
            "kind",
            "label",
            "direction",
            "entries",
            "exits",
            "current_count",
            "is_drift",
            "reason",
            "track_id",
            "frame_index",
            "occurred_at",
            "recorded_at",
        ]


class AreaCountSerializer(serializers.ModelSerializer[Area]):
    """How many are in an area now, as pages and the live socket are told."""

    class Meta:
        model = Area
        fields = ["id", "name", "current_count", "drift", "capacity", "amber_percent"]


class LiveOccupancySerializer(serializers.Serializer[object]):
    """What one camera has counted since the site's midnight."""

    camera = serializers.IntegerField(source="camera.id")
    camera_code = serializers.CharField(source="camera.code")
    entries = serializers.IntegerField()
    exits = serializers.IntegerField()
    current_count = serializers.IntegerField()
