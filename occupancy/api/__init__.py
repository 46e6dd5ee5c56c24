"""Lines, zones, areas, and what was counted, for integrators."""

from .buckets import DailyViewSet, HourlyViewSet, MonthlyViewSet
from .counts import Calibrate, TriggerAggregation
from .drawn import AreaViewSet, CountingLineViewSet, ZoneViewSet
from .live import LiveOccupancyViewSet
from .logs import OccupancyLogViewSet

__all__ = [
    "AreaViewSet",
    "Calibrate",
    "CountingLineViewSet",
    "DailyViewSet",
    "HourlyViewSet",
    "LiveOccupancyViewSet",
    "MonthlyViewSet",
    "OccupancyLogViewSet",
    "TriggerAggregation",
    "ZoneViewSet",
]
