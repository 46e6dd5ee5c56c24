"""What days are worked out from: who was seen, and faces nobody could name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse

from attendance.models import PresenceEvent, UnknownAttendance
from identity.admin.base import link, site_time
from streaming.admin_base import ReadOnly, ScopedAdmin

from .base import person

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(PresenceEvent)
class PresenceEventAdmin(ReadOnly, ScopedAdmin):
    list_display = ["came", "who", "way", "source", "place", "until", "recorded_by"]
    list_display_links = None
    list_filter = ["employee__site", "way", "source", "camera"]
    search_fields = ["employee__code", "employee__name"]
    search_help_text = "Code or name."
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]
    show_full_result_count = False
    fields = [*list_display, "similarity", "threshold", "recorded", "event_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PresenceEvent]:
        events: QuerySet[PresenceEvent] = super().get_queryset(request)
        named = events.select_related("employee__site", "camera", "recorded_by")
        return named.defer("camera__source_url", "camera__sub_stream_url")

    def view_on_site(self, obj: PresenceEvent) -> str:
        on = obj.employee.site.local(obj.occurred_at).date()
        return reverse("attendance-day", args=[obj.employee.code, on])

    @admin.display(description="seen, site time", ordering="occurred_at")
    def came(self, event: PresenceEvent) -> SafeString:
        at = site_time(event.employee.site, event.occurred_at)
        return link(self.view_on_site(event), at)

    @admin.display(description="until, site time", ordering="last_seen_at")
    def until(self, event: PresenceEvent) -> str:
        return site_time(event.employee.site, event.last_seen_at)

    @admin.display(description="employee", ordering="employee__code")
    def who(self, event: PresenceEvent) -> str:
        return person(event.employee)

    @admin.display(description="camera", ordering="camera__code")
    def place(self, event: PresenceEvent) -> str:
        return event.camera.code if event.camera else "-"

    @admin.display(description="recorded, site time")
    def recorded(self, event: PresenceEvent) -> str:
        return site_time(event.employee.site, event.recorded_at)


@admin.register(UnknownAttendance)
class UnknownAttendanceAdmin(ReadOnly, ScopedAdmin):
    list_display = ["seen", "place", "standing", "who", "decided_by", "decided"]
    list_display_links = None
    list_filter = ["state", "camera__site", "camera"]
    search_fields = ["employee__code", "employee__name", "camera__code"]
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownAttendance]:
        faces: Any = super().get_queryset(request)
        return faces.with_names().select_related(  # type: ignore[no-any-return]
            "camera__site", "employee", "decided_by"
        )

    def view_on_site(self, obj: UnknownAttendance) -> str:
        return reverse("attendance-unknown-face", args=[obj.pk])

    @admin.display(description="seen, site time", ordering="occurred_at")
    def seen(self, face: UnknownAttendance) -> SafeString:
        at = site_time(face.camera.site, face.occurred_at)
        return link(self.view_on_site(face), at)

    @admin.display(description="camera", ordering="camera__code")
    def place(self, face: UnknownAttendance) -> str:
        return face.camera.code

    @admin.display(description="state", ordering="state")
    def standing(self, face: UnknownAttendance) -> str:
        return face.get_state_display()

    @admin.display(description="employee", ordering="employee__code")
    def who(self, face: UnknownAttendance) -> str:
        return person(face.employee) if face.employee else "-"

    @admin.display(description="decided, site time")
    def decided(self, face: UnknownAttendance) -> str:
        return site_time(face.camera.site, face.decided_at)
