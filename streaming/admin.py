"""Sites, cameras, their outages and their workers in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import PROTECT, Case, When
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from . import services
from .admin_base import HidesSecrets, ReadOnly, ScopedAdmin
from .fields import Unreadable
from .leases import LEASE
from .models import Camera, CameraOutage, Site, VisionWorker, shown
from .vision.addresses import redact

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

ATTENDANCE_HELP = (
    "Attendance is kept by faces, so tick both. Who comes and who goes is told by the "
    "line that they cross, where one is drawn, else by the direction below."
)
PLATES_HELP = (
    "Plates too are read in the main stream; put the camera on its gate under Gates."
)
HIDDEN = "***"
"""What `redact` puts in the place of a password."""


@admin.register(Site)
class SiteAdmin(ScopedAdmin):
    list_display = ["name", "slug", "time_zone"]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}


class CameraForm(forms.ModelForm[Camera]):
    """Shows sources without their passwords, and keeps these where it can."""

    source_url = Camera._meta.get_field("source_url").formfield(
        widget=UnfoldAdminTextInputWidget
    )
    sub_stream_url = Camera._meta.get_field("sub_stream_url").formfield(
        widget=UnfoldAdminTextInputWidget
    )
    tasks = forms.MultipleChoiceField(
        choices=Camera.Task.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=f"{Camera._meta.get_field('tasks').help_text} {ATTENDANCE_HELP} "
        f"{PLATES_HELP}",
    )

    class Meta:
        model = Camera
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hide_passwords(self, "source_url", "sub_stream_url")

    def clean_source_url(self) -> str:
        return whole_address(self, "source_url")

    def clean_sub_stream_url(self) -> str:
        return whole_address(self, "sub_stream_url")


def hide_passwords(form: forms.ModelForm[Any], *names: str) -> None:
    """Show stored addresses without their passwords, and say which are unreadable."""
    for name in names:
        stored = getattr(form.instance, name)
        if form.instance.pk:
            form.initial[name] = shown(stored)
        if isinstance(stored, Unreadable) and name in form.fields:
            form.fields[name].help_text = Unreadable.reason


def whole_address(form: forms.ModelForm[Any], name: str) -> str:
    """Return an address as typed, with its password if that is known."""
    url = with_password_of(getattr(form.instance, name), form.cleaned_data[name])
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


STATE_FIELDS = ["state", "since", "state_reason", "last_picture", "vision_worker"]


@admin.register(Camera)
class CameraAdmin(HidesSecrets):
    form = CameraForm
    safe: ClassVar = {"source_url": "source", "sub_stream_url": "sub_stream"}
    list_display = ["code", "name", "site", "state", "state_reason", "enabled"]
    list_filter = ["site", "state", "enabled"]
    list_select_related = ["site"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    readonly_fields = [*STATE_FIELDS]
    fieldsets = [
        (None, {"fields": ["site", "code", "name", "place", "enabled"]}),
        (
            "Picture",
            {
                "fields": [
                    "source_url",
                    "sub_stream_url",
                    "loop",
                    "tasks",
                    "detect_fps",
                    "direction",
                ],
                "description": "A change takes effect within seconds; the worker "
                "need not be restarted.",
            },
        ),
        (
            "State",
            {
                "fields": STATE_FIELDS,
                "description": "Written by the vision worker. A camera with records "
                "cannot be deleted; switch it off instead.",
            },
        ),
    ]

    @admin.display(description="source")
    def source(self, camera: Camera) -> str:
        return shown(camera.source_url) or "encrypted with another key"

    @admin.display(description="sub-stream")
    def sub_stream(self, camera: Camera) -> str:
        return shown(camera.sub_stream_url) or "-"

    @admin.display(description="since, site time")
    def since(self, camera: Camera) -> str:
        return site_time(camera, camera.state_since)

    @admin.display(description="last picture, site time")
    def last_picture(self, camera: Camera) -> str:
        return site_time(camera, camera.last_frame_at)

    @admin.display(description="vision worker")
    def vision_worker(self, camera: Camera) -> str:
        return camera.holder(now=timezone.now()) or "-"

    def view_on_site(self, obj: Camera) -> str:
        return reverse("camera", args=[obj.code])

    def save_model(
        self, request: HttpRequest, obj: Camera, form: Any, change: Any
    ) -> None:
        """Write what was edited and nothing else: workers write the same row."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)
            services.switch_off(code=obj.code, at=timezone.now())

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """A camera with records stays; it is switched off instead."""
        return super().has_delete_permission(request, obj) and not has_history(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let outages go with their camera, though nobody deletes one by itself."""
        *found, forbidden, protected = super().get_deleted_objects(objs, request)
        outages = str(CameraOutage._meta.verbose_name)
        return *found, forbidden - {outages}, protected


def site_time(camera: Camera, at: datetime | None) -> str:
    return f"{camera.site.local(at):%Y-%m-%d %H:%M:%S %Z}" if at else "-"


def has_history(camera: Model | None) -> bool:
    """Whether there are records that keep the camera."""
    return camera is not None and any(
        getattr(camera, str(relation.get_accessor_name())).exists()
        for relation in camera._meta.related_objects
        if relation.on_delete is PROTECT
    )


@admin.register(CameraOutage)
class CameraOutageAdmin(ReadOnly, ScopedAdmin):
    list_display = ["camera", "cause", "reason", "began", "ended", "lasted"]
    list_filter = ["camera__site", "camera", "cause"]
    list_select_related = ["camera__site"]
    search_fields = ["camera__code", "camera__name"]
    ordering = ["-started_at", "-id"]

    @admin.display(description="began, site time", ordering="started_at")
    def began(self, outage: CameraOutage) -> str:
        return site_time(outage.camera, outage.started_at)

    @admin.display(description="ended, site time", ordering="ended_at")
    def ended(self, outage: CameraOutage) -> str:
        return site_time(outage.camera, outage.ended_at)

    @admin.display(description="lasted")
    def lasted(self, outage: CameraOutage) -> str:
        lasted = outage.lasted(now=timezone.now())
        return str(timedelta(seconds=round(lasted.total_seconds())))


@admin.register(VisionWorker)
class VisionWorkerAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Those that run, and those that ended without a word."""

    list_display = ["name", "is_alive", "seen_at", "started_at", "pinned"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        workers = super().get_queryset(request)
        is_alive = Case(When(seen_at__gt=Now() - LEASE, then=True), default=False)
        return workers.annotate(is_alive=is_alive)  # type: ignore[no-any-return]

    @admin.display(boolean=True, description="runs")
    def is_alive(self, worker: Any) -> bool:
        return bool(worker.is_alive)

    def has_delete_permission(self, *args: Any) -> bool:
        """One that will not come back can be forgotten; one that runs comes back."""
        return ModelAdmin.has_delete_permission(self, *args)  # type: ignore[no-any-return]
