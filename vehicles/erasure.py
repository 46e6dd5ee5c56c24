"""What goes of a person's vehicles when they are erased: register, plates, pictures.

The visits stay, with their times and decisions, for the statistics; they bear no plate
any more. What is blocked stays blocked, and is nobody's.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q

from alerts.models import Alert, AlertDelivery
from identity.erased_words import SHORT, Words, replace_in

from . import snapshots
from .models import BarrierCall, Vehicle, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from identity.erased_words import Columns
    from identity.models import Employee

ERASED: Final = "Erased"
"""In place of why a person refused a vehicle: that they did stays."""
TEXTS: Final[Sequence[Columns]] = (
    (Vehicle, ("reason", "owner", "notes")),
    (Vehicle.history.model, ("reason", "owner", "notes", "history_change_reason")),
    (VehicleLog, ("notes", "denied_reason")),
    (BarrierCall, ("reason",)),
)
"""Where people write, and may have written of somebody else."""
WITH_PLATES: Final[Sequence[Columns]] = (
    (VehicleLog, ("notes", "denied_reason")),
    (BarrierCall, ("reason",)),
    (Alert, ("subject", "text", "note")),
    (AlertDelivery, ("body", "answer")),
    (LogEntry, ("object_repr", "change_message")),
)


def forget(person: Employee, words: Words, at: datetime) -> dict[str, int]:
    """Remove a person's vehicles, and plate and picture of their visits."""
    vehicles = Vehicle.objects.filter(employee=person)
    blocked = list(vehicles.blocked())
    others = list(vehicles.exclude(status=Vehicle.Status.BLOCKED))
    # In the order in which visits are recorded and named: first they, then vehicles.
    visits = _empty_visits([*blocked, *others])
    nobodys = {"employee": None, "owner": "", "notes": ""}
    vehicles.blocked().update(**nobodys)
    vehicles.exclude(status=Vehicle.Status.BLOCKED).delete()
    gone = Vehicle.history.filter(id__in=[each.pk for each in others])
    history_rows, _ = gone.delete()
    # Who blocked what, and when, stays; so does what others drive now.
    history_rows += Vehicle.history.filter(employee=person.pk).update(**nobodys)
    return {
        "vehicles": len(others),
        "vehicle_visits_emptied": visits,
        "vehicle_history_rows": history_rows,
        "vehicle_texts": replace_in(TEXTS, words) + _forget_plates(others),
    }


def _empty_visits(vehicles: Sequence[Vehicle]) -> int:
    """Take plate, reads and pictures from the visits of vehicles; return how many."""
    if not vehicles:
        return 0
    # Also those before it was registered, which lead to no vehicle.
    theirs = reduce(
        or_,
        (
            Q(vehicle=each)
            | Q(camera__site=each.site_id, plate_number=each.plate_number)
            for each in vehicles
        ),
    )
    logs = list(VehicleLog.objects.filter(theirs).select_for_update(of=("self",)))
    files = [name for log in logs for name in snapshots.of(log)]
    transaction.on_commit(lambda: snapshots.discard(files), robust=True)
    rows = VehicleLog.objects.filter(pk__in=[log.pk for log in logs])
    rows.exclude(denied_at=None).update(denied_reason=ERASED)
    return rows.update(
        plate_number="",
        as_read="",
        reads=[],
        snapshot="",
        plate_snapshot="",
        snapshot_bytes=0,
        notes="",
        progress=VehicleLog.Progress.DONE,
    )


def _forget_plates(vehicles: Sequence[Vehicle]) -> int:
    """Replace plates in texts; one as short as SHORT may be any number there."""
    told = {
        each.plate_number: f"ERASED-VEHICLE-{each.pk}"
        for each in vehicles
        if len(each.plate_number) > SHORT
    }
    if not told:
        return 0
    return replace_in(WITH_PLATES, Words(codes=told, names={}, vague={}))
