from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from occupancy.capacity import Fullness
from occupancy.zone_stage import (
    ZoneCounted,
    ZoneEntered,
    ZoneFull,
    ZoneLoitered,
    ZoneStage,
)
from streaming.vision.plans import ZonePlan
from streaming.vision.ports import PatientStage
from streaming.vision.types import Label, Point
from tests.scenes import START, frame, track

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from occupancy.zone_stage import InZone
    from streaming.vision.types import Frame

    Table = Sequence[Mapping[int, float]]

PRESS = ZonePlan(
    id=7,
    name="Press 4",
    corners=(Point(0.4, 0.4), Point(0.6, 0.4), Point(0.6, 1), Point(0.4, 1)),
)
FORBIDDEN = replace(PRESS, is_restricted=True)
OUT, IN = 0.2, 0.5


def stage_of(*plans: ZonePlan, time_zone: str = "UTC") -> ZoneStage:
    return ZoneStage(plans or (PRESS,), time_zone=time_zone)


def shown(
    stage: ZoneStage, table: Table, *, first: int = 0, session: str = "first"
) -> list[InZone]:
    """Show where each track is in ten frames a second."""
    return [
        event
        for index, places in enumerate(table, start=first)
        for event in stage.observe(
            frame(index, session=session),
            [track(x, track_id=number) for number, x in places.items()],
        )
    ]


def held(stage: ZoneStage, frames: Iterable[Frame]) -> list[InZone]:
    return [event for each in frames for event in stage.hold(each)]


def counts(events: Iterable[InZone]) -> list[tuple[int, int]]:
    """Return the frame and the number of each count."""
    return [(e.frame_index, e.count) for e in events if isinstance(e, ZoneCounted)]


