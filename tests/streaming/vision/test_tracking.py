from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.tracking import ByteTracker, TrackerSettings
from streaming.vision.types import Box, Detection, Label
from tests.scenes import ASPECT, person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streaming.vision.types import Track, TrackUpdate

RATES = [5.0, 10.0, 30.0]

detections = st.builds(
    person,
    st.floats(0.05, 0.95),
    st.floats(0.4, 1.0),
    height=st.floats(0.1, 0.4),
    confidence=st.floats(0, 1),
    label=st.sampled_from(Label),
)


def follow(
    scenes: Iterable[Sequence[Detection]], *, fps: float = 10.0
) -> list[TrackUpdate]:
    tracker = ByteTracker()
    return [
        tracker.update(scene, elapsed_s=1 / fps if index else 0.0, aspect=ASPECT)
        for index, scene in enumerate(scenes)
    ]


def walk(seconds: float, *, fps: float, start: float = 0.1) -> list[list[Detection]]:
    """Show one person who walks to the right at a tenth of the picture a second."""
    return [[person(start + 0.1 * step / fps)] for step in range(round(seconds * fps))]


def ids(updates: Iterable[TrackUpdate]) -> set[int]:
    return {track.id for update in updates for track in update.tracks}


def confirmed(updates: Iterable[TrackUpdate]) -> list[Track]:
    return [each for update in updates for each in update.tracks if each.confirmed]


