"""Sites and cameras in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from .admin_base import ScopedAdmin
from .fields import Unreadable
from .models import Camera, Site
from .vision.addresses import redact

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import Model
    from django.http import HttpRequest

HIDDEN = "***"
"""What `redact` puts in the place of a password."""


@admin.register(Site)
class SiteAdmin(ScopedAdmin):
    list_display = ["name", "slug", "time_zone"]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}


class CameraForm(forms.ModelForm[Camera]):
    """Shows the source without its password, and keeps the password where it can."""

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
        if isinstance(self.instance.source_url, Unreadable):
            self.fields["source_url"].help_text = Unreadable.reason

    def clean_source_url(self) -> str:
        url = with_password_of(
            self.instance.source_url, self.cleaned_data["source_url"]
        )
        if HIDDEN in url:
            raise ValidationError(
                f"Type the password again in the place of {HIDDEN}: the stored one is "
                "kept only for the same user on the same host."
            )
        return url


def with_password_of(stored: str, url: str) -> str:
    """Put the stored password back into an edited address of the same user and host."""
    shown = redact(stored)
    if url == shown:
        return stored
    if urlsplit(url)[:2] != urlsplit(shown)[:2]:
        return url
    hidden, known = shown.rpartition("@")[0], stored.rpartition("@")[0]
    return url.replace(f"{hidden}@", f"{known}@", 1)


@admin.register(Camera)
class CameraAdmin(ScopedAdmin):
    form = CameraForm
    list_display = ["code", "name", "site", "state", "state_reason", "enabled"]
    list_filter = ["site", "state", "enabled"]
    list_select_related = ["site"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    readonly_fields = ["state", "since", "state_reason", "last_picture"]
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
                "fields": ["state", "since", "state_reason", "last_picture"],
                "description": "Written by the vision worker. A camera with records "
                "cannot be deleted; switch it off instead.",
            },
        ),
    ]

    @admin.display(description="since, site time")
    def since(self, camera: Camera) -> str:
        return site_time(camera, camera.state_since)

    @admin.display(description="last picture, site time")
    def last_picture(self, camera: Camera) -> str:
        return site_time(camera, camera.last_frame_at)

    def view_on_site(self, obj: Camera) -> str:
        return reverse("camera", args=[obj.code])

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """A camera with records stays; it is switched off instead."""
        return super().has_delete_permission(request, obj) and not has_history(obj)


def site_time(camera: Camera, at: datetime | None) -> str:
    return f"{camera.site.local(at):%Y-%m-%d %H:%M:%S %Z}" if at else "-"


def has_history(camera: Model | None) -> bool:
    return camera is not None and any(
        getattr(camera, str(relation.get_accessor_name())).exists()
        for relation in camera._meta.related_objects
    )
