"""Lines, zones, and areas with their doors, in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.models import BaseInlineFormSet
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from identity.admin.base import HistoryAdmin
from occupancy.areas import (
    AreaStays,
    BadDoors,
    Door,
    check_doors,
    has_history,
    remove_area,
)
from occupancy.forms import CornersField
from occupancy.models import Area, AreaLine, CountingLine, Zone
from streaming.admin_base import visible_rows

from .base import KeepsItsPlace, draw_link

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from streaming.models import Site

DIRECTION: Final = (
    "Walking from start to end as seen on the screen, 'in' is a crossing from your "
    "right-hand side to your left-hand side. A line from the top (0.5, 0) to the "
    "bottom (0.5, 1) counts people walking from screen left to screen right as in."
)


class DrawnAdmin(KeepsItsPlace):
    """Of what is drawn on a camera's picture."""

    place = "camera"
    list_filter = ["camera__site", "enabled"]
    list_select_related = ["camera"]
    search_fields = ["name", "camera__code", "camera__name"]
    ordering = ["camera__code", "name", "id"]
    readonly_fields = ["on_the_picture"]

    @admin.display(description="draw")
    def on_the_picture(self, row: Any) -> SafeString | str:
        return draw_link(row.camera) if row.pk else "Save it first."


@admin.register(CountingLine)
class CountingLineAdmin(DrawnAdmin):
    list_display = ["name", "camera", "colour", "enabled", "on_the_picture"]
    fieldsets = [
        (None, {"fields": ["camera", "name", "colour", "enabled", "on_the_picture"]}),
        ("Where", {"fields": [("x1", "y1"), ("x2", "y2")], "description": DIRECTION}),
    ]


class ZoneForm(forms.ModelForm[Zone]):
    points = CornersField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}))

    class Meta:
        model = Zone
        fields = (
            "camera",
            "name",
            "points",
            "colour",
            "enabled",
            "capacity",
            "amber_percent",
            "restricted",
            "restricted_from",
            "restricted_until",
            "loitering_seconds",
        )


@admin.register(Zone)
class ZoneAdmin(DrawnAdmin, HistoryAdmin):
    form = ZoneForm
    list_display = [
        "name",
        "camera",
        "live_count",
        "capacity",
        "restricted",
        "loitering_seconds",
        "enabled",
        "on_the_picture",
    ]
    list_filter = [*DrawnAdmin.list_filter, "restricted"]
    list_select_related = ["camera__site"]
    fieldsets = [
        (None, {"fields": ["camera", "name", "colour", "enabled", "on_the_picture"]}),
        ("Where", {"fields": ["points"]}),
        ("How many", {"fields": ["capacity", "amber_percent"]}),
        (
            "Who must not be there",
            {
                "fields": [
                    "restricted",
                    ("restricted_from", "restricted_until"),
                    "loitering_seconds",
                ],
                "description": "Times are by the site's clock; from 22:00 until 06:00 "
                "goes over midnight. Both empty: at all times.",
            },
        ),
    ]

    def site_of(self, row: Zone) -> Site:
        return row.camera.site


class DoorFormSet(BaseInlineFormSet[AreaLine, Area, Any]):
    """Refuses lines of another site than the area's."""

    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid()]
        doors = [
            Door(row["line"], inverted=row["inverted"])
            for row in rows
            if row.get("line") and not row.get("DELETE")
        ]
        if not hasattr(self.instance, "site"):
            return  # It was not chosen, which its own field says.
        try:
            check_doors(site=self.instance.site, doors=doors)
        except BadDoors as error:
            raise ValidationError(str(error)) from error


class DoorInline(TabularInline):  # type: ignore[misc]
    model = AreaLine
    formset = DoorFormSet
    extra = 1
    fields = ["line", "inverted"]
    verbose_name = "door"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AreaLine]:
        rows: QuerySet[AreaLine] = super().get_queryset(request)
        return rows.select_related("line__camera", "area").order_by("id")

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        lines = visible_rows(CountingLine, request)
        if lines is not None:
            kwargs["queryset"] = lines.select_related("camera").order_by(
                "camera__name", "name", "id"
            )
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.label_from_instance = lambda line: f"{line.camera.name}: {line.name}"
        return field


@admin.register(Area)
class AreaAdmin(KeepsItsPlace, HistoryAdmin):
    place: ClassVar[str] = "site"
    list_display = ["name", "site", "current_count", "capacity", "drift", "enabled"]
    list_filter = ["site", "enabled"]
    list_select_related = ["site"]
    search_fields = ["name"]
    ordering = ["site__name", "name", "id"]
    inlines = [DoorInline]
    readonly_fields = ["current_count", "drift"]
    fieldsets = [
        (None, {"fields": ["site", "name", "enabled"]}),
        ("How many", {"fields": ["capacity", "amber_percent"]}),
        (
            "Now",
            {
                "fields": ["current_count", "drift"],
                "description": "Drift is how many left since the last correction whose "
                "entry nobody saw.",
            },
        ),
    ]

    def has_delete_permission(
        self, request: HttpRequest, obj: Area | None = None
    ) -> bool:
        """Offer it for a single area without a history, never for many at once."""
        may = bool(super().has_delete_permission(request, obj))
        return may and obj is not None and not has_history(obj)

    def delete_model(self, request: HttpRequest, obj: Area) -> None:
        try:
            remove_area(area=obj)
        except AreaStays as error:  # It was counted while somebody confirmed.
            raise PermissionDenied(str(error)) from error
