"""Files read as a whole, so that many rows ask as little as few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from import_export.instance_loaders import BaseInstanceLoader
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from .sheets import SheetResource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .sheets import SheetResult

BATCH: Final = 1000


class Known(BaseInstanceLoader):  # type: ignore[misc]
    """Finds the stored row that a row of the file is about among those loaded."""

    def get_instance(self, row: Any) -> Any:
        return self.resource.stored_row(row)


class BulkResource(SheetResource):
    """Reads all rows, then writes all of them; each kind says how."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.todo: list[tuple[Any, int]] = []
        """Rows to write, and their numbers in the file."""

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self.todo.clear()
        self.load(dataset)

    def load(self, dataset: Any) -> None:
        """Load what the rows are about."""
        raise NotImplementedError

    def stored_row(self, row: Mapping[str, Any]) -> Any:
        """Return the stored row that a row of the file changes; None for a new one."""
        raise NotImplementedError

    def compare(self, row: Any, number: int) -> None:
        """Refuse a row that contradicts another; raises ValidationError."""
        raise NotImplementedError

    def write(self, *, result: SheetResult, reason: str, at: datetime) -> None:
        """Write the rows to do."""
        rows = [row for row, _ in self.todo]
        new = [row for row in rows if row.pk is None]
        known = [row for row in rows if row.pk is not None]
        told = {
            "default_user": self.user,
            "default_change_reason": reason,
            "default_date": at,
            "batch_size": BATCH,
        }
        if known:
            fields = [str(field.attribute) for field in self.get_import_fields()]
            bulk_update_with_history(known, self._meta.model, fields, **told)
        if new:
            bulk_create_with_history(new, self._meta.model, **told)

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        self.compare(instance, kwargs["row_number"])

    def save_instance(
        self, instance: Any, is_create: Any, row: Any, **kwargs: Any
    ) -> None:
        self.todo.append((instance, kwargs["row_number"]))

    def after_import(self, dataset: Any, result: SheetResult, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if not result.with_errors and not result.base_errors:
            reason = f"Import of {kwargs.get('file_name')}"[:100]
            self.write(result=result, reason=reason, at=timezone.now())
