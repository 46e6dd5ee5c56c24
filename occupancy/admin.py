"""Counting lines and crossings in the admin."""

from __future__ import annotations

from django.contrib import admin

from streaming.admin_base import ReadOnly, ScopedAdmin

from .models import CountingLine, OccupancyLog


@admin.register(CountingLine)
class CountingLineAdmin(ScopedAdmin):
    list_display = ["name", "camera", "x1", "y1", "x2", "y2", "enabled"]
    list_filter = ["camera__site", "enabled"]
    list_select_related = ["camera"]
    search_fields = ["name", "camera__code", "camera__name"]
    ordering = ["camera__code", "name"]
    fieldsets = [
        (None, {"fields": ["camera", "name", "enabled"]}),
        (
            "Where",
            {
                "fields": [("x1", "y1"), ("x2", "y2")],
                "description": "Walking from start to end as seen on the screen, "
                "'in' is a crossing from your right-hand side to your left-hand side. "
                "A line from the top (0.5, 0) to the bottom (0.5, 1) counts people "
                "walking from screen left to screen right as in.",
            },
        ),
    ]


@admin.register(OccupancyLog)
class OccupancyLogAdmin(ReadOnly, ScopedAdmin):
    list_display = [
        "when",
        "camera",
        "line",
        "direction",
        "current_count",
        "cause",
        "drift",
    ]
    list_filter = ["camera", "cause", "is_drift"]
    list_select_related = ["camera__site", "line"]
    search_fields = ["camera__code", "line__name", "event_id"]
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]

    @admin.display(description="when, site time", ordering="occurred_at")
    def when(self, log: OccupancyLog) -> str:
        return f"{log.camera.site.local(log.occurred_at):%Y-%m-%d %H:%M:%S %Z}"

    @admin.display(description="drift", ordering="is_drift")
    def drift(self, log: OccupancyLog) -> str:
        return "left an empty place" if log.is_drift else ""
