"""People and sightings for integrators."""

from .care import CacheStats, CleanupSnapshots, SnapshotStats
from .people import DepartmentViewSet, EmployeeViewSet, FaceViewSet
from .photos import Enrol, ProcessFrame
from .sightings import AccessLogViewSet, AccessSummary
from .unknown import UnknownPersonViewSet

__all__ = [
    "AccessLogViewSet",
    "AccessSummary",
    "CacheStats",
    "CleanupSnapshots",
    "DepartmentViewSet",
    "EmployeeViewSet",
    "Enrol",
    "FaceViewSet",
    "ProcessFrame",
    "SnapshotStats",
    "UnknownPersonViewSet",
]
