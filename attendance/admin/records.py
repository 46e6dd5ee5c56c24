"""What became of each day, and what people said of it: to look at in the admin."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from unfold.decorators import display

from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
)
from attendance.models.days import Review, Status
from identity.admin.base import link, site_time
from streaming.admin_base import ReadOnly, ScopedAdmin

from .base import person
from .words import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from streaming.models import Site

COLOURS: Final = {
    Status.PRESENT.label: "success",
    Status.LATE.label: "warning",
    Status.ABSENT.label: "danger",
    Status.UNVERIFIED.label: "info",
}
BY_THE_RULES: Final = "Given back to the rules"


class ReviewFilter(admin.SimpleListFilter):
    title = "to look at"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("any", "Anything"), *Review.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AttendanceRecord]
    ) -> QuerySet[AttendanceRecord]:
        if self.value() == "any":
            return queryset.exclude(reviews=[])
        if self.value() in Review.values:
            return queryset.filter(reviews__contains=[self.value()])
        return queryset


class CorrectedFilter(admin.SimpleListFilter):
    title = "corrected"
    parameter_name = "corrected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "By a person"), ("no", "By the rules alone")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AttendanceRecord]
    ) -> QuerySet[AttendanceRecord]:
        if self.value() in {"yes", "no"}:
            return queryset.filter(corrected_at__isnull=self.value() == "no")
        return queryset


def day_page(record: AttendanceRecord) -> str:
    date = record.attendance_date
    return reverse("attendance-day", args=[record.employee.code, date])


def site_of(record: AttendanceRecord) -> Site:
    return record.employee.site


@admin.register(AttendanceRecord)
class AttendanceRecordAdmin(ReadOnly, ScopedAdmin):
    """The days; a day's own page shows its proof and takes corrections."""

    list_display = [
        "day",
        "who",
        "result",
        "came",
        "left",
        "late",
        "worked",
        "to_look_at",
        "by_hand",
    ]
    list_display_links = None
    list_filter = [
        "employee__site",
        "employee__department",
        "status",
        ReviewFilter,
        CorrectedFilter,
        "shift",
    ]
    search_fields = ["employee__code", "employee__name"]
    search_help_text = "Code or name."
    date_hierarchy = "attendance_date"
    ordering = ["-attendance_date", "employee__code", "id"]
    show_full_result_count = False
    fields = [
        "day",
        "who",
        "result",
        "shift",
        "came",
        "left",
        "late",
        "worked",
        "to_look_at",
        "by_hand",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttendanceRecord]:
        records: Any = super().get_queryset(request)
        return records.with_names()  # type: ignore[no-any-return]

    def view_on_site(self, obj: AttendanceRecord) -> str:
        return day_page(obj)

    @admin.display(description="date", ordering="attendance_date")
    def day(self, record: AttendanceRecord) -> SafeString:
        return link(day_page(record), f"{record.attendance_date:%Y-%m-%d %a}")

    @admin.display(description="employee", ordering="employee__code")
    def who(self, record: AttendanceRecord) -> str:
        return person(record.employee)

    @display(description="status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def result(self, record: AttendanceRecord) -> str:
        return record.get_status_display()

    @admin.display(description="in", ordering="check_in_at")
    def came(self, record: AttendanceRecord) -> str:
        return self._clock(record, record.check_in_at)

    @admin.display(description="out", ordering="check_out_at")
    def left(self, record: AttendanceRecord) -> str:
        return self._clock(record, record.check_out_at)

    @admin.display(description="late, min", ordering="late_minutes")
    def late(self, record: AttendanceRecord) -> str:
        return str(record.late_minutes or "-")

    @admin.display(description="worked", ordering="worked_minutes")
    def worked(self, record: AttendanceRecord) -> str:
        minutes = record.worked_minutes
        return "-" if minutes is None else f"{minutes // 60}:{minutes % 60:02}"

    @admin.display(description="to look at")
    def to_look_at(self, record: AttendanceRecord) -> str:
        told = [Review(review).label for review in record.reviews]
        return ", ".join(told) or "-"

    @admin.display(description="corrected", ordering="corrected_at")
    def by_hand(self, record: AttendanceRecord) -> str:
        return "by a person" if record.is_corrected else "-"

    def _clock(self, record: AttendanceRecord, at: datetime | None) -> str:
        return clock(record.employee.site, at, on=record.attendance_date)


class OfDayAdmin(ReadOnly, ScopedAdmin):
    """What people said of days."""

    list_display_links = None
    list_select_related = ["record__employee__site", "made_by"]
    search_fields = ["record__employee__code", "record__employee__name"]
    search_help_text = "Code or name."
    ordering = ["-made_at", "-id"]

    def view_on_site(self, obj: Any) -> str:
        return day_page(obj.record)

    @admin.display(description="day", ordering="record__attendance_date")
    def day(self, row: Any) -> SafeString:
        return link(day_page(row.record), row.record.attendance_date)

    @admin.display(description="employee", ordering="record__employee__code")
    def who(self, row: Any) -> str:
        return person(row.record.employee)

    @admin.display(description="entered, site time", ordering="made_at")
    def made(self, row: Any) -> str:
        return site_time(site_of(row.record), row.made_at)


@admin.register(AttendanceCorrection)
class AttendanceCorrectionAdmin(OfDayAdmin):
    list_display = ["made", "made_by", "day", "who", "was", "is_now", "reason"]
    list_filter = ["record__employee__site", "record__employee__department"]
    fields = list_display

    @admin.display(description="was")
    def was(self, correction: AttendanceCorrection) -> str:
        return state_in_words(correction.before, correction.record)

    @admin.display(description="is")
    def is_now(self, correction: AttendanceCorrection) -> str:
        if not correction.after:
            return BY_THE_RULES
        return state_in_words(correction.after, correction.record)


@admin.register(CorrectionRequest)
class CorrectionRequestAdmin(OfDayAdmin):
    list_display = ["made", "standing", "day", "who", "text", "answer", "answered_by"]
    list_filter = ["state", "record__employee__site", "record__employee__department"]
    list_select_related = [*OfDayAdmin.list_select_related, "answered_by"]
    fields = [*list_display, "made_by", "answered"]

    def view_on_site(self, obj: CorrectionRequest) -> str:
        return reverse("attendance-requests")

    @admin.display(description="state", ordering="state")
    def standing(self, request: CorrectionRequest) -> SafeString | str:
        words = request.get_state_display()
        if request.state != CorrectionRequest.State.OPEN:
            return words
        return link(reverse("attendance-requests"), words)

    @admin.display(description="answered, site time")
    def answered(self, request: CorrectionRequest) -> str:
        return site_time(site_of(request.record), request.answered_at)


def state_in_words(state: Mapping[str, Any], record: AttendanceRecord) -> str:
    """Say what a correction found or left: status, in and out by the site's clock."""
    site, on = site_of(record), record.attendance_date
    status = str(state.get("status") or "")
    known = status in Status.values
    times = [
        f"{word} {clock(site, datetime.fromisoformat(at), on=on)}"
        for word, at in (
            ("in", state.get("check_in_at")),
            ("out", state.get("check_out_at")),
        )
        if at
    ]
    return ", ".join([Status(status).label if known else "No record", *times])
