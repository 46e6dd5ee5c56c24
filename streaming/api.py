"""Sites and cameras for integrators."""

from __future__ import annotations

from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from .models import Camera, Site
from .rest import ScopedQueryset
from .serializers import CameraSerializer, SiteSerializer


class SiteViewSet(ScopedQueryset, ReadOnlyModelViewSet[Site]):
    """Sites that the login is assigned to."""

    queryset = Site.objects.all()
    serializer_class = SiteSerializer


class CameraViewSet(ScopedQueryset, ModelViewSet[Camera]):
    """Cameras and their state."""

    queryset = Camera.objects.all()
    serializer_class = CameraSerializer
    filterset_fields = ["site", "code", "state", "enabled"]
