"""The gates: the last vehicle, those before it, and each visit's proof."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from identity.views.filters import Cursor, on_day_of
from streaming.models import Site
from vehicles.models import Gate, VehicleLog

from . import proof
from .filters import Filters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from vehicles.models.gates import GateQuerySet
    from vehicles.models.log import VehicleLogQuerySet

VISITS_SHOWN: Final = 50
HISTORY_SHOWN: Final = 10
OPEN_REASONS: Final = (
    "Expected visitor",
    "Delivery",
    "Driver is known",
    "Plate was misread",
    "Emergency",
)
"""Offered, not required: what guards write most."""
REFUSALS: Final = ("Not expected", "No papers", "Driver would not be checked")


@require_GET
@permission_required("vehicles.view_vehiclelog", raise_exception=True)
def gates(request: HttpRequest) -> HttpResponse:
    """Show the last vehicle at any gate, and those before it."""
    return gate_page(request, None)


@require_GET
@permission_required("vehicles.view_vehiclelog", raise_exception=True)
def gate(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the last vehicle at one gate, and those before it."""
    return gate_page(request, get_object_or_404(gates_of(request), pk=pk))


@require_GET
@permission_required("vehicles.view_vehiclelog", raise_exception=True)
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the proof of one visit: pictures, reads, rule, barrier, and what else."""
    log = get_object_or_404(visible(request).select_related("named_by"), pk=pk)
    return render(
        request,
        "vehicles/visit.html",
        {
            "log": log,
            "site": log.camera.site,
            "rule": proof.rule(log),
            "reads": proof.reads(log),
            "repairs": proof.repairs(log),
            "format": proof.format_name(log),
            "guess": proof.guess(log),
            "reasons": OPEN_REASONS,
            "refusals": REFUSALS,
            "history": of_plate(request, log)[:HISTORY_SHOWN],
        },
    )


def gate_page(request: HttpRequest, chosen: Gate | None) -> HttpResponse:
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    first = chosen.site if chosen else next(iter(sites), None)
    filters = Filters.of(
        request.GET, zone=ZoneInfo(first.time_zone if first else "UTC")
    )
    every = visible(request).filter(gate=chosen) if chosen else visible(request)
    cursor = Cursor.of(request.GET.get("older", ""))
    found = filters.apply(every)
    page = cursor.older(found) if cursor else found
    rows = list(page.newest_first()[: VISITS_SHOWN + 1])
    shown, last = rows[:VISITS_SHOWN], every.newest_first().first()
    return render(
        request,
        "vehicles/gates.html",
        {
            "gates": gates_of(request),
            "chosen": chosen,
            "site": first,
            "filters": filters,
            "statuses": VehicleLog.Status,
            "today": today(sites, chosen),
            "last": last,
            "deciding": proof.deciding(last) if last else None,
            "rule": proof.rule(last) if last else "",
            "last_guess": proof.guess(last) if last else "",
            "reasons": OPEN_REASONS,
            "refusals": REFUSALS,
            "visits": [(log, proof.guess(log)) for log in shown],
            "is_first": cursor is None,
            "older": behind(shown[-1]) if len(rows) > len(shown) else None,
        },
    )


def visible(request: HttpRequest) -> VehicleLogQuerySet:
    """Return the visits that the user sees, with names and what barriers answered."""
    return VehicleLog.objects.visible_to(request.user).with_names().with_calls()


def gates_of(request: HttpRequest) -> GateQuerySet:
    rows = Gate.objects.visible_to(request.user).select_related("site")
    return rows.defer("address").order_by("site__name", "name")


def of_plate(request: HttpRequest, log: VehicleLog) -> VehicleLogQuerySet:
    """Return the other visits of the same plate at the same site."""
    others = visible(request).exclude(pk=log.pk).newest_first()
    if not log.plate_number:
        return others.none()
    return others.filter(plate_number=log.plate_number, camera__site=log.camera.site)


def behind(log: VehicleLog) -> Cursor:
    return Cursor(log.occurred_at, log.pk)


def today(sites: Sequence[Site], chosen: Gate | None) -> Mapping[str, int]:
    """Count the visits of the day by status, each site's day being its own."""
    now = timezone.now()
    days = reduce(or_, (on_day_of(site, now=now) for site in sites), Q())
    logs = VehicleLog.objects.filter(days) if sites else VehicleLog.objects.none()
    if chosen:
        logs = logs.filter(gate=chosen)
    found = dict(logs.order_by().values_list("status").annotate(Count("pk")))
    counts = {status.value: found.get(status.value, 0) for status in VehicleLog.Status}
    return {**counts, "total": sum(counts.values())}
