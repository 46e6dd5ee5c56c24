"""What a worker measures of each camera it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStats:
    """One camera since its worker took it, and its rates over the last seconds."""

    frames_read: int = 0
    """Pictures that the source gave, decoded or not."""
    frames_analysed: int = 0
    """Pictures given to the detector."""
    dropped: int = 0
    """Pictures wanted, decoded, and replaced by a newer one before their turn."""
    shed: int = 0
    """Pictures due for analysis that were left out, because the machine is too busy."""
    corrupt_packets: int = 0
    connects: int = 0
    """How often the source was opened."""
    fps: float = 0.0
    """Pictures per second that the source gives."""
    fps_analysed: float = 0.0
    """Pictures per second looked at, still ones included."""
    latency_ms: float = 0.0
    """From a picture's arrival to the end of its analysis, a mean of late."""
    is_idle: bool = False
    """Nothing moves, so that only key frames are decoded."""
