"""Lines and crossings for integrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet, ReadOnlyModelViewSet

from streaming.models import Camera
from streaming.rest import (
    CameraCodeFilter,
    EventFilter,
    NewestFirst,
    ScopedQueryset,
)

from . import services
from .models import CountingLine, OccupancyLog
from .serializers import (
    CountingLineSerializer,
    LiveOccupancySerializer,
    OccupancyLogSerializer,
)

if TYPE_CHECKING:
    from rest_framework.request import Request


class CountingLineFilter(filters.FilterSet):  # type: ignore[misc]
    camera = CameraCodeFilter()

    class Meta:
        model = CountingLine
        fields = ["camera", "enabled"]


class CountingLineViewSet(ScopedQueryset, ModelViewSet[CountingLine]):
    """Counting lines."""

    queryset = CountingLine.objects.all()
    serializer_class = CountingLineSerializer
    filterset_class = CountingLineFilter


class OccupancyLogFilter(EventFilter):
    camera = CameraCodeFilter()

    class Meta:
        model = OccupancyLog
        fields = ["camera", "line", "cause", "is_drift"]


class OccupancyLogViewSet(ScopedQueryset, ReadOnlyModelViewSet[OccupancyLog]):
    """Crossings and corrections, newest first."""

    queryset = OccupancyLog.objects.select_related("camera", "line")
    serializer_class = OccupancyLogSerializer
    pagination_class = NewestFirst
    filterset_class = OccupancyLogFilter


class LiveOccupancyViewSet(GenericViewSet[OccupancyLog]):
    """Counts since the site's midnight, one row per camera."""

    queryset = OccupancyLog.objects.none()
    pagination_class = None

    @extend_schema(responses=LiveOccupancySerializer(many=True))
    def list(self, request: Request, *_: Any, **__: Any) -> Response:
        self.filter_queryset(self.get_queryset())  # refuses what it does not know
        cameras = Camera.objects.visible_to(request.user).filter(lines__isnull=False)
        counting = cameras.select_related("site").distinct().order_by("code")
        rows = services.live_occupancy(cameras=list(counting), now=timezone.now())
        return Response(LiveOccupancySerializer(rows, many=True).data)
