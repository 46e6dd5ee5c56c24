"""Lines, sides and overlaps, as seen on the screen.

A counting line runs from `a` to `b`. Walking along it, `in` is a crossing from the
right-hand side to the left-hand side:

            a
            |
      out <-|--          a line drawn from top to bottom:
          --|-> in       in is from screen left to screen right
            |
            b

    a ----------> b      a line drawn from left to right:
        ^   |            in is upwards, out is downwards
       in  out

Distances are in picture heights: relative x times the picture's aspect (width over
height), relative y as it is. So they mean the same along both axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .types import Point

    Floats = NDArray[np.float64]


class ZeroLengthLine(ValueError):
    """A line's two ends are the same point, so it has no sides."""


@dataclass(frozen=True, slots=True)
class Line:
    """A directed segment in relative coordinates; raises `ZeroLengthLine`."""

    a: Point
    b: Point

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ZeroLengthLine("The two ends of a line must differ.")

    def flipped(self) -> Line:
        """Return the same line walked the other way, which swaps in and out."""
        return Line(self.b, self.a)

    def length(self, aspect: float) -> float:
        """Return the length in picture heights."""
        return hypot((self.b.x - self.a.x) * aspect, self.b.y - self.a.y)

    def distance(self, point: Point, aspect: float) -> float:
        """Return the signed distance from the line's infinite extension.

        In picture heights; positive on the left-hand side, where `in` leads to.
        """
        along_x, along_y = (self.b.x - self.a.x) * aspect, self.b.y - self.a.y
        to_x, to_y = (point.x - self.a.x) * aspect, point.y - self.a.y
        return (to_x * along_y - to_y * along_x) / hypot(along_x, along_y)

    def position(self, point: Point, aspect: float) -> float:
        """Return how far along the line a point is: 0 at `a`, 1 at `b`."""
        along_x, along_y = (self.b.x - self.a.x) * aspect, self.b.y - self.a.y
        to_x, to_y = (point.x - self.a.x) * aspect, point.y - self.a.y
        return (to_x * along_x + to_y * along_y) / (along_x**2 + along_y**2)


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A counting line as people know it."""

    name: str
    line: Line
    id: int | None = None
    """Its row; None where there is no database."""
    colour: str = ""
    """By name, as `annotate` knows it; empty is the usual one."""


def pairwise_iou(first: Floats, second: Floats) -> Floats:
    """Return N x M intersections over unions of N x 4 and M x 4 corners."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    overlap: Floats = np.divide(
        shared, union, out=np.zeros_like(shared), where=union > 0
    )
    return overlap
