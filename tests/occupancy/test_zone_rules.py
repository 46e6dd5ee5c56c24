from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.capacity import Fullness
from occupancy.polygons import Polygon
from occupancy.zone_rules import FullnessWatch, ZoneOccupants
from streaming.vision.types import Point
from tests.scenes import ASPECT, track

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIDDLE = Polygon((Point(0.4, 0.4), Point(0.6, 0.4), Point(0.6, 1), Point(0.4, 1)))
"""0.4 to 0.6 across; people of these tables are 0.3 high."""
OUT, IN = 0.2, 0.5
FPS = 10
A, B = 1, 2


def watch(
    table: Sequence[Mapping[int, float]], *, forget: Mapping[int, int] | None = None
) -> tuple[ZoneOccupants, list[int]]:
    """Show where each track is in each frame; return how many are inside in each."""
    occupants, counts = ZoneOccupants(MIDDLE), []
    for index, places in enumerate(table):
        people = [track(x, track_id=number) for number, x in places.items()]
        occupants.observe(people, seconds=index / FPS, aspect=ASPECT)
        for number, when in (forget or {}).items():
            if when == index:
                occupants.forget(number)
        counts.append(occupants.count)
    return occupants, counts


def stays(x: float, frames: int, number: int = A) -> list[Mapping[int, float]]:
    return [{number: x}] * frames


