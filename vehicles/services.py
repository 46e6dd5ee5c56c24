"""Recording of vehicles that came to a gate, and what people say of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models.functions import Greatest

from streaming import locks
from streaming.models import Camera

from . import alarms, barrier, snapshots
from .announcements import announce
from .arrivals import (
    DECIDED,
    Arrival,
    decide,
    earlier_of,
    is_left_undone,
    is_news,
    place_of,
)
from .formats import (
    LENGTH_MAX,
    WRITE_LATIN,
    NeverRead,
    check_as_read,
    fit,
    has_foreign,
    normalise,
)
from .models import PlateFormat, Vehicle, VehicleLog
from .rules import GatePolicy, Status, by_register

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from identity.models import User
    from streaming.models import Site

    from .formats import Format
    from .pipeline import PlateOffered

logger = logging.getLogger(__name__)


class NotNamed(Exception):
    """The visit stays as it was; the message says why."""


class NotChanged(Exception):
    """The register stays as it was; the message says why."""


class NotDenied(Exception):
    """The visit stays as it was; the message says why."""


def record_visit(*, event: PlateOffered) -> VehicleLog | None:
    """Store a vehicle's visit, or bring it up to date, and announce it.

    Returns its row, loaded with names; None where the camera is gone, or the row of a
    vehicle that only stays. Harmless when repeated: a worker that is given the same
    event again does what another one left undone. A visit that was decided stays as it
    was decided.
    """
    camera = Camera.objects.select_related("site").filter(code=event.camera).first()
    if camera is None:
        logger.warning("A vehicle was dropped: no camera is %s.", event.camera)
        return None
    arrival = Arrival.of(event, camera)
    with transaction.atomic():
        locks.hold(arrival.place)
        earlier = earlier_of(arrival)
        if earlier is None and event.is_more_of_same:
            return None
        if earlier is not None and (
            event.is_more_of_same
            or earlier.status in DECIDED
            or not is_news(earlier, arrival)
        ):
            if is_left_undone(earlier, arrival):
                _follow_up(earlier, event)
            return _extend(earlier, arrival)
        log = earlier or VehicleLog(event_id=event.event_id, camera=camera)
        suspected = log.possible_match_id
        decide(log, arrival)
        log.save()
        _follow_up(log, event, suspected=suspected)
    return log


def _follow_up(
    log: VehicleLog, event: PlateOffered, *, suspected: int | None = None
) -> None:
    """Do what follows from a visit, once it is stored.

    First the gate, where somebody waits; last the pictures, whose storage may be slow.
    """
    if log.opens:
        transaction.on_commit(
            lambda: barrier.open_soon(log=log, decided_at=event.seen_at), robust=True
        )
    announce(log)
    transaction.on_commit(
        lambda: alarms.note_visit(log=log, at=event.at, suspected=suspected),
        robust=True,
    )
    transaction.on_commit(lambda: _store_pictures(log, event), robust=True)


def _store_pictures(log: VehicleLog, event: PlateOffered) -> None:
    if snapshots.store(log, event):
        announce(log)


def _extend(log: VehicleLog, arrival: Arrival) -> VehicleLog:
    later = Greatest("last_seen_at", arrival.event.seen_at)
    VehicleLog.objects.filter(pk=log.pk).update(last_seen_at=later)
    log.last_seen_at = max(log.last_seen_at, arrival.event.seen_at)
    return log


def name_visit(*, log: VehicleLog, plate: str, by: User, at: datetime) -> VehicleLog:
    """Say which plate it was where the gate could not tell; raises NotNamed.

    It is decided by the register then, and nothing is opened: who says so opens the
    gate by hand.
    """
    formats = PlateFormat.objects.of_site(log.camera.site_id)
    text = _plate(plate, formats)
    with transaction.atomic():
        # A camera that reads it for sure at the same moment waits, or is waited for.
        locks.hold(place_of(log.gate_id, log.camera_id))
        rows = VehicleLog.objects.select_for_update(no_key=True, of=("self",))
        row = rows.with_names().get(pk=log.pk)
        if row.status not in {Status.REJECTED, Status.UNKNOWN}:
            raise NotNamed(
                f"It is {row.plate_number}, {row.get_status_display().lower()}."
            )
        vehicle = Vehicle.objects.bearing(text, site_id=row.camera.site_id)
        policy = row.gate.policy if row.gate else GatePolicy()
        registered = vehicle.registered if vehicle else None
        decision = by_register(registered, policy, at=row.last_seen_at)
        row.plate_number, row.vehicle = text, vehicle
        row.status, row.reason = decision.status, decision.reason
        row.named_by, row.named_at = by, at
        row.possible_match = Vehicle.objects.possible_match(
            text, site_id=row.camera.site_id, status=row.status
        )
        row.save()
        announce(row)
        transaction.on_commit(lambda: alarms.note_named(log=row, at=at), robust=True)
    return row


def _plate(text: str, formats: Sequence[Format]) -> str:
    plain = normalise(text)
    found = fit(plain, formats)
    if found is None or found.repaired:
        known = ", ".join(each.name for each in formats)
        raise NotNamed(
            f"'{text}' is no plate of this site. Known are: {known}. Others can be "
            "added under plate formats."
        )
    return plain


def deny_visit(*, log: VehicleLog, by: User, reason: str, at: datetime) -> VehicleLog:
    """Store that a person refused a vehicle; raises NotDenied.

    No rule opens the gate for this visit any more, whatever is still read of it.
    """
    if not reason.strip():
        raise NotDenied("Say why it is refused.")
    with transaction.atomic():
        # A camera that reads it for sure at the same moment waits, or is waited for.
        locks.hold(place_of(log.gate_id, log.camera_id))
        rows = VehicleLog.objects.select_for_update(no_key=True, of=("self",))
        row = rows.with_names().get(pk=log.pk)
        if row.denied_at is not None:
            who = row.denied_by or "Somebody"
            raise NotDenied(f"{who} refused it already: {row.denied_reason}")
        row.denied_by, row.denied_at, row.denied_reason = by, at, reason.strip()
        row.save(update_fields=["denied_by", "denied_at", "denied_reason"])
        announce(row)
    return row


def block_plate(
    *, site: Site, plate: str, reason: str, by: User, at: datetime
) -> Vehicle:
    """Keep out the vehicle of a plate, registered or not; raises NotChanged.

    One that nobody registered was never allowed in: its time is over at once, so that
    it is unknown again, and no more, when it is unblocked.
    """
    text = _blockable(plate, site)
    row = Vehicle(
        site=site,
        plate_number=text,
        status=Vehicle.Status.BLOCKED,
        valid_until=at,
        registered_by=by,
    )
    _note_why(row, reason, by=by)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return _block_registered(site, text, reason=reason, by=by)
    return row


def _blockable(plate: str, site: Site) -> str:
    text = normalise(plate)
    if has_foreign(plate):
        raise NotChanged(WRITE_LATIN)
    if not 1 <= len(text) <= LENGTH_MAX:
        raise NotChanged(
            f"A plate has 1 to {LENGTH_MAX} letters and digits, such as MH12AB1234."
        )
    try:
        check_as_read(text, PlateFormat.objects.of_site(site.pk))
    except NeverRead as error:
        raise NotChanged(str(error)) from error
    return text


def _block_registered(site: Site, plate: str, *, reason: str, by: User) -> Vehicle:
    with transaction.atomic():
        rows = Vehicle.objects.select_for_update(no_key=True)
        row = rows.get(site=site, plate_number=plate)
        if row.status == Vehicle.Status.BLOCKED:
            raise NotChanged(f"{plate} is blocked already: {row.reason}")
        return block(vehicle=row, reason=reason, by=by)


def block(*, vehicle: Vehicle, reason: str, by: User) -> Vehicle:
    """Keep a vehicle out, whatever its dates; raises NotChanged without a reason."""
    return _set_status(vehicle, Vehicle.Status.BLOCKED, reason=reason, by=by)


def unblock(*, vehicle: Vehicle, reason: str, by: User) -> Vehicle:
    """Make it what it was before, else authorized.

    Raises NotChanged without a reason, and where it is not blocked.
    """
    others = vehicle.history.exclude(status=Vehicle.Status.BLOCKED)
    before = others.values_list("status", flat=True).order_by("-history_id").first()
    status = before or Vehicle.Status.AUTHORIZED
    with transaction.atomic():
        row = Vehicle.objects.select_for_update(no_key=True).get(pk=vehicle.pk)
        if row.status != Vehicle.Status.BLOCKED:
            raise NotChanged(f"{row.plate_number} is not blocked.")
        return _set_status(row, status, reason=reason, by=by)


def _set_status(vehicle: Vehicle, status: str, *, reason: str, by: User) -> Vehicle:
    with transaction.atomic():
        rows = Vehicle.objects.select_for_update(no_key=True)
        row = rows.get(pk=vehicle.pk)
        row.status = status
        _note_why(row, reason, by=by)
        row.save(update_fields=["status", "reason"])
    return row


def _note_why(row: Vehicle, reason: str, *, by: User) -> None:
    """Set the reason; its history says who and why, also outside of a request."""
    if not reason.strip():
        raise NotChanged("Say why.")
    row.reason = reason.strip()
    row._history_user = by  # type: ignore[attr-defined]
    row._change_reason = reason.strip()[:100]  # type: ignore[attr-defined]
