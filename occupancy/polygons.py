"""Polygons on a picture: what is one, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from streaming.vision.types import Point

if TYPE_CHECKING:
    from collections.abc import Iterator

CORNERS_MAX: Final = 50
CORNERS_MIN: Final = 3


class BadPolygon(ValueError):
    """The corners make no polygon; the message says why."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """Three or more corners in relative coordinates, in order, either way around."""

    corners: tuple[Point, ...]

    def edges(self) -> Iterator[tuple[Point, Point]]:
        yield from zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True)

    def contains(self, point: Point) -> bool:
        """Whether a point lies inside, by the number of edges to the right of it."""
        crossings = 0
        for a, b in self.edges():
            if (a.y > point.y) == (b.y > point.y):
                continue
            x = a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x)
            crossings += x > point.x
        return crossings % 2 == 1


def parse_polygon(points: object) -> Polygon:
    """Return the polygon of [[x, y], ...]; raises BadPolygon."""
    if not isinstance(points, list | tuple):
        raise BadPolygon("A zone is a list of corners, each [x, y].")
    corners = tuple(_corner(each) for each in points)
    if not CORNERS_MIN <= len(corners) <= CORNERS_MAX:
        raise BadPolygon(
            f"A zone has {CORNERS_MIN} to {CORNERS_MAX} corners, not {len(corners)}."
        )
    if len(set(corners)) < len(corners):
        raise BadPolygon("Two corners of the zone are the same point.")
    polygon = Polygon(corners)
    if _crosses_itself(polygon):
        raise BadPolygon("The zone's outline crosses itself.")
    return polygon


def _corner(value: object) -> Point:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadPolygon("A corner is [x, y].")
    x, y = value
    if not (_is_number(x) and _is_number(y)):
        raise BadPolygon("A corner is two numbers, x and y.")
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise BadPolygon("Corners lie within the picture: from 0 to 1.")
    return Point(float(x), float(y))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _crosses_itself(polygon: Polygon) -> bool:
    """Whether two edges meet elsewhere than in the corner they share."""
    for first, second in combinations(polygon.edges(), 2):
        shared = set(first) & set(second)
        if shared:
            if _folds_back(first, second, *shared):
                return True
        elif _meet(*first, *second):
            return True
    return _area(polygon) == 0


def _folds_back(
    first: tuple[Point, Point], second: tuple[Point, Point], shared: Point
) -> bool:
    """Whether two edges of one corner lie on each other."""
    (a,) = set(first) - {shared}
    (b,) = set(second) - {shared}
    ahead = (a.x - shared.x) * (b.x - shared.x) + (a.y - shared.y) * (b.y - shared.y)
    return _turn(shared, a, b) == 0 and ahead > 0


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(
        turn == 0 and _is_between(*end) for turn, end in zip(turns, ends, strict=True)
    )


def _is_between(a: Point, b: Point, c: Point) -> bool:
    """Whether c, on the line through a and b, lies between them."""
    return min(a.x, b.x) <= c.x <= max(a.x, b.x) and min(a.y, b.y) <= c.y <= max(
        a.y, b.y
    )


def _area(polygon: Polygon) -> float:
    return abs(sum(a.x * b.y - b.x * a.y for a, b in polygon.edges())) / 2
