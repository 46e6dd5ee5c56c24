"""Where an object is, how large it is and where it goes: one small filter a track."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, hypot
from typing import TYPE_CHECKING

from .types import Box

if TYPE_CHECKING:
    from typing import Self

MEASURED_BODIES = 0.12
"""Standard deviation of a detected box's middle, in body heights ..."""
ALIKE_S = 0.1
"""... errors nearer in time than this being alike: more frames a second do not make
the middle any surer."""
START_BODIES_PER_S = 2.0
"""Standard deviation of an unknown speed; people walk 0.8 body heights a second and
run 3, motorcycles go 6."""
ACCELERATION = 0.5
"""Spectral density of the acceleration in bodies^2 / s^3: within a second a walker's
speed changes by about 0.7 body heights a second, that is, stops."""
HIDDEN_BODIES = 0.2
"""Share of the body that must be missing at once to be called hidden."""
TOP_BODIES = 0.2
"""How near its expected place the upper edge must be meanwhile."""
BODY_S = 0.5
"""Time in which a body's height follows what is measured ..."""
HIDDEN_BODY_S = 5.0
"""... and while part of it seems hidden: if wrongly, that mends itself."""


@dataclass(slots=True)
class Trajectory:
    """Middle, size and speed of an object, in picture heights and seconds.

    The middle follows the model of constant speed with white acceleration (Bar-Shalom,
    Li and Kirubarajan 2001, section 6.2.2). Variances are in body (box) heights, which
    makes them the same for near and far objects and for both axes. The size has no
    speed of its own: it follows what is measured.
    """

    x: float
    y: float
    width: float
    height: float
    body: float
    """The height of all of it, slower to shrink than the box."""
    seen_x: float
    seen_y: float
    """The middle when it was last measured."""
    speed_x: float = 0.0
    speed_y: float = 0.0
    variance: float = MEASURED_BODIES**2
    covariance: float = 0.0
    speed_variance: float = START_BODIES_PER_S**2
    step_s: float = ALIKE_S

    @classmethod
    def starting_at(cls, box: Box, aspect: float) -> Self:
        """Begin at a box, unmoved; `aspect` is the picture's width over height."""
        x, y = middle(box, aspect)
        return cls(x, y, box.width * aspect, box.height, box.height, x, y)

    def predict(self, elapsed_s: float) -> None:
        """Move on by `elapsed_s`."""
        self.step_s = elapsed_s
        self.x += self.speed_x * elapsed_s
        self.y += self.speed_y * elapsed_s
        gained = ACCELERATION * elapsed_s
        self.variance += elapsed_s * (
            2 * self.covariance + elapsed_s * (self.speed_variance + gained / 3)
        )
        self.covariance += elapsed_s * (self.speed_variance + gained / 2)
        self.speed_variance += gained

    def correct(self, box: Box, aspect: float) -> None:
        """Take a measured box, whose lower part something may hide."""
        hidden = self._hidden_below(box)
        follow_s = HIDDEN_BODY_S if hidden else BODY_S
        self.body += (1 - exp(-self.step_s / follow_s)) * (box.height - self.body)
        noise = MEASURED_BODIES**2 * max(1.0, ALIKE_S / max(self.step_s, 1e-3))
        gain = self.variance / (self.variance + noise)
        speed_gain = self.covariance / (self.variance + noise)
        x, y = middle(box, aspect)
        off_x, off_y = x - self.x, y + hidden / 2 - self.y
        self.x += gain * off_x
        self.y += gain * off_y
        self.speed_x += speed_gain * off_x
        self.speed_y += speed_gain * off_y
        self.width += gain * (box.width * aspect - self.width)
        self.height += gain * (box.height + hidden - self.height)
        self.speed_variance -= speed_gain * self.covariance
        self.variance *= 1 - gain
        self.covariance *= 1 - gain
        self.seen_x, self.seen_y = self.x, self.y

    def corners(self) -> tuple[float, float, float, float]:
        """Return the box in picture heights."""
        half_width, half_height = self.width / 2, self.height / 2
        return (
            self.x - half_width,
            self.y - half_height,
            self.x + half_width,
            self.y + half_height,
        )

    def box(self, aspect: float) -> Box:
        """Return all of the object, relative to the picture."""
        x1, y1, x2, y2 = self.corners()
        return Box(x1 / aspect, y1, x2 / aspect, y2)

    def distance(self, x: float, y: float) -> float:
        """Return how far a point is from the way since it was last seen.

        In body heights. The way is the straight piece from where it was last seen to
        where it would be now: who stops halfway is still on it.
        """
        way_x, way_y = self.x - self.seen_x, self.y - self.seen_y
        to_x, to_y = x - self.seen_x, y - self.seen_y
        squared = way_x**2 + way_y**2
        share = (to_x * way_x + to_y * way_y) / squared if squared else 0.0
        share = min(max(share, 0.0), 1.0)
        return hypot(to_x - share * way_x, to_y - share * way_y) / self.height

    def _hidden_below(self, box: Box) -> float:
        """Return the height missing of an object whose feet something hides.

        Its box is suddenly much shorter, with the upper edge where it was.
        """
        missing = self.body - box.height
        top_moved = abs(box.y1 - (self.y - self.height / 2))
        is_hidden = (
            missing >= HIDDEN_BODIES * self.body and top_moved <= TOP_BODIES * self.body
        )
        return missing if is_hidden else 0.0


def corners(box: Box, aspect: float) -> tuple[float, float, float, float]:
    """Return a box's corners in picture heights."""
    return box.x1 * aspect, box.y1, box.x2 * aspect, box.y2


def middle(box: Box, aspect: float) -> tuple[float, float]:
    """Return a box's middle in picture heights."""
    return (box.x1 + box.x2) / 2 * aspect, (box.y1 + box.y2) / 2
