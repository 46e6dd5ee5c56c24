from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streaming.vision.shedding import (
    BUSY_AT_MOST,
    DEEPEST_LEVEL,
    LEAST_FPS,
    TOO_BUSY,
    CameraLoad,
    Shedder,
    Work,
)

GATE, HALL, YARD = 0, 1, 2
LOOK_S = 2.0


@dataclass(frozen=True)
class Place:
    code: str
    priority: int
    fps: float = 10.0
    share: float = 1.0
    """Of its pictures, in which something moves."""


@dataclass
class Machine:
    """A machine on which one analysis costs `cost_s`, and all else `other` of it."""

    places: list[Place]
    cost_s: float
    other: float = 0.05
    shedder: Shedder = field(default_factory=Shedder)

    def wanted(self, place: Place) -> float:
        return float(place.fps / 2 ** self.shedder.levels.get(place.code, 0))

    @property
    def demand(self) -> float:
        """How busy it would be if nothing had to wait."""
        analysed = sum(place.share * self.wanted(place) for place in self.places)
        return self.other + analysed * self.cost_s

    def run(self, looks: int) -> list[dict[str, int]]:
        return [self.look() for _ in range(looks)]

    def look(self) -> dict[str, int]:
        demand = self.demand
        taken = min(1.0, 1 / demand) if demand else 1.0
        self.shedder.look(
            [self.load(place, taken) for place in self.places], busy=min(demand, 1.0)
        )
        return dict(self.shedder.levels)

    def load(self, place: Place, taken: float) -> CameraLoad:
        due = self.wanted(place) * LOOK_S
        work = Work(
            analysed=round(due * taken * place.share),
            looked_at=round(due * taken),
            missed=round(due * (1 - taken)),
        )
        return CameraLoad(place.code, place.priority, place.fps, work)

    def level(self, code: str) -> int:
        return self.shedder.levels.get(code, 0)


def plant(gates: int = 2, halls: int = 2, yards: int = 2) -> list[Place]:
    return [
        Place(f"{name}-{number}", priority)
        for name, priority, count in (
            ("GATE", GATE, gates),
            ("HALL", HALL, halls),
            ("YARD", YARD, yards),
        )
        for number in range(count)
    ]


def deepest(place: Place) -> int:
    level = 0
    while level < DEEPEST_LEVEL and place.fps / 2 ** (level + 1) >= LEAST_FPS:
        level += 1
    return level


def machine_with_load(load: float, places: list[Place] | None = None) -> Machine:
    """Return a machine that would be `load` busy if nothing were shed."""
    machine = Machine(places or plant(), cost_s=0.0)
    analysed = sum(place.fps * place.share for place in machine.places)
    machine.cost_s = (load - machine.other) / analysed
    return machine


