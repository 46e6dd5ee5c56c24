"""What to run for a camera, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time

    from .geometry import NamedLine
    from .types import Point


class CameraState(StrEnum):
    """How a camera is, as its worker sees it."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNUSABLE = "unusable"
    """Pictures come, but frozen, black or blurred ones."""
    ENDED = "ended"
    """The recording has been played."""


@dataclass(frozen=True, slots=True)
class PlatePlan:
    """How number plates are to be read."""

    formats: tuple[tuple[str, str], ...]
    """What plates look like there: names and patterns."""
    confidence: float
    """What every single character must reach, 0..1."""
    reader: str = ""
    """By name; empty is the best that can be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """A part of the picture in which people are counted, and what is told of it."""

    name: str
    corners: tuple[Point, ...]
    """Three or more, relative, in order."""
    id: int | None = None
    """Its row; None where there is no database."""
    colour: str = ""
    """By name, as `annotate` knows it; empty is the usual one."""
    capacity: int | None = None
    amber_percent: int = 100
    is_restricted: bool = False
    restricted_from: time | None = None
    """By the site's clock; None is at all times."""
    restricted_until: time | None = None
    loitering_s: int | None = None
    """Who stays longer is told of; None: nobody is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlan:
    """What to run for one camera; a camera whose plan changes is started anew.

    Where only lines and zones differ its stream goes on.
    """

    code: str
    name: str
    source_url: str
    sub_stream_url: str = ""
    """The stream to analyse, if not the main one, which is then read only while
    somebody watches."""
    loop: bool
    detect_fps: float | None
    """None: every frame."""
    priority: int = 0
    """0 first; when there is too much to do the highest number is shed first."""
    time_zone: str
    lines: tuple[NamedLine, ...]
    zones: tuple[ZonePlan, ...] = ()
    finds_faces: bool = False
    """Whether people are to be recognised by their faces."""
    plates: PlatePlan | None = None
    """None where no number plates are to be read."""
    problem: str = ""
    """Why the source cannot be opened at all, as a sentence; usually empty."""

    def differs_in_drawing_alone(self, other: CameraPlan) -> bool:
        """Whether the other one differs, but in nothing but its lines and zones."""
        is_same = replace(self, lines=other.lines, zones=other.zones) == other
        return is_same and self != other

    def __repr__(self) -> str:
        """Name the camera only: the source may hold a password."""
        return f"CameraPlan({self.code})"
