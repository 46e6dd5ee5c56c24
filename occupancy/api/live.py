"""How many are inside now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from occupancy import services
from occupancy.models import OccupancyLog
from occupancy.serializers import LiveOccupancySerializer
from streaming.models import Camera

if TYPE_CHECKING:
    from rest_framework.request import Request


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
