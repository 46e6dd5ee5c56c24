"""How well faces tell people apart: values in, values out.

Similarities are cosines of vectors of unit length, -1..1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

FPR_BELOW: Final = 0.05
STEP: Final = 0.001
"""Thresholds are chosen and curves are drawn in steps of this."""
CHUNK: Final = 1024
"""Faces compared at a time: with 25,000 people that takes some 100 MB."""


class TooFewPeople(Exception):
    """Nothing can be compared; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Vectors and whose they are."""

    vectors: Floats
    """N x D, of unit length."""
    people: Ints
    """N keys."""

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True, slots=True)
class Similarities:
    """How alike N seen faces are to the person they are of, and to all others."""

    genuine: Floats
    """To the best photo of the person it is: N."""
    best_other: Floats
    """To the best photo of whoever else resembles most: N."""
    impostor_counts: Ints
    """To the best photo of every other person: how many lie in each of `BINS`."""


BINS: Final = np.linspace(-1, 1, 201)
"""Edges of the bins of a distribution, 0.01 wide."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What a threshold would do, as shares of the seen faces, 0..1."""

    threshold: float
    assigned: float
    """Got a name, right or wrong."""
    right: float
    wrong: float
    false_positive: float
    """Would have got somebody's name if the person had no photo: a stranger let in.
    ISO/IEC 19795-1 calls it the false-positive identification rate."""


def compare(seen: Faces, enrolled: Faces) -> Similarities:
    """Compare every seen face with every person's best photo.

    Seen faces of people without a photo are left out. Raises TooFewPeople.
    """
    people = np.unique(enrolled.people)
    if len(people) < 2:
        raise TooFewPeople(
            "It takes two people with photos, to compare one with the other. There "
            f"{'is' if len(people) == 1 else 'are'} {len(people)}."
        )
    is_known = np.isin(seen.people, people)
    if not is_known.any():
        raise TooFewPeople("No seen face is of a person who has a photo.")
    seen = Faces(seen.vectors[is_known], seen.people[is_known])
    order = np.argsort(enrolled.people, kind="stable")
    starts = np.searchsorted(enrolled.people[order], people)
    gallery = np.ascontiguousarray(enrolled.vectors[order].T)
    columns = np.searchsorted(people, seen.people)
    parts = [
        _compare(
            seen.vectors[at : at + CHUNK], columns[at : at + CHUNK], gallery, starts
        )
        for at in range(0, len(seen), CHUNK)
    ]
    return together(parts)


def _compare(
    vectors: Floats, columns: Ints, gallery: Floats, starts: Ints
) -> Similarities:
    """Compare some faces; `columns` is whose they are, as places among the people."""
    of_people = np.maximum.reduceat(vectors @ gallery, starts, axis=1)
    rows = np.arange(len(vectors))
    genuine = of_people[rows, columns]
    of_people[rows, columns] = -np.inf
    others = of_people[np.isfinite(of_people)].clip(-1, 1)
    return Similarities(
        genuine=genuine,
        best_other=of_people.max(axis=1),
        impostor_counts=np.histogram(others, BINS)[0],
    )


def together(parts: Sequence[Similarities]) -> Similarities:
    """Return what was found at several sites as one; at least one."""
    return Similarities(
        genuine=np.concatenate([part.genuine for part in parts]),
        best_other=np.concatenate([part.best_other for part in parts]),
        impostor_counts=np.sum([part.impostor_counts for part in parts], axis=0),
    )


def rates(found: Similarities, threshold: float) -> Rates:
    """Return what a threshold, from which on a name is given, would do."""
    is_own = found.genuine > found.best_other
    right = is_own & (found.genuine >= threshold)
    is_other = found.best_other >= threshold
    wrong = ~is_own & is_other
    return Rates(
        threshold=threshold,
        assigned=float(np.mean(right | wrong)),
        right=float(np.mean(right)),
        wrong=float(np.mean(wrong)),
        false_positive=float(np.mean(is_other)),
    )


def best_threshold(found: Similarities, *, below: float = FPR_BELOW) -> float:
    """Return the lowest threshold, in steps, with fewer false positives than `below`.

    The lowest gives the most names. It may lie above 1: then none will do.
    """
    others = np.sort(found.best_other)[::-1]
    # So many may pass, and be fewer than the share.
    allowed = max(math.ceil(below * len(others)) - 1, 0)
    # The next one must stay below: float32 is coarser than a step by far less.
    step = math.floor(float(others[allowed]) / STEP + 1e-4) + 1
    return round(step * STEP, 3)
