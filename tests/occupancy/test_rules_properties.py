from __future__ import annotations

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from occupancy.rules import CrossingCounter, Direction, next_count
from streaming.vision.geometry import Line
from streaming.vision.types import Point
from tests.scenes import ASPECT, track

BAND_BODIES = 0.1
WIDE = Line(Point(0.5, -10), Point(0.5, 11))
SWAPPED = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}

coordinates = st.floats(0, 1, allow_subnormal=False)
points = st.builds(Point, coordinates, coordinates)
paths = st.lists(points, min_size=2, max_size=20)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    a, b = draw(points), draw(points)
    assume(abs(a.x - b.x) + abs(a.y - b.y) > 0.05)
    return Line(a, b)


def crossings(line: Line, path: list[Point]) -> list[Direction]:
    counter = CrossingCounter(line, dead_band_bodies=BAND_BODIES)
    told = [counter.observe(track(at.x, at.y), aspect=ASPECT) for at in path]
    return [each for each in told if each]


def swapped(told: list[Direction]) -> list[Direction]:
    return [SWAPPED[each] for each in told]


def side(line: Line, point: Point) -> int:
    """Return 1 or -1 for a side clearly taken, 0 near the line."""
    distance = line.distance(point, ASPECT)
    if abs(distance) <= BAND_BODIES * track(point.x, point.y).height:
        return 0
    return 1 if distance > 0 else -1


def touches_nothing(line: Line, path: list[Point]) -> bool:
    """Leave out rounding: points on the line, steps that just meet its end."""
    off_line = all(abs(line.distance(each, ASPECT)) > 1e-6 for each in path)
    return off_line and all(
        abs(abs(line.distance(each, ASPECT)) - BAND_BODIES * 0.3) > 1e-6
        for each in path
    )


class TestCrossings:
    @given(lines(), paths)
    def test_swap_when_the_path_is_walked_back(
        self, line: Line, path: list[Point]
    ) -> None:
        assume(side(line, path[0]) and side(line, path[-1]))
        assume(touches_nothing(line, path))
        backwards = crossings(line, path[::-1])
        assert swapped(backwards)[::-1] == crossings(line, path)

    @given(lines(), paths)
    def test_swap_when_the_line_is_flipped(self, line: Line, path: list[Point]) -> None:
        assume(touches_nothing(line, path))
        assert crossings(line.flipped(), path) == swapped(crossings(line, path))

    @given(lines(), paths, st.integers(2, 4))
    def test_do_not_change_when_points_are_repeated(
        self, line: Line, path: list[Point], times: int
    ) -> None:
        repeated = [each for each in path for _ in range(times)]
        assert crossings(line, repeated) == crossings(line, path)

    @given(st.lists(st.floats(-0.99, 0.99), min_size=1), coordinates)
    def test_are_none_inside_the_dead_band(self, shares: list[float], y: float) -> None:
        band = BAND_BODIES * track(0.5, y).height / ASPECT
        assert crossings(WIDE, [Point(0.5 + each * band, y) for each in shares]) == []

    @given(paths)
    def test_add_up_to_the_change_of_side_on_a_line_wider_than_the_view(
        self, path: list[Point]
    ) -> None:
        sides = [taken for each in path if (taken := side(WIDE, each))]
        assume(sides)
        told = crossings(WIDE, path)
        change = (sides[-1] - sides[0]) // 2
        assert told.count(Direction.IN) - told.count(Direction.OUT) == change

    @given(paths)
    def test_alternate_on_a_line_wider_than_the_view(self, path: list[Point]) -> None:
        assert all(first != then for first, then in pairwise(crossings(WIDE, path)))


class TestNextCount:
    @given(st.lists(st.sampled_from(Direction)))
    def test_never_goes_below_zero(self, directions: list[Direction]) -> None:
        count = 0
        for direction in directions:
            count, _ = next_count(count, direction)
            assert count >= 0

    @given(st.lists(st.sampled_from(Direction)))
    def test_is_entries_less_exits_and_drift(self, directions: list[Direction]) -> None:
        count = drifted = 0
        for direction in directions:
            count, is_drift = next_count(count, direction)
            drifted += is_drift
        entries, exits = directions.count(Direction.IN), directions.count(Direction.OUT)
        assert count == entries - exits + drifted
