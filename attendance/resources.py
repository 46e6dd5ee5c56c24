"""The roster as tables: assignments, holidays and leaves as CSV and XLSX."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.results import RowResult
from import_export.widgets import Widget

from identity.bulk_import import Known
from identity.models import Employee
from identity.sheets import (
    Day,
    OneOf,
    SiteSlug,
    Text,
    harmless,
    plain,
)

from . import assigning
from .bulk_import import RosterResource, RosterResult
from .models import Holiday, Leave, Shift, ShiftAssignment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from import_export.results import Result

    from .assigning import RosterRow
    from .periods import Dates

WHAT_HAPPENS: Final = "what happens"


class EmployeeCode(Widget):  # type: ignore[misc]
    """An employee of the user's own sites, by their code."""

    def clean(
        self, value: object, row: Any = None, *, sheet: OfPeople, **_: Any
    ) -> Employee:
        code = plain(value)
        if not code:
            raise ValueError("The employee's code is missing.")
        if code not in sheet.people:
            raise ValueError(f"Nobody at your sites has the code {code}.")
        return sheet.people[code]

    def render(self, value: Employee | None, obj: Any = None, **_: Any) -> str:
        return value.code if value else ""


class ShiftName(Widget):  # type: ignore[misc]
    """A shift of the employee's own site, by its name."""

    def clean(
        self, value: object, row: Any = None, *, of: Any, sheet: Any, **_: Any
    ) -> Shift | None:
        name = plain(value)
        if not of.employee_id:
            return None  # What is wrong with the employee is told already.
        shifts = sheet.shifts[of.employee.site_id]
        if name not in shifts:
            known = ", ".join(sorted(shifts)) or "none"
            raise ValueError(
                f"There is no shift '{name}' at {of.employee.site}. Its shifts: "
                f"{known}."
            )
        return cast("Shift", shifts[name])

    def render(self, value: Shift | None, obj: Any = None, **_: Any) -> str:
        return harmless(value.shift_name) if value else ""


class OfPeople(RosterResource):
    """Rows of employees over [from, until), of whom no two of a file may overlap."""

    def load(self, dataset: Any) -> None:
        codes = {plain(code) for code in dataset["employee"]}
        people = Employee.objects.present().visible_to(self.user)  # type: ignore[arg-type]
        named = people.filter(code__in=codes).select_related("site")
        self.people = {employee.code: employee for employee in named}
        self.rows_of: dict[int, list[tuple[Dates, int]]] = defaultdict(list)
        stored = self._meta.model.objects.filter(employee__in=self.people.values())
        self.stored = {
            (row.employee_id, row.starts_on): row
            for row in stored.select_related("employee__site")
        }

    def stored_row(self, row: Mapping[str, Any]) -> RosterRow | None:
        employee = self.people.get(plain(row["employee"]))
        try:
            starts_on = Day().clean(row["from"])
        except ValueError:
            return None  # Its own column tells.
        return self.stored.get((employee.pk, starts_on)) if employee else None

    def compare(self, row: Any, number: int) -> None:
        if row.starts_on is None:
            raise ValidationError({"starts_on": "The first date is missing."})
        if row.ends_on and row.ends_on <= row.starts_on:
            raise ValidationError({"ends_on": "The period ends before it starts."})
        dates = assigning.dates_of(row)
        for other, where in self.rows_of[row.employee_id]:
            if other.overlaps(dates):
                raise ValidationError(
                    f"Row {where} has {row.employee.code} on some of these dates too. "
                    "Fill in 'until', the first date after it."
                )
        self.rows_of[row.employee_id].append((dates, number))


class ShiftAssignmentResource(OfPeople):
    """Who works which shift from when: a new row ends the one before, as HR's page.

    A row with the employee and the first date of a known one changes that one.
    """

    needed = {
        "employee": "whose row it is",
        "shift": "on which shift they are put",
        "from": "from when",
    }
    employee = Field("employee", "employee", EmployeeCode())
    shift = Field("shift", "shift", ShiftName())
    starts_on = Field("starts_on", "from", Day())
    ends_on = Field("ends_on", "until", Day())

    class Meta:
        model = ShiftAssignment
        name = "Shift assignments"
        fields = ["employee", "shift", "starts_on", "ends_on"]
        import_id_fields = ["employee", "starts_on"]
        instance_loader_class = Known
        skip_unchanged = use_transactions = use_bulk = True

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        self.row_results[kwargs["row_number"]] = row_result

    def load(self, dataset: Any) -> None:
        super().load(dataset)
        self.row_results: dict[int, RowResult] = {}
        self.shifts: dict[int, dict[str, Shift]] = defaultdict(dict)
        sites = {employee.site_id for employee in self.people.values()}
        for shift in Shift.objects.filter(site__in=sites):
            self.shifts[shift.site_id][shift.shift_name] = shift

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Mapping[str, Any] | None = None,
        validate_unique: Any = True,  # noqa: FBT002 - the library's signature
    ) -> None:
        super().validate_instance(instance, import_validation_errors, validate_unique)
        try:
            assigning.check(
                [instance.employee],
                instance.shift,
                starts_on=instance.starts_on,
                ends_on=instance.ends_on,
            )
        except assigning.ShiftNotAssigned as error:
            raise ValidationError(str(error)) from None

    def write(self, *, result: RosterResult, reason: str, at: datetime) -> None:
        rows = [row for row, _ in self.todo]
        assigning.lock_rosters(sites={row.employee.site_id for row in rows})
        touched = assigning.touched_by(*self.stored_before())
        found = assigning.effects(rows)
        self._tell(found, result)
        written = assigning.write(found, by=self.user, at=at, reason=reason)
        result.touched = [*touched, *written]

    def _tell(self, found: Sequence[assigning.Effect], result: RosterResult) -> None:
        """Show what each row does to others in a column more."""
        result.diff_headers.append(WHAT_HAPPENS)
        words = {}
        for effect, (_, number) in zip(found, self.todo, strict=True):
            words[number] = effect.words
            if effect.is_there:
                _skip(self.row_results[number], result)
        for number, row_result in self.row_results.items():
            if row_result.diff is not None:
                row_result.diff.append(words.get(number, ""))


