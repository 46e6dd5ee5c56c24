"""The public shapes of occupancy, in the API and on the live socket."""

from .lines import (
    AreaSerializer,
    CountingLineSerializer,
    DoorSerializer,
    ZoneSerializer,
)
from .logs import AreaCountSerializer, LiveOccupancySerializer, OccupancyLogSerializer

__all__ = [
    "AreaCountSerializer",
    "AreaSerializer",
    "CountingLineSerializer",
    "DoorSerializer",
    "LiveOccupancySerializer",
    "OccupancyLogSerializer",
    "ZoneSerializer",
]
