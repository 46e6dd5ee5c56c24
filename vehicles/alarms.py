"""Tells of vehicles that somebody must look at, and of barriers that do not open."""

from __future__ import annotations

from datetime import timedelta
from textwrap import shorten
from typing import TYPE_CHECKING, Final

from django.db import transaction

from alerts.models import Kind
from alerts.services import raise_alert, resolve_subject
from alerts.tasks import send_soon

from .models import VehicleLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .models import BarrierCall, Vehicle

Reason, Progress = VehicleLog.Reason, VehicleLog.Progress
UNKNOWN_AS: Final[Mapping[str, str]] = {
    Reason.UNLISTED: "which is not registered",
    Reason.EXPIRED: "whose permission is over",
    Reason.NOT_YET_VALID: "whose permission has not begun",
    Reason.DRIVER_INACTIVE: "whose driver is inactive",
    Reason.DRIVER_REFUSED: "whose driver may not enter",
}
REASON_SHOWN: Final = 100
"""So many characters of why a vehicle is blocked; its page has all of them."""


def note_visit(*, log: VehicleLog, at: datetime, suspected: int | None = None) -> None:
    """Raise the alerts that rules ask for about a visit, and have them sent.

    For a visit that is stored, so on commit, and only when it was decided or more was
    read of it; once for each of these, however often it is called. `suspected` is the
    key of the blocked vehicle that it was taken for before, of which it was told then.
    """
    with transaction.atomic():
        rows = VehicleLog.objects.filter(pk=log.pk, progress=Progress.STORED)
        if not rows.update(progress=Progress.TOLD):
            return
        told = [_note_blocked(log, at=at), _note_unknown(log, at=at)]
        if log.possible_match_id != suspected:
            told.append(_note_possible(log, at=at))
    if any(told):
        send_soon()


def note_named(*, log: VehicleLog, at: datetime) -> None:
    """Raise the alert about a blocked vehicle whose plate a person could tell."""
    if log.status != VehicleLog.Status.BLOCKED or log.vehicle is None:
        return
    text = (
        f"{_blocked(log.vehicle)}, was at {_where(log)}: {log.named_by} read its plate."
    )
    if _raise(log, Kind.BLOCKED_VEHICLE, text, at=at):
        send_soon()


def _note_blocked(log: VehicleLog, *, at: datetime) -> bool:
    if log.status != VehicleLog.Status.BLOCKED or log.vehicle is None:
        return False
    text = f"{_blocked(log.vehicle)}, is at {_where(log)}."
    return _raise(log, Kind.BLOCKED_VEHICLE, text, at=at)


def _note_unknown(log: VehicleLog, *, at: datetime) -> bool:
    if log.status != VehicleLog.Status.UNKNOWN:
        return False
    text = f"{log.plate_number}, {UNKNOWN_AS[log.reason]}, is at {_where(log)}."
    return _raise(log, Kind.UNKNOWN_VEHICLE, text, at=at)


def _note_possible(log: VehicleLog, *, at: datetime) -> bool:
    if log.possible_match is None:
        return False
    is_sure = log.status != VehicleLog.Status.REJECTED
    read = f"{log.plate_number} was read" + ("" if is_sure else ", not for sure")
    text = (
        f"A vehicle at {_where(log)} may be {_blocked(log.possible_match)}: {read}. "
        "Look at it."
    )
    return _raise(log, Kind.POSSIBLE_BLOCKED_VEHICLE, text, at=at)


def _blocked(vehicle: Vehicle) -> str:
    reason = shorten(vehicle.reason, REASON_SHOWN, placeholder="...")
    return f"{vehicle.plate_number}, which is blocked ({reason})"


def _where(log: VehicleLog) -> str:
    camera = log.camera
    seen_at = camera.site.local(log.occurred_at)
    return f"{log.gate or camera.name} ({camera.code}), {seen_at:%Y-%m-%d %H:%M %Z}"


def _raise(log: VehicleLog, kind: Kind, text: str, *, at: datetime) -> bool:
    """Return whether a rule asked for it."""
    camera = log.camera
    alert = raise_alert(
        kind=kind,
        subject=log.plate_number,
        text=text,
        at=at,
        site=camera.site,
        camera=camera,
    )
    return alert is not None


def note_failure(*, call: BarrierCall) -> None:
    """Raise the alert about a barrier that did not open, and have it sent."""
    gate = call.gate
    asked_at = gate.site.local(call.asked_at)
    text = (
        f"The barrier of {gate} did not open, {asked_at:%Y-%m-%d %H:%M %Z}: "
        f"{call.answer}"
    )
    alert = raise_alert(
        kind=Kind.BARRIER_FAILED,
        subject=gate.name,
        text=text,
        at=_ended_at(call),
        site=gate.site,
        camera=call.log.camera if call.log else None,
    )
    if alert is not None:
        send_soon()


def note_opened(*, call: BarrierCall) -> None:
    """Resolve the alert about a barrier that opens again."""
    gate = call.gate
    if resolve_subject(
        kind=Kind.BARRIER_FAILED,
        subject=gate.name,
        at=_ended_at(call),
        site=gate.site,
    ):
        send_soon()


def _ended_at(call: BarrierCall) -> datetime:
    return call.asked_at + timedelta(milliseconds=call.took_ms)
