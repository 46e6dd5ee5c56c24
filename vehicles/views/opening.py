"""A gate opened by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from vehicles import barrier
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
    reason = posted(request, "reason")
    try:
        call = barrier.open_by_hand(
            gate=gate,
            by=user_of(request),
            reason=reason,
            at=timezone.now(),
            log=visit_of(request),
        )
    except barrier.NotOpened as error:
        messages.error(request, str(error))
    else:
        say(request, call)
    return back(request, otherwise=reverse("gate", args=[pk]))


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
    return get_object_or_404(VehicleLog.objects.visible_to(request.user), pk=int(key))
