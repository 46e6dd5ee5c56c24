"""The public shapes of lines and crossings, in the API and on the live socket."""

from __future__ import annotations

from rest_framework import serializers

from streaming.models import Camera
from streaming.rest import CheckedSerializer, VisibleKey

from .models import CountingLine, OccupancyLog


class CountingLineSerializer(CheckedSerializer[CountingLine]):
    camera = VisibleKey(queryset=Camera.objects.all())

    class Meta:
        model = CountingLine
        fields = ["id", "camera", "name", "x1", "y1", "x2", "y2", "enabled"]


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
            "direction",
            "entries",
            "exits",
            "current_count",
            "is_drift",
            "track_id",
            "frame_index",
            "occurred_at",
            "recorded_at",
        ]


class LiveOccupancySerializer(serializers.Serializer[object]):
    """What one camera has counted since the site's midnight."""

    camera = serializers.IntegerField(source="camera.id")
    camera_code = serializers.CharField(source="camera.code")
    entries = serializers.IntegerField()
    exits = serializers.IntegerField()
    current_count = serializers.IntegerField()
