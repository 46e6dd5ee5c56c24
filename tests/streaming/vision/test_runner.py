from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.pipeline import CrossingStage
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.runner import (
    LONGEST_RETRY_S,
    CameraPlan,
    CameraState,
    Runner,
    retry_delay_s,
)
from streaming.vision.types import Point
from tests.fakes import BrightDetector, write_walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIDDLE = NamedLine("middle", Line(Point(0.5, 0), Point(0.5, 1)), 1)


class Notes:
    """Remembers what the runner tells."""

    def __init__(self) -> None:
        self.states: list[tuple[str, CameraState, str]] = []
        self.events: list[Any] = []
        self.frames: list[int] = []

    def on_state(self, plan: CameraPlan, state: CameraState, reason: str) -> None:
        self.states.append((plan.code, state, reason))

    def on_analysis(self, _plan: CameraPlan, analysis: Any) -> None:
        self.frames.append(analysis.frame.index)
        self.events.extend(analysis.events)


def plan(source: object, code: str = "CAM-1", **values: Any) -> CameraPlan:
    defaults: dict[str, Any] = {
        "code": code,
        "name": code,
        "source_url": str(source),
        "loop": False,
        "detect_fps": 10,
        "time_zone": "UTC",
        "lines": (MIDDLE,),
    }
    return CameraPlan(**defaults | values)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def detector() -> BrightDetector:
    return BrightDetector()


@pytest.fixture
def runner(notes: Notes, detector: BrightDetector) -> Iterator[Runner[Any]]:
    runner: Runner[Any] = Runner(
        detector,
        stages_of=lambda plan: [CrossingStage(plan.lines)],
        listener=notes,
        clock=lambda: datetime.now(UTC),
        jitter=lambda: 0.0,
    )
    yield runner
    runner.close()


def run_until(runner: Runner[Any], done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, "nothing happened"
        if not runner.step(now_s=time.monotonic()):
            time.sleep(0.002)


class TestRunner:
    def test_counts_on_a_recording_and_says_when_it_ended(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1.5)

        runner.reconcile([plan(clip)])
        run_until(runner, lambda: len(notes.states) == 2)

        assert [event.direction for event in notes.events] == ["in"]
        assert [state for _, state, _ in notes.states] == [
            CameraState.ONLINE,
            CameraState.ENDED,
        ]

    def test_analyses_every_frame_of_a_recording(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1)

        runner.reconcile([plan(clip)])
        run_until(runner, lambda: len(notes.states) == 2)

        assert notes.frames == list(range(10))

    def test_says_why_a_camera_is_offline_and_keeps_the_others(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1)

        runner.reconcile([plan(tmp_path / "gone.mp4", "CAM-GONE"), plan(clip)])
        run_until(runner, lambda: len(notes.states) >= 3)

        reasons = {code: reason for code, _, reason in notes.states}
        assert "gone.mp4" in reasons["CAM-GONE"]
        assert notes.frames == list(range(10))

    def test_does_not_try_a_camera_that_cannot_be_opened_at_all(
        self, runner: Runner[Any], notes: Notes
    ) -> None:
        runner.reconcile([plan("", problem="Type the address again.")])

        for _ in range(3):
            runner.step(now_s=time.monotonic())

        assert notes.states == [
            ("CAM-1", CameraState.OFFLINE, "Type the address again.")
        ]

    def test_tries_a_failed_camera_again(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = tmp_path / "late.mp4"
        runner.reconcile([plan(clip)])
        run_until(runner, lambda: len(notes.states) == 1)

        write_walk(clip, seconds=1)
        run_until(runner, lambda: len(notes.states) == 3)

        assert [state for _, state, _ in notes.states] == [
            CameraState.OFFLINE,
            CameraState.ONLINE,
            CameraState.ENDED,
        ]

    def test_starts_anew_only_what_changed(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clips = [write_walk(tmp_path / name, seconds=1) for name in ("a.mp4", "b.mp4")]
        same, other = (plan(clip, code) for clip, code in zip(clips, "AB", strict=True))
        runner.reconcile([same, other])
        run_until(runner, lambda: len(notes.states) == 4)

        runner.reconcile([same, plan(clips[1], "B", detect_fps=5)])
        run_until(runner, lambda: len(notes.states) == 6)

        assert {code for code, _, _ in notes.states[4:]} == {"B"}

    def test_gives_the_frames_of_all_cameras_to_the_detector_at_once(
        self, runner: Runner[Any], detector: BrightDetector, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1)

        runner.reconcile([plan(clip, code, loop=True) for code in "ABC"])
        run_until(runner, lambda: 3 in detector.batches)

        assert max(detector.batches) == 3

    def test_delivers_frames_between_those_analysed_to_who_watches(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1)
        runner.reconcile([plan(clip, detect_fps=2)])
        runner.watch({"CAM-1"})

        run_until(runner, lambda: len(notes.states) == 2)

        assert notes.frames == list(range(10))


class TestCameraPlan:
    def test_never_shows_its_source(self) -> None:
        assert "hidden" not in repr(plan("rtsp://user:hidden@192.0.2.1/a"))


class TestRetryDelay:
    @given(st.integers(1, 100), st.floats(0, 1))
    def test_is_capped_and_never_nothing(self, failures: int, jitter: float) -> None:
        assert 0.5 <= retry_delay_s(failures, jitter=jitter) <= LONGEST_RETRY_S

    def test_doubles_up_to_the_cap(self) -> None:
        delays = [retry_delay_s(n, jitter=1.0) for n in range(1, 6)]

        assert delays == [1, 2, 4, 6, 6]

    def test_spreads_cameras_that_failed_together(self) -> None:
        assert retry_delay_s(9, jitter=0) < retry_delay_s(9, jitter=1)
