"""What was counted, and what was corrected, in the admin: records."""

from __future__ import annotations

from django.contrib import admin

from identity.admin.base import site_time
from occupancy.models import AreaCorrection, OccupancyLog
from streaming.admin_base import ReadOnly, ScopedAdmin


@admin.register(OccupancyLog)
class OccupancyLogAdmin(ReadOnly, ScopedAdmin):
    list_display = [
        "when",
        "camera",
        "line",
        "direction",
        "label",
        "current_count",
        "cause",
        "drift",
    ]
    list_filter = ["camera", "cause", "kind", "label", "is_drift"]
    list_select_related = ["camera__site", "line"]
    search_fields = ["camera__code", "line__name", "event_id"]
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]
    show_full_result_count = False

    @admin.display(description="when, site time", ordering="occurred_at")
    def when(self, log: OccupancyLog) -> str:
        return site_time(log.camera.site, log.occurred_at)

    @admin.display(description="drift", ordering="is_drift")
    def drift(self, log: OccupancyLog) -> str:
        return "left an empty place" if log.is_drift else ""


@admin.register(AreaCorrection)
class AreaCorrectionAdmin(ReadOnly, ScopedAdmin):
    list_display = [
        "when",
        "area",
        "before",
        "current_count",
        "drift",
        "reason",
        "who",
    ]
    list_filter = ["area__site", "area"]
    list_select_related = ["area__site", "corrected_by"]
    search_fields = ["area__name", "reason"]
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]
    fields = ["when", "area", "before", "current_count", "drift", "reason", "who"]

    @admin.display(description="when, site time", ordering="occurred_at")
    def when(self, row: AreaCorrection) -> str:
        return site_time(row.area.site, row.occurred_at)

    @admin.display(description="by", ordering="corrected_by")
    def who(self, row: AreaCorrection) -> str:
        return row.corrected_by.username if row.corrected_by else "the daily correction"
