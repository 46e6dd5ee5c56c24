"""What people do about vehicles: say which plate it was, block, unblock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from identity.views.filters import storable
from streaming.models import Site
from vehicles import services
from vehicles.models import Vehicle, VehicleLog

from .register import ToBlock, register_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from identity.models import User

BLOCKED: Final = "%s is blocked. No gate opens for it."


@require_POST
@permission_required("vehicles.change_vehiclelog", raise_exception=True)
def name_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep which plate it was, where the gate could not tell."""
    rows = VehicleLog.objects.visible_to(request.user).with_names()
    log = get_object_or_404(rows, pk=pk)
    try:
        named = services.name_visit(
            log=log,
            plate=posted(request, "plate"),
            by=user_of(request),
            at=timezone.now(),
        )
    except services.NotNamed as error:
        messages.error(request, str(error))
    else:
        standing = f"{named.get_status_display()}: {named.get_reason_display()}"
        messages.success(request, f"It was {named.plate_number}. {standing}.")
    return back(request, otherwise=reverse("vehicle-visit", args=[pk]))


@require_POST
@permission_required("vehicles.block_vehicle", raise_exception=True)
def block(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a registered vehicle out from now on."""
    vehicle = vehicle_of(request, pk)
    try:
        services.block(
            vehicle=vehicle, reason=posted(request, "reason"), by=user_of(request)
        )
    except services.NotChanged as error:
        messages.error(request, str(error))
    else:
        messages.success(request, BLOCKED % vehicle)
    return back(request, otherwise=page_of(vehicle))


@require_POST
@permission_required("vehicles.block_vehicle", raise_exception=True)
def block_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep out the vehicle of a visit from now on, registered or not."""
    rows = VehicleLog.objects.visible_to(request.user).select_related("camera__site")
    log = get_object_or_404(rows, pk=pk, status=VehicleLog.Status.UNKNOWN)
    try:
        blocked = services.block_plate(
            site=log.camera.site,
            plate=log.plate_number,
            reason=posted(request, "reason"),
            by=user_of(request),
            at=timezone.now(),
        )
    except services.NotChanged as error:
        messages.error(request, str(error))
    else:
        messages.success(request, BLOCKED % blocked)
    return back(request, otherwise=reverse("vehicle-visit", args=[pk]))


@require_POST
@permission_required("vehicles.block_vehicle", raise_exception=True)
def block_plate(request: HttpRequest) -> HttpResponse:
    """Keep out the vehicle of a plate that is typed, registered or not."""
    typed = ToBlock(*(posted(request, name) for name in ("site", "plate", "reason")))
    own = Site.objects.visible_to(request.user)
    site = own.filter(slug=typed.site).first()
    if site is None:
        return refuse(request, typed, "Choose the site.")
    try:
        blocked = services.block_plate(
            site=site,
            plate=typed.plate,
            reason=typed.reason,
            by=user_of(request),
            at=timezone.now(),
        )
    except services.NotChanged as error:
        return refuse(request, typed, str(error))
    messages.success(request, BLOCKED % blocked)
    return HttpResponseRedirect(f"{page_of(blocked)}?site={site.slug}")


def refuse(request: HttpRequest, typed: ToBlock, why: str) -> HttpResponse:
    """Show the form again with what was typed."""
    return register_page(request, to_block=replace(typed, refusal=why))


@require_POST
@permission_required("vehicles.block_vehicle", raise_exception=True)
def unblock(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a blocked vehicle in again."""
    vehicle = vehicle_of(request, pk)
    try:
        services.unblock(
            vehicle=vehicle, reason=posted(request, "reason"), by=user_of(request)
        )
    except services.NotChanged as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{vehicle} may drive in again.")
    return back(request, otherwise=page_of(vehicle))


def vehicle_of(request: HttpRequest, pk: int) -> Vehicle:
    return get_object_or_404(Vehicle.objects.visible_to(request.user), pk=pk)


def page_of(vehicle: Vehicle) -> str:
    return reverse("vehicle", args=[vehicle.plate_number])


def posted(request: HttpRequest, field: str) -> str:
    return storable(request.POST.get(field, "")).strip()


def user_of(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]


def back(request: HttpRequest, *, otherwise: str) -> HttpResponse:
    """Return to the page that a form stood on, if it is one of ours."""
    next_page = posted(request, "next")
    is_ours = url_has_allowed_host_and_scheme(next_page, allowed_hosts=None)
    return HttpResponseRedirect(next_page if is_ours else otherwise)
