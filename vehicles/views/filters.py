"""What the gate page's visits are narrowed to, as it stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db.models import Q

from identity.views.filters import NO_DATE, day_of, midnight, storable
from vehicles.formats import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from vehicles.models.log import VehicleLogQuerySet


@dataclass(frozen=True, slots=True)
class Filters:
    """Each empty where nothing is asked for; the day is one of `zone`."""

    text: str
    status: str
    asked_day: str
    day: date | None
    zone: ZoneInfo

    @classmethod
    def of(cls, asked: Mapping[str, str], *, zone: ZoneInfo) -> Filters:
        day = storable(asked.get("day", "")).strip()
        return cls(
            text=storable(asked.get("q", "")).strip(),
            status=storable(asked.get("status", "")),
            asked_day=day,
            day=day_of(day),
            zone=zone,
        )

    def __bool__(self) -> bool:
        return any((self.text, self.status, self.asked_day))

    @property
    def error(self) -> str:
        """A sentence where the day cannot be understood, which then narrows nothing."""
        return NO_DATE if self.asked_day and self.day is None else ""

    def apply(self, logs: VehicleLogQuerySet) -> VehicleLogQuerySet:
        if self.status:
            logs = logs.filter(status=self.status)
        if self.text:
            logs = logs.filter(named_like(self.text, vehicle="vehicle__"))
        if self.day:
            start = midnight(self.day, self.zone)
            end = midnight(self.day + timedelta(days=1), self.zone)
            logs = logs.between(start, end)
        return logs

    def query(self) -> str:
        """Return them as they stand in the address."""
        values = {"q": self.text, "status": self.status, "day": self.asked_day}
        return urlencode({name: value for name, value in values.items() if value})


def named_like(text: str, *, vehicle: str = "") -> Q:
    """Match rows by any part of their plate, or of whose the vehicle is.

    `vehicle` is the way from the row to its vehicle, such as "vehicle__" of a visit,
    which is also found by what was read.
    """
    fields = ("owner", "employee__code", "employee__name")
    found = Q(
        *((f"{vehicle}{name}__icontains", text) for name in fields), _connector=Q.OR
    )
    if plate := normalise(text):
        found |= Q(plate_number__contains=plate)
        if vehicle:
            found |= Q(as_read__contains=plate)
    return found
