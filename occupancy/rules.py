"""Who crossed a line, and how many are inside: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streaming.vision.geometry import Line
    from streaming.vision.types import Track

DEAD_BAND_BODIES = 0.08
"""Distance from the line, in body heights, within which no side is taken; the steadied
ground point of who stands still wavers by about half of that."""
END_TOLERANCE_BODIES = 0.25
"""How far beyond the line's ends a crossing still counts: half a body's width."""


class Direction(StrEnum):
    """Which way a line was crossed; see `streaming.vision.geometry` for the sides."""

    IN = "in"
    OUT = "out"


@dataclass(slots=True)
class _Passage:
    """What is known of one track at one line."""

    side: int
    """The side it was last clearly on: 1 where `in` leads to, else -1."""
    latest: Track
    distance: float
    crossed: int = 0
    """How often it went to side 1, less how often to side -1, between the line's
    ends since it was last clearly on a side."""


class CrossingCounter:
    """Tells which tracks go from clearly one side of a line to clearly the other.

    A crossing is told when a confirmed track's ground point leaves the dead band on
    the other side, having gone between the line's ends. Standing on the line, turning
    back and flicker are no crossings.
    """

    def __init__(
        self, line: Line, *, dead_band_bodies: float = DEAD_BAND_BODIES
    ) -> None:
        self._line = line
        self._dead_band_bodies = dead_band_bodies
        self._passages: dict[int, _Passage] = {}

    def observe(self, track: Track, *, aspect: float) -> Direction | None:
        """Return the crossing that this position of a track completes, if any.

        `aspect` is the picture's width over its height.
        """
        if track.id < 0:
            return None
        distance = self._line.distance(track.ground, aspect)
        side = self._side(distance, track)
        passage = self._passages.get(track.id)
        if passage is None:
            if side:
                self._passages[track.id] = _Passage(side, track, distance)
            return None
        if (distance > 0) != (passage.distance > 0):
            passage.crossed += self._crossed(passage, track, distance, aspect)
        passage.latest, passage.distance = track, distance
        return self._settle(passage, side) if side and track.confirmed else None

    def forget(self, track_id: int) -> None:
        """Drop what is kept about a track."""
        self._passages.pop(track_id, None)

    def _side(self, distance: float, track: Track) -> int:
        if abs(distance) <= self._dead_band_bodies * track.height:
            return 0
        return 1 if distance > 0 else -1

    def _settle(self, passage: _Passage, side: int) -> Direction | None:
        """Take note of the side that a track is clearly on."""
        is_through = side != passage.side and passage.crossed == side
        passage.side, passage.crossed = side, 0
        if not is_through:
            return None
        return Direction.IN if side > 0 else Direction.OUT

    def _crossed(
        self, passage: _Passage, track: Track, distance: float, aspect: float
    ) -> int:
        """Return the side that a step led to, or 0 if it went past the line's ends."""
        share = passage.distance / (passage.distance - distance)
        before = self._line.position(passage.latest.ground, aspect)
        after = self._line.position(track.ground, aspect)
        where = before + share * (after - before)
        body = (passage.latest.height + track.height) / 2
        slack = END_TOLERANCE_BODIES * body / self._line.length(aspect)
        if not -slack <= where <= 1 + slack:
            return 0
        return 1 if distance > 0 else -1


def next_count(current: int, direction: Direction) -> tuple[int, bool]:
    """Return the number inside after a crossing, and whether it shows drift.

    The number is never below zero: somebody who leaves an empty room had entered it
    unseen.
    """
    if direction is Direction.IN:
        return current + 1, False
    return max(current - 1, 0), current <= 0
