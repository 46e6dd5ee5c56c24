"""Where a chart's shapes lie, whatever the values are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import charts
from occupancy.charts import Slot, Span, chart, heat, labels, scale

counts = st.integers(0, 100_000)
spans = st.lists(counts, min_size=3, max_size=3).map(lambda few: Span(*sorted(few)))
slots = st.builds(
    Slot,
    title=st.just("08:00"),
    label=st.sampled_from(["", "08"]),
    bars=st.lists(st.none() | counts, max_size=2),
    span=st.none() | spans,
    before=st.none() | counts,
)


class TestScale:
    @pytest.mark.parametrize(
        ("most", "ticks"),
        [
            (0, [0, 1]),
            (1, [0, 1]),
            (3.5, [0, 1, 2, 3, 4]),
            (5, [0, 1, 2, 3, 4, 5]),
            (6, [0, 2, 4, 6]),
            (31, [0, 10, 20, 30, 40]),
            (812, [0, 200, 400, 600, 800, 1000]),
        ],
    )
    def test_has_round_numbers(self, most: float, ticks: list[int]) -> None:
        assert list(scale(most)) == ticks

    @given(st.floats(0, 1e9))
    def test_reaches_the_most_in_few_even_steps(self, most: float) -> None:
        ticks = scale(most)

        assert ticks[0] == 0
        assert ticks[-1] >= most
        assert 1 <= len(ticks) - 1 <= charts.TICKS_MAX
        assert len({b - a for a, b in pairwise(ticks)}) == 1


class TestChart:
    @given(st.lists(slots, max_size=60))
    def test_stays_within_its_frame(self, rows: list[Slot]) -> None:
        told = chart(rows)

        for bar in (*told.bars, *told.spans):
            assert bar.x >= -1e-6
            assert bar.x + bar.width <= 100 + 1e-6
            assert -1e-6 <= bar.y <= told.height + 1e-6
            assert bar.height >= 0
            assert bar.y + bar.height <= told.height + 1e-6
        for one in (*told.line, *told.averages):
            assert 0 <= min(one.x1, one.x2) <= max(one.x1, one.x2) <= 100
            assert 0 <= min(one.y1, one.y2) <= max(one.y1, one.y2) <= told.height

    @given(st.lists(slots, max_size=60))
    def test_draws_each_value_once_and_no_gap(self, rows: list[Slot]) -> None:
        told = chart(rows)

        values = [value for row in rows for value in row.bars if value is not None]
        assert len(told.bars) == len(values)
        assert len(told.spans) == len(told.averages)
        assert len(told.spans) == sum(row.span is not None for row in rows)
        known = [row.before is not None for row in rows]
        joined = sum(a and b for a, b in pairwise(known))
        alone = sum(
            here and not (left or right)
            for left, here, right in zip(
                [False, *known], known, [*known[1:], False], strict=False
            )
        )
        assert len([one for one in told.line if one.is_dot]) == alone
        assert len(told.line) == joined + alone

    @given(st.lists(st.tuples(counts, counts), min_size=1, max_size=40))
    def test_puts_bars_side_by_side_as_high_as_their_values(
        self, pairs: list[tuple[int, int]]
    ) -> None:
        told = chart([Slot("", bars=pair) for pair in pairs])

        ends = [(bar.x, bar.x + bar.width) for bar in told.bars]
        assert all(end <= start + 1e-6 for (_, end), (start, _) in pairwise(ends))
        top = told.ticks[-1].value
        for bar, value in zip(told.bars, sum(pairs, ()), strict=True):
            assert bar.height == pytest.approx(told.height * value / top)
            assert bar.y + bar.height == pytest.approx(told.height)

    def test_needs_nothing(self) -> None:
        told = chart([])

        assert told.bars == []
        assert [tick.value for tick in told.ticks] == [0, 1]


class TestLabels:
    @given(st.lists(st.sampled_from(["", "08"]), max_size=400))
    def test_are_few_enough_for_a_telephone(self, texts: list[str]) -> None:
        found = labels(texts)

        assert sum(not one.is_minor for one in found) <= charts.LABELS_MAX
        assert len(found) <= charts.MINOR_MAX
        assert bool(found) == any(texts)

    def test_lie_below_the_middle_of_their_slot(self) -> None:
        assert [one.x for one in labels(["a", "", "b", ""])] == [12.5, 62.5]


class TestHeat:
    @given(st.floats(0, 1000), st.floats(0, 1000))
    def test_is_never_colder_for_more(self, one: float, other: float) -> None:
        less, more = sorted((one, other))

        assert 0 <= heat(less, most=more) <= heat(more, most=more) <= charts.HEATS

    def test_is_nothing_only_for_nothing(self) -> None:
        assert heat(0, most=10) == 0
        assert heat(0.01, most=10) == 1
        assert heat(10, most=10) == charts.HEATS
