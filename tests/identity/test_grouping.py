from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.grouping import MEAN_OVER, MOST_ALIKE, alike_from, moved_mean
from identity.rules import Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

shares = st.floats(0.01, 0.99)
policies = st.builds(Policy, threshold=shares, margin=st.floats(0.01, 0.5))
counts = st.integers(1, 1000)


@st.composite
def units(draw: st.DrawFn) -> list[float]:
    """Give vectors of unit length, of eight dimensions."""
    numbers = st.lists(st.floats(-1, 1), min_size=8, max_size=8)
    values = draw(numbers.filter(lambda them: math.hypot(*them) > 0.1))
    return [value / math.hypot(*values) for value in values]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


class TestAlikeFrom:
    @given(policies)
    def test_is_stricter_than_recognition(self, policy: Policy) -> None:
        at_least = alike_from(policy)

        assert at_least > policy.threshold or at_least == MOST_ALIKE
        assert at_least < 1

    @given(policies, shares)
    def test_never_falls_when_recognition_becomes_stricter(
        self, policy: Policy, more: float
    ) -> None:
        stricter = Policy(policy.threshold + more, policy.margin)

        assert alike_from(stricter) >= alike_from(policy)


class TestMovedMean:
    @given(units(), units(), counts)
    def test_has_unit_length(
        self, mean: list[float], vector: list[float], sightings: int
    ) -> None:
        moved = moved_mean(mean, vector, sightings=sightings)

        assert math.hypot(*moved) == pytest.approx(1)

    @given(units(), counts)
    def test_stays_where_the_same_face_comes_again(
        self, mean: list[float], sightings: int
    ) -> None:
        assert moved_mean(mean, mean, sightings=sightings) == pytest.approx(mean)

    @given(units(), units(), counts)
    def test_is_more_like_the_new_face_than_the_old_mean_was(
        self, mean: list[float], vector: list[float], sightings: int
    ) -> None:
        moved = moved_mean(mean, vector, sightings=sightings)

        before = cosine(mean, vector)
        assert cosine(moved, vector) >= before - 1e-9
        assert cosine(moved, mean) >= before - 1e-9

    @given(units(), units(), counts)
    def test_moves_no_further_the_more_sightings_it_stands_for(
        self, mean: list[float], vector: list[float], sightings: int
    ) -> None:
        moved = moved_mean(mean, vector, sightings=sightings)
        later = moved_mean(mean, vector, sightings=sightings + 1)

        assert cosine(later, mean) >= cosine(moved, mean) - 1e-9

    @given(units(), units())
    def test_follows_a_face_that_changes(
        self, mean: list[float], vector: list[float]
    ) -> None:
        always = moved_mean(mean, vector, sightings=MEAN_OVER)

        assert moved_mean(mean, vector, sightings=10**6) == always

    def test_weighs_a_second_sighting_as_much_as_the_first(self) -> None:
        moved = moved_mean([1.0, 0.0], [0.0, 1.0], sightings=1)

        assert moved == pytest.approx([math.sqrt(0.5), math.sqrt(0.5)])

    def test_stays_where_both_cancel_each_other_out(self) -> None:
        assert moved_mean([1.0, 0.0], [-1.0, 0.0], sightings=1) == [1.0, 0.0]
