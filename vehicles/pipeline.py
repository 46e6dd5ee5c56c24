"""The plate of a vehicle, as it travels from the cameras to the gate's decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read at run time to decode events
from typing import Final
from uuid import UUID

from streaming.vision.types import Label  # noqa: TC001 - read at run time
from vehicles.voting import PlateRead  # noqa: TC001 - read at run time

NAMESPACE: Final = UUID("5a1f0a5e-6f0d-5b77-9d0c-3c1c2c0b7a55")
"""Makes our event ids differ from all others; it must never change."""


@dataclass(frozen=True, slots=True)
class PlateOffered:
    """All that was read of one vehicle so far, if anything."""

    event_id: UUID
    """The same whenever the same recording is analysed in the same way."""
    camera: str
    session: str
    track_id: int
    label: Label
    """What kind of vehicle it is."""
    first_seen_at: datetime
    at: datetime
    """When the picture was taken that decides, else when it was seen last."""
    seen_at: datetime
    """When it was looked at last: it stood there then."""
    x: float
    y: float
    """Where the vehicle stood then, 0..1 from the upper left."""
    reads: tuple[PlateRead, ...]
    """One for each picture in which something was read, oldest first."""
    snapshot: bytes
    """The vehicle in that picture, as JPEG."""
    plate: bytes
    """Its plate in that picture, as JPEG; empty where nothing was read."""
    frame_index: int
    reader: str = ""
    """Which reader read it, by name."""
    is_more_of_same: bool = False
    """Whether it says only that a vehicle, told of before, still stands there."""
