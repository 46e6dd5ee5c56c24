from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from occupancy.pipeline import CrossingStage, LineCrossed
from occupancy.rules import Direction
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.types import Label, Point
from tests.scenes import START, frame, track

if TYPE_CHECKING:
    from collections.abc import Sequence

DOOR = NamedLine("Door", Line(Point(0.5, 0), Point(0.5, 1)), 7)
YARD = NamedLine("Yard", Line(Point(0.7, 0), Point(0.7, 1)), 8)
PATH = (0.4, 0.55, 0.8)


def crossed(
    lines: Sequence[NamedLine] = (DOOR,),
    *,
    session: str = "first",
    camera: str = "CAM-1",
    track_id: int = 1,
) -> list[LineCrossed]:
    stage = CrossingStage(lines)
    return [
        event
        for index, x in enumerate(PATH)
        for event in stage.observe(
            frame(index, session=session, camera=camera), [track(x, track_id=track_id)]
        )
    ]


class TestCrossingStage:
    def test_says_who_crossed_which_line_where_and_when(self) -> None:
        (event,) = crossed()
        assert (event.camera, event.line_id, event.line) == ("CAM-1", 7, "Door")
        assert (event.direction, event.track_id) == (Direction.IN, 1)
        assert (event.frame_index, event.at) == (1, frame(1).at)
        assert event.at > START

    def test_watches_all_lines(self) -> None:
        told = [(event.line, event.frame_index) for event in crossed((DOOR, YARD))]
        assert told == [("Door", 1), ("Yard", 2)]

    @pytest.mark.parametrize("label", Label)
    def test_says_what_crossed(self, label: Label) -> None:
        stage = CrossingStage([DOOR])
        list(stage.observe(frame(0), [track(0.4, label=label)]))
        (event,) = stage.observe(frame(1), [track(0.6, label=label)])
        assert event.label is label

    def test_tells_of_the_motorcycle_and_of_who_rides_it(self) -> None:
        stage = CrossingStage([DOOR])
        told = [
            (event.label, event.direction)
            for index, x in enumerate(PATH)
            for event in stage.observe(
                frame(index),
                [
                    track(x, track_id=1, label=Label.MOTORCYCLE),
                    track(x, 0.78, track_id=2),
                ],
            )
        ]
        assert told == [(Label.MOTORCYCLE, Direction.IN), (Label.PERSON, Direction.IN)]

    def test_makes_the_same_ids_for_the_same_recording(self) -> None:
        assert crossed((DOOR, YARD)) == crossed((DOOR, YARD))

    def test_makes_another_id_for_whatever_differs(self) -> None:
        same_place = Line(Point(0.5, 0), Point(0.5, 1))
        events = [
            *crossed(),
            *crossed(session="second"),
            *crossed(track_id=2),
            *crossed((NamedLine("Door", same_place.flipped(), 7),)),
            *crossed((NamedLine("Door", same_place, 9),)),
            *crossed((NamedLine("Gate", same_place),)),
            *crossed((NamedLine("Gate", same_place),), camera="CAM-2"),
        ]
        assert len({event.event_id for event in events}) == len(events) == 7

    def test_starts_anew_with_a_track_that_it_forgot(self) -> None:
        stage = CrossingStage([DOOR])
        list(stage.observe(frame(0), [track(0.4)]))
        stage.forget(1)
        assert list(stage.observe(frame(1), [track(0.6)])) == []


class TestLineCrossed:
    def test_is_the_same_after_it_lay_on_disk(self) -> None:
        (event,) = crossed()
        text = msgspec.json.encode(event)
        assert msgspec.json.decode(text, type=LineCrossed) == event

    def test_is_of_a_person_where_an_older_event_does_not_say(self) -> None:
        (event,) = crossed()
        facts = msgspec.json.decode(msgspec.json.encode(event))
        del facts["label"], facts["session"]
        older = msgspec.convert(facts, LineCrossed)
        assert (older.label, older.session) == (Label.PERSON, "")