class TestZoneOccupants:
    @pytest.mark.parametrize(
        ("what", "table", "last"),
        [
            ("stands inside", stays(IN, 10), 1),
            ("stands outside", stays(OUT, 10), 0),
            ("passes through quickly", stays(OUT, 5) + stays(IN, 4) + stays(OUT, 5), 0),
            ("walks in", stays(OUT, 5) + stays(IN, 10), 1),
            ("walks in and out", stays(IN, 10) + stays(OUT, 10), 0),
            ("leans out for a moment", stays(IN, 10) + stays(OUT, 4) + stays(IN, 1), 1),
            ("is lost and not yet forgotten", [*stays(IN, 10), *[{}] * 10], 1),
            ("two of them", [{A: IN, B: 0.45}] * 10, 2),
            ("one of two", [{A: IN, B: OUT}] * 10, 1),
        ],
    )
    def test_are_those_who_stand_inside(
        self, what: str, table: Sequence[Mapping[int, float]], last: int
    ) -> None:
        _, counts = watch(table)
        assert counts[-1] == last, what

    def test_do_not_change_while_a_box_wavers_on_the_edge(self) -> None:
        edge: list[Mapping[int, float]] = [
            {A: x} for x in (0.39, 0.41, 0.41, 0.39) * 10
        ]
        _, from_outside = watch(stays(OUT, 10) + edge)
        _, from_inside = watch(stays(IN, 10) + edge)
        assert set(from_outside) == {0}
        assert set(from_inside[10:]) == {1}

    def test_are_in_and_out_when_it_has_held_for_half_a_second(self) -> None:
        _, counts = watch(stays(IN, 10) + stays(OUT, 10))
        assert counts == [0] * 5 + [1] * 10 + [0] * 5

    def test_are_not_those_who_are_forgotten(self) -> None:
        _, counts = watch(stays(IN, 10) + [{}] * 2, forget={A: 11})
        assert counts[-2:] == [1, 0]

    def test_are_one_when_the_track_gets_another_id(self) -> None:
        occupants, counts = watch(
            [*stays(IN, 10), {}, *stays(IN + 0.03, 30, B)], forget={A: 30}
        )
        (stay,) = occupants.stays
        assert set(counts[5:]) == {1}
        assert (stay.track_id, stay.since_s) == (B, 0.0)

    def test_are_two_when_another_begins_elsewhere(self) -> None:
        far = [{B: 0.41} for _ in range(10)]
        _, counts = watch([{A: 0.59}] * 10 + far)
        assert counts[-1] == 2

    def test_are_two_when_another_comes_while_the_first_is_seen(self) -> None:
        _, counts = watch(stays(IN, 10) + [{A: IN, B: IN + 0.03}] * 10)
        assert counts[-1] == 2

    def test_begin_another_stay_when_they_left_and_are_back(self) -> None:
        occupants, counts = watch(stays(IN, 10) + stays(OUT, 10) + stays(IN, 10))
        (stay,) = occupants.stays
        assert counts[-1] == 1
        assert stay.since_s == 2.0

    def test_are_also_those_whom_the_pictures_edge_cuts_off(self) -> None:
        occupants = ZoneOccupants(MIDDLE)
        for index in range(10):
            cut_off = track(IN, 1.0)
            occupants.observe([cut_off], seconds=index / FPS, aspect=ASPECT)
        assert occupants.count == 1

    @given(
        st.lists(
            st.dictionaries(st.integers(1, 4), st.floats(0, 1), max_size=4),
            max_size=40,
        )
    )
    def test_are_never_more_than_were_seen(self, table: list[dict[int, float]]) -> None:
        _, counts = watch(table)
        known: set[int] = set()
        for places, count in zip(table, counts, strict=True):
            known |= places.keys()
            assert 0 <= count <= len(known)

    @given(st.lists(st.floats(0.41, 0.59), min_size=10, max_size=30))
    def test_are_one_however_somebody_moves_inside(self, path: list[float]) -> None:
        _, counts = watch([{A: x} for x in path])
        assert set(counts[6:]) == {1}

    @given(st.lists(st.sampled_from([OUT, IN]), max_size=40))
    def test_change_at_most_every_half_second(self, path: list[float]) -> None:
        _, counts = watch([{A: x} for x in path])
        changes = [
            index
            for index in range(1, len(counts))
            if counts[index - 1] != counts[index]
        ]
        gaps = pairwise(changes)
        assert all(then - first >= FPS // 2 for first, then in gaps)

    @given(
        st.lists(
            st.dictionaries(st.integers(1, 3), st.floats(0, 1), max_size=3),
            max_size=30,
        )
    )
    def test_do_not_depend_on_the_order_of_tracks(
        self, table: list[dict[int, float]]
    ) -> None:
        backwards = [dict(reversed(places.items())) for places in table]
        assert watch(table)[1] == watch(backwards)[1]


def told(counts: Sequence[int], *, capacity: int = 2) -> list[tuple[int, Fullness]]:
    """Show a count a second; return at which of them it is told how full it is."""
    watch = FullnessWatch(capacity=capacity, amber_percent=100)
    return [
        (second, found)
        for second, count in enumerate(counts)
        if (found := watch.look(count, seconds=float(second)))
    ]


class TestFullnessWatch:
    def test_tells_first_how_full_it_is(self) -> None:
        assert told([0] * 10) == [(5, Fullness.NORMAL)]
        assert told([3] * 10) == [(5, Fullness.RED)]

    def test_tells_of_what_held_for_five_seconds(self) -> None:
        counts = [0] * 10 + [3] * 10 + [0] * 10
        assert told(counts)[1:] == [(15, Fullness.RED), (25, Fullness.NORMAL)]

    def test_tells_nothing_of_what_is_over_before(self) -> None:
        assert told([0] * 10 + [3] * 5 + [0] * 10) == [(5, Fullness.NORMAL)]

    def test_tells_once_while_one_goes_in_and_out(self) -> None:
        counts = [3] * 10 + ([2] * 6 + [3] * 6) * 5
        assert told(counts) == [(5, Fullness.RED)]

    def test_tells_of_getting_full_in_between(self) -> None:
        counts = [0] * 6 + [2] * 6 + [3] * 6
        assert [found for _, found in told(counts)] == list(Fullness)

    def test_goes_on_in_another_session(self) -> None:
        watch = FullnessWatch(capacity=2, amber_percent=100)
        for second in range(6):
            watch.look(3, seconds=float(second))
        watch.begin()
        again = [watch.look(3, seconds=float(second)) for second in range(10)]
        over = [watch.look(0, seconds=float(second)) for second in range(10, 20)]
        assert set(again) == {None}
        assert [found for found in over if found] == [Fullness.NORMAL]

    def test_begins_to_look_anew_in_another_session(self) -> None:
        watch = FullnessWatch(capacity=2, amber_percent=100)
        for second in range(9):
            watch.look(0 if second < 6 else 3, seconds=float(second))
        watch.begin()
        again = [watch.look(3, seconds=float(second)) for second in range(6)]
        assert again == [None] * 5 + [Fullness.RED]

    @given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 4))
    def test_never_tells_the_same_twice_nor_twice_in_five_seconds(
        self, counts: list[int], capacity: int
    ) -> None:
        found = told(counts, capacity=capacity)
        pairs = list(pairwise(found))
        assert all(first[1] is not then[1] for first, then in pairs)
        assert all(then[0] - first[0] >= 5 for first, then in pairs)
