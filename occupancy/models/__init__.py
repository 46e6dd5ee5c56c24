"""The tables of occupancy."""

from .buckets import (
    Aggregation,
    Bucket,
    DailyOccupancy,
    HourlyOccupancy,
    MonthlyOccupancy,
)
from .lines import Area, AreaLine, Colour, CountingLine
from .logs import AreaCorrection, Kind, OccupancyLog
from .zones import Zone

__all__ = [
    "Aggregation",
    "Area",
    "AreaCorrection",
    "AreaLine",
    "Bucket",
    "Colour",
    "CountingLine",
    "DailyOccupancy",
    "HourlyOccupancy",
    "Kind",
    "MonthlyOccupancy",
    "OccupancyLog",
    "Zone",
]
