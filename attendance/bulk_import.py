"""Files of the roster: what they touch has its days worked out anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from identity.bulk_import import BulkResource
from identity.sheets import SheetResult

from . import assigning

if TYPE_CHECKING:
    from datetime import datetime

    from import_export.results import Result

    from .assigning import Touched


class RosterResult(SheetResult):
    """What an import of the roster did."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.touched: list[Touched] = []


class RosterResource(BulkResource):
    """Rows of which the result tells whom they touch, and on which dates."""

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return RosterResult

    def write(self, *, result: Any, reason: str, at: datetime) -> None:
        before = self.stored_before()
        super().write(result=result, reason=reason, at=at)
        rows = [row for row, _ in self.todo]
        result.touched = assigning.touched_by(*before, *rows)

    def stored_before(self) -> list[Any]:
        """Return the rows to do as they are stored yet."""
        keys = [row.pk for row, _ in self.todo if row.pk]
        return list(self._meta.model.objects.filter(pk__in=keys))
