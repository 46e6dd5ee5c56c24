"""Who stands in a part of the picture, and since when: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf
from typing import TYPE_CHECKING, Final

from streaming.vision.types import Box, Point

from .capacity import Fullness, next_fullness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from streaming.vision.types import Track

    from .polygons import Polygon

INERTIA_S: Final = 0.5
"""For so long somebody must be seen in the zone to be in it, or out of it to have
left: a box that wavers on the edge changes nothing."""
FULLNESS_HELD_S: Final = 5.0
"""For so long it must be fuller, or less full, to be so."""
REJOIN_BODIES: Final = 0.5
"""How far, in body heights, from where a track was lost in the zone a new one may
begin that is taken for the same person."""
WITHIN: Final = 1 - 1e-9
"""The right and lower edge of the picture, just inside of it."""


@dataclass(slots=True)
class Stay:
    """One person's time in a zone."""

    track_id: int
    since_s: float
    is_entry_told: bool = False
    is_loitering_told: bool = False


@dataclass(slots=True)
class _Presence:
    """What is known of one track."""

    latest: Track
    stay: Stay | None = None
    """None while it is outside."""
    other_since_s: float | None = None
    """Since when it is seen on the other side of the edge than it is said to be on."""


class ZoneOccupants:
    """Tells who stands in a zone, by where they touch the ground.

    Times are seconds of one session. Only confirmed tracks of people are to be given.
    A track that is not seen for a while stays where it was until it is forgotten.
    """

    def __init__(self, polygon: Polygon) -> None:
        self._polygon = polygon
        xs, ys = zip(*((each.x, each.y) for each in polygon.corners), strict=True)
        self._box = Box(min(xs), min(ys), max(xs), max(ys))
        self._presences: dict[int, _Presence] = {}

    @property
    def stays(self) -> Iterator[Stay]:
        return (each.stay for each in self._presences.values() if each.stay)

    @property
    def count(self) -> int:
        return sum(1 for _ in self.stays)

    def observe(
        self, people: Sequence[Track], *, seconds: float, aspect: float
    ) -> None:
        """Take note of where those are who are seen.

        `aspect` is the picture's width over its height.
        """
        seen = {track.id for track in people}
        for track in people:
            presence = self._presences.get(track.id)
            if presence is None:
                presence = self._taken_over(track, seen, aspect) or _Presence(track)
                self._presences[track.id] = presence
            presence.latest = track
            self._settle(presence, seconds)

    def forget(self, track_id: int) -> None:
        """Drop what is kept about a track; it has left."""
        self._presences.pop(track_id, None)

    def _holds(self, ground: Point) -> bool:
        """Whether somebody stands inside; at the edge, where feet are beyond it.

        So a zone drawn to the picture's edge holds who is cut off by it.
        """
        x, y = min(max(ground.x, 0.0), WITHIN), min(max(ground.y, 0.0), WITHIN)
        is_near = (
            self._box.x1 <= x <= self._box.x2 and self._box.y1 <= y <= self._box.y2
        )
        return is_near and self._polygon.contains(Point(x, y))

    def _settle(self, presence: _Presence, seconds: float) -> None:
        is_inside = self._holds(presence.latest.ground)
        if is_inside == (presence.stay is not None):
            presence.other_since_s = None
            return
        if presence.other_since_s is None:
            presence.other_since_s = seconds
        if seconds - presence.other_since_s >= INERTIA_S:
            since_s, presence.other_since_s = presence.other_since_s, None
            presence.stay = Stay(presence.latest.id, since_s) if is_inside else None

    def _taken_over(
        self, track: Track, seen: Collection[int], aspect: float
    ) -> _Presence | None:
        """Take what is known of a track that was lost in the zone where this begins."""
        near = {
            distance: lost_id
            for lost_id, lost in self._presences.items()
            if lost.stay and lost_id not in seen
            if (distance := _bodies_apart(lost.latest, track, aspect)) <= REJOIN_BODIES
        }
        if not near:
            return None
        presence = self._presences.pop(near[min(near)])
        if presence.stay:
            presence.stay.track_id = track.id
        return presence


def _bodies_apart(first: Track, then: Track, aspect: float) -> float:
    a, b = first.ground, then.ground
    body = (first.height + then.height) / 2
    apart = hypot((b.x - a.x) * aspect, b.y - a.y)
    return apart / body if body else inf


class FullnessWatch:
    """Tells when a zone is fuller, or less full, for long enough to be told of."""

    def __init__(self, *, capacity: int, amber_percent: int) -> None:
        self.capacity = capacity
        self._amber_percent = amber_percent
        self._told: Fullness | None = None
        """None until it is known: also of an empty zone it is told once."""
        self._next: Fullness | None = None
        self._since_s = 0.0

    def look(self, count: int, *, seconds: float) -> Fullness | None:
        """Return how full it is from now on; None where that is no news."""
        found = next_fullness(
            self._told or Fullness.NORMAL,
            count,
            capacity=self.capacity,
            amber_percent=self._amber_percent,
        )
        if found != self._next:
            self._next, self._since_s = found, seconds
        is_held = seconds - self._since_s >= FULLNESS_HELD_S
        if found == self._told or not is_held:
            return None
        self._told = found
        return found

    def begin(self) -> None:
        """Begin to look anew in another session, whose seconds begin at 0."""
        self._next = None
