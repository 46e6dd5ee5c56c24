from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tables import percentile

VALUES = st.lists(st.integers(0, 99), min_size=1)


class TestPercentile:
    @pytest.mark.parametrize(("percent", "value"), [(50, 2), (51, 3), (95, 4)])
    def test_is_one_of_the_values(self, percent: int, value: float) -> None:
        assert percentile([4, 1, 3, 2], percent) == value

    @given(VALUES, st.integers(1, 100))
    def test_is_not_exceeded_by_that_share(
        self, values: list[int], percent: int
    ) -> None:
        bound, enough = percentile(values, percent), percent * len(values)
        assert sum(value <= bound for value in values) * 100 >= enough
        assert sum(value < bound for value in values) * 100 < enough
