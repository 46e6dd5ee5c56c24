"""Counts by the hour, the day and the month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from identity.api.base import SiteFilter, VisibleKeyFilter
from occupancy.models import (
    Area,
    Bucket,
    DailyOccupancy,
    HourlyOccupancy,
    MonthlyOccupancy,
)
from streaming.rest import ById, CameraCodeFilter, ScopedQueryset

if TYPE_CHECKING:
    from collections.abc import Sequence

FIELDS: Final[Sequence[str]] = (
    "id",
    "camera",
    "camera_code",
    "area",
    "area_name",
    "kind",
    "start",
    "end",
    "avg_occupancy",
    "max_occupancy",
    "min_occupancy",
    "total_entries",
    "total_exits",
    "closing_count",
)


class BucketFilter(filters.FilterSet):  # type: ignore[misc]
    """Keeps what begins at `from` or later, and before `to`."""

    site = SiteFilter()
    camera = CameraCodeFilter()
    area = VisibleKeyFilter(Area.objects.all(), "area")
    from_ = filters.IsoDateTimeFilter("start", "gte", label="From, inclusive")
    to = filters.IsoDateTimeFilter("start", "lt", label="To, exclusive")

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """Give `from_` its name in addresses, which no class attribute can bear."""
        found = super().get_filters()
        return {name.rstrip("_"): wanted for name, wanted in found.items()}


class NewestBucketFirst(ById):
    ordering = ("-start", "-id")


class BucketSerializer(serializers.ModelSerializer[Any]):
    camera_code = serializers.CharField(
        source="camera.code", default=None, read_only=True
    )
    area_name = serializers.CharField(source="area.name", default=None, read_only=True)


class HourlySerializer(BucketSerializer):
    class Meta:
        model = HourlyOccupancy
        fields = FIELDS


class DailySerializer(BucketSerializer):
    class Meta:
        model = DailyOccupancy
        fields = FIELDS


class MonthlySerializer(BucketSerializer):
    class Meta:
        model = MonthlyOccupancy
        fields = FIELDS


class HourlyFilter(BucketFilter):
    class Meta:
        model = HourlyOccupancy
        fields = ["kind"]


class DailyFilter(BucketFilter):
    class Meta:
        model = DailyOccupancy
        fields = ["kind"]


class MonthlyFilter(BucketFilter):
    class Meta:
        model = MonthlyOccupancy
        fields = ["kind"]


class HourlyViewSet(ScopedQueryset, ReadOnlyModelViewSet[Bucket]):
    """Hours that are over, by the site's clock, newest first."""

    queryset = HourlyOccupancy.objects.select_related("camera", "area")
    serializer_class = HourlySerializer
    pagination_class = NewestBucketFirst
    filterset_class = HourlyFilter


class DailyViewSet(ScopedQueryset, ReadOnlyModelViewSet[Bucket]):
    """Days that are over, by the site's clock, newest first."""

    queryset = DailyOccupancy.objects.select_related("camera", "area")
    serializer_class = DailySerializer
    pagination_class = NewestBucketFirst
    filterset_class = DailyFilter


class MonthlyViewSet(ScopedQueryset, ReadOnlyModelViewSet[Bucket]):
    """Months that are over, by the site's clock, newest first."""

    queryset = MonthlyOccupancy.objects.select_related("camera", "area")
    serializer_class = MonthlySerializer
    pagination_class = NewestBucketFirst
    filterset_class = MonthlyFilter
