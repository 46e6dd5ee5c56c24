"""What the views of vehicles share: plates in addresses, gates, and who opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_filters import rest_framework as filters

from identity.api.base import Needs, VisibleKeyFilter
from vehicles.formats import normalise
from vehicles.models import Gate

if TYPE_CHECKING:
    from django.db.models import QuerySet


class MayOpen(Needs):
    permission = "vehicles.open_gate"


class PlateFilter(filters.CharFilter):  # type: ignore[misc]
    """Keeps the rows of one plate, however it is written."""

    def __init__(self) -> None:
        super().__init__(field_name="plate_number", label="Plate, however written")

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return rows
        plate = normalise(value)
        return rows.filter(plate_number=plate) if plate else rows.none()


class GateFilter(VisibleKeyFilter):
    def __init__(self) -> None:
        super().__init__(Gate.objects.defer("address"), "gate")
