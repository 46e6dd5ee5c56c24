"""Which vehicles are on a site now, for whoever has to look for people there.

Rather too many than too few: a vehicle is taken off only where a gate saw it drive out.
One whose plate was not read for sure is not among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, F, Max, OuterRef, Q

from streaming.models import Camera

from .models import BarrierCall, Gate, Vehicle, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from streaming.models import Site

    from .models.log import VehicleLogQuerySet

PARKED_WITHIN: Final = timedelta(days=7)
"""A lorry stands over a long weekend; of what came earlier the way out was missed."""
SEEN_WITHIN: Final = timedelta(hours=24)
"""Where no gate can tell the way: a night shift parks across midnight."""
PAST_THE_EXIT: Final = timedelta(minutes=5)
"""A vehicle that left is still seen for a while, by a camera that tells no way."""


class Standing(StrEnum):
    """Whether a vehicle is on the site, as far as gates can tell."""

    INSIDE = "inside"
    PERHAPS = "perhaps"
    """It was seen of late, and no gate can say which way it went."""
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What gates know of a plate; instants are UTC."""

    seen_at: datetime
    """When any gate last saw it; never before the other two."""
    came_at: datetime | None = None
    """When it last drove in, where a gate can tell."""
    left_at: datetime | None = None

    @property
    def is_in_since(self) -> datetime | None:
        """When it drove in, if it was not seen to drive out since."""
        is_out = self.came_at and self.left_at and self.left_at >= self.came_at
        return None if is_out else self.came_at


def standing(trace: Trace, *, now: datetime) -> Standing:
    """Say whether it is on the site; in doubt it perhaps is."""
    if trace.is_in_since:
        is_parked = now - trace.seen_at < PARKED_WITHIN
        return Standing.INSIDE if is_parked else Standing.LEFT
    if trace.left_at and trace.seen_at - trace.left_at <= PAST_THE_EXIT:
        return Standing.LEFT
    is_recent = now - trace.seen_at < SEEN_WITHIN
    return Standing.PERHAPS if is_recent else Standing.LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleInside:
    """A vehicle that is on a site, or perhaps is."""

    site_id: int
    log_id: int
    """Of the visit at which it was seen last."""
    plate_number: str
    vehicle_type: str
    """In words."""
    owner: str
    """Who it belongs to, where that is no employee; empty for nobody known."""
    employee_code: str
    """Who drives it, if they work here; else empty."""
    employee_name: str
    since: datetime | None
    """When it drove in; empty where no gate could tell that it did."""
    seen_at: datetime
    gate: str
    """Where it was seen last."""


READ: Final = (
    VehicleLog.Status.AUTHORIZED,
    VehicleLog.Status.BLOCKED,
    VehicleLog.Status.UNKNOWN,
)
_OPENINGS = BarrierCall.objects.filter(
    log=OuterRef("pk"), result=BarrierCall.Result.OPENED
)
OPENED: Final = Exists(_OPENINGS)
OPENED_AT_LAST: Final = Exists(
    _OPENINGS.filter(
        Q(log__denied_at=None) | Q(asked_at__gt=F("log__denied_at")),
    )
)
HAS_BARRIER: Final = Q(gate__isnull=False) & ~Q(gate__driver=Gate.Driver.NONE)
PASSED: Final = (
    Q(denied_at=None) & (Q(status=VehicleLog.Status.AUTHORIZED) | ~HAS_BARRIER)
) | Q(OPENED_AT_LAST)
"""It drove on, as far as can be told: nobody refused it, and no barrier stayed shut."""
REFUSED: Final = Q(denied_at__isnull=False) | (
    Q(status=VehicleLog.Status.BLOCKED) & HAS_BARRIER
)
COLUMNS: Final = (
    "pk",
    "plate_number",
    "vehicle_type",
    "camera__site",
    "camera__name",
    "gate__name",
    "vehicle__owner",
    "vehicle__employee__code",
    "vehicle__employee__name",
)
"""What is told of a vehicle: whole rows, with all their reads, are slow to sort."""


def inside(*, sites: Collection[Site], now: datetime) -> Sequence[VehicleInside]:
    """Return the vehicles on these sites by plate, in two queries at most."""
    traces = {
        (site.pk, plate): trace
        for site, plate, trace in _traces(sites, since=now - PARKED_WITHIN)
        if standing(trace, now=now) is not Standing.LEFT
    }
    if not traces:
        return []
    last = _seen(sites, since=now - PARKED_WITHIN).filter(
        plate_number__in={plate for _, plate in traces}
    )
    newest = last.order_by("plate_number", "camera__site", "-last_seen_at", "-id")
    rows = newest.distinct("plate_number", "camera__site").values(*COLUMNS)
    found = (
        (row, traces.get((row["camera__site"], row["plate_number"]))) for row in rows
    )
    return [_vehicle(row, trace) for row, trace in found if trace]


def _traces(
    sites: Collection[Site], *, since: datetime
) -> Iterator[tuple[Site, str, Trace]]:
    """Yield what gates know of each plate that they saw since."""
    of_key = {site.pk: site for site in sites}
    way_in = Q(direction=Camera.Direction.ENTRY) & PASSED
    way_out = Q(direction=Camera.Direction.EXIT) & PASSED
    found = (
        _seen(sites, since=since)
        .order_by()
        .values_list("camera__site", "plate_number")
        .annotate(
            seen=Max("last_seen_at"),
            came=Max("occurred_at", filter=way_in),
            left=Max("last_seen_at", filter=way_out),
        )
    )
    for site, plate, seen, came, left in found:
        yield of_key[site], plate, Trace(seen_at=seen, came_at=came, left_at=left)


def _seen(sites: Collection[Site], *, since: datetime) -> VehicleLogQuerySet:
    """Keep the visits of vehicles that may have been on the site afterwards.

    One that was refused on its way in never was, unless the barrier had opened before;
    on its way out it still is. Visits of somebody erased bear no plate any more.
    """
    rows = VehicleLog.objects.filter(
        ~Q(plate_number=""),
        camera__site__in=sites,
        occurred_at__gte=since,
        status__in=READ,
    )
    turned_away = REFUSED & ~Q(OPENED) & ~Q(direction=Camera.Direction.EXIT)
    return rows.exclude(turned_away)


def _vehicle(row: Mapping[str, Any], trace: Trace) -> VehicleInside:
    return VehicleInside(
        site_id=row["camera__site"],
        log_id=row["pk"],
        plate_number=row["plate_number"],
        vehicle_type=Vehicle.Type(row["vehicle_type"]).label,
        owner=row["vehicle__owner"] or "",
        employee_code=row["vehicle__employee__code"] or "",
        employee_name=row["vehicle__employee__name"] or "",
        since=trace.is_in_since,
        seen_at=trace.seen_at,
        gate=row["gate__name"] or row["camera__name"],
    )
