from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.pipeline import CameraPipeline, Sampler
from streaming.vision.types import TrackUpdate
from tests.scenes import EMPTY, frame, person, track

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streaming.vision.pipeline import Analysis
    from streaming.vision.types import Detection, Frame, Image, Track


@dataclass
class NotingStage:
    """Tells which tracks it was shown and which ended, and notes these."""

    forgotten: list[int] = field(default_factory=list)

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[str]:
        for each in tracks:
            yield f"{frame.session} {frame.index} {each.id}"

    def forget(self, track_id: int) -> list[str]:
        self.forgotten.append(track_id)
        return [f"end of {track_id}"]


class PatientNotingStage(NotingStage):
    """Tells also which frames passed while nothing moved, and when it was over."""

    def hold(self, frame: Frame) -> list[str]:
        return [f"still {frame.index}"]

    def finish(self) -> list[str]:
        return ["over"]


@dataclass
class NotingTracker:
    """Makes one track of each detection and notes the time that passed."""

    elapsed_s: list[float]

    def update(
        self, detections: Sequence[Detection], *, elapsed_s: float, aspect: float
    ) -> TrackUpdate:
        self.elapsed_s.append(elapsed_s)
        return TrackUpdate(tuple(track(0.5) for _ in detections), ())


@dataclass
class Opening:
    """A motion gate that is closed between two times."""

    closed_from_s: float
    closed_to_s: float

    def is_open(self, image: Image, *, seconds: float) -> bool:
        return not self.closed_from_s <= seconds < self.closed_to_s

    def moves(self, image: Image) -> bool:
        return bool(image.any())


def no_gate() -> None:
    return None


def look(
    pipeline: CameraPipeline[str], each: Frame, *found: Detection
) -> Analysis[str]:
    request = pipeline.plan(each)
    return pipeline.take(request, found) if request else pipeline.hold(each)


def picked(fps: float | None, *, source_fps: float, seconds: float) -> list[int]:
    sampler = Sampler(fps)
    frames = range(round(seconds * source_fps))
    return [index for index in frames if sampler.wants(index / source_fps)]


class TestSampler:
    def test_picks_all_when_no_rate_is_set(self) -> None:
        assert picked(None, source_fps=25, seconds=1) == list(range(25))

    @pytest.mark.parametrize("source_fps", [10, 12.5, 15, 25, 30, 60])
    @pytest.mark.parametrize("fps", [5, 7, 10])
    def test_picks_as_many_a_second_as_it_is_told(
        self, fps: float, source_fps: float
    ) -> None:
        chosen = picked(fps, source_fps=source_fps, seconds=20)
        assert len(chosen) == pytest.approx(20 * fps, abs=1)

    def test_picks_all_of_a_slow_camera(self) -> None:
        assert picked(10, source_fps=7, seconds=2) == list(range(14))

    def test_picks_all_of_a_camera_at_its_rate_that_trembles(self) -> None:
        sampler = Sampler(10)
        stamps = [0.0, 0.099, 0.202, 0.298, 0.401, 0.499, 0.6]
        assert all(sampler.wants(each) for each in stamps)

    def test_does_not_catch_up_after_a_gap(self) -> None:
        sampler = Sampler(10)
        stamps = [0.0, 5.0, 5.02, 5.04, 5.1]
        assert [sampler.wants(each) for each in stamps] == [1, 1, 0, 0, 1]

    @pytest.mark.parametrize("thinned", [2, 4, 8])
    def test_picks_every_so_manieth_when_thinned(self, thinned: int) -> None:
        sampler = Sampler(10)
        sampler.thinned = thinned
        chosen = [index for index in range(800) if sampler.wants(index / 10)]
        assert chosen == list(range(0, 800, thinned))

    @given(
        st.lists(st.floats(0.001, 0.5), max_size=50),
        st.floats(1, 30),
        st.sampled_from([1, 2, 8]),
    )
    def test_agrees_with_one_that_saw_only_what_it_picked(
        self, gaps: list[float], fps: float, thinned: int
    ) -> None:
        first, second = Sampler(fps), Sampler(fps)
        first.thinned = second.thinned = thinned
        seconds = [sum(gaps[:count]) for count in range(len(gaps))]
        chosen = [each for each in seconds if first.wants(each)]
        assert all(second.wants(each) for each in chosen)


