"""Visits at the gates, and calls of barriers, in the admin: records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse

from identity.admin.base import link, picture, site_time
from streaming.admin_base import ReadOnly, ScopedAdmin
from vehicles.formats import normalise
from vehicles.models import BarrierCall, VehicleLog

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(VehicleLog)
class VehicleLogAdmin(ReadOnly, ScopedAdmin):
    list_display = ["came", "shown", "plate", "standing", "why", "opens", "place"]
    list_display_links = None
    list_filter = ["status", "reason", "camera__site", "gate", "camera", "vehicle_type"]
    search_fields = ["plate_number", "vehicle__owner", "notes"]
    search_help_text = "Plate, owner or notes."
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]
    show_full_result_count = False
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "shown_large",
                    "plate_shown",
                    "plate",
                    "vehicle",
                    "vehicle_type",
                    "standing",
                    "why",
                    "opens",
                    "possible_match",
                    "place",
                    "came",
                    "until",
                ]
            },
        ),
        (
            "Read",
            {
                "fields": ["as_read", "sureness", "agreeing", "read_as", "reader"],
                "description": "'View on site' shows it in words.",
            },
        ),
        (
            "What people said",
            {
                "fields": [
                    "named_by",
                    "named",
                    "denied_by",
                    "denied",
                    "denied_reason",
                    "notes",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[VehicleLog]:
        logs: Any = super().get_queryset(request)
        return logs.with_names()  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[VehicleLog], search_term: str
    ) -> tuple[QuerySet[VehicleLog], bool]:
        """Find a plate also by its spaced or dashed form."""
        found, has_twins = super().get_search_results(request, queryset, search_term)
        plate = normalise(search_term)
        if plate:
            found |= queryset.filter(plate_number__contains=plate)
        return found, has_twins

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        """Let a vehicle's page lead to its visits."""
        is_of_vehicle = lookup == "vehicle__id__exact"
        return is_of_vehicle or super().lookup_allowed(lookup, value, request)

    def view_on_site(self, obj: VehicleLog) -> str:
        return reverse("vehicle-visit", args=[obj.pk])

    @admin.display(description="came, site time", ordering="occurred_at")
    def came(self, log: VehicleLog) -> SafeString:
        at = site_time(log.camera.site, log.occurred_at)
        return link(self.view_on_site(log), at)

    @admin.display(description="until, site time")
    def until(self, log: VehicleLog) -> str:
        return site_time(log.camera.site, log.last_seen_at)

    @admin.display(description="picture")
    def shown(self, log: VehicleLog) -> SafeString | str:
        return _vehicle(log, height=64)

    @admin.display(description="picture")
    def shown_large(self, log: VehicleLog) -> SafeString | str:
        return _vehicle(log, height=240)

    @admin.display(description="its plate")
    def plate_shown(self, log: VehicleLog) -> SafeString | str:
        if not log.plate_snapshot:
            return "-"
        url = reverse("snapshot-of-plate", args=[log.pk])
        return picture(url, of=f"Plate of {log}", height=64)

    @admin.display(description="plate", ordering="plate_number")
    def plate(self, log: VehicleLog) -> str:
        return log.plate_number or "not read"

    @admin.display(description="decision", ordering="status")
    def standing(self, log: VehicleLog) -> str:
        status = log.get_status_display()
        return f"{status}, denied by a person" if log.denied_at else status

    @admin.display(description="why", ordering="reason")
    def why(self, log: VehicleLog) -> str:
        return log.get_reason_display()

    @admin.display(description="gate", ordering="gate__name")
    def place(self, log: VehicleLog) -> str:
        return f"{log.gate}, {log.camera.code}" if log.gate else log.camera.code

    @admin.display(description="least sure character")
    def sureness(self, log: VehicleLog) -> str:
        return f"{log.ocr_confidence:.2f}, asked for {log.threshold:.2f}"

    @admin.display(description="reads")
    def read_as(self, log: VehicleLog) -> str:
        return ", ".join(str(each["text"]) for each in log.reads) or "none"

    @admin.display(description="named, site time")
    def named(self, log: VehicleLog) -> str:
        return site_time(log.camera.site, log.named_at)

    @admin.display(description="denied, site time")
    def denied(self, log: VehicleLog) -> str:
        return site_time(log.camera.site, log.denied_at)


def _vehicle(log: VehicleLog, *, height: int) -> SafeString | str:
    if not log.snapshot:
        return "-"
    url = reverse("snapshot-of-vehicle", args=[log.pk])
    return picture(url, of=str(log), height=height)


@admin.register(BarrierCall)
class BarrierCallAdmin(ReadOnly, ScopedAdmin):
    list_display = ["asked", "gate", "result", "who", "why", "answer", "took", "visit"]
    list_display_links = None
    list_filter = ["result", "gate__site", "gate"]
    search_fields = ["log__plate_number", "reason", "answer"]
    search_help_text = "Plate, reason or the barrier's answer."
    date_hierarchy = "asked_at"
    ordering = ["-asked_at", "-id"]
    show_full_result_count = False
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[BarrierCall]:
        calls: QuerySet[BarrierCall] = super().get_queryset(request)
        named = calls.select_related("gate__site", "log", "asked_by")
        return named.defer("gate__address")

    @admin.display(description="asked, site time", ordering="asked_at")
    def asked(self, call: BarrierCall) -> str:
        return site_time(call.gate.site, call.asked_at)

    @admin.display(description="asked by")
    def who(self, call: BarrierCall) -> str:
        return str(call.asked_by) if call.asked_by else "the rules"

    @admin.display(description="why")
    def why(self, call: BarrierCall) -> str:
        return call.reason or "-"

    @admin.display(description="took", ordering="took_ms")
    def took(self, call: BarrierCall) -> str:
        return f"{call.took_ms} ms"

    @admin.display(description="visit")
    def visit(self, call: BarrierCall) -> SafeString | str:
        if call.log is None:
            return "-"
        address = reverse("vehicle-visit", args=[call.log.pk])
        return link(address, call.log.plate_number or "not read")
