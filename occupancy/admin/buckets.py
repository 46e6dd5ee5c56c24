"""Counts by the hour, the day and the month, in the admin: records."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin

from occupancy.models import DailyOccupancy, HourlyOccupancy, MonthlyOccupancy
from streaming.admin_base import ReadOnly, ScopedAdmin

if TYPE_CHECKING:
    from occupancy.models import Bucket


class BucketAdmin(ReadOnly, ScopedAdmin):
    """A bucket per row; it is made anew from the log where that is asked for."""

    begins: ClassVar[str]
    """How the site's clock tells its start."""
    list_display = [
        "begin",
        "place",
        "kind",
        "total_entries",
        "total_exits",
        "average",
        "max_occupancy",
        "min_occupancy",
        "closing_count",
    ]
    list_filter = ["site", "kind", "camera", "area"]
    list_select_related = ["site", "camera", "area"]
    search_fields = ["camera__code", "camera__name", "area__name"]
    date_hierarchy = "start"
    ordering = ["-start", "-id"]
    show_full_result_count = False
    fields = [*list_display]

    @admin.display(description="begins, site time", ordering="start")
    def begin(self, row: Bucket) -> str:
        return row.site.local(row.start).strftime(self.begins)

    @admin.display(description="of")
    def place(self, row: Bucket) -> str:
        return str(row.area or row.camera)

    @admin.display(description="average", ordering="avg_occupancy")
    def average(self, row: Bucket) -> str:
        return f"{row.avg_occupancy:.1f}"


@admin.register(HourlyOccupancy)
class HourlyOccupancyAdmin(BucketAdmin):
    begins = "%Y-%m-%d %H:%M %Z"


@admin.register(DailyOccupancy)
class DailyOccupancyAdmin(BucketAdmin):
    begins = "%Y-%m-%d"


@admin.register(MonthlyOccupancy)
class MonthlyOccupancyAdmin(BucketAdmin):
    begins = "%Y-%m"