def _skip(row_result: RowResult, result: Result) -> None:
    """Count a row among those that change nothing after all."""
    result.totals[row_result.import_type] -= 1
    row_result.import_type = RowResult.IMPORT_TYPE_SKIP
    result.totals[RowResult.IMPORT_TYPE_SKIP] += 1


class LeaveResource(OfPeople):
    """Leaves; a row with the employee and the first date of a known one changes it."""

    needed = {
        "employee": "whose leave it is",
        "from": "the first day of leave",
        "until": "the first day back at work",
    }
    employee = Field("employee", "employee", EmployeeCode())
    kind = Field(
        "kind",
        "kind",
        OneOf(Leave.Kind.values, "kind of leave"),
        saves_null_values=False,
    )
    starts_on = Field("starts_on", "from", Day())
    ends_on = Field("ends_on", "until", Day())
    notes = Field("notes", "notes", Text())

    class Meta:
        model = Leave
        name = "Leaves"
        fields = ["employee", "kind", "starts_on", "ends_on", "notes"]
        import_id_fields = ["employee", "starts_on"]
        instance_loader_class = Known
        skip_unchanged = use_transactions = use_bulk = True

    def init_instance(self, row: Any = None) -> Leave:
        return Leave(created_by=self.user)

    def compare(self, row: Any, number: int) -> None:
        if row.ends_on is None:
            raise ValidationError({"ends_on": "The first day back is missing."})
        super().compare(row, number)
        dates = assigning.dates_of(row)
        for other in self.stored_of.get(row.employee_id, ()):
            # What the file says of a known one holds, and is compared already.
            is_said = (other.employee_id, other.starts_on) in self.said
            if not is_said and assigning.dates_of(other).overlaps(dates):
                raise ValidationError(
                    f"{row.employee.code} is on leave from {other.starts_on} until "
                    f"{other.ends_on} already."
                )

    def load(self, dataset: Any) -> None:
        super().load(dataset)
        self.stored_of: dict[int, list[Leave]] = defaultdict(list)
        for (employee, _), leave in self.stored.items():
            self.stored_of[employee].append(leave)
        known = [self.stored_row(row) for row in dataset.dict]
        self.said = {
            (row.employee_id, row.starts_on) for row in known if isinstance(row, Leave)
        }


class HolidayResource(RosterResource):
    """Holidays of sites; a row with the site and the date of a known one names it."""

    needed = {"date": "which day it is", "name": "what it is called"}
    site = Field("site", "site", SiteSlug(), saves_null_values=False)
    holiday_date = Field("holiday_date", "date", Day())
    name = Field("name", "name", Text())

    class Meta:
        model = Holiday
        name = "Holidays"
        fields = ["site", "holiday_date", "name"]
        import_id_fields = ["holiday_date"]
        instance_loader_class = Known
        skip_unchanged = use_transactions = use_bulk = True

    def init_instance(self, row: Any = None) -> Holiday:
        return Holiday(site=self.only_site) if self.only_site else Holiday()

    def load(self, dataset: Any) -> None:
        seen = Holiday.objects.visible_to(self.user)  # type: ignore[arg-type]
        self.stored: dict[tuple[str, date], Holiday] = {
            (holiday.site.slug, holiday.holiday_date): holiday
            for holiday in seen.select_related("site")
        }
        self.row_of: dict[tuple[int, date], int] = {}

    def stored_row(self, row: Mapping[str, Any]) -> RosterRow | None:
        slug = plain(row.get("site")) or (self.only_site and self.only_site.slug)
        try:
            day = Day().clean(row["date"])
        except ValueError:
            return None  # Its own column tells.
        return self.stored.get((slug, day)) if slug and day else None

    def compare(self, row: Any, number: int) -> None:
        if not row.site_id:
            raise ValidationError({"site": "Say at which site."})
        if row.holiday_date is None:
            raise ValidationError({"holiday_date": "The date is missing."})
        key = (row.site_id, row.holiday_date)
        if key in self.row_of:
            raise ValidationError(f"Row {self.row_of[key]} has this date too.")
        self.row_of[key] = number
