"""Vehicles as a table: what a file must look like, and what is wrong with one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.widgets import Widget
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from identity.models import Employee
from identity.sheets import SheetResource, SiteSlug, Text, TextOrNothing, plain

from .formats import WRITE_LATIN, fit, has_foreign, normalise
from .models import PlateFormat, Vehicle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    from identity.models import User
    from identity.sheets import SheetResult

    from .formats import Format

BATCH: Final = 1000
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
        read = sheet.read_as(plate, of.site_id)
        if read is not None and read != plate:
            raise ValueError(
                f"A camera reads {plate} as {read}, by this site's formats. Write that."
            )
        return plate

    def render(self, value: object, obj: Any = None, **_: Any) -> str:
        return str(value or "")


class OneOf(TextOrNothing):
    """One word of a few."""

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        self.words = words

    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        word = plain(value).lower()
        if word and word not in self.words:
            known = ", ".join(self.words)
            raise ValueError(f"'{word}' is not known here. Write one of: {known}.")
        return word or None


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


class Known(BaseInstanceLoader):  # type: ignore[misc]
    """Finds the stored vehicle of a row among those loaded."""

    def get_instance(self, row: Any) -> Vehicle | None:
        found: Vehicle | None = self.resource.stored_row(row)
        return found


class VehicleResource(SheetResource):
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
        "vehicle_type", "type", OneOf(Vehicle.Type.values), saves_null_values=False
    )
    status = Field(
        "status", "status", OneOf(Vehicle.Status.values), saves_null_values=False
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
        self._todo: list[Vehicle] = []
        self._stored: dict[Key, Vehicle] = {}
        self.people: dict[tuple[int, str], Employee] = {}
        self._formats: dict[int, Sequence[Format]] = {}

    def read_as(self, plate: str, site_id: int | None) -> str | None:
        """Return what a camera of the site makes of a plate; None where no format fits.

        Letters that the site's formats have a digit for count as that digit.
        """
        if site_id is None:
            return None
        if site_id not in self._formats:
            self._formats[site_id] = PlateFormat.objects.of_site(site_id)
        found = fit(plate, self._formats[site_id])
        return found.text if found else None

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

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self._todo.clear()
        if not self.rows_before:
            self._row_of.clear()
        plates = {normalise(plain(plate)) for plate in dataset["plate"]}
        stored = self.get_queryset().filter(plate_number__in=plates)
        # Who blocks one of them meanwhile waits; gates do not.
        locked = stored.select_for_update(no_key=True, of=("self",))
        self._stored = {(row.site_id, row.plate_number): row for row in locked}
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

    def import_instance(self, instance: Vehicle, row: Any, **kwargs: Any) -> None:
        was_blocked = instance.status == Vehicle.Status.BLOCKED
        super().import_instance(instance, row, **kwargs)
        if was_blocked and instance.status != Vehicle.Status.BLOCKED:
            raise ValidationError(
                {
                    "status": f"{instance.plate_number} is blocked. Unblock it on its "
                    "own page, with a reason."
                }
            )
        if not instance.site_id:
            raise ValidationError({"site": "Say at which site it may drive in."})
        self._compare(instance, self.rows_before + kwargs["row_number"])

    def _compare(self, vehicle: Vehicle, number: int) -> None:
        key = (vehicle.site_id, vehicle.plate_number)
        if key in self._row_of:
            raise ValidationError(
                {"plate_number": f"Row {self._row_of[key]} has {key[1]} too."}
            )
        self._row_of[key] = number

    def validate_instance(
        self,
        instance: Vehicle,
        import_validation_errors: dict[str, Any] | None = None,
        validate_unique: Any = True,  # noqa: FBT002 - the library's signature
    ) -> None:
        """Check what the columns' own checks leave, without a query."""
        errors = dict(import_validation_errors or {})
        known = {*errors, "site", "employee", "registered_by"}
        try:
            instance.full_clean(
                known, validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        is_blocked = instance.status == Vehicle.Status.BLOCKED
        if is_blocked and not instance.reason and "reason" not in errors:
            errors["reason"] = ValidationError("Say why it is blocked.")
        starts, ends = instance.valid_from, instance.valid_until
        if starts and ends and ends <= starts and "valid_until" not in errors:
            errors["valid_until"] = ValidationError("It ends before it begins.")
        if errors:
            raise ValidationError(errors)

    def save_instance(
        self, instance: Vehicle, is_create: Any, row: Any, **kwargs: Any
    ) -> None:
        self._todo.append(instance)

    def after_import(self, dataset: Any, result: SheetResult, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if not result.with_errors and not result.base_errors:
            self._write(reason=f"Import of {kwargs.get('file_name')}"[:100])

    def _write(self, *, reason: str) -> None:
        new = [row for row in self._todo if row.pk is None]
        known = [row for row in self._todo if row.pk is not None]
        told = {
            "default_user": self.user,
            "default_change_reason": reason,
            "batch_size": BATCH,
        }
        if known:
            fields = [str(field.attribute) for field in self.get_import_fields()]
            bulk_update_with_history(known, Vehicle, fields, **told)
        if new:
            bulk_create_with_history(new, Vehicle, **told)


def _told(vehicle: Vehicle, at: datetime | None) -> str:
    return f"{vehicle.site.local(at):%Y-%m-%d %H:%M}" if at else ""
