"""Attendance for integrators."""

from .corrections import CorrectionRequestViewSet, CorrectionViewSet
from .evaluate import Evaluate
from .presence import Muster, UnknownViewSet
from .records import RecordViewSet, Summary
from .roster import HolidayViewSet, LeaveViewSet, ShiftAssignmentViewSet, ShiftViewSet
from .stamps import CheckIn, CheckOut

__all__ = [
    "CheckIn",
    "CheckOut",
    "CorrectionRequestViewSet",
    "CorrectionViewSet",
    "Evaluate",
    "HolidayViewSet",
    "LeaveViewSet",
    "Muster",
    "RecordViewSet",
    "ShiftAssignmentViewSet",
    "ShiftViewSet",
    "Summary",
    "UnknownViewSet",
]
