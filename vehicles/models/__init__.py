"""Which vehicles are known, the gates, and every vehicle that came to one."""

from .gates import Gate, GateCamera, PlateFormat, formats_in_force
from .log import BarrierCall, VehicleLog
from .register import BLOCK_FIELDS, Vehicle

__all__ = [
    "BLOCK_FIELDS",
    "BarrierCall",
    "Gate",
    "GateCamera",
    "PlateFormat",
    "Vehicle",
    "VehicleLog",
    "formats_in_force",
]
