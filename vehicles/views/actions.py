"""What people do about vehicles: say which plate it was, block, unblock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from identity.views.filters import storable
from vehicles import services
from vehicles.models import Vehicle, VehicleLog

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from identity.models import User


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
        messages.success(request, f"{vehicle} is blocked. No gate opens for it.")
    return back(request, otherwise=page_of(vehicle))


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
