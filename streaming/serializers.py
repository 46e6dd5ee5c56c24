"""The public shapes of sites and cameras, in the API and on the live socket."""

from __future__ import annotations

from django.utils import timezone
from rest_framework import serializers

from .models import Camera, Site
from .rest import CheckedSerializer, VisibleKey


class SiteSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ["id", "name", "slug", "time_zone"]


class CameraSerializer(CheckedSerializer[Camera]):
    """A camera. Its source can be set and never read: it may hold a password."""

    site = VisibleKey(queryset=Site.objects.all())
    is_out = serializers.SerializerMethodField()

    class Meta:
        model = Camera
        fields = [
            "id",
            "site",
            "code",
            "name",
            "source_url",
            "loop",
            "direction",
            "detect_fps",
            "enabled",
            "state",
            "state_since",
            "state_reason",
            "last_frame_at",
            "is_out",
        ]
        read_only_fields = ["state", "state_since", "state_reason", "last_frame_at"]
        extra_kwargs = {"source_url": {"write_only": True}}

    def get_is_out(self, camera: Camera) -> bool:
        """Say whether it gives no picture though it should, whatever its state says."""
        return camera.is_out(now=timezone.now())
