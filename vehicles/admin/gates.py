"""Gates with their cameras, and the formats of plates, in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from unfold.admin import TabularInline
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from identity.admin.base import is_old_state
from streaming.admin import hide_passwords, whole_address
from streaming.admin_base import HidesSecrets, visible_rows
from streaming.models import shown as without_password
from vehicles.format_trial import TEXTS_MAX, Tried, try_texts
from vehicles.formats import BadFormat, Format
from vehicles.models import Gate, GateCamera, PlateFormat

from .base import OfSiteAdmin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

EXAMPLES: Final = "MH 12 AB 1234\nMHI2AB1234\nMH12AB12"


class GateForm(forms.ModelForm[Gate]):
    """Shows the barrier's address without its password, and keeps that if it can."""

    address = Gate._meta.get_field("address").formfield(
        widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = Gate
        fields = [
            "site",
            "name",
            "enabled",
            "driver",
            "address",
            "payload",
            "confidence",
            "opens_for_unknown",
            "opens_for_visitors",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hide_passwords(self, "address")

    def clean_address(self) -> str:
        return whole_address(self, "address")


class GateCameraInline(TabularInline):  # type: ignore[misc]
    model = GateCamera
    hide_title = True
    extra = 1
    fields = ["camera", "reader"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[GateCamera]:
        rows: QuerySet[GateCamera] = super().get_queryset(request)
        return rows.order_by("id")

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["queryset"] = visible_rows(db_field.remote_field.model, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Gate)
class GateAdmin(HidesSecrets, OfSiteAdmin):
    form = GateForm
    safe: ClassVar = {"address": "shown_address"}
    list_display = ["name", "site", "driver", "opens_by_itself", "unknown", "visitors"]
    list_filter = ["site", "driver", "enabled"]
    list_select_related = ["site"]
    search_fields = ["name"]
    ordering = ["site__name", "name", "id"]
    inlines = [GateCameraInline]
    readonly_fields = ["shown_address"]
    fieldsets = [
        (None, {"fields": ["site", "name", "enabled"]}),
        (
            "Barrier",
            {
                "fields": ["driver", "address", "payload"],
                "description": "The password in an address is never shown. A call "
                "that fails raises an alert; it is not repeated after 5 seconds.",
            },
        ),
        (
            "Rules",
            {
                "fields": ["confidence", "opens_for_visitors", "opens_for_unknown"],
                "description": "A plate that was not read for sure never opens, and "
                "no blocked vehicle is ever let in.",
            },
        ),
    ]

    def is_edited(self, request: HttpRequest, obj: Gate | None) -> bool:
        return super().is_edited(request, obj) and not is_old_state(request)

    def save_model(
        self, request: HttpRequest, obj: Gate, form: Any, change: Any
    ) -> None:
        """Write what was edited and nothing else."""
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)

    @admin.display(description="address")
    def shown_address(self, gate: Gate) -> str:
        return without_password(gate.address) or "-"

    @admin.display(boolean=True, description="opens by itself", ordering="enabled")
    def opens_by_itself(self, gate: Gate) -> bool:
        return gate.enabled

    @admin.display(boolean=True, description="for unknown")
    def unknown(self, gate: Gate) -> bool:
        return gate.opens_for_unknown

    @admin.display(boolean=True, description="for visitors")
    def visitors(self, gate: Gate) -> bool:
        return gate.opens_for_visitors


class TryForm(forms.Form):
    """Texts to try on a pattern, which need not be saved."""

    pattern = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Change it here to see what it would do; this saves nothing.",
    )
    texts = forms.CharField(
        label="Plates",
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=f"One a line, at most {TEXTS_MAX}.",
    )


@admin.register(PlateFormat)
class PlateFormatAdmin(OfSiteAdmin):
    list_display = ["name", "site", "pattern", "enabled"]
    list_filter = ["site", "enabled"]
    list_select_related = ["site"]
    search_fields = ["name", "pattern"]
    ordering = ["site__name", "name", "id"]
    fields = ["site", "name", "pattern", "enabled"]
    change_form_outer_after_template = "admin/vehicles/try_format.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponseBase:
        row = self.get_object(request, object_id) if object_id else None
        told = self._trial(request, row) if row else {}
        return super().changeform_view(
            request, object_id, form_url, {**told, **(extra_context or {})}
        )

    def _trial(self, request: HttpRequest, row: PlateFormat) -> dict[str, Any]:
        """Return what the page shows under the form: texts, and what becomes of them.

        They are tried as the site's gates would: with its other formats in force.
        """
        asked = request.GET if "texts" in request.GET else None
        form = TryForm(asked, initial={"pattern": row.pattern, "texts": EXAMPLES})
        others = PlateFormat.objects.filter(site=row.site_id, enabled=True)
        formats = [each.format for each in others.exclude(pk=row.pk).order_by("name")]
        told = {"try_form": form, "others": [each.name for each in formats]}
        if form.is_valid():
            own = Format(row.name, form.cleaned_data["pattern"])
            return {**told, "tried": _tried(form, [own, *formats])}
        return told


def _tried(form: TryForm, formats: Sequence[Format]) -> Sequence[Tried]:
    try:
        return try_texts(form.cleaned_data["texts"], formats)
    except BadFormat as error:
        form.add_error("pattern", str(error))
        return []
