"""Shifts in the admin: the times of work, said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q
from unfold.widgets import INPUT_CLASSES, UnfoldAdminCheckboxSelectMultipleWidget

from attendance.models import Shift
from identity.admin.base import HistoryAdmin, choose_only_site

from .roster import on_today
from .words import days_off, shift_in_words

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

TIMES: Final = {"start_time", "end_time", "grace_period_minutes", "weekly_off_days"}
PAST_STAYS: Final = (
    "Days that are recorded keep the times they had; the new ones count from now on."
)


def time_of_day() -> forms.TimeInput:
    """Take HH:MM; an input of the browser's own would say AM and PM to some."""
    attrs = {"placeholder": "22:00", "class": " ".join(INPUT_CLASSES)}
    return forms.TimeInput(attrs=attrs, format="%H:%M")


class ShiftForm(forms.ModelForm[Shift]):
    weekly_off_days = forms.MultipleChoiceField(
        label="Weekly off",
        choices=Shift.Weekday,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=Shift._meta.get_field("weekly_off_days").help_text,
    )

    class Meta:
        model = Shift
        fields = [
            "site",
            "shift_name",
            "start_time",
            "end_time",
            "grace_period_minutes",
            "weekly_off_days",
            "is_active",
        ]
        widgets = {"start_time": time_of_day(), "end_time": time_of_day()}


@admin.register(Shift)
class ShiftAdmin(HistoryAdmin):
    form = ShiftForm
    list_display = ["shift_name", "site", "hours", "weekly_off", "people", "is_active"]
    list_filter = ["site", "is_active"]
    list_select_related = ["site"]
    search_fields = ["shift_name"]
    ordering = ["site__name", "start_time", "shift_name", "id"]
    readonly_fields = ["in_words"]
    fieldsets = [
        (None, {"fields": ["site", "shift_name", "is_active"]}),
        (
            "Times",
            {
                "fields": [
                    "start_time",
                    "end_time",
                    "grace_period_minutes",
                    "weekly_off_days",
                    "in_words",
                ],
                "description": "Times are by the site's clock. A change counts from "
                "now on: days that are recorded keep the times they had. Who is on it "
                "is said under 'Shift assignments'.",
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shift]:
        shifts: QuerySet[Shift] = super().get_queryset(request)
        now_on_it = on_today(request, "assignments__")
        return shifts.annotate(
            people_now=Count("assignments", filter=now_on_it or Q(pk=None))
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return choose_only_site(request, super().get_changeform_initial_data(request))

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Keep the form's own inputs of a time."""
        if db_field.name in {"start_time", "end_time"}:
            return db_field.formfield(widget=time_of_day())
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Shift, form: Any, change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        messages.info(request, f"{obj.shift_name}: {shift_in_words(obj)}.")
        if change and TIMES.intersection(form.changed_data):
            messages.info(request, PAST_STAYS)

    @admin.display(description="hours", ordering="start_time")
    def hours(self, shift: Shift) -> str:
        return shift_in_words(shift)

    @admin.display(description="weekly off")
    def weekly_off(self, shift: Shift) -> str:
        return days_off(shift)

    @admin.display(description="people today", ordering="people_now")
    def people(self, shift: Any) -> str:
        return str(shift.people_now or "nobody")

    @admin.display(description="in words")
    def in_words(self, shift: Shift) -> str:
        if not shift.pk:
            return "An end that is not after the start is on the next day."
        return f"{shift_in_words(shift)}. Weekly off: {days_off(shift)}."
