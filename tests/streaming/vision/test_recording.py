from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from occupancy.pipeline import CrossingStage
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.pipeline import CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.types import Point
from tests.scenes import frame, person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from occupancy.pipeline import LineCrossed
    from streaming.vision.pipeline import Analysis
    from streaming.vision.types import Detection, Frame

COUNT = 60
LINE = NamedLine("Door", Line(Point(0.5, 0), Point(0.5, 1)))


class BrokenOff(Exception):
    """What a source raises in the middle."""


@dataclass
class Walk:
    """A source of somebody who walks across the picture in six seconds."""

    breaks_at: int = COUNT
    closed: bool = False
    given: int = 0

    def frames(self, wants: Callable[[float], bool] | None = None) -> Iterator[Frame]:
        try:
            for index in range(COUNT):
                if index == self.breaks_at:
                    raise BrokenOff
                each = frame(index)
                if wants is None or wants(each.seconds):
                    self.given += 1
                    yield each
        finally:
            self.closed = True


@dataclass
class Seer:
    """A detector that knows where the walker is."""

    batches: list[int] = field(default_factory=list)

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        self.batches.append(len(frames))
        return [[person(0.1 + 0.8 * each.index / COUNT)] for each in frames]


def pipeline(detect_fps: float | None = None) -> CameraPipeline[LineCrossed]:
    stages = [CrossingStage([LINE])]
    return CameraPipeline(stages, detect_fps=detect_fps, new_gate=lambda: None)


class TestAnalyse:
    def test_gives_every_frame_in_order(self) -> None:
        given = list(analyse(Walk(), Seer(), pipeline()))
        assert [each.frame.index for each in given] == list(range(COUNT))
        assert all(each.analysed for each in given)

    def test_counts_what_crosses(self) -> None:
        given = analyse(Walk(), Seer(), pipeline())
        (event,) = [event for each in given for event in each.events]
        assert event.frame_index == pytest.approx(COUNT / 2, abs=3)

    @pytest.mark.parametrize("batch", [1, 3, 8, 100])
    def test_says_the_same_whatever_the_batch(self, batch: int) -> None:
        def told(size: int) -> list[Analysis[LineCrossed]]:
            return list(analyse(Walk(), Seer(), pipeline(), batch=size))

        one, other = told(8), told(batch)
        assert [each.tracks for each in one] == [each.tracks for each in other]
        assert [each.events for each in one] == [each.events for each in other]

    def test_gives_the_detector_full_batches(self) -> None:
        seer = Seer()
        list(analyse(Walk(), seer, pipeline(), batch=16))
        assert seer.batches == [16, 16, 16, 12]

    def test_has_only_the_sampled_frames_converted(self) -> None:
        walk = Walk()
        given = list(analyse(walk, Seer(), pipeline(5)))
        assert [each.frame.index for each in given] == list(range(0, COUNT, 2))
        assert walk.given == COUNT / 2

    def test_gives_the_frames_between_when_asked(self) -> None:
        given = list(analyse(Walk(), Seer(), pipeline(5), every_frame=True))
        assert [each.frame.index for each in given] == list(range(COUNT))
        assert [each.analysed for each in given] == [True, False] * (COUNT // 2)
        assert all(each.tracks for each in given)

    def test_reports_each_frame_of_the_source(self) -> None:
        reported: list[float] = []
        list(analyse(Walk(), Seer(), pipeline(5), on_frame=reported.append))
        assert reported == pytest.approx([index / 10 for index in range(COUNT)])

    def test_raises_what_the_source_raises_after_the_frames_before(self) -> None:
        analyses = analyse(Walk(breaks_at=20), Seer(), pipeline(), batch=8)
        given = [next(analyses).frame.index for _ in range(20)]
        assert given == list(range(20))
        with pytest.raises(BrokenOff):
            next(analyses)

    def test_stops_reading_when_nobody_asks_for_more(self) -> None:
        walk = Walk()
        with closing(analyse(walk, Seer(), pipeline(), batch=2)) as given:
            next(given)
        assert walk.given < COUNT
        assert "decode" not in [each.name for each in threading.enumerate()]
