"""Sites and cameras in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from .models import Camera, Site

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


class ScopedAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows and offers rows of the user's own sites only."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[no-any-return]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        rows: Any = db_field.remote_field.model._default_manager.all()
        if hasattr(rows, "visible_to"):
            kwargs["queryset"] = rows.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ReadOnlyAdmin(ScopedAdmin):
    """For tables that the system writes: nothing to add, change or delete."""

    def has_add_permission(self, *_: object) -> bool:
        return False

    def has_change_permission(self, *_: object) -> bool:
        return False

    def has_delete_permission(self, *_: object) -> bool:
        return False


@admin.register(Site)
class SiteAdmin(ScopedAdmin):
    list_display = ["name", "slug", "time_zone"]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}


class CameraForm(forms.ModelForm[Camera]):
    """Shows the source without its password and keeps it when left as shown."""

    source_url = Camera._meta.get_field("source_url").formfield(
        widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = Camera
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["source_url"] = self.instance.shown_source

    def clean_source_url(self) -> str:
        url: str = self.cleaned_data["source_url"]
        unchanged = self.instance.pk and url == self.instance.shown_source
        return self.instance.source_url if unchanged else url


@admin.register(Camera)
class CameraAdmin(ScopedAdmin):
    form = CameraForm
    list_display = ["code", "name", "site", "state", "state_reason", "enabled"]
    list_filter = ["site", "state", "enabled"]
    list_select_related = ["site"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    readonly_fields = ["state", "state_since", "state_reason", "last_frame_at"]
    fieldsets = [
        (None, {"fields": ["site", "code", "name", "enabled"]}),
        (
            "Picture",
            {
                "fields": ["source_url", "loop", "detect_fps", "direction"],
                "description": "A change takes effect within seconds; the worker "
                "need not be restarted.",
            },
        ),
        (
            "State",
            {
                "fields": ["state", "state_since", "state_reason", "last_frame_at"],
                "description": "Written by the vision worker.",
            },
        ),
    ]

    def view_on_site(self, obj: Camera) -> str:
        return reverse("camera", args=[obj.code])

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """A camera with records stays; it is switched off instead."""
        return super().has_delete_permission(request, obj) and not has_history(obj)


def has_history(camera: Model | None) -> bool:
    return camera is not None and any(
        getattr(camera, str(relation.get_accessor_name())).exists()
        for relation in camera._meta.related_objects
    )
