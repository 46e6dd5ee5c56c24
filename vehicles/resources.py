"""Vehicles as a table: what a file must look like, and what is wrong with one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export.fields import Field
from import_export.widgets import Widget

from identity.bulk_import import BulkResource, Known
from identity.models import Employee
from identity.sheets import OneOf, SiteSlug, Text, plain

from .formats import WRITE_LATIN, check_as_read, has_foreign, normalise
from .models import PlateFormat, Vehicle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    from identity.models import User

    from .formats import Format

Key = tuple[int, str]
"""Site and plate."""


class Plate(Widget):  # type: ignore[misc]
    """A plate as people write it: capitals, spaces and dashes do not matter."""

    def clean(
        self, value: object, row: Any = None, *, of: Vehicle, sheet: Any, **_: Any
    ) -> str:
        text = plain(value)
        if has_foreign(text):
            raise ValueError(WRITE_LATIN)
        plate = normalise(text)
        if of._state.adding:  # What is known may be older than a format.
            check_as_read(plate, sheet.formats_of(of.site_id))
        return plate

    def render(self, value: object, obj: Any = None, **_: Any) -> str:
        return str(value or "")


class DriverCode(Widget):  # type: ignore[misc]
    """An employee of the vehicle's own site, by their code."""

    def clean(
        self, value: object, row: Any = None, *, of: Vehicle, sheet: Any, **_: Any
    ) -> Employee | None:
        code = plain(value)
        if not code or not of.site_id:
            return None  # What is wrong with the site is told already.
        employee: Employee | None = sheet.people.get((of.site_id, code))
        if employee is None:
            raise ValueError(f"Nobody at {of.site} has the code {code}.")
        return employee

    def render(self, value: Employee | None, obj: Any = None, **_: Any) -> str:
        return value.code if value else ""


class Moment(Widget):  # type: ignore[misc]
    """Date and time by the site's clock, readable in one way; a date is its midnight.

    With its own offset, as 2026-03-05T18:00+05:30, it is taken as it stands.
    """

    def clean(
        self, value: object, row: Any = None, *, of: Vehicle, **_: Any
    ) -> datetime | None:
        text = value.isoformat() if isinstance(value, datetime) else plain(value)
        if not text or not of.site_id:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"'{text}' is no date and time that can be read in one way. Write "
                "2026-03-05 18:00."
            ) from None
        zone = ZoneInfo(of.site.time_zone)
        return at if timezone.is_aware(at) else at.replace(tzinfo=zone)


