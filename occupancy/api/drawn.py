"""What is drawn on cameras' pictures, and the areas whose doors the lines are."""

from __future__ import annotations

from typing import Final

from django.db.models import Model, Prefetch, ProtectedError
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.viewsets import ModelViewSet

from identity.api.base import NotDone, SiteFilter
from occupancy.areas import AreaStays, remove_area
from occupancy.models import Area, AreaLine, CountingLine, Zone
from occupancy.serializers import (
    AreaSerializer,
    CountingLineSerializer,
    ZoneSerializer,
)
from streaming.rest import CameraCodeFilter, ScopedQueryset

COUNTED: Final = "It has counted, so it stays. Set `enabled` to false instead."
STAYS: Final = OpenApiResponse(description="Records refer to it, so it stays.")
DOORS: Final = Prefetch(
    "doors", AreaLine.objects.select_related("line").order_by("line__name", "line_id")
)


class CountingLineFilter(filters.FilterSet):  # type: ignore[misc]
    camera = CameraCodeFilter()

    class Meta:
        model = CountingLine
        fields = ["camera", "enabled"]


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class CountingLineViewSet(ScopedQueryset, ModelViewSet[CountingLine]):
    """Counting lines."""

    queryset = CountingLine.objects.all()
    serializer_class = CountingLineSerializer
    filterset_class = CountingLineFilter

    def perform_destroy(self, instance: CountingLine) -> None:
        delete(instance)


class ZoneFilter(filters.FilterSet):  # type: ignore[misc]
    camera = CameraCodeFilter()

    class Meta:
        model = Zone
        fields = ["camera", "enabled", "restricted"]


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class ZoneViewSet(ScopedQueryset, ModelViewSet[Zone]):
    """Zones, and how many stood in each when it was last looked at."""

    queryset = Zone.objects.all()
    serializer_class = ZoneSerializer
    filterset_class = ZoneFilter

    def perform_destroy(self, instance: Zone) -> None:
        delete(instance)


class AreaFilter(filters.FilterSet):  # type: ignore[misc]
    site = SiteFilter()

    class Meta:
        model = Area
        fields = ["site", "name", "enabled"]


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class AreaViewSet(ScopedQueryset, ModelViewSet[Area]):
    """Halls and whole sites, how many are inside, and the lines at their doors.

    `doors` is the whole list: what it leaves out is no door any more. `inverted` is a
    line whose `in` leads out of the area.
    """

    queryset = Area.objects.prefetch_related(DOORS)
    serializer_class = AreaSerializer
    filterset_class = AreaFilter

    def perform_destroy(self, instance: Area) -> None:
        try:
            remove_area(area=instance)
        except AreaStays as error:
            raise NotDone(str(error), code="protected") from error


def delete(row: Model) -> None:
    """Delete a row, or refuse with a 409 where it has counted."""
    try:
        row.delete()
    except ProtectedError as error:
        raise NotDone(COUNTED, code="protected") from error
