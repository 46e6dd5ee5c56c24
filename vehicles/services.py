"""Recording of vehicles that came to a gate, and what people say of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Greatest

from streaming import live, locks
from streaming.models import Camera

from . import alarms, barrier, snapshots
from .formats import fit, normalise
from .models import GateCamera, PlateFormat, Vehicle, VehicleLog
from .rules import SAME_VISIT, GatePolicy, Status, by_register, decide_gate
from .serializers import VehicleLogSerializer
from .voting import vote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from identity.models import User

    from .formats import Format
    from .models import Gate
    from .pipeline import PlateOffered
    from .rules import Decision
    from .voting import Consensus

logger = logging.getLogger(__name__)
DECIDED: Final = frozenset({Status.AUTHORIZED, Status.BLOCKED, Status.UNKNOWN})
LONGEST: Final = 20
"""What is kept of writing that was taken for a plate: lorries bear whole sentences."""


class NotNamed(Exception):
    """The visit stays as it was; the message says why."""


class NotChanged(Exception):
    """The register stays as it was; the message says why."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vehicle at a camera, and what follows from its plate."""

    event: PlateOffered
    camera: Camera
    gate: Gate | None
    policy: GatePolicy
    plate: Consensus | None
    vehicle: Vehicle | None
    decision: Decision

    @classmethod
    def of(cls, event: PlateOffered, camera: Camera) -> Arrival:
        at_gate = GateCamera.objects.select_related("gate").filter(camera=camera)
        gate = next((row.gate for row in at_gate), None)
        policy = gate.policy if gate else GatePolicy()
        plate = vote(event.reads, PlateFormat.objects.of_site(camera.site_id))
        vehicle = _registered(plate.text, camera.site_id) if plate else None
        registered = vehicle.registered if vehicle else None
        decision = decide_gate(plate, registered, policy, at=event.at)
        is_sure = decision.status in DECIDED
        return cls(
            event, camera, gate, policy, plate, vehicle if is_sure else None, decision
        )

    @property
    def is_sure(self) -> bool:
        return self.decision.status in DECIDED

    @property
    def opens(self) -> bool:
        """Whether a gate that works by itself lets it in."""
        return self.decision.opens and self.gate is not None and self.gate.enabled

    @property
    def place(self) -> str:
        """Where one vehicle at a time is decided on."""
        return _place(self.gate.pk if self.gate else None, self.camera.pk)


def _place(gate_id: int | None, camera_id: int) -> str:
    return f"vehicles/gate/{gate_id}" if gate_id else f"vehicles/camera/{camera_id}"


def record_visit(*, event: PlateOffered) -> VehicleLog | None:
    """Store a vehicle's visit, or bring it up to date, and announce it.

    Returns its row, loaded with names; None where the camera is gone, or the row of a
    vehicle that only stays. Harmless when repeated. A visit that was decided stays as
    it was decided.
    """
    camera = Camera.objects.select_related("site").filter(code=event.camera).first()
    if camera is None:
        logger.warning("A vehicle was dropped: no camera is %s.", event.camera)
        return None
    arrival = Arrival.of(event, camera)
    with transaction.atomic():
        locks.hold(arrival.place)
        earlier = _earlier(arrival)
        if earlier is None and event.is_more_of_same:
            return None
        if earlier is not None and (
            event.is_more_of_same
            or earlier.status in DECIDED
            or not _is_news(earlier, arrival)
        ):
            return _extend(earlier, arrival)
        log = earlier or VehicleLog(event_id=event.event_id, camera=camera)
        suspected = log.possible_match_id
        _decide(log, arrival)
        log.save()
        # First the gate, where somebody waits; then the rest.
        if log.opens:
            transaction.on_commit(
                lambda: barrier.open_soon(log=log, decided_at=event.seen_at),
                robust=True,
            )
        transaction.on_commit(lambda: snapshots.store(log, event), robust=True)
        _announce(log)
        transaction.on_commit(
            lambda: alarms.note_visit(log=log, at=event.at, suspected=suspected),
            robust=True,
        )
    return log


def _registered(plate: str, site_id: int) -> Vehicle | None:
    rows = Vehicle.objects.select_related("employee", "site")
    return rows.filter(site=site_id, plate_number=plate).first()


def _earlier(arrival: Arrival) -> VehicleLog | None:
    """Return the row of the same track, or of the same plate a moment ago.

    Where both are there, the plate was rejected before it was read for sure: then the
    vehicle's own row is one too many.
    """
    own, again = _of_track(arrival), _again(arrival)
    if own is None or own.status in DECIDED or again is None:
        return own or again
    pictures = snapshots.of(own)
    own.delete()
    transaction.on_commit(lambda: snapshots.discard(pictures), robust=True)
    return again


def _of_track(arrival: Arrival) -> VehicleLog | None:
    rows = VehicleLog.objects.with_names().filter(
        camera=arrival.camera,
        session=arrival.event.session,
        track_id=arrival.event.track_id,
    )
    if arrival.decision.status is Status.BLOCKED:
        # Whoever named it may have erred, and somebody must be told.
        rows = rows.exclude(~Q(status=Status.BLOCKED), named_at__isnull=False)
    return rows.order_by("-id").first()


