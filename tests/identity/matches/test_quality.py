from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.matches.quality import (
    CHUNK,
    Faces,
    Similarities,
    TooFewPeople,
    best_threshold,
    compare,
    rates,
    together,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

cosines = st.floats(-1, 1, width=32)
thresholds = st.integers(1, 999).map(lambda step: step / 1000)


def similarities(pairs: Sequence[tuple[float, float]]) -> Similarities:
    """Make them of (genuine, best other) for each seen face."""
    genuine, others = (np.array(each, np.float32) for each in zip(*pairs, strict=True))
    return Similarities(genuine, others, np.zeros(200, np.int64))


found_ones = st.lists(st.tuples(cosines, cosines), min_size=1).map(similarities)


def faces(people: Sequence[int], vectors: Sequence[Sequence[float]]) -> Faces:
    return Faces(np.array(vectors, np.float32), np.array(people, np.int64))


ENROLLED = faces([7, 3, 7], [[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]])


class TestCompare:
    def test_takes_each_persons_best_photo(self) -> None:
        seen = faces([7, 3], [[0.6, 0.8, 0], [1, 0, 0]])

        found = compare(seen, ENROLLED)

        assert found.genuine == pytest.approx([1.0, 0.0])
        assert found.best_other == pytest.approx([0.8, 1.0])

    def test_counts_each_comparison_with_somebody_else(self) -> None:
        seen = faces([7, 3], [[1, 0, 0], [0, 1, 0]])
        three = faces([7, 3, 9], [[1, 0, 0], [0, 1, 0], [0, 0, 1]])

        found = compare(seen, three)

        assert found.impostor_counts.sum() == 4
        assert found.impostor_counts[100] == 4

    def test_leaves_out_seen_faces_of_people_without_a_photo(self) -> None:
        seen = faces([5, 7], [[0, 0, 1], [1, 0, 0]])

        assert compare(seen, ENROLLED).genuine == pytest.approx([1.0])

    @pytest.mark.parametrize(
        ("seen", "enrolled", "sentence"),
        [
            (faces([7], [[1, 0, 0]]), faces([7], [[1, 0, 0]]), "two people.* is 1"),
            (faces([5], [[1, 0, 0]]), ENROLLED, "No seen face"),
        ],
    )
    def test_refuses_when_nothing_can_be_compared(
        self, seen: Faces, enrolled: Faces, sentence: str
    ) -> None:
        with pytest.raises(TooFewPeople, match=sentence):
            compare(seen, enrolled)

    def test_does_not_depend_on_the_order_of_the_photos_nor_on_portions(self) -> None:
        rng = np.random.default_rng(4)

        def drawn(n: int) -> Faces:
            vectors = rng.normal(size=(n, 8))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            return Faces(vectors.astype(np.float32), rng.integers(0, 9, n))

        seen, enrolled = drawn(CHUNK + 50), drawn(40)
        mixed = rng.permutation(40)
        other_way = Faces(enrolled.vectors[mixed], enrolled.people[mixed])
        in_turn = [
            compare(Faces(seen.vectors[part], seen.people[part]), enrolled)
            for part in (slice(0, 500), slice(500, None))
        ]

        found = compare(seen, enrolled)

        for other in (compare(seen, other_way), together(in_turn)):
            assert other.genuine == pytest.approx(found.genuine, abs=1e-5)
            assert other.best_other == pytest.approx(found.best_other, abs=1e-5)
            difference = other.impostor_counts - found.impostor_counts
            assert abs(difference).sum() <= 4
        assert found.impostor_counts.sum() == 8 * len(seen)


class TestRates:
    def test_are_shares_of_the_seen_faces(self) -> None:
        found = similarities([(0.9, 0.1), (0.7, 0.8), (0.4, 0.3), (0.9, 0.85)])

        row = rates(found, 0.6)

        assert (row.assigned, row.right, row.wrong) == (0.75, 0.5, 0.25)
        assert row.false_positive == 0.5

    @given(found_ones, thresholds, thresholds)
    def test_never_rise_with_the_threshold(
        self, found: Similarities, one: float, other: float
    ) -> None:
        low, high = (rates(found, each) for each in sorted([one, other]))

        assert high.assigned <= low.assigned
        assert high.right <= low.right
        assert high.wrong <= low.wrong
        assert high.false_positive <= low.false_positive

    @given(found_ones, thresholds)
    def test_belong_together(self, found: Similarities, threshold: float) -> None:
        row = rates(found, threshold)

        assert row.right + row.wrong == pytest.approx(row.assigned)
        assert row.wrong <= row.false_positive


class TestBestThreshold:
    @given(found_ones)
    def test_keeps_false_positives_below_the_bound(self, found: Similarities) -> None:
        assert rates(found, best_threshold(found)).false_positive < 0.05

    @given(found_ones)
    def test_is_the_lowest_one_that_does(self, found: Similarities) -> None:
        lower = best_threshold(found) - 0.0025

        assert rates(found, lower).false_positive >= 0.05

    def test_lies_above_the_first_similarity_that_is_one_too_many(self) -> None:
        others = [0.9, 0.8, 0.7, 0.6, 0.5] + [0.1] * 95

        found = similarities([(1.0, other) for other in others])

        assert best_threshold(found) == 0.501
        assert best_threshold(found, below=0.03) == 0.701
