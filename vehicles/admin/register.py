"""The vehicles that are known, in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from identity.admin.base import by, link, site_time
from identity.admin.importing import ImportExport
from vehicles.formats import (
    WRITE_LATIN,
    NeverRead,
    check_as_read,
    fit,
    has_foreign,
    normalise,
)
from vehicles.models import BLOCK_FIELDS, PlateFormat, Vehicle
from vehicles.resources import VehicleResource

from .base import OfSiteAdmin
from .blocking import Blocking

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

NEVER_READ: Final = (
    "No camera will ever read %s: it is no plate of this site's formats, which are: %s."
)
STAYS_BLOCKED: Final = (
    "%s was blocked while you edited it, and stays so. Unblock it to let it in again."
)


class VehicleForm(forms.ModelForm[Vehicle]):
    plate_number = forms.CharField(
        label="Plate",
        max_length=30,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as MH12AB1234; capitals, spaces and dashes do not matter.",
    )

    class Meta:
        model = Vehicle
        fields = [
            "site",
            "plate_number",
            "vehicle_type",
            "owner",
            "employee",
            "status",
            "reason",
            "valid_from",
            "valid_until",
            "notes",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Write dates in the one way that cannot be read in two."""
        super().__init__(*args, **kwargs)
        for name in {"valid_from", "valid_until"} & {*self.fields}:
            date_input: Any = self.fields[name].widget
            date_input.widgets[0].format = "%Y-%m-%d"
        if self.instance.status == Vehicle.Status.BLOCKED:
            # Also a page that was open before the block must not lift it.
            for name in {*BLOCK_FIELDS} & {*self.fields}:
                self.fields[name].disabled = bool(self.instance.pk)

    def clean_plate_number(self) -> str:
        typed = self.cleaned_data["plate_number"]
        plate = normalise(typed)
        if has_foreign(typed):
            raise ValidationError(WRITE_LATIN)
        if not plate:
            raise ValidationError(f"'{typed}' has no letter and no digit of a plate.")
        return plate

    def clean(self) -> dict[str, Any]:
        """Refuse a plate that no camera would read; one that stays was known before."""
        super().clean()
        site, plate = (self.cleaned_data.get(name) for name in ("site", "plate_number"))
        is_new = {"site", "plate_number"} & {*self.changed_data}
        if site and plate and is_new:
            try:
                check_as_read(plate, PlateFormat.objects.of_site(site.pk))
            except NeverRead as error:
                self.add_error("plate_number", str(error))
        return self.cleaned_data


class ValidityFilter(admin.SimpleListFilter):
    title = "dates"
    parameter_name = "dates"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("valid", "Valid now"), ("expired", "Expired"), ("coming", "Not yet")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Vehicle]
    ) -> QuerySet[Vehicle]:
        now = timezone.now()
        wanted = {
            "valid": Q(valid_from=None) | Q(valid_from__lte=now),
            "expired": Q(valid_until__lte=now),
            "coming": Q(valid_from__gt=now),
        }
        rows = queryset.filter(wanted.get(self.value() or "", Q()))
        is_valid = self.value() == "valid"
        return rows.exclude(valid_until__lte=now) if is_valid else rows


