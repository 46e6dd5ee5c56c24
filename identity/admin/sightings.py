"""Who was seen, the register of strangers, and erasures in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from identity import register
from identity.models import AccessLog, Employee, Erasure, UnknownPerson
from streaming.admin_base import ReadOnly, ScopedAdmin

from .base import HistoryAdmin, by, is_old_state, picture, site_time

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(AccessLog)
class AccessLogAdmin(ScopedAdmin):
    """A record: what a person adds is a flag and notes."""

    list_display = ["shown", "who", "decision", "camera", "seen", "likeness", "flag"]
    list_display_links = ["shown", "who"]
    list_filter = ["decision", "flagged", "camera__site", "camera"]
    search_fields = ["employee__code", "employee__name", "notes"]
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at", "-id"]
    fieldsets = [
        (
            None,
            {"fields": ["shown_large", "who", "decision", "camera", "seen", "until"]},
        ),
        (
            "Why",
            {
                "fields": ["likeness", "engine", "votes", "quality", "track_id"],
                "description": "'View on site' shows the rule in words.",
            },
        ),
        ("What you say", {"fields": ["flagged", "notes", "linked_by", "linked_at"]}),
    ]
    readonly_fields = [
        "shown_large",
        "who",
        "decision",
        "camera",
        "seen",
        "until",
        "likeness",
        "engine",
        "votes",
        "quality",
        "track_id",
        "linked_by",
        "linked_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessLog]:
        logs: Any = super().get_queryset(request)
        return logs.with_names()  # type: ignore[no-any-return]

    def has_add_permission(self, *_: object) -> bool:
        return False

    def has_delete_permission(self, *_: object) -> bool:
        return False

    def view_on_site(self, obj: AccessLog) -> str:
        return reverse("sighting", args=[obj.pk])

    def save_model(
        self, request: HttpRequest, obj: AccessLog, form: Any, change: Any
    ) -> None:
        """Write what was edited and nothing else: a worker may extend the visit."""
        obj.save(update_fields=form.changed_data)

    @admin.display(description="picture")
    def shown(self, log: AccessLog) -> SafeString | str:
        return snapshot(log, height=64)

    @admin.display(description="picture")
    def shown_large(self, log: AccessLog) -> SafeString | str:
        return snapshot(log, height=320)

    @admin.display(description="who", ordering="employee__code")
    def who(self, log: AccessLog) -> str:
        return str(log.employee or log.unknown_person or "-")

    @admin.display(description="seen, site time", ordering="occurred_at")
    def seen(self, log: AccessLog) -> str:
        return site_time(log.camera.site, log.occurred_at)

    @admin.display(description="until, site time")
    def until(self, log: AccessLog) -> str:
        return site_time(log.camera.site, log.last_seen_at)

    @admin.display(description="flagged", ordering="flagged")
    def flag(self, log: AccessLog) -> str:
        return "flagged" if log.flagged else "-"

    @admin.display(description="similarity", ordering="similarity")
    def likeness(self, log: AccessLog) -> str:
        return likeness(log)


def snapshot(log: AccessLog, *, height: int) -> SafeString | str:
    if not log.snapshot:
        return "none kept"
    url = reverse("snapshot-of-access", args=[log.pk])
    return picture(url, of=f"Sighting {log.pk}", height=height)


def likeness(log: AccessLog) -> str:
    """Say how alike the face was to the best and the next person."""
    if log.similarity is None:
        return "nobody to compare with"
    digits = 2 if log.threshold <= 1 else 1  # 0..1, or per cent
    said = f"{log.similarity:.{digits}f}, needed {log.threshold:.{digits}f}"
    if log.runner_up is None:
        return said
    return f"{said}; next best {log.runner_up:.{digits}f}"


class UnknownPersonForm(forms.ModelForm[UnknownPerson]):
    """Notes, and who it is."""

    this_is = forms.CharField(
        label="This is",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="The employee's code, such as E-104. All sightings bear the name "
        "from then on; what was decided at the time stays.",
    )

    class Meta:
        model = UnknownPerson
        fields = ["notes"]

    def clean_this_is(self) -> Employee | None:
        code = self.cleaned_data["this_is"].strip()
        here = Employee.objects.present().filter(site=self.instance.site_id)
        employee = here.filter(code=code).first()
        if code and employee is None:
            raise ValidationError(
                f"Nobody at {self.instance.site} has the code {code}."
            )
        return employee


@admin.register(UnknownPerson)
class UnknownPersonAdmin(HistoryAdmin):
    form = UnknownPersonForm
    list_display = ["shown", "__str__", "site", "sightings", "last_seen", "employee"]
    list_display_links = ["shown", "__str__"]
    list_filter = ["site", ("employee", admin.EmptyFieldListFilter)]
    list_select_related = ["site", "employee"]
    search_fields = ["notes", "employee__code", "employee__name"]
    ordering = ["-last_seen_at", "-id"]
    readonly_fields = [
        "shown_large",
        "site",
        "sightings",
        "first_seen",
        "last_seen",
        "employee",
        "promoted_by",
        "promoted_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownPerson]:
        return super().get_queryset(request).defer("embedding")

    def get_fields(
        self, request: HttpRequest, obj: UnknownPerson | None = None
    ) -> list[str]:
        """Ask who it is as long as nobody has said."""
        is_open = obj is not None and obj.employee_id is None
        is_asked = is_open and not is_old_state(request)
        may_say = is_asked and self.has_change_permission(request, obj)
        return [*self.readonly_fields[:5], *(["this_is"] if may_say else []), *ENDING]

    def has_add_permission(self, *_: object) -> bool:
        return False

    def has_delete_permission(self, *_: object) -> bool:
        return False

    def view_on_site(self, obj: UnknownPerson) -> str:
        return reverse("unknown", args=[obj.pk])

    def save_model(
        self, request: HttpRequest, obj: UnknownPerson, form: Any, change: Any
    ) -> None:
        """Keep the notes; where it was said who it is, name all sightings."""
        if "notes" in form.changed_data:
            obj.save(update_fields=["notes"])
        employee = form.cleaned_data.get("this_is")
        if employee is None:
            return
        try:
            done = register.promote(
                unknown=obj, employee=employee, by=by(request), at=timezone.now()
            )
        except register.NotPromoted as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            sentence = (
                f"{obj} is {employee}. Sightings that bear the name: {done.rows}."
            )
            self.message_user(request, sentence)

    @admin.display(description="picture")
    def shown(self, unknown: UnknownPerson) -> SafeString:
        return portrait(unknown, height=64)

    @admin.display(description="picture")
    def shown_large(self, unknown: UnknownPerson) -> SafeString:
        return portrait(unknown, height=240)

    @admin.display(description="first seen, site time")
    def first_seen(self, unknown: UnknownPerson) -> str:
        return site_time(unknown.site, unknown.first_seen_at)

    @admin.display(description="last seen, site time", ordering="last_seen_at")
    def last_seen(self, unknown: UnknownPerson) -> str:
        return site_time(unknown.site, unknown.last_seen_at)


ENDING = ["employee", "promoted_by", "promoted_at", "notes"]


def portrait(unknown: UnknownPerson, *, height: int) -> SafeString:
    url = reverse("snapshot-of-unknown", args=[unknown.pk])
    return picture(url, of=str(unknown), height=height)


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, ScopedAdmin):
    list_display = ["employee", "erased", "erased_by", "removed", "left"]
    list_filter = ["employee__site"]
    list_select_related = ["employee__site", "erased_by"]
    search_fields = ["employee__code"]
    ordering = ["-erased_at", "-id"]
    fields = ["employee", "erased", "erased_by", "removed", "left"]

    @admin.display(description="erased, site time", ordering="erased_at")
    def erased(self, erasure: Erasure) -> str:
        return site_time(erasure.employee.site, erasure.erased_at)

    @admin.display(description="still to be removed")
    def left(self, erasure: Erasure) -> str:
        told = [
            f"{kind.replace('_', ' ')}: {len(names)}"
            for kind, names in erasure.remaining.items()
        ]
        return ", ".join(told) or "nothing"
