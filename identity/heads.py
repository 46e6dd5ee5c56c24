"""Says whose face it is: values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from streaming.vision.types import Box

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD_SHARE: Final = 0.6
"""A face's centre is no lower in the box of its person: of somebody who sits at a desk
the box shows little more than the head."""
SMALLEST_SHARE: Final = 1 / 18
"""A face is at least so high beside the box of its person: about 1/10 of who is seen
from head to foot (Loomis 1943), less where a raised arm makes the box higher. A smaller
one is of somebody farther away, or on a poster."""
UNDER_TOP: Final = 0.75
"""How far the centre of a face is under the top of the head, in heights of the face:
half the face, and the hair."""
MARGIN_SHARE: Final = 0.15
"""Of a person's width: boxes waver, and a face is found by what is around it."""
FORBIDDEN: Final = 1e6


def owners(
    faces: Sequence[Box], people: Sequence[Box], *, aspect: float
) -> Mapping[int, int]:
    """Return which face belongs to which person, by position in what was given.

    At most one face a person and one person a face, all together as near as can be to
    where heads are. `aspect` is the picture's width over its height.
    """
    if not faces or not people:
        return {}
    costs = np.array([[_cost(face, box, aspect) for box in people] for face in faces])
    rows, columns = linear_sum_assignment(costs)
    return {
        row: column
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if costs[row, column] < FORBIDDEN
    }


def region(people: Sequence[Box]) -> Box:
    """Return the part of the picture, at least one person's, that holds their faces."""
    lowest = max(box.y1 + HEAD_SHARE * box.height for box in people)
    margin = max(MARGIN_SHARE * box.width for box in people)
    return Box(
        max(min(box.x1 for box in people) - margin, 0.0),
        max(min(box.y1 for box in people) - margin, 0.0),
        min(max(box.x2 for box in people) + margin, 1.0),
        min(lowest + margin, 1.0),
    )


def _cost(face: Box, person: Box, aspect: float) -> float:
    """Return how far the face is from where the person's is, in heights of the face."""
    x, y = (face.x1 + face.x2) / 2, (face.y1 + face.y2) / 2
    lowest = person.y1 + HEAD_SHARE * person.height
    is_inside = person.x1 <= x <= person.x2 and person.y1 <= y <= lowest
    if not is_inside or face.height < SMALLEST_SHARE * person.height:
        return FORBIDDEN
    sideways = (x - (person.x1 + person.x2) / 2) * aspect
    below = y - person.y1 - UNDER_TOP * face.height
    return float(np.hypot(sideways, below) / face.height)