@admin.register(Vehicle)
class VehicleAdmin(Blocking, ImportExport, OfSiteAdmin):
    form = VehicleForm
    resource_classes = [VehicleResource]
    list_display = [
        "plate_number",
        "site",
        "whose",
        "vehicle_type",
        "status",
        "validity",
        "why",
    ]
    list_filter = ["status", ValidityFilter, "site", "vehicle_type"]
    list_select_related = ["site", "employee"]
    search_fields = ["plate_number", "owner", "employee__code", "employee__name"]
    search_help_text = "Plate, owner, or an employee's code or name."
    ordering = ["plate_number", "id"]
    autocomplete_fields = ["employee"]
    readonly_fields = ["dates_in_words", "visits", "registered_by", "created"]
    fieldsets = [
        (
            None,
            {"fields": ["site", "plate_number", "vehicle_type", "owner", "employee"]},
        ),
        (
            "At the gates",
            {
                "fields": [
                    "status",
                    "reason",
                    "valid_from",
                    "valid_until",
                    "dates_in_words",
                ],
                "description": "Dates and times are by the site's clock. A blocked "
                "vehicle is blocked whatever its dates, until somebody unblocks it, on "
                "its page on the site or in the list here, and says why. A visitor's "
                "pass needs an end; after it the vehicle is unknown again.",
            },
        ),
        ("Notes", {"fields": ["notes", "visits", "registered_by", "created"]}),
    ]

    def view_on_site(self, obj: Vehicle) -> str:
        return reverse("vehicle", args=[obj.plate_number])

    def has_delete_permission(
        self, request: HttpRequest, obj: Vehicle | None = None
    ) -> bool:
        """Keep what is blocked: the block would be forgotten with it."""
        is_blocked = obj is not None and obj.status == Vehicle.Status.BLOCKED
        return not is_blocked and super().has_delete_permission(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Vehicle], search_term: str
    ) -> tuple[QuerySet[Vehicle], bool]:
        """Find a plate also by its spaced or dashed form."""
        found, has_twins = super().get_search_results(request, queryset, search_term)
        plate = normalise(search_term)
        if plate:
            found |= queryset.filter(plate_number__contains=plate)
        return found, has_twins

    def save_model(
        self, request: HttpRequest, obj: Vehicle, form: Any, change: Any
    ) -> None:
        """Write what was edited and nothing else: a guard may block it meanwhile."""
        if not change:
            obj.registered_by = by(request)
        if "status" in form.changed_data and obj.reason:
            obj._change_reason = obj.reason[:100]  # type: ignore[attr-defined]
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)
        _warn_of_plate(request, obj)
        blocked = Vehicle.Status.BLOCKED
        if obj.status == blocked != request.POST.get("status", blocked):
            messages.warning(request, STAYS_BLOCKED % obj)

    @admin.display(description="owner or employee", ordering="owner")
    def whose(self, vehicle: Vehicle) -> str:
        employee = vehicle.employee
        told = [f"{employee.code} {employee.name}" if employee else "", vehicle.owner]
        return ", ".join(filter(None, told)) or "-"

    @admin.display(description="valid, site time", ordering="valid_until")
    def validity(self, vehicle: Vehicle) -> str:
        return in_words(vehicle, now=timezone.now())

    @admin.display(description="reason")
    def why(self, vehicle: Vehicle) -> str:
        return vehicle.reason[:80] or "-"

    @admin.display(description="in words")
    def dates_in_words(self, vehicle: Vehicle) -> str:
        if not vehicle.pk:
            return "Without dates it is valid until further notice."
        return in_words(vehicle, now=timezone.now()).capitalize() + "."

    @admin.display(description="visits")
    def visits(self, vehicle: Vehicle) -> SafeString | str:
        if not vehicle.pk:
            return "-"
        address = reverse("admin:vehicles_vehiclelog_changelist")
        return link(f"{address}?vehicle__id__exact={vehicle.pk}", "All of its visits")

    @admin.display(description="registered, site time")
    def created(self, vehicle: Vehicle) -> str:
        return site_time(vehicle.site, vehicle.created_at) if vehicle.pk else "-"


def in_words(vehicle: Vehicle, *, now: datetime) -> str:
    """Say whether a vehicle's dates let it in, and from or until when."""
    starts, ends = vehicle.valid_from, vehicle.valid_until
    if ends and ends <= now:
        return f"expired {_minute(vehicle, ends)}"
    if starts and starts > now:
        until = f" until {_minute(vehicle, ends)}" if ends else ""
        return f"not before {_minute(vehicle, starts)}{until}"
    return f"until {_minute(vehicle, ends)}" if ends else "until further notice"


def _minute(vehicle: Vehicle, at: datetime) -> str:
    return f"{vehicle.site.local(at):%Y-%m-%d %H:%M %Z}"


def _warn_of_plate(request: HttpRequest, vehicle: Vehicle) -> None:
    formats = PlateFormat.objects.of_site(vehicle.site_id)
    found = fit(vehicle.plate_number, formats)
    if found is None or found.repaired:
        known = ", ".join(each.name for each in formats)
        messages.warning(request, NEVER_READ % (vehicle.plate_number, known))
