"""Employees as a table: what a file must look like, and what is wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.instance_loaders import CachedInstanceLoader
from import_export.widgets import Widget

from .models import Department, Employee
from .sheets import (
    OneOf,
    SheetResource,
    SiteSlug,
    Text,
    TextOrNothing,
    harmless,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from .models import User

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


class YesOrNo(Widget):  # type: ignore[misc]
    """Refuses what it does not know: who may enter must not hang on a misspelling."""

    def clean(self, value: object, row: Any = None, **_: Any) -> bool | None:
        word = plain(value).lower()
        if word and word not in YES | NO:
            raise ValueError(f"'{word}' is neither yes nor no.")
        return word in YES if word else None

    def render(self, value: object, obj: Any = None, **_: Any) -> str:
        return "yes" if value else "no"


class DepartmentName(Widget):  # type: ignore[misc]
    """A department of the employee's own site, by its name."""

    def clean(
        self, value: object, row: Any = None, *, of: Employee, **_: Any
    ) -> Department | None:
        name = plain(value)
        if not name or not of.site_id:
            return None  # What is wrong with the site is told already.
        here = Department.objects.filter(site=of.site_id, name=name)
        department = here.first()
        if department is None:
            raise ValueError(
                f"There is no department '{name}' at {of.site}. Add it first."
            )
        return department

    def render(self, value: Department | None, obj: Any = None, **_: Any) -> str:
        return harmless(value.name) if value else ""


class EmployeeResource(SheetResource):
    """Employees of own sites, by code: known ones change, others come."""

    needed = {"code": "who each row is"}

    site = Field("site", "site", SiteSlug(), saves_null_values=False)
    code = Field("code", "code", Text())
    name = Field("name", "name", Text())
    email = Field("email", "email", TextOrNothing())
    department = Field("department", "department", DepartmentName())
    status = Field(
        "status",
        "status",
        OneOf(Employee.Status.values, "status"),
        saves_null_values=False,
    )
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
        super().__init__(user=user, **kwargs)
        self._row_of: dict[str, int] = {}
        self._taken: set[str] = set()

    def get_queryset(self) -> QuerySet[Employee]:
        if self.user is None:
            return Employee.objects.none()
        return Employee.objects.present().visible_to(self.user)

    def init_instance(self, row: Any = None) -> Employee:
        """Make a new row, at the user's only site where nobody names one."""
        return Employee(site=self.only_site, created_by=self.user)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self._row_of.clear()
        codes = [plain(code) for code in dataset["code"]]
        named = Employee.objects.filter(code__in=codes)
        self._taken = set(named.values_list("code", flat=True))

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

    def wrong_with(self, row: Employee) -> Mapping[str, str]:
        wrong = {} if row.site_id else {"site": "Say at which site they work."}
        others = Employee.objects.exclude(pk=row.pk)
        if row.email and others.filter(email=row.email).exists():
            wrong["email"] = "Somebody has this e-mail address."
        return wrong

    def do_instance_save(self, instance: Employee, is_create: Any) -> None:
        """Write the columns of the file alone: a worker writes `last_seen_at`."""
        if is_create:
            instance.save(force_insert=True)
        else:
            instance.save(update_fields=WRITTEN)
