"""Crossings and corrections, newest first."""

from __future__ import annotations

from rest_framework.viewsets import ReadOnlyModelViewSet

from occupancy.models import OccupancyLog
from occupancy.serializers import OccupancyLogSerializer
from streaming.rest import CameraCodeFilter, EventFilter, NewestFirst, ScopedQueryset


class OccupancyLogFilter(EventFilter):
    camera = CameraCodeFilter()

    class Meta:
        model = OccupancyLog
        fields = ["camera", "line", "cause", "kind", "label", "is_drift"]


class OccupancyLogViewSet(ScopedQueryset, ReadOnlyModelViewSet[OccupancyLog]):
    """Crossings and corrections, newest first."""

    queryset = OccupancyLog.objects.select_related("camera", "line")
    serializer_class = OccupancyLogSerializer
    pagination_class = NewestFirst
    filterset_class = OccupancyLogFilter
