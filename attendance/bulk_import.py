"""Files of the roster read as a whole, so that many rows ask as little as few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export.instance_loaders import BaseInstanceLoader
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from identity.sheets import SheetResource, SheetResult

from . import assigning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from import_export.results import Result, RowResult

    from .assigning import RosterRow, Touched

BATCH: Final = 1000


class RosterResult(SheetResult):
    """What an import of the roster did."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.touched: list[Touched] = []


class Known(BaseInstanceLoader):  # type: ignore[misc]
    """Finds the stored row that a row of the file is about among those loaded."""

    def get_instance(self, row: Any) -> Any:
        return self.resource.stored_row(row)


class RosterResource(SheetResource):
    """Reads all rows, then writes all of them; each kind says how."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.todo: list[tuple[Any, int]] = []
        self.row_results: dict[int, RowResult] = {}

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return RosterResult

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self.todo.clear()
        self.row_results.clear()
        self.load(dataset)

    def load(self, dataset: Any) -> None:
        """Load what the rows are about."""
        raise NotImplementedError

    def stored_row(self, row: Mapping[str, Any]) -> RosterRow | None:
        """Return the stored row that a row of the file changes."""
        raise NotImplementedError

    def compare(self, row: Any, number: int) -> None:
        """Refuse a row that contradicts another; raises ValidationError."""
        raise NotImplementedError

    def write(self, *, result: RosterResult, reason: str, at: datetime) -> None:
        """Write the rows to do."""
        rows = [row for row, _ in self.todo]
        new = [row for row in rows if row.pk is None]
        known = [row for row in rows if row.pk is not None]
        before = list(self._meta.model.objects.filter(pk__in=[row.pk for row in known]))
        told = {
            "default_user": self.user,
            "default_change_reason": reason,
            "default_date": at,
            "batch_size": BATCH,
        }
        if known:
            fields = [field.attribute for field in self.get_import_fields()]
            bulk_update_with_history(known, self._meta.model, fields, **told)
        if new:
            bulk_create_with_history(new, self._meta.model, **told)
        result.touched = assigning.touched_by(*before, *rows)

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        self.compare(instance, kwargs["row_number"])

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: dict[str, Any] | None = None,
        validate_unique: Any = True,  # noqa: FBT002 - the library's signature
    ) -> None:
        """Check what the columns' own checks leave, without a query."""
        if import_validation_errors:
            raise ValidationError(import_validation_errors)
        related = {field.name for field in instance._meta.fields if field.is_relation}
        instance.full_clean(related, validate_unique=False, validate_constraints=False)

    def save_instance(
        self, instance: Any, is_create: Any, row: Any, **kwargs: Any
    ) -> None:
        self.todo.append((instance, kwargs["row_number"]))

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        self.row_results[kwargs["row_number"]] = row_result

    def after_import(self, dataset: Any, result: RosterResult, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if not result.with_errors and not result.base_errors:
            reason = f"Import of {kwargs.get('file_name')}"[:100]
            self.write(result=result, reason=reason, at=timezone.now())
