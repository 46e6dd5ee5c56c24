"""Assignments, holidays and leaves in the admin."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from attendance import assigning
from attendance.models import Holiday, Leave, ShiftAssignment
from attendance.resources import (
    HolidayResource,
    LeaveResource,
    ShiftAssignmentResource,
)
from identity.admin.base import choose_only_site
from streaming.models import Site

from .base import RosterAdmin, person
from .put_on_shift import PutOnShift
from .words import last_day, leave_in_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from django.db.models import QuerySet
    from django.http import HttpRequest


def at_sites(
    request: HttpRequest, of_site: str, dates: Callable[[date], Q]
) -> Q | None:
    """Return a condition by the date at each of the user's sites; None without any."""
    now = timezone.now()
    sites = Site.objects.visible_to(request.user)
    parts = [Q(**{of_site: site}) & dates(site.local(now).date()) for site in sites]
    return reduce(or_, parts) if parts else None


def on_today(request: HttpRequest, prefix: str = "") -> Q | None:
    """Return a condition: the period holds its site's today."""

    def holds(today: date) -> Q:
        begun = Q(**{f"{prefix}starts_on__lte": today})
        goes_on = Q(**{f"{prefix}ends_on": None}) | Q(**{f"{prefix}ends_on__gt": today})
        return begun & goes_on

    return at_sites(request, f"{prefix}employee__site", holds)


class WhenFilter(admin.SimpleListFilter):
    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Today"), ("future", "Still to come"), ("past", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"now", "future", "past"}:
            return queryset
        conditions: dict[str, Q | None] = {
            "now": on_today(request),
            "future": at_sites(
                request, "employee__site", lambda today: Q(starts_on__gt=today)
            ),
            "past": at_sites(
                request, "employee__site", lambda today: Q(ends_on__lte=today)
            ),
        }
        return queryset.filter(conditions[self.value() or ""] or Q(pk=None))


class OfEmployeeAdmin(RosterAdmin):
    """Rows over dates of employees."""

    autocomplete_fields = ["employee"]
    search_fields = ["employee__code", "employee__name"]
    search_help_text = "Code or name."
    list_select_related = ["employee__site", "employee__department"]

    def site_of(self, row: Any) -> Site:
        return row.employee.site  # type: ignore[no-any-return]

    @admin.display(description="employee", ordering="employee__code")
    def who(self, row: Any) -> str:
        return person(row.employee)

    @admin.display(description="department", ordering="employee__department__name")
    def department(self, row: Any) -> str:
        return str(row.employee.department or "-")

    @admin.display(description="from", ordering="starts_on")
    def first(self, row: Any) -> str:
        return str(row.starts_on)


class AssignmentForm(forms.ModelForm[ShiftAssignment]):
    """Refuses who and what is not put on a shift any more, as the other ways do."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        employee, shift = given.get("employee"), given.get("shift")
        is_put = self.instance._state.adding or "shift" in self.changed_data
        if is_put and employee and shift and given.get("starts_on"):
            try:
                assigning.check(
                    [employee],
                    shift,
                    starts_on=given["starts_on"],
                    ends_on=given.get("ends_on"),
                )
            except assigning.ShiftNotAssigned as error:
                raise ValidationError(str(error)) from None
        return given


@admin.register(ShiftAssignment)
class ShiftAssignmentAdmin(PutOnShift, OfEmployeeAdmin):
    form = AssignmentForm
    resource_classes = [ShiftAssignmentResource]
    list_display = ["who", "department", "shift", "first", "until"]
    list_filter = [WhenFilter, "employee__site", "employee__department", "shift"]
    list_select_related = [*OfEmployeeAdmin.list_select_related, "shift"]
    ordering = ["-starts_on", "employee__code", "id"]
    readonly_fields = ["created_by", "created_at"]
    fieldsets = [
        (
            None,
            {
                "fields": ["employee", "shift", "starts_on", "ends_on"],
                "description": "For one person. To move many, or somebody who is on "
                "another shift, choose 'Put people on a shift' in the list: it ends "
                "what they are on.",
            },
        ),
        ("Who entered it", {"fields": readonly_fields}),
    ]

    @admin.display(description="until", ordering="ends_on")
    def until(self, row: ShiftAssignment) -> str:
        return str(row.ends_on or "further notice")


@admin.register(Leave)
class LeaveAdmin(OfEmployeeAdmin):
    resource_classes = [LeaveResource]
    list_display = ["who", "department", "kind", "first", "last", "back"]
    list_filter = [WhenFilter, "employee__site", "employee__department", "kind"]
    ordering = ["-starts_on", "employee__code", "id"]
    readonly_fields = ["in_words", "created_by", "created_at"]
    fieldsets = [
        (
            None,
            {
                "fields": ["employee", "kind", "starts_on", "ends_on", "in_words"],
                "description": "Leave that is approved. 'Until' is the first day back "
                "at work, not the last day of leave. Who comes anyway is present, "
                "unscheduled.",
            },
        ),
        ("Notes", {"fields": ["notes", "created_by", "created_at"]}),
    ]

    def save_model(
        self, request: HttpRequest, obj: Leave, form: Any, change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        messages.info(request, f"On leave {leave_in_words(obj)}.")

    @admin.display(description="last day of leave", ordering="ends_on")
    def last(self, leave: Leave) -> str:
        return str(last_day(leave))

    @admin.display(description="back at work", ordering="ends_on")
    def back(self, leave: Leave) -> str:
        return str(leave.ends_on)

    @admin.display(description="in words")
    def in_words(self, leave: Leave) -> str:
        return leave_in_words(leave) if leave.pk else "Said here once it is saved."


@admin.register(Holiday)
class HolidayAdmin(RosterAdmin):
    resource_classes = [HolidayResource]
    list_display = ["day", "weekday", "name", "site"]
    list_filter = ["site"]
    list_select_related = ["site"]
    search_fields = ["name"]
    ordering = ["-holiday_date", "site__name", "id"]
    fieldsets = [
        (
            None,
            {
                "fields": ["site", "holiday_date", "name"],
                "description": "A night shift belongs to the date on which it starts. "
                "Who comes on a holiday is present, unscheduled.",
            },
        )
    ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return choose_only_site(request, super().get_changeform_initial_data(request))

    @admin.display(description="date", ordering="holiday_date")
    def day(self, holiday: Holiday) -> str:
        return str(holiday.holiday_date)

    @admin.display(description="day of the week")
    def weekday(self, holiday: Holiday) -> str:
        return f"{holiday.holiday_date:%A}"
