"""When people should be there, when they were seen, and what that makes of each day."""

from .calendar import Holiday, Leave
from .days import AttendanceCorrection, AttendanceRecord, CorrectionRequest
from .presence import Passage, PresenceEvent, UnknownAttendance
from .shifts import Shift, ShiftAssignment

__all__ = [
    "AttendanceCorrection",
    "AttendanceRecord",
    "CorrectionRequest",
    "Holiday",
    "Leave",
    "Passage",
    "PresenceEvent",
    "Shift",
    "ShiftAssignment",
    "UnknownAttendance",
]
