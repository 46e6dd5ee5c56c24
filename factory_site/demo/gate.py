"""The demo site's gate: without a barrier, with two vehicles that it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streaming.models import Camera
from vehicles.models import Gate, GateCamera, Vehicle

from .footage import TRUCK_PLATE

if TYPE_CHECKING:
    from streaming.models import Site

NAME: Final = "Main gate"
CAMERA: Final = "CAM-GATE"
BLOCKED: Final = "KA05MN4821"


def seed(site: Site) -> Gate | None:
    """Make the gate and its vehicles; None where there is one, or no camera for it."""
    cameras = site.cameras.filter(code=CAMERA, gate_camera=None)
    camera = cameras.filter(tasks__contains=[Camera.Task.PLATES.value]).first()
    if camera is None or site.gates.exists():
        return None
    gate = Gate.objects.create(site=site, name=NAME)
    GateCamera.objects.create(gate=gate, camera=camera)
    known = {
        TRUCK_PLATE: {"owner": "Deccan Freight", "notes": "Comes with steel."},
        BLOCKED: {
            "status": Vehicle.Status.BLOCKED,
            "reason": "Left with goods that nobody had signed for.",
        },
    }
    for plate, values in known.items():
        values = {"vehicle_type": Vehicle.Type.TRUCK, **values}
        Vehicle.objects.get_or_create(site=site, plate_number=plate, defaults=values)
    return gate