def only(kind: type[Any], events: Iterable[InZone]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


class TestCounts:
    def test_say_of_which_zone_they_are_and_when(self) -> None:
        (event,) = shown(stage_of(), [{1: IN}] * 11)
        assert isinstance(event, ZoneCounted)
        assert (event.camera, event.zone_id, event.zone) == ("CAM-1", 7, "Press 4")
        assert (event.frame_index, event.at) == (10, frame(10).at)
        assert event.session == "first"

    def test_are_told_of_an_empty_zone_too_so_that_it_is_known(self) -> None:
        assert counts(shown(stage_of(), [{}] * 30)) == [(10, 0)]

    def test_are_told_when_they_change(self) -> None:
        table: Table = [{}] * 20 + [{1: IN}] * 20 + [{1: OUT}] * 20
        assert counts(shown(stage_of(), table)) == [(10, 0), (25, 1), (45, 0)]

    def test_are_of_confirmed_people_alone(self) -> None:
        stage = stage_of()
        unsure = track(IN, confirmed=False)
        car = replace(track(IN, track_id=2), label=Label.CAR)
        no_track = track(IN, track_id=-1)
        seen = [unsure, car, no_track]
        events = [e for i in range(30) for e in stage.observe(frame(i), seen)]
        assert counts(events) == [(10, 0)]

    def test_are_those_of_each_zone(self) -> None:
        whole = tuple(Point(*each) for each in ((0, 0), (1, 0), (1, 1), (0, 1)))
        hall = ZonePlan(id=8, name="Hall", corners=whole)
        events = shown(stage_of(PRESS, hall), [{1: IN, 2: OUT}] * 15)
        assert [(e.zone, e.count) for e in only(ZoneCounted, events)] == [
            ("Press 4", 1),
            ("Hall", 2),
        ]

    def test_are_told_again_after_a_minute(self) -> None:
        stage = stage_of()
        first = shown(stage, [{1: IN}] * 20)
        later = held(stage, (frame(index) for index in range(20, 1300)))
        assert counts([*first, *later]) == [(10, 1), (610, 1), (1210, 1)]

    def test_are_told_also_when_what_follows_stands_still(self) -> None:
        stage = stage_of()
        shown(stage, [{1: IN, 2: IN + 0.05}] * 11)
        stage.forget(2)
        assert counts(held(stage, map(frame, range(11, 30)))) == [(20, 1)]

    def test_end_with_nobody(self) -> None:
        stage = stage_of()
        shown(stage, [{1: IN}] * 13)
        stage.forget(1)
        assert counts(stage.finish()) == [(12, 0)]

    def test_have_no_end_where_nobody_was(self) -> None:
        stage = stage_of()
        assert list(stage.finish()) == []
        shown(stage, [{}] * 20)
        assert list(stage.finish()) == []

    def test_begin_anew_with_a_session(self) -> None:
        stage = stage_of()
        shown(stage, [{1: IN}] * 20)
        stage.forget(1)
        list(stage.finish())
        assert counts(shown(stage, [{1: IN}] * 20, session="second")) == [(10, 1)]

    @given(
        st.lists(
            st.dictionaries(st.integers(1, 3), st.sampled_from([OUT, IN])), max_size=80
        )
    )
    def test_are_told_once_a_second_at_most_and_the_last_for_sure(
        self, table: list[dict[int, float]]
    ) -> None:
        stage = stage_of()
        events = shown(stage, table)
        rest = held(stage, map(frame, range(len(table), len(table) + 20)))
        told = counts([*events, *rest])
        assert all(then - first >= 10 for (first, _), (then, _) in pairwise(told))
        for number in range(1, 4):
            stage.forget(number)
        last = [*told, *counts(stage.finish())][-1]
        assert last[1] == 0


class TestEntries:
    def test_are_told_once_of_each_stay(self) -> None:
        stay, away = [{1: IN}] * 20, [{1: OUT}] * 20
        events = only(ZoneEntered, shown(stage_of(FORBIDDEN), stay + away + stay))
        assert [(e.track_id, e.frame_index) for e in events] == [(1, 5), (1, 45)]
        assert len({e.event_id for e in events}) == 2

    def test_are_not_told_where_everybody_may_be(self) -> None:
        assert only(ZoneEntered, shown(stage_of(PRESS), [{1: IN}] * 20)) == []

    def test_are_told_of_each_person(self) -> None:
        events = shown(stage_of(FORBIDDEN), [{1: IN, 2: 0.45}] * 10)
        assert [e.track_id for e in only(ZoneEntered, events)] == [1, 2]

    def test_are_not_told_again_when_the_track_gets_another_id(self) -> None:
        events = shown(stage_of(FORBIDDEN), [{1: IN}] * 10 + [{2: IN + 0.02}] * 20)
        assert [e.track_id for e in only(ZoneEntered, events)] == [1]

    def test_are_told_in_the_hours_of_a_night_by_the_sites_clock(self) -> None:
        """The scenes begin at 06:00 UTC, which is 11:30 in Kolkata."""
        night = replace(
            FORBIDDEN, restricted_from=time(22), restricted_until=time(11, 31)
        )
        over = replace(night, restricted_until=time(11, 30))
        for plan, zone, told in (
            (night, "Asia/Kolkata", 1),
            (over, "Asia/Kolkata", 0),
            (over, "UTC", 1),
        ):
            stage = stage_of(plan, time_zone=zone)
            assert len(only(ZoneEntered, shown(stage, [{1: IN}] * 20))) == told

    def test_are_told_of_who_is_still_there_when_the_hours_begin(self) -> None:
        begins = (START + timedelta(seconds=30)).time()
        plan = replace(FORBIDDEN, restricted_from=begins, restricted_until=time(23))
        stage = stage_of(plan)
        assert only(ZoneEntered, shown(stage, [{1: IN}] * 20)) == []
        later = held(stage, map(frame, range(20, 400)))
        assert [e.frame_index for e in only(ZoneEntered, later)] == [300]


class TestLoitering:
    PLAN = replace(PRESS, loitering_s=3)

    def test_is_told_once_of_a_stay_that_is_too_long(self) -> None:
        (event,) = only(ZoneLoitered, shown(stage_of(self.PLAN), [{1: IN}] * 90))
        assert (event.frame_index, event.track_id, event.seconds) == (30, 1, 3)

    def test_is_told_also_when_nothing_moves_any_more(self) -> None:
        stage = stage_of(self.PLAN)
        shown(stage, [{1: IN}] * 20)
        (event,) = only(ZoneLoitered, held(stage, map(frame, range(20, 60))))
        assert event.frame_index == 30

    def test_is_not_told_of_who_left_in_time_and_is_back(self) -> None:
        table = ([{1: IN}] * 25 + [{1: OUT}] * 10) * 3
        assert only(ZoneLoitered, shown(stage_of(self.PLAN), table)) == []

    def test_goes_on_when_the_track_gets_another_id(self) -> None:
        table = [{1: IN}] * 20 + [{2: IN + 0.02}] * 20
        (event,) = only(ZoneLoitered, shown(stage_of(self.PLAN), table))
        assert (event.frame_index, event.track_id) == (30, 2)


class TestFullness:
    PLAN = replace(PRESS, capacity=1, amber_percent=100)

    def test_is_told_with_the_count_and_how_many_may_be_there(self) -> None:
        two = {1: IN, 2: 0.45}
        table: Table = [{}] * 60 + [two] * 70 + [{1: OUT, 2: OUT}] * 70
        events = only(ZoneFull, shown(stage_of(self.PLAN), table))
        assert [(e.fullness, e.count, e.capacity) for e in events] == [
            (Fullness.NORMAL, 0, 1),
            (Fullness.RED, 2, 1),
            (Fullness.NORMAL, 0, 1),
        ]
        assert [e.frame_index for e in events] == [50, 115, 185]

    def test_is_not_told_where_there_is_no_limit(self) -> None:
        assert only(ZoneFull, shown(stage_of(PRESS), [{1: IN}] * 100)) == []


class TestZoneStage:
    EVERYTHING = replace(FORBIDDEN, loitering_s=1, capacity=1)

    def everything(self, plan: ZonePlan = EVERYTHING, **values: Any) -> list[InZone]:
        stage = stage_of(plan)
        events = shown(stage, [{1: IN, 2: 0.45}] * 100, **values)
        return [*events, *stage.finish()]

    def test_is_one_that_is_told_of_passing_time(self) -> None:
        assert isinstance(stage_of(), PatientStage)

    def test_makes_the_same_ids_for_the_same_recording(self) -> None:
        assert self.everything() == self.everything()

    def test_makes_another_id_for_whatever_differs(self) -> None:
        events = [
            *self.everything(),
            *self.everything(session="second"),
            *self.everything(replace(self.EVERYTHING, id=8)),
            *self.everything(replace(self.EVERYTHING, id=None)),
            *self.everything(replace(self.EVERYTHING, id=None, name="Press 5")),
        ]
        assert len({event.event_id for event in events}) == len(events) == 5 * 7
        assert [event.is_recordable for event in events[::7]] == [True] * 3 + [
            False
        ] * 2
