"""The faces of a visit on their way to whoever knows people, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read at run time to decode events
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from .rules import Standing

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
    first_seen_at: datetime | None = None
    """When the track came into view; older offers do not say."""

    @property
    def came_at(self) -> datetime:
        return self.first_seen_at or self.at


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """Whose the offered faces are, as it is recorded; one visit may be told often."""

    event_id: UUID
    """Of the visit's row: the same however often the visit is told."""
    camera: str
    session: str
    track_id: int
    employee_id: int | None
    """Who it is, whether let in or refused; None of strangers and doubles."""
    decision: Standing
    first_seen_at: datetime
    """When the track came into view, or was taken for this person and no other."""
    at: datetime
    """When the face was seen by which they are told now; no later than the visit's end,
    which a recording that is played again does not move."""
    access_log_id: int
    similarity: float | None
    threshold: float
    words: str
    """What the live picture says of them: the code, not the name."""
