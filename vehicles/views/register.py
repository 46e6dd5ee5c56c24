"""The vehicles that are known: the list, and each one's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Max, OuterRef, Subquery
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from identity.views.filters import storable
from streaming.models import Camera, Site
from vehicles.models import BarrierCall, Vehicle, VehicleLog

from .filters import named_like
from .gates import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime, timedelta

    from django.http import HttpRequest, HttpResponse

    from vehicles.models.log import VehicleLogQuerySet
    from vehicles.models.register import VehicleQuerySet

VEHICLES_PER_PAGE: Final = 50
VISITS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; an empty field narrows nothing."""

    text: str
    site: str
    status: str

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Filters:
        return cls(
            text=storable(values.get("q", "")).strip(),
            site=storable(values.get("site", "")),
            status=storable(values.get("status", "")),
        )

    def __bool__(self) -> bool:
        return any((self.text, self.site, self.status))

    def apply(self, rows: VehicleQuerySet) -> VehicleQuerySet:
        if self.site:
            rows = rows.filter(site__slug=self.site)
        if self.status:
            rows = rows.filter(status=self.status)
        return rows.filter(named_like(self.text)) if self.text else rows

    def query(self) -> str:
        """Return them as they stand in the address, for links to further pages."""
        values = {"q": self.text, "site": self.site, "status": self.status}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Day:
    """What a vehicle did on one day of the site."""

    date: date
    logs: Sequence[VehicleLog]
    first_in: datetime | None
    last_out: datetime | None

    @property
    def on_site(self) -> timedelta | None:
        """From the first way in to the last way out after it; None without both."""
        if self.first_in is None or self.last_out is None:
            return None
        length = self.last_out - self.first_in
        return length if length.total_seconds() > 0 else None


@require_GET
@permission_required("vehicles.view_vehicle", raise_exception=True)
def vehicles(request: HttpRequest) -> HttpResponse:
    """List the vehicles that are registered."""
    return register_page(request)


@dataclass(frozen=True, slots=True)
class ToBlock:
    """What somebody typed to block a plate, and why that did not do."""

    site: str = ""
    plate: str = ""
    reason: str = ""
    refusal: str = ""


def register_page(
    request: HttpRequest, *, to_block: ToBlock | None = None
) -> HttpResponse:
    """Return the list, with the form as it was sent where that was refused."""
    filters = Filters.of(request.GET)
    every = Vehicle.objects.visible_to(request.user)
    found = filters.apply(every).select_related("site", "employee")
    rows = with_last_visit(found).order_by("plate_number", "site__name")
    pages = Paginator(rows, VEHICLES_PER_PAGE)
    return render(
        request,
        "vehicles/vehicles.html",
        {
            "filters": filters,
            "sites": Site.objects.visible_to(request.user).order_by("name"),
            "statuses": Vehicle.Status,
            "total": every.count(),
            "blocked": every.blocked().count(),
            "vehicles": pages.get_page(request.GET.get("page")),
            "to_block": to_block or ToBlock(site=filters.site),
        },
        status=422 if to_block else 200,
    )


@require_GET
@permission_required("vehicles.view_vehicle", raise_exception=True)
def vehicle(request: HttpRequest, plate: str) -> HttpResponse:
    """Show a plate: who drives it, its standing, and its visits day by day."""
    chosen = registered(request, plate)
    seen = visits_of(request, plate, chosen)
    rows = list(seen.newest_first()[: VISITS_SHOWN + 1])
    if chosen is None and not rows:
        raise Http404
    shown = rows[:VISITS_SHOWN]
    site = chosen.site if chosen else shown[0].camera.site
    return render(
        request,
        "vehicles/vehicle.html",
        {
            "plate": plate,
            "vehicle": chosen,
            "others": others(request, plate, chosen),
            "site": site,
            "is_valid": is_valid(chosen),
            "days": list(by_day(shown, site=site)),
            "is_cut": len(rows) > len(shown),
            "last_seen_at": seen.aggregate(at=Max("last_seen_at"))["at"],
        },
    )


def registered(request: HttpRequest, plate: str) -> Vehicle | None:
    """Return the vehicle of a plate, of the site that `site` names, else any."""
    rows = Vehicle.objects.visible_to(request.user).select_related("site", "employee")
    found = rows.filter(plate_number=plate).order_by("site__name")
    if site := storable(request.GET.get("site", "")):
        found = found.filter(site__slug=site)
    return found.first()


def others(
    request: HttpRequest, plate: str, chosen: Vehicle | None
) -> Sequence[Vehicle]:
    """Return those of the same plate that other sites have registered."""
    rows = Vehicle.objects.visible_to(request.user).select_related("site")
    found = rows.filter(plate_number=plate).order_by("site__name")
    return list(found.exclude(pk=chosen.pk) if chosen else found)


def visits_of(
    request: HttpRequest, plate: str, chosen: Vehicle | None
) -> VehicleLogQuerySet:
    if not request.user.has_perm("vehicles.view_vehiclelog"):
        return VehicleLog.objects.none()
    # What was only guessed to be this plate is told on the gate's page.
    rows = visible(request).exclude(status=VehicleLog.Status.REJECTED)
    rows = rows.filter(plate_number=plate)
    if chosen is not None:
        return rows.filter(camera__site=chosen.site_id)
    site = storable(request.GET.get("site", ""))
    return rows.filter(camera__site__slug=site) if site else rows


def with_last_visit(rows: VehicleQuerySet) -> VehicleQuerySet:
    """Add `last_visit_at`, when it was seen last."""
    logs = VehicleLog.objects.filter(vehicle=OuterRef("pk")).newest_first()
    return rows.annotate(last_visit_at=Subquery(logs.values("last_seen_at")[:1]))


def is_valid(vehicle: Vehicle | None) -> bool:
    if vehicle is None:
        return False
    return Vehicle.objects.valid_at(timezone.now()).filter(pk=vehicle.pk).exists()


def by_day(logs: Sequence[VehicleLog], *, site: Site) -> Iterator[Day]:
    """Group rows that are newest first by the site's days."""
    days: dict[date, list[VehicleLog]] = {}
    for log in logs:
        days.setdefault(site.local(log.occurred_at).date(), []).append(log)
    for on, rows in days.items():
        passed = [log for log in rows if not _was_refused(log)]
        ways_in = [
            log.occurred_at for log in passed if log.direction == Camera.Direction.ENTRY
        ]
        ways_out = [
            log.last_seen_at for log in passed if log.direction == Camera.Direction.EXIT
        ]
        yield Day(on, rows, min(ways_in, default=None), max(ways_out, default=None))


def _was_refused(log: VehicleLog) -> bool:
    """Whether a person refused it, and nobody opened for it all the same."""
    refused_at = log.denied_at
    return refused_at is not None and not any(
        call.result == BarrierCall.Result.OPENED and call.asked_at > refused_at
        for call in log.barrier_calls.all()
    )
