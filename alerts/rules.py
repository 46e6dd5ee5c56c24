"""When something must be looked at, and who is told when: values in, values out."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What may be wrong."""

    CAMERA_OFFLINE = "camera_offline"
    WORKER_LOST = "worker_lost"
    DISK_FULL = "disk_full"


class Severity(StrEnum):
    """How soon somebody must look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
