"""The public shape of alerts: in the API, on the live socket and in webhooks."""

from __future__ import annotations

from rest_framework import serializers

from .models import Alert


class AlertSerializer(serializers.ModelSerializer[Alert]):
    site_name = serializers.CharField(source="site.name", default=None, read_only=True)
    camera_code = serializers.CharField(
        source="camera.code", default=None, read_only=True
    )
    camera_name = serializers.CharField(
        source="camera.name", default=None, read_only=True
    )
    kind_label = serializers.CharField(source="get_kind_display", read_only=True)
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.username", default=None, read_only=True
    )
    resolved_by = serializers.CharField(
        source="resolved_by.username",
        default=None,
        read_only=True,
        help_text="Empty where it resolved itself.",
    )

    class Meta:
        model = Alert
        fields = [
            "id",
            "event_id",
            "site",
            "site_name",
            "camera",
            "camera_code",
            "camera_name",
            "kind",
            "kind_label",
            "severity",
            "subject",
            "text",
            "state",
            "opened_at",
            "acknowledged_at",
            "acknowledged_by",
            "note",
            "resolved_at",
            "resolved_by",
        ]


class NoteSerializer(serializers.Serializer[object]):
    """What was done about an alert."""

    note = serializers.CharField(
        required=False, allow_blank=True, max_length=1000, default=""
    )
