"""Departments, employees and their photos in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import TabularInline

from identity import erasure
from identity.models import Department, Employee, FaceSample
from identity.resources import EmployeeResource
from streaming.admin_base import ReadOnly, ScopedAdmin

from .audit import AuditPage
from .base import HistoryAdmin, by, choose_only_site, picture, site_time
from .importing import ImportExport

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

ERASED_AT_ONCE: Final = 20
TO_COME: Final = (
    "some files or remote faces could not be removed yet. It is tried again every "
    "hour; the list of erasures says when all are gone."
)


@admin.register(Department)
class DepartmentAdmin(ScopedAdmin):
    list_display = ["name", "site"]
    list_filter = ["site"]
    list_select_related = ["site"]
    search_fields = ["name"]
    ordering = ["site__name", "name"]


class PhotoFilter(admin.SimpleListFilter):
    title = "photos"
    parameter_name = "photos"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "Without photo"), ("some", "With photos")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Employee]
    ) -> QuerySet[Employee]:
        wanted = {"none": {"photo_count": 0}, "some": {"photo_count__gt": 0}}
        return queryset.filter(**wanted.get(self.value() or "", {}))


class PhotoInline(TabularInline):  # type: ignore[misc]
    model = FaceSample
    extra = 0
    can_delete = False
    fields = ["shown", "how_good", "height_px", "taken", "created_by"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[FaceSample]:
        samples: QuerySet[FaceSample] = super().get_queryset(request)
        named = samples.select_related("employee__site", "created_by")
        return named.defer("embedding").order_by("id")

    def has_add_permission(self, *_: object) -> bool:
        return False

    def has_change_permission(self, *_: object) -> bool:
        return False

    @admin.display(description="photo")
    def shown(self, sample: FaceSample) -> SafeString:
        return photo(sample, height=96)

    @admin.display(description="quality, 0 to 1")
    def how_good(self, sample: FaceSample) -> str:
        return f"{sample.quality:.2f}"

    @admin.display(description="taken, site time")
    def taken(self, sample: FaceSample) -> str:
        return site_time(sample.employee.site, sample.created_at)


def photo(sample: FaceSample, *, height: int) -> SafeString:
    url = reverse("photo-of-face", args=[sample.employee.code, sample.pk])
    return picture(url, of=f"Photo of {sample.employee.code}", height=height)


@admin.register(Employee)
class EmployeeAdmin(AuditPage, ImportExport, HistoryAdmin):
    resource_classes = [EmployeeResource]
    list_display = [
        "code",
        "name",
        "department",
        "status",
        "enters",
        "photos",
        "last_seen",
    ]
    list_filter = ["site", "department", "status", "is_authorized", PhotoFilter]
    search_fields = ["code", "name", "email"]
    search_help_text = "Code, name or e-mail."
    ordering = ["code"]
    inlines = [PhotoInline]
    actions = ["make_active", "make_inactive", "let_in", "refuse", "erase"]
    readonly_fields = ["enrol_here", "last_seen", "created_by", "created_at"]
    fieldsets = [
        (
            None,
            {"fields": ["site", "code", "name", "email", "department"]},
        ),
        (
            "At the cameras",
            {
                "fields": ["status", "is_authorized", "enrol_here", "last_seen"],
                "description": "Whoever leaves is made inactive and then refused at "
                "the cameras; nobody is deleted. To remove a person for good, choose "
                "'Erase for good' in the list.",
            },
        ),
        ("Notes", {"fields": ["notes", "created_by", "created_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employee]:
        people: Any = super().get_queryset(request)
        named = people.select_related("site", "department")
        return named.present().with_photo_count()  # type: ignore[no-any-return]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return choose_only_site(request, super().get_changeform_initial_data(request))

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return self.inlines if obj else []

    @admin.display(boolean=True, description="may enter", ordering="is_authorized")
    def enters(self, employee: Employee) -> bool:
        return employee.may_enter

    @admin.display(description="photos", ordering="photo_count")
    def photos(self, employee: Any) -> str:
        return str(employee.photo_count or "none")

    @admin.display(description="last seen, site time", ordering="last_seen_at")
    def last_seen(self, employee: Employee) -> str:
        return site_time(employee.site, employee.last_seen_at) if employee.pk else "-"

    @admin.display(description="photos")
    def enrol_here(self, employee: Employee) -> SafeString | str:
        if not employee.pk:
            return "Save first, then add photos."
        url = reverse("enrol", args=[employee.code])
        return format_html('<a href="{}">Add or remove photos</a>', url)

    def view_on_site(self, obj: Employee) -> str:
        return reverse("employee", args=[obj.code])

    def save_model(
        self, request: HttpRequest, obj: Employee, form: Any, change: Any
    ) -> None:
        """Write what was edited and nothing else: a worker writes the same row."""
        if not change:
            obj.created_by = by(request)
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.erase_employee")

    @admin.action(description="Make active", permissions=["change"])
    def make_active(self, request: HttpRequest, rows: QuerySet[Employee]) -> None:
        self._set(request, rows, status=Employee.Status.ACTIVE)

    @admin.action(description="Make inactive: they left", permissions=["change"])
    def make_inactive(self, request: HttpRequest, rows: QuerySet[Employee]) -> None:
        self._set(request, rows, status=Employee.Status.INACTIVE)

    @admin.action(description="Let in", permissions=["change"])
    def let_in(self, request: HttpRequest, rows: QuerySet[Employee]) -> None:
        self._set(request, rows, is_authorized=True)

    @admin.action(description="Refuse at the cameras", permissions=["change"])
    def refuse(self, request: HttpRequest, rows: QuerySet[Employee]) -> None:
        self._set(request, rows, is_authorized=False)

    def _set(
        self, request: HttpRequest, rows: QuerySet[Employee], **wanted: Any
    ) -> None:
        """Change one field of each row that it changes, with its history."""
        changed = list(rows.exclude(**wanted))
        for employee in changed:
            for name, value in wanted.items():
                setattr(employee, name, value)
            employee.save(update_fields=list(wanted))
        self.message_user(request, f"Employees changed: {len(changed)}.")

    @admin.action(description="Erase for good", permissions=["erase"])
    def erase(
        self, request: HttpRequest, rows: QuerySet[Employee]
    ) -> TemplateResponse | None:
        """Ask once more, naming what goes; then remove it."""
        chosen = list(rows.order_by("code")[: ERASED_AT_ONCE + 1])
        if len(chosen) > ERASED_AT_ONCE:
            sentence = f"Erase at most {ERASED_AT_ONCE} people at once."
            self.message_user(request, sentence, messages.ERROR)
            return None
        if "confirmed" not in request.POST:
            return self._ask(request, chosen)
        for employee in chosen:
            self._erase(request, employee)
        return None

    def _erase(self, request: HttpRequest, employee: Employee) -> None:
        code = employee.code
        try:
            done = erasure.erase(employee=employee, by=by(request), at=timezone.now())
        except erasure.AlreadyErased as error:
            self.message_user(request, str(error), messages.WARNING)
            return
        self.message_user(request, f"{code} was erased: {in_words(done.removed)}.")
        if not done.is_complete:
            self.message_user(request, f"{code}: {TO_COME}", messages.WARNING)

    def _ask(self, request: HttpRequest, chosen: list[Employee]) -> TemplateResponse:
        told = {
            **self.admin_site.each_context(request),
            "title": "Erase for good?",
            "opts": self.opts,
            "people": [(employee, at_stake(employee)) for employee in chosen],
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/identity/employee/erase.html", told)


def at_stake(employee: Employee) -> dict[str, int]:
    """Count what an erasure will remove."""
    logs = employee.access_logs.all()
    counts = {
        "photos": employee.faces.count(),
        "pictures of visits": logs.with_snapshot().count(),
        "visits that will name nobody": logs.count(),
        "entries in the register of strangers": employee.once_unknown.count(),
    }
    return {what: number for what, number in counts.items() if number}


def in_words(removed: dict[str, int]) -> str:
    words = {kind.replace("_", " "): number for kind, number in removed.items()}
    told = [f"{kind}: {number}" for kind, number in words.items() if number]
    return ", ".join(told) or "there was nothing but the name"


@admin.register(FaceSample)
class FaceSampleAdmin(ReadOnly, ScopedAdmin):
    list_display = ["shown", "employee", "how_good", "height_px", "taken"]
    list_display_links = ["employee"]
    list_filter = ["employee__site", "face_model"]
    list_select_related = ["employee__site"]
    search_fields = ["employee__code", "employee__name"]
    ordering = ["-created_at", "-id"]
    fields = [
        "shown_large",
        "employee",
        "how_good",
        "height_px",
        "face_model",
        "taken",
        "created_by",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FaceSample]:
        return super().get_queryset(request).defer("embedding")

    @admin.display(description="photo")
    def shown(self, sample: FaceSample) -> SafeString:
        return photo(sample, height=64)

    @admin.display(description="photo")
    def shown_large(self, sample: FaceSample) -> SafeString:
        return photo(sample, height=240)

    @admin.display(description="quality, 0 to 1", ordering="quality")
    def how_good(self, sample: FaceSample) -> str:
        return f"{sample.quality:.2f}"

    @admin.display(description="taken, site time", ordering="created_at")
    def taken(self, sample: FaceSample) -> str:
        return site_time(sample.employee.site, sample.created_at)
