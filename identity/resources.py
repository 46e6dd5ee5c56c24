"""Employees as a table: what a file must look like, and what is wrong with one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.instance_loaders import CachedInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Error
from import_export.widgets import Widget

from streaming.models import Site

from .models import Department, Employee

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from .models import User

ROWS_MAX: Final = 5_000
"""Each takes some 10 ms, and somebody waits."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""
WRITTEN: Final = [
    "site",
    "name",
    "email",
    "department",
    "status",
    "is_authorized",
    "notes",
]
"""What an import may change of somebody who is known."""
YES: Final = {"yes", "true", "1", "y"}
NO: Final = {"no", "false", "0", "n"}


class Told(Error):  # type: ignore[misc]
    """An error of the whole file, told without where in the code it was found."""

    traceback = ""


class BadFile(Exception):
    """The file cannot be imported whatever its rows say; the message says why."""


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def plain(value: object) -> str:
    """Return what a cell says, as `harmless` found it; a whole number without .0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value).strip()
    return text[1:] if text[1:].startswith(FORMULA_STARTS) and text[0] == "'" else text


class Text(Widget):  # type: ignore[misc]
    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        return plain(value)

    def render(self, value: object, obj: Any = None, **_: Any) -> str:
        return "" if value is None else harmless(str(value))


class TextOrNothing(Text):
    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        return plain(value) or None


class StatusWord(TextOrNothing):
    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        word = plain(value).lower()
        if word and word not in Employee.Status.values:
            raise ValueError(f"'{word}' is no status. Write active or inactive.")
        return word or None


class YesOrNo(Widget):  # type: ignore[misc]
    """Refuses what it does not know: who may enter must not hang on a misspelling."""

    def clean(self, value: object, row: Any = None, **_: Any) -> bool | None:
        word = plain(value).lower()
        if word and word not in YES | NO:
            raise ValueError(f"'{word}' is neither yes nor no.")
        return word in YES if word else None

    def render(self, value: object, obj: Any = None, **_: Any) -> str:
        return "yes" if value else "no"


class SiteSlug(Widget):  # type: ignore[misc]
    """A site of the user's own, by its slug."""

    def clean(
        self, value: object, row: Any = None, user: Any = None, **_: Any
    ) -> Site | None:
        slug = plain(value)
        if not slug:
            return None
        sites = {site.slug: site for site in Site.objects.visible_to(user)}
        if slug not in sites:
            known = ", ".join(sorted(sites)) or "none"
            raise ValueError(f"There is no site '{slug}'. Yours: {known}.")
        return sites[slug]

    def render(self, value: Site | None, obj: Any = None, **_: Any) -> str:
        return value.slug if value else ""


class DepartmentName(Widget):  # type: ignore[misc]
    """A department of the employee's own site, by its name."""

    def clean(
        self, value: object, row: Any = None, *, employee: Employee, **_: Any
    ) -> Department | None:
        name = plain(value)
        if not name or not employee.site_id:
            return None  # What is wrong with the site is told already.
        here = Department.objects.filter(site=employee.site_id, name=name)
        department = here.first()
        if department is None:
            raise ValueError(
                f"There is no department '{name}' at {employee.site}. Add it first."
            )
        return department

    def render(self, value: Department | None, obj: Any = None, **_: Any) -> str:
        return harmless(value.name) if value else ""