class VehicleResource(BulkResource):
    """Vehicles of own sites, by site and plate: known ones change, others come.

    All rows are read with a few queries and written together, or none is. Nothing is
    let in again by a file: an old one would let in what was blocked since.
    """

    needed = {"plate": "which vehicle each row is"}
    too_many = (
        "split the file, or have site IT import it: manage.py import_vehicles takes "
        "CSV files of any length"
    )

    site = Field("site", "site", SiteSlug(), saves_null_values=False)
    plate = Field("plate_number", "plate", Plate())
    vehicle_type = Field(
        "vehicle_type",
        "type",
        OneOf(Vehicle.Type.values, "type of vehicle"),
        saves_null_values=False,
    )
    status = Field(
        "status",
        "status",
        OneOf(Vehicle.Status.values, "status"),
        saves_null_values=False,
    )
    reason = Field("reason", "reason", Text())
    owner = Field("owner", "owner", Text())
    employee = Field("employee", "employee", DriverCode())
    valid_from = Field("valid_from", "valid_from", Moment())
    valid_until = Field("valid_until", "valid_until", Moment())
    notes = Field("notes", "notes", Text())

    class Meta:
        model = Vehicle
        name = "Vehicles"
        fields = [
            "site",
            "plate",
            "vehicle_type",
            "status",
            "reason",
            "owner",
            "employee",
            "valid_from",
            "valid_until",
            "notes",
        ]
        import_id_fields = ["plate"]
        instance_loader_class = Known
        skip_unchanged = use_transactions = use_bulk = True

    def __init__(self, *, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(user=user, **kwargs)
        self.rows_before = 0
        """Rows of the same file that others were given before."""
        self._row_of: dict[Key, int] = {}
        self._stored: dict[Key, Vehicle] = {}
        self._blocked: set[Key] = set()
        self.people: dict[tuple[int, str], Employee] = {}
        self._formats: dict[int, Sequence[Format]] = {}

    def formats_of(self, site_id: int | None) -> Sequence[Format]:
        """Return those in force at a site, asked for once a file; none of no site."""
        if site_id is None:
            return ()
        if site_id not in self._formats:
            self._formats[site_id] = PlateFormat.objects.of_site(site_id)
        return self._formats[site_id]

    def get_queryset(self) -> QuerySet[Vehicle]:
        if self.user is None:
            return Vehicle.objects.none()
        seen = Vehicle.objects.visible_to(self.user)
        return seen.select_related("site", "employee")

    def get_export_queryset(self, *args: Any, **kwargs: Any) -> Any:
        rows = super().get_export_queryset(*args, **kwargs)
        return rows.select_related("site", "employee")

    def dehydrate_valid_from(self, vehicle: Vehicle) -> str:
        return _told(vehicle, vehicle.valid_from)

    def dehydrate_valid_until(self, vehicle: Vehicle) -> str:
        return _told(vehicle, vehicle.valid_until)

    def load(self, dataset: Any) -> None:
        if not self.rows_before:
            self._row_of.clear()
        plates = {normalise(plain(plate)) for plate in dataset["plate"]}
        stored = self.get_queryset().filter(plate_number__in=plates)
        # Who blocks one of them meanwhile waits; gates do not.
        locked = stored.select_for_update(no_key=True, of=("self",))
        self._stored = {(row.site_id, row.plate_number): row for row in locked}
        self._blocked = {
            key
            for key, row in self._stored.items()
            if row.status == Vehicle.Status.BLOCKED
        }
        self.people = self._people(dataset)

    def _people(self, dataset: Any) -> dict[tuple[int, str], Employee]:
        if "employee" not in dataset.headers or self.user is None:
            return {}
        codes = {plain(code) for code in dataset["employee"]}
        own = Employee.objects.present().visible_to(self.user).filter(code__in=codes)
        return {(each.site_id, each.code): each for each in own}

    def before_import_row(self, row: Mapping[str, Any], **kwargs: Any) -> None:
        if not normalise(plain(row["plate"])):
            raise ValidationError({"plate_number": "The plate is missing."})

    def stored_row(self, row: Mapping[str, Any]) -> Vehicle | None:
        slug = plain(row.get("site"))
        site = self.sites.get(slug) if slug else self.only_site
        return (
            self._stored.get((site.pk, normalise(plain(row["plate"]))))
            if site
            else None
        )

    def init_instance(self, row: Any = None) -> Vehicle:
        """Make a new row, at the user's only site where nobody names one."""
        return Vehicle(site=self.only_site, registered_by=self.user)

    def compare(self, row: Vehicle, number: int) -> None:
        key = (row.site_id, row.plate_number)
        if key in self._blocked and row.status != Vehicle.Status.BLOCKED:
            sentence = (
                f"{key[1]} is blocked. Unblock it on its own page, with a reason."
            )
            raise ValidationError({"status": sentence})
        if not row.site_id:
            raise ValidationError({"site": "Say at which site it may drive in."})
        if key in self._row_of:
            raise ValidationError(
                {"plate_number": f"Row {self._row_of[key]} has {key[1]} too."}
            )
        self._row_of[key] = self.rows_before + number

    def wrong_with(self, row: Vehicle) -> Mapping[str, str]:
        wrong = {}
        if row.status == Vehicle.Status.BLOCKED and not row.reason:
            wrong["reason"] = "Say why it is blocked."
        if row.valid_from and row.valid_until and row.valid_until <= row.valid_from:
            wrong["valid_until"] = "It ends before it begins."
        return wrong


def _told(vehicle: Vehicle, at: datetime | None) -> str:
    return f"{vehicle.site.local(at):%Y-%m-%d %H:%M}" if at else ""
