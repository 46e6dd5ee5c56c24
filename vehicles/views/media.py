"""Pictures of vehicles, each behind the permission and the site of its visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404

from streaming.snapshots import for_lookers, picture
from vehicles.models import VehicleLog

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


@for_lookers("vehicles.view_vehiclelog")
def snapshot_of_vehicle(
    request: HttpRequest, *, user: AbstractUser, pk: int
) -> HttpResponseBase:
    """Show the vehicle in the moment that decided."""
    log = get_object_or_404(VehicleLog.objects.visible_to(user), pk=pk)
    return picture(request, log.snapshot)


@for_lookers("vehicles.view_vehiclelog")
def snapshot_of_plate(
    request: HttpRequest, *, user: AbstractUser, pk: int
) -> HttpResponseBase:
    """Show the plate as it was read."""
    log = get_object_or_404(VehicleLog.objects.visible_to(user), pk=pk)
    return picture(request, log.plate_snapshot)
