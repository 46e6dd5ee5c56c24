"""The values that flow through the pipeline: frozen, plain, free of any vendor.

Coordinates are relative to the picture, x to the right and y down, 0..1.
Pixels exist only inside the adapters (`detectors`, `sources`) and `annotate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


class Group(StrEnum):
    """Labels that a detector may mistake for one another; tracks stay in one."""

    PEOPLE = "people"
    TWO_WHEELERS = "two-wheelers"
    VEHICLES = "vehicles"


class Label(StrEnum):
    """What a detector may report; all else it sees is dropped in its adapter."""

    PERSON = "person"
    BICYCLE = "bicycle"
    CAR = "car"
    MOTORCYCLE = "motorcycle"
    BUS = "bus"
    TRUCK = "truck"

    @property
    def group(self) -> Group:
        return GROUPS[self]


GROUPS = {
    Label.PERSON: Group.PEOPLE,
    Label.BICYCLE: Group.TWO_WHEELERS,
    Label.MOTORCYCLE: Group.TWO_WHEELERS,
    Label.CAR: Group.VEHICLES,
    Label.BUS: Group.VEHICLES,
    Label.TRUCK: Group.VEHICLES,
}


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with corners (x1, y1) top left and (x2, y2) bottom right."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def ground(self) -> Point:
        """Where the object stands: the middle of the lower edge."""
        return Point((self.x1 + self.x2) / 2, self.y2)


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture, `image` being H x W x 3, BGR, 0..255."""

    camera: str
    session: str
    """Names one run through one source: a recording has the same at each run
    through it, a live stream a new one at each connection."""
    index: int
    """Position in the session, from 0, counting frames that were dropped too."""
    at: datetime
    seconds: float
    """Time since the session's first frame, by the source's own clock."""
    image: Image

    @property
    def aspect(self) -> float:
        """Width over height; relative x times this is in picture heights."""
        height, width = self.image.shape[:2]
        return float(width / height)


@dataclass(frozen=True, slots=True)
class Detection:
    box: Box
    label: Label
    confidence: float


@dataclass(frozen=True, slots=True)
class Track:
    """One followed object as it is in one frame."""

    id: int
    """Positive and unique within a session; never reused."""
    box: Box
    label: Label
    confidence: float
    confirmed: bool
    """Seen often enough to be believed; nothing is counted before."""
    whole: Box | None = None
    """All of it by the way it went: steadier than the box, and with the feet that
    something may hide. None where no way is known: the box."""

    @property
    def ground(self) -> Point:
        """Where it stands, if need be behind something that hides its feet."""
        return (self.whole or self.box).ground

    @property
    def height(self) -> float:
        """Its height with what is hidden, relative to the picture."""
        return (self.whole or self.box).height


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """What a tracker says about one frame."""

    tracks: tuple[Track, ...]
    """Those seen in this frame."""
    ended: tuple[int, ...]
    """Ids that will never come again: forget what was kept about them."""