class TestShedder:
    def test_leaves_a_machine_alone_that_has_time(self) -> None:
        machine = machine_with_load(0.85)
        assert machine.run(50)[-1] == {}

    def test_bears_with_a_moment_without_room(self) -> None:
        machine = machine_with_load(2.0)
        assert machine.look() == {}

    def test_takes_from_yards_first(self) -> None:
        machine = machine_with_load(1.05)
        machine.run(20)
        assert {code[:4] for code in machine.shedder.levels} == {"YARD"}

    def test_takes_from_halls_once_yards_gave_all(self) -> None:
        machine = machine_with_load(1.5)
        machine.run(20)
        assert machine.level("YARD-0") == machine.level("YARD-1") == DEEPEST_LEVEL
        assert machine.level("HALL-0") > 0
        assert machine.level("GATE-0") == 0

    def test_takes_from_gates_when_nobody_else_can_give(self) -> None:
        machine = machine_with_load(3.0)
        machine.run(50)
        assert machine.level("GATE-0") > 0

    def test_takes_when_pictures_go_stale_though_there_seems_to_be_time(self) -> None:
        shedder = Shedder()
        work = Work(analysed=10, looked_at=10, missed=10)
        for _ in range(3):
            shedder.look([CameraLoad("YARD-0", YARD, 10, work)], busy=0.5)
        assert shedder.levels["YARD-0"] > 0

    @pytest.mark.parametrize(
        ("worked_s", "sheds"), [(0.06, False), (0.09, False), (0.1, True), (0.15, True)]
    )
    def test_takes_from_a_loop_that_falls_behind_while_frames_gather(
        self,
        worked_s: float,
        sheds: bool,  # noqa: FBT001
    ) -> None:
        """Each camera gives ten pictures a second, and the loop takes one at a time."""
        cycle_s = worked_s + 0.02
        looked_at = min(round(LOOK_S / cycle_s), 20)
        work = Work(looked_at, looked_at, missed=20 - looked_at)
        yards = [CameraLoad(f"YARD-{n}", YARD, 10, work) for n in range(8)]
        shedder = Shedder()
        for _ in range(3):
            shedder.look(yards, busy=worked_s / cycle_s)
        assert bool(shedder.levels) is sheds

    def test_bears_with_pictures_that_come_in_bursts(self) -> None:
        shedder = Shedder()
        work = Work(analysed=16, looked_at=16, missed=4)
        for _ in range(3):
            shedder.look([CameraLoad("YARD-0", YARD, 10, work)], busy=0.5)
        assert shedder.levels == {}

    def test_looks_at_a_slow_camera_at_least_once_a_second(self) -> None:
        machine = machine_with_load(5.0, [Place("YARD-0", YARD, fps=3.0)])
        machine.run(20)
        assert machine.wanted(machine.places[0]) == 1.5

    def test_gives_back_gates_first_and_one_at_a_time(self) -> None:
        machine = machine_with_load(4.0)
        machine.run(50)
        machine.cost_s = 0.0
        levels = machine.run(200)
        totals = [sum(each.values()) for each in levels]
        assert all(a - b in {0, 1} for a, b in itertools.pairwise(totals))
        first_full = {
            kind: next(
                n
                for n, each in enumerate(levels)
                if not any(code.startswith(kind) for code in each)
            )
            for kind in ("GATE", "HALL", "YARD")
        }
        assert first_full["GATE"] < first_full["HALL"] < first_full["YARD"]

    def test_forgets_cameras_that_are_gone(self) -> None:
        machine = machine_with_load(1.3)
        machine.run(20)
        machine.places = [p for p in machine.places if p.priority == GATE]
        machine.cost_s = 0.0
        assert machine.look() == {}

    def test_waits_longer_each_time_it_gave_back_too_early(self) -> None:
        """What a camera costs is not known while it is shed and nothing moves there."""
        restless = Place("YARD-0", YARD, share=1.0)
        shedder, restored = Shedder(), []
        for look in range(200):
            is_shed = bool(shedder.levels)
            load = Machine([restless], 0.0).load(restless, 1.0)
            shedder.look([load], busy=0.1 if is_shed else 1.0)
            if is_shed and not shedder.levels:
                restored.append(look)
        gaps = [b - a for a, b in itertools.pairwise(restored)]
        assert gaps == sorted(gaps)
        assert gaps[-1] > 4 * gaps[0]

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([GATE, HALL, YARD]),
                st.sampled_from([1.0, 2.0, 5.0, 10.0, 25.0]),
                st.floats(0.0, 1.0),
            ),
            min_size=1,
            max_size=12,
        ),
        st.floats(0.0, 5.0),
    )
    @example([(GATE, 1.0, 0.4375), (GATE, 1.0, 0.4375), (GATE, 5.0, 0.078125)], 4.75)
    def test_settles_and_spares_those_that_matter_more(
        self, cameras: list[tuple[int, float, float]], load: float
    ) -> None:
        places = [
            Place(f"CAM-{number}", priority, fps, share)
            for number, (priority, fps, share) in enumerate(cameras)
        ]
        machine = Machine(places, cost_s=load / sum(place.fps for place in places))

        machine.run(300)
        settled = machine.run(300)

        assert all(each == settled[-1] for each in settled)
        can_give = [p for p in places if machine.level(p.code) < deepest(p)]
        assert machine.demand <= TOO_BUSY or not can_give
        for shed in places:
            spared = [p for p in can_give if p.priority > shed.priority]
            assert not (machine.level(shed.code) and spared)

    @given(st.floats(0.1, 4.0), st.floats(0.05, BUSY_AT_MOST - 0.01))
    def test_gives_all_back_once_there_is_room(self, load: float, later: float) -> None:
        machine = machine_with_load(load)
        machine.run(60)
        machine.cost_s = machine_with_load(later).cost_s
        assert machine.run(600)[-1] == {}

    def test_has_no_opinion_without_cameras(self) -> None:
        shedder = Shedder()
        shedder.look([], busy=1.0)
        shedder.look([], busy=1.0)
        assert shedder.levels == {}


@pytest.mark.parametrize("busy", [0.0, 1.0])
def test_a_camera_that_cannot_give_is_never_shed(busy: float) -> None:
    shedder = Shedder()
    slow = CameraLoad("YARD-0", YARD, 1.0, Work(2, 2, 2))
    for _ in range(10):
        shedder.look([slow], busy=busy)
    assert shedder.levels == {}
