from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.capacity import Fullness, fullness, next_fullness

counts = st.integers(0, 60)
capacities = st.integers(1, 50)
percents = st.integers(1, 100)
NORMAL, AMBER, RED = Fullness


class TestFullness:
    @pytest.mark.parametrize(
        ("count", "expected"),
        [(0, NORMAL), (7, NORMAL), (8, AMBER), (10, AMBER), (11, RED), (99, RED)],
    )
    def test_is_red_above_the_capacity_alone(
        self, count: int, expected: Fullness
    ) -> None:
        assert fullness(count, capacity=10, amber_percent=80) is expected

    def test_is_normal_where_there_is_no_limit(self) -> None:
        assert fullness(1000, capacity=None, amber_percent=80) is NORMAL

    @given(capacities, percents)
    def test_is_normal_of_an_empty_place(self, capacity: int, percent: int) -> None:
        assert fullness(0, capacity=capacity, amber_percent=percent) is NORMAL

    @given(counts, capacities, percents)
    def test_is_never_less_with_one_more(
        self, count: int, capacity: int, percent: int
    ) -> None:
        less, more = (
            fullness(each, capacity=capacity, amber_percent=percent)
            for each in (count, count + 1)
        )
        assert less.rank <= more.rank


class TestNextFullness:
    @pytest.mark.parametrize(
        ("before", "count", "expected"),
        [
            (NORMAL, 8, AMBER),
            (NORMAL, 11, RED),
            (AMBER, 7, AMBER),
            (AMBER, 6, NORMAL),
            (RED, 10, RED),
            (RED, 9, AMBER),
            (RED, 3, NORMAL),
        ],
    )
    def test_falls_only_when_one_more_would_change_nothing(
        self, before: Fullness, count: int, expected: Fullness
    ) -> None:
        found = next_fullness(before, count, capacity=10, amber_percent=80)
        assert found is expected

    def test_falls_in_a_place_for_one_when_nobody_is_left(self) -> None:
        after = [
            next_fullness(RED, count, capacity=1, amber_percent=80) for count in (1, 0)
        ]
        assert after == [RED, NORMAL]

    @given(st.sampled_from(Fullness), counts.filter(bool), capacities, percents)
    def test_changes_once_at_most_while_one_goes_in_and_out_of_the_door(
        self, before: Fullness, count: int, capacity: int, percent: int
    ) -> None:
        found = [before]
        for inside in [count + 1, count] * 3:
            found.append(
                next_fullness(
                    found[-1], inside, capacity=capacity, amber_percent=percent
                )
            )
        assert len(set(found[2:])) == 1

    @given(st.sampled_from(Fullness), counts, capacities, percents)
    def test_is_never_less_than_it_is(
        self, before: Fullness, count: int, capacity: int, percent: int
    ) -> None:
        limit = {"capacity": capacity, "amber_percent": percent}
        found = next_fullness(before, count, **limit)
        assert found.rank >= fullness(count, **limit).rank
        assert found.rank <= max(before.rank, fullness(count, **limit).rank)
