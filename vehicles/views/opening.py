"""A gate opened by hand, and vehicles that a person refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from vehicles import barrier, services
from vehicles.models import BarrierCall, Gate, VehicleLog

from .actions import back, posted, user_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

LONGEST_KEY = 18
"""Digits of a key that Postgres has a place for."""


@require_POST
@permission_required("vehicles.open_gate", raise_exception=True)
def open_gate(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a gate for a person who says why, for a visit or for none."""
    gate = get_object_or_404(Gate.objects.visible_to(request.user), pk=pk)
    reason, log = posted(request, "reason"), visit_of(request)
    try:
        heed_refusal(request, log)
        call = barrier.open_by_hand(
            gate=gate,
            by=user_of(request),
            reason=reason,
            at=timezone.now(),
            log=log,
        )
    except barrier.NotOpened as error:
        messages.error(request, str(error))
    else:
        say(request, call)
    return back(request, otherwise=reverse("gate", args=[pk]))


def heed_refusal(request: HttpRequest, log: VehicleLog | None) -> None:
    """Ask again where the vehicle was denied since the form was shown."""
    if log is not None and log.denied_at and not posted(request, "denied"):
        who = log.denied_by or "Somebody"
        raise barrier.NotOpened(
            f"{who} denied it meanwhile: {log.denied_reason}. Nothing was opened. Say "
            "why it is to be opened all the same."
        )


@require_POST
@permission_required("vehicles.open_gate", raise_exception=True)
def deny_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep that a person refused a vehicle: no rule opens for this visit then."""
    log = get_object_or_404(VehicleLog.objects.visible_to(request.user), pk=pk)
    try:
        denied = services.deny_visit(
            log=log,
            by=user_of(request),
            reason=posted(request, "reason"),
            at=timezone.now(),
        )
    except services.NotDenied as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{denied.plate_number or 'The vehicle'} is denied.")
    return back(request, otherwise=reverse("vehicle-visit", args=[pk]))


def say(request: HttpRequest, call: BarrierCall) -> None:
    if call.result == BarrierCall.Result.OPENED:
        messages.success(request, f"{call.gate} opened.")
    else:
        messages.error(request, f"{call.gate} did not open. {call.answer}")


def visit_of(request: HttpRequest) -> VehicleLog | None:
    """Return the visit that the gate is opened for, if the form named one."""
    key = posted(request, "visit")
    if not (key.isascii() and key.isdigit() and len(key) <= LONGEST_KEY):
        return None
    rows = VehicleLog.objects.visible_to(request.user).select_related("denied_by")
    return get_object_or_404(rows, pk=int(key))