def _again(arrival: Arrival) -> VehicleLog | None:
    """Return the visit of the same plate at the same gate that goes on.

    A vehicle that was blocked since is there anew: somebody must be told.
    """
    if not arrival.is_sure or arrival.plate is None:
        return None
    is_blocked = arrival.decision.status is Status.BLOCKED
    rows = VehicleLog.objects.with_names().filter(
        plate_number=arrival.plate.text,
        status__in={Status.BLOCKED} if is_blocked else DECIDED,
        occurred_at__lte=arrival.event.at + SAME_VISIT,
        last_seen_at__gte=arrival.event.first_seen_at - SAME_VISIT,
    )
    here = (
        rows.filter(gate=arrival.gate)
        if arrival.gate
        else rows.filter(camera=arrival.camera)
    )
    return here.order_by("-last_seen_at", "-id").first()


def _is_news(log: VehicleLog, arrival: Arrival) -> bool:
    """Whether more was read of a vehicle than its rejected row tells."""
    reads = [[read.frame_index, read.text] for read in arrival.event.reads]
    return [[each["frame"], each["text"]] for each in log.reads] != reads


def _extend(log: VehicleLog, arrival: Arrival) -> VehicleLog:
    later = Greatest("last_seen_at", arrival.event.seen_at)
    VehicleLog.objects.filter(pk=log.pk).update(last_seen_at=later)
    log.last_seen_at = max(log.last_seen_at, arrival.event.seen_at)
    return log


def _decide(log: VehicleLog, arrival: Arrival) -> None:
    """Write what is known now into a visit."""
    event, plate = arrival.event, arrival.plate
    deciding = plate.deciding if plate else None
    log.gate, log.vehicle = arrival.gate, arrival.vehicle
    log.plate_number = plate.text[:LONGEST] if plate else ""
    log.as_read = deciding.text[:LONGEST] if deciding else ""
    log.reads = [
        {
            "frame": read.frame_index,
            "text": read.text,
            "confidences": [round(each, 4) for each in read.confidences],
        }
        for read in event.reads
    ]
    log.agreeing = plate.agreeing if plate else 0
    log.ocr_confidence = plate.confidence if plate else 0.0
    log.threshold = arrival.policy.confidence
    log.reader = event.reader
    log.vehicle_type = event.label.value
    log.status, log.reason = arrival.decision.status, arrival.decision.reason
    log.opens = arrival.opens
    log.possible_match = _possible_match(log, arrival.camera.site_id)
    log.session, log.track_id = event.session, event.track_id
    log.direction = arrival.camera.direction
    log.x, log.y = event.x, event.y
    log.occurred_at = event.first_seen_at
    log.last_seen_at = max(event.seen_at, event.first_seen_at)


def _possible_match(log: VehicleLog, site_id: int) -> Vehicle | None:
    """Return the blocked vehicle that it may be: misread, or read but not surely."""
    if not log.plate_number or log.status == Status.BLOCKED:
        return None
    return (
        Vehicle.objects.filter(site=site_id)
        .blocked_like(log.plate_number, is_sure=log.status in DECIDED)
        .first()
    )


def _announce(log: VehicleLog) -> None:
    live.publish(
        topic="vehicles.vehiclelog",
        site_id=log.camera.site_id,
        data=VehicleLogSerializer(log).data,
    )


def name_visit(*, log: VehicleLog, plate: str, by: User, at: datetime) -> VehicleLog:
    """Say which plate it was where the gate could not tell; raises NotNamed.

    It is decided by the register then, and nothing is opened: who says so opens the
    gate by hand.
    """
    formats = PlateFormat.objects.of_site(log.camera.site_id)
    text = _plate(plate, formats)
    with transaction.atomic():
        # A camera that reads it for sure at the same moment waits, or is waited for.
        locks.hold(_place(log.gate_id, log.camera_id))
        rows = VehicleLog.objects.select_for_update(no_key=True, of=("self",))
        row = rows.with_names().get(pk=log.pk)
        if row.status not in {Status.REJECTED, Status.UNKNOWN}:
            raise NotNamed(
                f"It is {row.plate_number}, {row.get_status_display().lower()}."
            )
        vehicle = _registered(text, row.camera.site_id)
        policy = row.gate.policy if row.gate else GatePolicy()
        registered = vehicle.registered if vehicle else None
        decision = by_register(registered, policy, at=row.last_seen_at)
        row.plate_number, row.vehicle = text, vehicle
        row.status, row.reason = decision.status, decision.reason
        row.named_by, row.named_at = by, at
        row.possible_match = _possible_match(row, row.camera.site_id)
        row.save()
        _announce(row)
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


def block(*, vehicle: Vehicle, reason: str, by: User) -> Vehicle:
    """Keep a vehicle out, whatever its dates; raises NotChanged without a reason."""
    return _set_status(vehicle, Vehicle.Status.BLOCKED, reason=reason, by=by)


def unblock(*, vehicle: Vehicle, reason: str, by: User) -> Vehicle:
    """Make it what it was before, else authorized; raises NotChanged without reason."""
    others = vehicle.history.exclude(status=Vehicle.Status.BLOCKED)
    before = others.values_list("status", flat=True).order_by("-history_id").first()
    status = before or Vehicle.Status.AUTHORIZED
    return _set_status(vehicle, status, reason=reason, by=by)


def _set_status(vehicle: Vehicle, status: str, *, reason: str, by: User) -> Vehicle:
    if not reason.strip():
        raise NotChanged("Say why.")
    with transaction.atomic():
        rows = Vehicle.objects.select_for_update(no_key=True)
        row = rows.get(pk=vehicle.pk)
        row.status, row.reason = status, reason.strip()
        # Whom and why simple_history tells, also outside of a request.
        row._history_user = by  # type: ignore[attr-defined]
        row._change_reason = reason.strip()[:100]  # type: ignore[attr-defined]
        row.save(update_fields=["status", "reason"])
    return row
