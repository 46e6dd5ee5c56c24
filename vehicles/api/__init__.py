"""Vehicles, gates and visits for integrators."""

from .gates import GateViewSet
from .plates import ValidatePlate
from .register import VehicleViewSet
from .visits import GateStatistics, VehicleLogViewSet

__all__ = [
    "GateStatistics",
    "GateViewSet",
    "ValidatePlate",
    "VehicleLogViewSet",
    "VehicleViewSet",
]