class TestCameraPipeline:
    def test_gives_tracks_and_events_of_an_analysed_frame(self) -> None:
        pipeline = CameraPipeline([NotingStage()], new_gate=no_gate)
        analysis = look(pipeline, frame(0), person(0.5))
        assert analysis.analysed
        assert [each.id for each in analysis.tracks] == [1]
        assert analysis.events == ("first 0 1",)

    def test_holds_the_latest_tracks_between_analysed_frames(self) -> None:
        pipeline = CameraPipeline([NotingStage()], detect_fps=5, new_gate=no_gate)
        before = look(pipeline, frame(0), person(0.5))
        between = look(pipeline, frame(1), person(0.9))
        assert not between.analysed
        assert between.tracks == before.tracks
        assert between.events == ()

    def test_holds_the_latest_tracks_while_nothing_moves(self) -> None:
        pipeline = CameraPipeline([NotingStage()], new_gate=lambda: Opening(0.1, 9.0))
        before = look(pipeline, frame(0), person(0.5))
        still = look(pipeline, frame(1), person(0.9))
        assert not still.analysed
        assert still.tracks == before.tracks

    def test_tells_its_tracker_the_time_between_analysed_frames(self) -> None:
        noted: list[float] = []
        pipeline = CameraPipeline[str](
            detect_fps=5, new_gate=no_gate, new_tracker=lambda: NotingTracker(noted)
        )
        for index in range(5):
            look(pipeline, frame(index))
        assert noted == pytest.approx([0.0, 0.2, 0.2])

    def test_does_not_count_the_time_in_which_nothing_moved(self) -> None:
        noted: list[float] = []
        pipeline = CameraPipeline[str](
            detect_fps=None,
            new_gate=lambda: Opening(0.25, 60.0),
            new_tracker=lambda: NotingTracker(noted),
        )
        for index in range(610):
            look(pipeline, frame(index))
        assert noted == pytest.approx([0.0] + [0.1] * 12)

    def test_counts_what_was_due_and_says_whether_anything_moved_in_it(self) -> None:
        pipeline = CameraPipeline[str](detect_fps=5, new_gate=lambda: Opening(0.9, 9.0))
        still = []
        for index in range(20):
            look(pipeline, frame(index))
            still.append(pipeline.is_still)
        assert pipeline.looked_at == 10
        assert still == [False] * 10 + [True] * 10

    def test_looks_at_every_so_manieth_frame_when_thinned(self) -> None:
        noted: list[float] = []
        pipeline = CameraPipeline[str](
            new_gate=no_gate, new_tracker=lambda: NotingTracker(noted)
        )
        pipeline.thin(4)
        for index in range(13):
            look(pipeline, frame(index))
        assert noted == pytest.approx([0.0, 0.4, 0.4, 0.4])

    def test_asks_its_gate_whether_anything_moves(self) -> None:
        pipeline = CameraPipeline[str](new_gate=lambda: Opening(0.0, 9.0))
        assert pipeline.moves(EMPTY)
        look(pipeline, frame(0))
        assert not pipeline.moves(EMPTY)
        assert pipeline.moves(EMPTY + 1)

    def test_lays_its_tracks_over_another_stream(self) -> None:
        pipeline = CameraPipeline([NotingStage()], new_gate=no_gate)
        before = look(pipeline, frame(0), person(0.5))
        main = pipeline.overlay(frame(7, session="main"))
        assert (main.tracks, main.events) == (before.tracks, ())
        assert not main.analysed
        after = look(pipeline, frame(1), person(0.5))
        assert [each.id for each in after.tracks] == [1]

    def test_may_plan_ahead_of_taking(self) -> None:
        noted: list[float] = []
        pipeline = CameraPipeline[str](
            new_gate=no_gate, new_tracker=lambda: NotingTracker(noted)
        )
        requests = [pipeline.plan(frame(index)) for index in range(4)]
        for request in requests:
            assert request is not None
            pipeline.take(request, [])
        assert noted == pytest.approx([0.0, 0.1, 0.1, 0.1])

    def test_forgets_tracks_that_ended(self) -> None:
        stage = NotingStage()
        pipeline = CameraPipeline([stage], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5))
        events = [look(pipeline, frame(index)).events for index in range(1, 6)]
        assert stage.forgotten == [1]
        assert [each for each in events if each] == [("end of 1",)]

    def test_starts_afresh_with_a_new_session(self) -> None:
        stage = NotingStage()
        pipeline = CameraPipeline([stage], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5), person(0.2))
        assert stage.forgotten == []
        anew = look(pipeline, frame(0, session="second"), person(0.8))
        assert stage.forgotten == [1, 2]
        assert anew.events == ("end of 1", "end of 2", "second 0 1")
        assert [each.id for each in anew.tracks] == [1]
        assert look(pipeline, frame(1, session="third")).tracks == ()

    def test_tells_what_a_session_left_though_the_next_begins_still(self) -> None:
        pipeline = CameraPipeline(
            [NotingStage()], detect_fps=1, new_gate=lambda: Opening(0.0, 0.5)
        )
        look(pipeline, frame(10), person(0.5))
        assert look(pipeline, frame(0, session="second")).events == ("end of 1",)
        assert look(pipeline, frame(1, session="second")).events == ()

    def test_ends_its_tracks_when_it_is_finished(self) -> None:
        stage = NotingStage()
        pipeline = CameraPipeline([stage], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5), person(0.2))
        assert pipeline.finish() == ("end of 1", "end of 2")
        assert pipeline.finish() == ()
        again = look(pipeline, frame(1), person(0.8))
        assert again.events == ("first 1 1",)

    def test_shows_no_tracks_of_the_session_before(self) -> None:
        pipeline = CameraPipeline(
            [NotingStage()], detect_fps=1, new_gate=lambda: Opening(0.0, 0.5)
        )
        look(pipeline, frame(10), person(0.5))
        assert look(pipeline, frame(0, session="second")).tracks == ()


