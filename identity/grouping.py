"""When two sightings of strangers are one person: values in, values out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rules import Policy

GOOD_FROM: Final = 0.25
"""Quality from which a face may found a stranger and move a stranger's mean: about that
of a sharp face of 48 px seen from the front, which is still 0.8 like itself at full
size. At 36 px some fall to 0.5, which is what strangers reach."""
MEAN_OVER: Final = 20
"""Sightings after which each further one weighs the same, so that a stranger's mean
follows how they look now."""
MOST_ALIKE: Final = 0.99


def alike_from(policy: Policy) -> float:
    """Return the cosine from which two sightings are one stranger's.

    That is the face model's threshold and margin together: as much as a name takes
    whose runner-up stands at the threshold. A stranger is compared with every stranger
    before, no photo taken on purpose vouches for any of them, and no runner-up gives
    warning. To split one person in two costs a glance at the register; to mix two up
    would later give the visits of one to the other. With mobilefacenet (0.02 +- 0.10
    between strangers, see face_model.py) one of 3,000 strangers is by chance as alike
    as 0.45 + 0.08 in one case of 2,000; as the threshold alone, in one of 40.
    """
    return min(policy.threshold + policy.margin, MOST_ALIKE)


def moved_mean(
    mean: Sequence[float], vector: Sequence[float], *, sightings: int
) -> list[float]:
    """Return the mean, of unit length, of what `mean` stands for and one vector more.

    `sightings` is what `mean` stands for so far. Where both cancel each other out the
    mean stays.
    """
    weight = min(sightings, MEAN_OVER)
    total = [weight * old + new for old, new in zip(mean, vector, strict=True)]
    length = math.hypot(*total)
    if length < 1e-6:
        return list(mean)
    return [value / length for value in total]