class TestByteTracker:
    @pytest.mark.parametrize("fps", RATES)
    def test_keeps_one_id_for_one_walker(self, fps: float) -> None:
        assert ids(follow(walk(4.0, fps=fps), fps=fps)) == {1}

    def test_confirms_what_was_seen_often_enough(self) -> None:
        updates = follow(walk(1.0, fps=10.0))
        believed = [update.tracks[0].confirmed for update in updates]
        assert believed == [False, False] + [True] * 8

    def test_starts_nothing_from_an_unsure_detection(self) -> None:
        assert ids(follow([[person(0.5, confidence=0.3)]] * 5)) == set()

    def test_carries_a_track_on_by_unsure_detections(self) -> None:
        scenes = walk(3.0, fps=10.0)
        for scene in scenes[10:20]:
            scene[0] = Detection(scene[0].box, Label.PERSON, 0.2)
        updates = follow(scenes)
        assert ids(updates) == {1}
        assert all(len(update.tracks) == 1 for update in updates)

    @pytest.mark.parametrize("fps", RATES)
    def test_gives_a_walker_the_same_id_behind_a_pillar(self, fps: float) -> None:
        scenes = walk(5.0, fps=fps)
        for scene in scenes[round(2 * fps) : round(3.5 * fps)]:
            scene.clear()
        updates = follow(scenes, fps=fps)
        assert ids(updates) == {1}
        assert [ended for update in updates for ended in update.ended] == []

    @pytest.mark.parametrize("fps", RATES)
    def test_does_not_swap_two_who_meet_and_hide_one_another(self, fps: float) -> None:
        scenes = []
        for step in range(round(6 * fps)):
            right = 0.2 + 0.1 * step / fps
            left = 0.8 - 0.1 * step / fps
            hidden = abs(right - left) < 0.03
            near = person(right, 0.82, height=0.32)
            scenes.append([near] if hidden else [near, person(left, 0.8)])
        tracks = confirmed(follow(scenes, fps=fps))
        last = {each.id: each.box.ground.x for each in tracks}
        first = {each.id: each.box.ground.x for each in reversed(tracks)}
        assert sorted(last) == [1, 2]
        assert all(abs(last[each] - first[each]) > 0.3 for each in last)

    def test_leaves_a_walker_its_own_box_when_another_reappears(self) -> None:
        scenes = []
        for step in range(40):
            is_past = step >= 20
            walker = 0.4 + 0.01 * step + 0.007 * is_past
            other = 0.757 - 0.01 * step if is_past else 0.607
            is_hidden = 15 < step < 20
            places = [walker] if is_hidden else [walker, other]
            scenes.append([person(x, height=0.5) for x in places])
        last = follow(scenes)[-1].tracks
        assert [(each.id, round(each.box.ground.x, 2)) for each in last] == [
            (1, 0.80),
            (2, 0.37),
        ]

    def test_does_not_join_one_who_appears_far_away(self) -> None:
        scenes = walk(2.0, fps=10.0) + [[]] * 5 + [[person(0.8)]] * 5
        assert ids(follow(scenes)) == {1, 2}

    def test_does_not_join_one_of_another_size(self) -> None:
        near = [[person(0.3, height=0.7)]] * 5
        assert ids(follow(walk(2.0, fps=10.0) + [[]] * 3 + near)) == {1, 2}

    def test_ends_a_track_that_stays_away(self) -> None:
        updates = follow(walk(2.0, fps=10.0, start=0.4) + [[]] * 25)
        assert [ended for update in updates for ended in update.ended] == [1]

    def test_ends_a_track_that_has_left_the_view(self) -> None:
        updates = follow(walk(4.5, fps=10.0, start=0.55) + [[]] * 8)
        assert [ended for update in updates for ended in update.ended] == [1]

    def test_ends_a_flicker_at_once(self) -> None:
        updates = follow([[person(0.5)]] + [[]] * 4)
        assert [ended for update in updates for ended in update.ended] == [1]

    def test_never_makes_a_person_of_a_car(self) -> None:
        car = [[person(0.5, label=Label.CAR)]] * 5
        updates = follow(car + [[person(0.5)]] * 5)
        assert {(each.id, each.label) for each in confirmed(updates)} == {
            (1, Label.CAR),
            (2, Label.PERSON),
        }

    def test_calls_a_vehicle_what_it_was_called_most(self) -> None:
        labels = [Label.CAR, Label.CAR, Label.TRUCK, Label.CAR, Label.CAR]
        updates = follow([[person(0.5, label=label)] for label in labels])
        assert [update.tracks[0].label for update in updates] == [Label.CAR] * 5

    def test_finds_the_feet_behind_a_counter(self) -> None:
        scenes = walk(2.0, fps=10.0)
        whole = scenes[-1][0].box
        upper = Box(whole.x1, whole.y1, whole.x2, whole.y2 - 0.12)
        track = follow([*scenes, [Detection(upper, Label.PERSON, 0.5)]])[-1].tracks[0]
        assert track.box == upper
        assert track.ground.y == pytest.approx(whole.y2, abs=0.02)
        assert track.height == pytest.approx(whole.height, abs=0.02)

    def test_tells_where_one_stands_whose_box_wavers(self) -> None:
        scenes = [[person(0.5, 0.8 + 0.02 * (-1) ** step)] for step in range(40)]
        tracks = confirmed(follow(scenes))[10:]
        assert all(abs(each.ground.y - 0.8) < 0.01 for each in tracks)
        assert all(abs(each.box.y2 - 0.8) > 0.015 for each in tracks)

    def test_waits_as_long_as_it_is_told(self) -> None:
        tracker = ByteTracker(TrackerSettings(confirm_frames=1, lost_s=0.5))
        tracker.update([person(0.5)], elapsed_s=0.0, aspect=ASPECT)
        assert tracker.update([], elapsed_s=0.4, aspect=ASPECT).ended == ()
        assert tracker.update([], elapsed_s=0.4, aspect=ASPECT).ended == (1,)

    @given(st.lists(st.lists(detections, max_size=6), max_size=12))
    def test_uses_each_id_once_and_ends_none_twice(
        self, scenes: list[list[Detection]]
    ) -> None:
        ended: set[int] = set()
        for update in follow(scenes):
            seen = [track.id for track in update.tracks]
            assert len(set(seen)) == len(seen)
            assert not ended & set(seen)
            assert not ended & set(update.ended)
            ended.update(update.ended)

    @given(st.lists(st.lists(detections, max_size=6), max_size=8))
    def test_forgets_all_when_nothing_is_seen_for_long(
        self, scenes: list[list[Detection]]
    ) -> None:
        updates = follow([*scenes, *[[]] * 30])
        assert {each for update in updates for each in update.ended} == ids(updates)

    @given(st.lists(st.lists(detections, max_size=6), max_size=8))
    def test_says_the_same_each_time(self, scenes: list[list[Detection]]) -> None:
        assert follow(scenes) == follow(scenes)