class TestPatientStage:
    def test_is_told_of_the_time_in_which_nothing_moves(self) -> None:
        pipeline = CameraPipeline(
            [PatientNotingStage(), NotingStage()], new_gate=lambda: Opening(0.1, 9.0)
        )
        look(pipeline, frame(0), person(0.5))
        still = [look(pipeline, frame(index)).events for index in (1, 2)]
        assert still == [("still 1",), ("still 2",)]

    def test_is_told_of_the_end_when_all_tracks_are_forgotten(self) -> None:
        pipeline = CameraPipeline([PatientNotingStage()], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5))
        assert pipeline.finish() == ("end of 1", "over")

    def test_is_told_of_the_end_before_another_session_begins(self) -> None:
        pipeline = CameraPipeline([PatientNotingStage()], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5))
        anew = look(pipeline, frame(0, session="second"), person(0.8))
        assert anew.events == ("end of 1", "over", "second 0 1")


class TestRedrawnPipeline:
    def test_watches_what_is_drawn_now_and_follows_on(self) -> None:
        before, after, other = NotingStage(), PatientNotingStage(), NotingStage()
        pipeline = CameraPipeline([other], drawn=[before], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5))
        pipeline.redraw([after])
        analysis = look(pipeline, frame(1), person(0.5))
        assert [each.id for each in analysis.tracks] == [1]
        assert analysis.events == ("first 1 1",) * 2
        assert pipeline.finish() == ("end of 1", "end of 1", "over")
        assert (before.forgotten, other.forgotten) == ([], [1])

    def test_may_have_nothing_drawn_any_more(self) -> None:
        pipeline = CameraPipeline(drawn=[PatientNotingStage()], new_gate=no_gate)
        look(pipeline, frame(0), person(0.5))
        pipeline.redraw([])
        assert look(pipeline, frame(1), person(0.5)).events == ()
        assert pipeline.finish() == ()
