"""Compares all enrolled people of a site with each other: who could be mixed up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from .models import FaceSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE: Final = 1024
"""Photos compared with all others in one step: of 50,000, 200 MB."""
PAIRS_MAX: Final = 200
"""So many are told, the most alike."""


def find(
    *, site_id: int, face_model: str, at_least: float
) -> list[tuple[int, int, float]]:
    """Return pairs of employees and the similarity of their most similar photos.

    With `at_least` the threshold, each could be taken for the other were it not for the
    margin. Lower, a large site has hundreds of pairs that nothing is wrong with.
    """
    rows = FaceSample.objects.of_model(face_model).filter(
        employee__site=site_id, employee__status="active"
    )
    samples = list(rows.order_by("pk").values_list("employee_id", "embedding"))
    if not samples:
        return []
    people = np.array([person for person, _ in samples])
    vectors = np.array([list(vector) for _, vector in samples], np.float32)
    best: dict[tuple[int, int], float] = {}
    for start in range(0, len(people), AT_ONCE):
        for one, other, similarity in _alike(people, vectors, start, at_least):
            pair = (min(one, other), max(one, other))
            best[pair] = max(similarity, best.get(pair, -1.0))
    ranked = sorted(best.items(), key=lambda it: (-it[1], it[0]))
    return [(one, other, similarity) for (one, other), similarity in ranked[:PAIRS_MAX]]


def _alike(
    people: NDArray[np.int64],
    vectors: NDArray[np.float32],
    start: int,
    at_least: float,
) -> list[tuple[int, int, float]]:
    """Compare some photos with themselves and all after them."""
    some = slice(start, start + AT_ONCE)
    similarities = vectors[some] @ vectors[start:].T
    is_other = people[some, None] != people[None, start:]
    rows, columns = np.nonzero(is_other & (similarities >= at_least))
    return [
        (
            int(people[start + row]),
            int(people[start + column]),
            float(similarities[row, column]),
        )
        for row, column in zip(rows, columns, strict=True)
    ]
