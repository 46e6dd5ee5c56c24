"""A vehicle at a camera: what follows from its plate, and which visit it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from . import snapshots
from .announcements import announce
from .models import GateCamera, PlateFormat, Vehicle, VehicleLog
from .rules import SAME_VISIT, GatePolicy, Status, decide_gate
from .voting import vote

if TYPE_CHECKING:
    from streaming.models import Camera

    from .models import Gate
    from .pipeline import PlateOffered
    from .rules import Decision
    from .voting import Consensus

DECIDED: Final = frozenset({Status.AUTHORIZED, Status.BLOCKED, Status.UNKNOWN})
LONGEST: Final = 20
"""What is kept of writing that was taken for a plate: lorries bear whole sentences."""


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
        bearing = Vehicle.objects.bearing
        vehicle = bearing(plate.text, site_id=camera.site_id) if plate else None
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
        return place_of(self.gate.pk if self.gate else None, self.camera.pk)


def place_of(gate_id: int | None, camera_id: int) -> str:
    """Return what is locked while a vehicle at a gate, or camera, is decided on."""
    return f"vehicles/gate/{gate_id}" if gate_id else f"vehicles/camera/{camera_id}"


def earlier_of(arrival: Arrival) -> VehicleLog | None:
    """Return the row of the same track, or of the same plate a moment ago.

    Where both are there, the plate was rejected before it was read for sure: then the
    vehicle's own row is one too many.
    """
    own, again = _of_track(arrival), _again(arrival)
    if own is None or again is None:
        return own or again
    if own.status in DECIDED or own.denied_at is not None:
        return own
    pictures = snapshots.of(own)
    own.barrier_calls.update(log=again)  # A person may have opened for it.
    own.delete()
    announce(again)
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

    A vehicle that was blocked since is there anew: somebody must be told. One that a
    person refused goes on being that one, though its plate was not sure then.
    """
    if not arrival.is_sure or arrival.plate is None:
        return None
    is_blocked = arrival.decision.status is Status.BLOCKED
    rows = VehicleLog.objects.with_names().filter(
        Q(status=Status.BLOCKED)
        if is_blocked
        else Q(status__in=DECIDED) | Q(denied_at__isnull=False),
        plate_number=arrival.plate.text,
        occurred_at__lte=arrival.event.at + SAME_VISIT,
        last_seen_at__gte=arrival.event.first_seen_at - SAME_VISIT,
    )
    here = (
        rows.filter(gate=arrival.gate)
        if arrival.gate
        else rows.filter(camera=arrival.camera)
    )
    return here.order_by("-last_seen_at", "-id").first()


def is_news(log: VehicleLog, arrival: Arrival) -> bool:
    """Whether more was read of a vehicle than its rejected row tells."""
    reads = [[read.frame_index, read.text] for read in arrival.event.reads]
    return [[each["frame"], each["text"]] for each in log.reads] != reads


def is_left_undone(log: VehicleLog, arrival: Arrival) -> bool:
    """Whether it was decided by this event, and what follows was not all done."""
    event = arrival.event
    return (
        log.progress != VehicleLog.Progress.DONE
        and not event.is_more_of_same
        and (log.camera_id, log.session, log.track_id)
        == (arrival.camera.pk, event.session, event.track_id)
        and not is_news(log, arrival)
    )


def decide(log: VehicleLog, arrival: Arrival) -> None:
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
    log.opens = arrival.opens and log.denied_at is None
    log.possible_match = Vehicle.objects.possible_match(
        log.plate_number, site_id=arrival.camera.site_id, status=log.status
    )
    log.session, log.track_id = event.session, event.track_id
    log.direction = arrival.camera.direction
    log.x, log.y = event.x, event.y
    log.occurred_at = event.first_seen_at
    log.last_seen_at = max(event.seen_at, event.first_seen_at)
    log.progress = VehicleLog.Progress.STORED
