"""The public shapes of sites and cameras, in the API and on the live socket."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from .models import Camera, CameraOutage, Site, check_tasks
from .rest import CheckedSerializer, VisibleKey


class SiteSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ["id", "name", "slug", "time_zone"]


class CameraSerializer(CheckedSerializer[Camera]):
    """A camera. Its sources can be set and never read: they may hold a password."""

    site = VisibleKey(queryset=Site.objects.all())
    tasks = serializers.ListField(
        child=serializers.ChoiceField(choices=Camera.Task.choices),
        required=False,
        validators=[check_tasks],
    )
    is_out = serializers.SerializerMethodField()
    lease_holder = serializers.SerializerMethodField()

    class Meta:
        model = Camera
        fields = [
            "id",
            "site",
            "code",
            "name",
            "source_url",
            "sub_stream_url",
            "loop",
            "direction",
            "place",
            "tasks",
            "detect_fps",
            "enabled",
            "state",
            "state_since",
            "state_cause",
            "state_reason",
            "last_frame_at",
            "is_out",
            "lease_holder",
        ]
        read_only_fields = [
            "state",
            "state_since",
            "state_cause",
            "state_reason",
            "last_frame_at",
        ]
        extra_kwargs = {
            "source_url": {"write_only": True},
            "sub_stream_url": {"write_only": True},
        }

    def get_is_out(self, camera: Camera) -> bool:
        """Say whether it gives no picture though it should, whatever its state says."""
        return camera.is_out(now=timezone.now())

    def get_lease_holder(self, camera: Camera) -> str:
        """Name the vision worker that runs it; empty when none does."""
        return camera.holder(now=timezone.now())

    def update(self, instance: Camera, validated_data: dict[str, Any]) -> Camera:
        """Write what was sent and nothing else: workers write the same row."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance


class CameraOutageSerializer(serializers.ModelSerializer[CameraOutage]):
    camera_code = serializers.CharField(source="camera.code")

    class Meta:
        model = CameraOutage
        fields = [
            "id",
            "camera",
            "camera_code",
            "cause",
            "reason",
            "started_at",
            "ended_at",
        ]


class OutagesSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    seconds = serializers.FloatField()


class CameraStatusSerializer(serializers.Serializer[Any]):
    """How a camera does now; its worker's figures are null without a worker."""

    camera = serializers.CharField(source="camera.code")
    state = serializers.CharField(source="camera.state")
    state_since = serializers.DateTimeField(
        source="camera.state_since", allow_null=True
    )
    state_cause = serializers.CharField(source="camera.state_cause", allow_blank=True)
    state_reason = serializers.CharField(source="camera.state_reason", allow_blank=True)
    is_out = serializers.BooleanField()
    worker = serializers.CharField(allow_blank=True)
    connected = serializers.BooleanField()
    frames_read = serializers.IntegerField(source="stats.frames_read", default=None)
    fps = serializers.FloatField(source="stats.fps", default=None)
    fps_analysed = serializers.FloatField(source="stats.fps_analysed", default=None)
    dropped = serializers.IntegerField(source="stats.dropped", default=None)
    shed = serializers.IntegerField(source="stats.shed", default=None)
    latency_ms = serializers.FloatField(source="stats.latency_ms", default=None)
    viewers = serializers.IntegerField()
    outages_24h = OutagesSerializer(source="outages")


class FeedLinkSerializer(serializers.Serializer[Any]):
    """A link to a live picture, and until when it may be opened."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