class EmployeeResource(ModelResource):  # type: ignore[misc]
    """Employees of the sites that `user` sees, by code: known ones change, others come.

    A column that is not in the file is left as it is; an empty cell empties what may be
    empty. Somebody who sees one site alone need not name it.
    """

    site = Field("site", "site", SiteSlug(), saves_null_values=False)
    code = Field("code", "code", Text())
    name = Field("name", "name", Text())
    email = Field("email", "email", TextOrNothing())
    department = Field("department", "department", DepartmentName())
    status = Field("status", "status", StatusWord(), saves_null_values=False)
    may_enter = Field("is_authorized", "may_enter", YesOrNo(), saves_null_values=False)
    notes = Field("notes", "notes", Text())

    class Meta:
        model = Employee
        name = "Employees"
        fields = [
            "site",
            "code",
            "name",
            "email",
            "department",
            "status",
            "may_enter",
            "notes",
        ]
        import_id_fields = ["code"]
        instance_loader_class = CachedInstanceLoader
        skip_unchanged = True
        use_transactions = True

    def __init__(self, *, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        self._row_of: dict[str, int] = {}
        self._taken: set[str] = set()

    @cached_property
    def only_site(self) -> Site | None:
        """The user's site, of those who have one alone."""
        sites = list(Site.objects.visible_to(self.user)[:2]) if self.user else []
        return sites[0] if len(sites) == 1 else None

    @classmethod
    def get_error_result_class(cls) -> type[Error]:
        return Told

    def get_queryset(self) -> QuerySet[Employee]:
        if self.user is None:
            return Employee.objects.none()
        return Employee.objects.present().visible_to(self.user)

    def init_instance(self, row: Any = None) -> Employee:
        """Make a new row, at the user's only site where nobody names one."""
        return Employee(site=self.only_site, created_by=self.user)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        try:
            self._check_file(dataset)
        except BadFile:
            dataset.wipe()  # What its rows are like does not matter any more.
            raise
        self._row_of.clear()
        codes = [plain(code) for code in dataset["code"]]
        named = Employee.objects.filter(code__in=codes)
        self._taken = set(named.values_list("code", flat=True))

    def _check_file(self, dataset: Any) -> None:
        columns = [str(header) for header in dataset.headers or []]
        known = self.get_export_headers()
        for column in columns:
            if column not in known:
                raise BadFile(
                    f"There is no column '{column}'. Known: {', '.join(known)}."
                )
        if "code" not in columns:
            raise BadFile("The column 'code' is missing: it says who each row is.")
        if len(dataset) > ROWS_MAX:
            raise BadFile(f"At most {ROWS_MAX} rows at once; split the file.")

    def before_import_row(self, row: Mapping[str, Any], **kwargs: Any) -> None:
        code = plain(row.get("code"))
        if not code:
            raise ValidationError({"code": "The code is missing."})
        if code in self._row_of:
            raise ValidationError(
                {"code": f"Row {self._row_of[code]} has the code {code} too."}
            )
        self._row_of[code] = kwargs["row_number"]

    def after_init_instance(
        self, instance: Employee, new: Any, row: Mapping[str, Any], **kwargs: Any
    ) -> None:
        code = plain(row["code"])
        if new and code in self._taken:
            raise ValidationError(
                {"code": f"{code} is taken: by another site, or by somebody erased."}
            )
        instance._change_reason = f"Import of {kwargs.get('file_name')}"[:100]  # type: ignore[attr-defined]

    def import_field(
        self, field: Field, instance: Employee, row: Any, *rest: Any, **kwargs: Any
    ) -> None:
        """Tell the column whose cell it reads: a department is one of their site's."""
        super().import_field(field, instance, row, *rest, employee=instance, **kwargs)

    def validate_instance(
        self,
        instance: Employee,
        import_validation_errors: dict[str, Any] | None = None,
        validate_unique: Any = True,  # noqa: FBT002 - the library's signature
    ) -> None:
        """Check what the columns' own checks leave, with few queries: rows are many."""
        errors = dict(import_validation_errors or {})
        if not instance.site_id and "site" not in errors:
            errors["site"] = ValidationError("Say at which site they work.")
        others = Employee.objects.exclude(pk=instance.pk)
        if instance.email and others.filter(email=instance.email).exists():
            errors["email"] = ValidationError("Somebody has this e-mail address.")
        known = {*errors, "site", "department", "created_by"}
        try:
            instance.full_clean(
                known, validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def do_instance_save(self, instance: Employee, is_create: Any) -> None:
        """Write the columns of the file alone: a worker writes `last_seen_at`."""
        if is_create:
            instance.save(force_insert=True)
        else:
            instance.save(update_fields=WRITTEN)
