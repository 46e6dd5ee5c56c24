"""The faces of a visit, as they travel from the cameras to whoever knows people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read at run time to decode events
from typing import Final
from uuid import UUID

NAMESPACE: Final = UUID("0d5e3f7a-92c1-5b0e-8f54-2b6f1c0a9d13")
"""Makes our event ids differ from all others; it must never change."""


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """One face of a visit."""

    jpeg: bytes
    """The face with half its size around it, as far as the picture goes, and all other
    faces painted over."""
    quality: float
    """0..1, see identity/quality.py."""
    height_px: int
    """Of the face itself, in the camera's picture."""


@dataclass(frozen=True, slots=True)
class FaceOffered:
    """The best faces of a track since the last offer of it, if any."""

    event_id: UUID
    """The same whenever the same recording is analysed in the same way."""
    camera: str
    session: str
    track_id: int
    at: datetime
    """When the best face was seen."""
    x: float
    y: float
    """Where the person stood then, 0..1 from the upper left."""
    faces: tuple[FaceCrop, ...]
    """Best first, at least one."""
    snapshot: bytes
    """The person in the moment of the best face, as JPEG."""
    frame_index: int = 0
    """Of the picture with the best face, from 0."""
