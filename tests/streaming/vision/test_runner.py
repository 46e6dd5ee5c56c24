from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from occupancy.pipeline import CrossingStage
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.plans import CameraPlan, CameraState, ZonePlan
from streaming.vision.runner import Runner
from streaming.vision.trouble import Cause, Trouble
from streaming.vision.types import Point
from tests.cameras import rtsp_server
from tests.fakes import WIDTH, BrightDetector, jpeg, walking, write_pictures, write_walk
from tests.mjpeg_server import PATH, MjpegCamera, mjpeg_server
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from streaming.vision.types import Frame, Track

MIDDLE = NamedLine("middle", Line(Point(0.5, 0), Point(0.5, 1)), 1)
BLACK = np.zeros_like(walking(0))


class Notes:
    """Remembers what the runner tells."""

    def __init__(self) -> None:
        self.states: list[tuple[str, CameraState, Trouble | None]] = []
        self.events: list[Any] = []
        self.ends: list[tuple[str, list[Any]]] = []
        self.frames: list[int] = []
        self.shown: list[tuple[int, bool, bool]] = []
        """Each frame's width, whether it is to be shown, whether it was analysed."""

    def causes(self) -> list[Cause | None]:
        return [trouble.cause if trouble else None for _, _, trouble in self.states]

    def widths(self, *, shown: bool) -> list[int]:
        return [width for width, is_shown, _ in self.shown if is_shown is shown]

    def on_state(
        self, plan: CameraPlan, state: CameraState, trouble: Trouble | None
    ) -> None:
        self.states.append((plan.code, state, trouble))

    def on_analysis(self, _plan: CameraPlan, analysis: Any) -> None:
        self.frames.append(analysis.frame.index)
        width = analysis.frame.image.shape[1]
        self.shown.append((width, analysis.shown, analysis.analysed))
        self.events.extend(analysis.events)

    def on_end(self, plan: CameraPlan, events: Sequence[Any]) -> None:
        self.ends.append((plan.code, [*events]))


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


@dataclass
class Stopwatch:
    """Pretends that each step took so long."""

    each_s: float
    _now_s: float = 0.0

    def __call__(self) -> float:
        self._now_s += self.each_s
        return self._now_s


def make_runner(detector: BrightDetector, notes: Notes, **options: Any) -> Runner[Any]:
    options.setdefault("stages_of", lambda plan: [CrossingStage(plan.lines)])
    return Runner(
        detector,
        listener=notes,
        clock=lambda: datetime.now(UTC),
        jitter=lambda: 0.0,
        **options,
    )


@pytest.fixture
def runner(notes: Notes, detector: BrightDetector) -> Iterator[Runner[Any]]:
    runner = make_runner(detector, notes)
    yield runner
    runner.close()


class LoopClock:
    """The loop's monotonic clock, which a test may have go faster than ours."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._seen_s = time.monotonic()

    def tick(self, *, speed: float = 1.0) -> None:
        before_s, self._seen_s = self._seen_s, time.monotonic()
        self.now_s += speed * (self._seen_s - before_s)


CLOCK = LoopClock()


def run_until(
    runner: Runner[Any],
    done: Callable[[], bool],
    *,
    speed: float = 1.0,
    second_per_frame: bool = False,
) -> None:
    """Step until `done`.

    The loop's clock goes at `speed`, or a second further with each frame.
    """
    CLOCK.tick()
    deadline = time.monotonic() + 40
    while not done():
        assert time.monotonic() < deadline, "nothing happened"
        has_worked = runner.step(now_s=CLOCK.now_s)
        if not has_worked:
            time.sleep(0.002)
        if second_per_frame:
            CLOCK.now_s += has_worked
        else:
            CLOCK.tick(speed=speed)


def write_alive(path: Path, pictures: list[Any]) -> Path:
    """Write a film as of a camera, in which no two pictures are quite the same."""
    alive = [picture.copy() for picture in pictures]
    for picture in alive[::2]:
        picture[2:5, 2:5] = 45
    return write_pictures(path, alive, fps=25, gop=25)


def connects(runner: Runner[Any]) -> int:
    return sum(each.connects for each in runner.stats().values())


def read(runner: Runner[Any]) -> int:
    return sum(each.frames_read for each in runner.stats().values())


def shed(runner: Runner[Any], code: str) -> int:
    return runner.stats()[code].shed if code in runner.stats() else 0


def is_idle(runner: Runner[Any]) -> bool:
    return any(each.is_idle for each in runner.stats().values())


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

        (trouble,) = (each for code, _, each in notes.states if code == "CAM-GONE")
        assert trouble is not None
        assert trouble.cause is Cause.MISSING_FILE
        assert "gone.mp4" in trouble.sentence
        assert notes.frames == list(range(10))

    def test_does_not_try_a_camera_that_cannot_be_opened_at_all(
        self, runner: Runner[Any], notes: Notes
    ) -> None:
        runner.reconcile([plan("", problem="Type the address again.")])

        for _ in range(3):
            runner.step(now_s=CLOCK.now_s)

        trouble = Trouble(Cause.WRONG_KEY, "Type the address again.")
        assert notes.states == [("CAM-1", CameraState.OFFLINE, trouble)]

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

    def test_takes_up_lines_and_zones_without_opening_the_stream_anew(
        self, detector: BrightDetector, notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=2)
        runner = make_runner(
            detector,
            notes,
            stages_of=lambda _: [],
            drawn_of=lambda plan: [CrossingStage(plan.lines)] if plan.lines else [],
        )
        zone = ZonePlan(name="Queue", corners=(Point(0, 0), Point(1, 0), Point(1, 1)))
        try:
            runner.reconcile([plan(clip, lines=(), zones=(zone,))])
            run_until(runner, lambda: len(notes.frames) >= 3)
            runner.reconcile([plan(clip)])
            run_until(runner, lambda: len(notes.states) == 2)
        finally:
            runner.close()

        assert notes.frames == list(range(20))
        assert [event.direction for event in notes.events] == ["in"]

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


class TestRunningManyCameras:
    """What the loop does about cameras that are not well, and when it has no time."""

    def test_says_that_a_picture_is_black_while_it_is(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_pictures(
            tmp_path / "curtain.mp4",
            [BLACK] * 15 + [walking(0.5)] * 8,
        )
        runner.reconcile([plan(clip, loop=True)])

        run_until(runner, lambda: len(notes.states) >= 3, second_per_frame=True)

        assert [state for _, state, _ in notes.states[:3]] == [
            CameraState.ONLINE,
            CameraState.UNUSABLE,
            CameraState.ONLINE,
        ]
        assert notes.causes()[1] is Cause.BLACK

    def test_does_not_judge_a_recording_played_once(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_pictures(tmp_path / "night.mp4", [BLACK] * 30)
        runner.reconcile([plan(clip)])

        run_until(runner, lambda: len(notes.states) >= 2, second_per_frame=True)

        assert [state for _, state, _ in notes.states] == [
            CameraState.ONLINE,
            CameraState.ENDED,
        ]

    def test_connects_anew_to_a_frozen_camera_without_flapping(
        self, runner: Runner[Any], notes: Notes
    ) -> None:
        camera = MjpegCamera([jpeg(walking(0.5))])
        with mjpeg_server(camera) as port:
            runner.reconcile([plan(f"http://127.0.0.1:{port}{PATH}")])
            run_until(runner, lambda: connects(runner) >= 3, second_per_frame=True)

        assert [state for _, state, _ in notes.states] == [
            CameraState.ONLINE,
            CameraState.UNUSABLE,
        ]
        assert notes.causes()[1] is Cause.FROZEN
        shown = [is_shown for _, is_shown, _ in notes.shown]
        assert (shown[0], shown[-1]) == (True, False)

    def test_tells_of_a_stall_and_its_end(
        self, runner: Runner[Any], notes: Notes
    ) -> None:
        pictures = [jpeg(walking(share / 20)) for share in range(20)]
        with mjpeg_server(MjpegCamera(pictures)) as port, Proxy(port) as network:
            runner.reconcile([plan(f"http://127.0.0.1:{network.port}{PATH}")])
            run_until(runner, lambda: len(notes.states) == 1)
            network.stall()
            run_until(runner, lambda: len(notes.states) == 2)
            network.flow()
            run_until(runner, lambda: len(notes.states) == 3)

        assert notes.causes()[1] in {Cause.STALLED, Cause.TIMED_OUT}
        assert notes.states[2][1] is CameraState.ONLINE

    def test_counts_what_a_camera_did(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=2)
        runner.reconcile([plan(clip, detect_fps=5)])
        run_until(runner, lambda: len(notes.states) == 2)
        CLOCK.now_s += 1.0
        runner.step(now_s=CLOCK.now_s)

        stats = runner.stats()["CAM-1"]
        assert (stats.frames_read, stats.connects) == (20, 1)
        assert 5 <= stats.frames_analysed <= 10
        assert (stats.dropped, stats.shed, stats.is_idle) == (0, 0, False)
        assert 0 < stats.fps_analysed < stats.fps
        assert stats.latency_ms > 0
        assert 0 < runner.busy <= 1

    def test_counts_on_over_reconnections(
        self, runner: Runner[Any], notes: Notes
    ) -> None:
        pictures = [jpeg(walking(share / 20)) for share in range(20)]
        with mjpeg_server(MjpegCamera(pictures)) as port, Proxy(port) as network:
            runner.reconcile([plan(f"http://127.0.0.1:{network.port}{PATH}")])
            run_until(runner, lambda: read(runner) >= 20)
            network.cut()
            run_until(runner, lambda: connects(runner) == 2)
            before = read(runner)
            run_until(runner, lambda: read(runner) > before)

        assert before >= 20

    def test_looks_less_often_at_what_matters_less_when_it_has_no_time(
        self,
        detector: BrightDetector,
        notes: Notes,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1)
        busy = Stopwatch(each_s=10.0)
        runner = make_runner(detector, notes, stopwatch=busy)
        gate, yard = (
            plan(clip, code, loop=True, priority=priority)
            for code, priority in (("GATE", 0), ("YARD", 2))
        )
        try:
            runner.reconcile([gate, yard])
            run_until(runner, lambda: shed(runner, "YARD") > 0, speed=8)
            assert shed(runner, "GATE") == 0
            busy.each_s = 0.0
            is_over = "YARD is looked at as often as it should"
            run_until(runner, lambda: is_over in caplog.text, speed=8)
        finally:
            runner.close()

        assert "YARD is looked at less often" in caplog.text


class TestSubStream:
    @pytest.fixture
    def main(self, tmp_path: Path) -> Path:
        return write_walk(tmp_path / "main.mp4", seconds=1)

    @pytest.fixture
    def sub(self, tmp_path: Path) -> Path:
        half = [walking(step / 9)[::2, ::2] for step in range(10)]
        return write_pictures(tmp_path / "sub.mp4", half)

    def test_is_all_that_is_read_while_nobody_watches(
        self, runner: Runner[Any], notes: Notes, main: Path, sub: Path
    ) -> None:
        runner.reconcile([plan(main, sub_stream_url=str(sub), loop=True)])
        run_until(runner, lambda: len(notes.shown) >= 8)

        assert {width for width, _, _ in notes.shown} == {WIDTH // 2}

    def test_gives_way_to_the_main_one_for_viewers_but_is_still_analysed(
        self, runner: Runner[Any], notes: Notes, main: Path, sub: Path
    ) -> None:
        runner.reconcile([plan(main, sub_stream_url=str(sub), loop=True)])
        runner.watch({"CAM-1"})
        run_until(runner, lambda: notes.widths(shown=True).count(WIDTH) >= 10)
        since = notes.widths(shown=True).index(WIDTH)
        notes.shown.clear()
        run_until(runner, lambda: notes.widths(shown=True).count(WIDTH) >= 10)

        assert since < 20
        assert set(notes.widths(shown=True)) == {WIDTH}
        assert set(notes.widths(shown=False)) == {WIDTH // 2}
        assert {analysed for width, _, analysed in notes.shown if width == WIDTH} == {
            False
        }

    def test_is_shown_while_the_main_one_fails(
        self,
        runner: Runner[Any],
        notes: Notes,
        main: Path,
        sub: Path,
        tmp_path: Path,
    ) -> None:
        late = tmp_path / "late.mp4"
        runner.reconcile([plan(late, sub_stream_url=str(sub), loop=True)])
        runner.watch({"CAM-1"})
        run_until(runner, lambda: len(notes.shown) >= 8)

        assert set(notes.widths(shown=True)) == {WIDTH // 2}
        assert [state for _, state, _ in notes.states] == [CameraState.ONLINE]
        main.rename(late)
        run_until(runner, lambda: WIDTH in notes.widths(shown=True))

    def test_is_what_the_state_goes_by(
        self, runner: Runner[Any], notes: Notes, main: Path, tmp_path: Path
    ) -> None:
        gone = str(tmp_path / "gone.mp4")
        runner.reconcile([plan(main, sub_stream_url=gone, loop=True)])
        runner.watch({"CAM-1"})
        run_until(runner, lambda: WIDTH in notes.widths(shown=True))

        assert [state for _, state, _ in notes.states] == [CameraState.OFFLINE]

    def test_closes_the_main_one_when_the_last_viewer_leaves(
        self, runner: Runner[Any], notes: Notes, main: Path, sub: Path
    ) -> None:
        runner.reconcile([plan(main, sub_stream_url=str(sub), loop=True)])
        runner.watch({"CAM-1"})
        run_until(runner, lambda: WIDTH in notes.widths(shown=True))
        runner.watch(())
        notes.shown.clear()
        run_until(runner, lambda: len(notes.shown) >= 8)

        assert set(notes.widths(shown=True)) == {WIDTH // 2}


class TestIdling:
    """By the loop's clock time passes quickly, so that a scene is soon still."""

    def test_counts_who_comes_in_while_only_key_frames_are_decoded(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        empty = [walking(0.0)] * 150
        walk = [walking(step / 49) for step in range(50)]
        film = write_alive(tmp_path / "film.mp4", empty + walk)
        with rtsp_server(film) as camera:
            runner.reconcile([plan(f"rtsp://{camera.host}/cam")])
            run_until(runner, lambda: len(notes.states) == 1)
            run_until(runner, lambda: is_idle(runner), speed=8)
            before = len(notes.events)
            run_until(runner, lambda: not is_idle(runner))
            run_until(runner, lambda: len(notes.events) > before)

        assert {event.direction for event in notes.events} == {"in"}

    def test_ends_when_somebody_watches(
        self, runner: Runner[Any], notes: Notes, tmp_path: Path
    ) -> None:
        film = write_alive(tmp_path / "film.mp4", [walking(0.0)] * 100)
        with rtsp_server(film) as camera:
            runner.reconcile([plan(f"rtsp://{camera.host}/cam")])
            run_until(runner, lambda: len(notes.states) == 1)
            run_until(runner, lambda: is_idle(runner), speed=8)
            runner.watch({"CAM-1"})
            notes.frames.clear()
            run_until(runner, lambda: len(notes.frames) >= 50)

        assert not is_idle(runner)


class TestCameraPlan:
    def test_never_shows_its_source(self) -> None:
        assert "hidden" not in repr(plan("rtsp://user:hidden@192.0.2.1/a"))

    def test_differs_in_its_drawing_alone_or_not(self) -> None:
        line = NamedLine("other", Line(Point(0, 0), Point(1, 1)), 2)
        zone = ZonePlan(name="Queue", corners=(Point(0, 0), Point(1, 0), Point(1, 1)))
        this = plan("a.mp4")
        redrawn = [plan("a.mp4", lines=(line,)), plan("a.mp4", zones=(zone,))]
        others = [this, plan("b.mp4"), plan("b.mp4", lines=()), plan("a.mp4", "CAM-2")]
        assert all(this.differs_in_drawing_alone(other) for other in redrawn)
        assert not any(this.differs_in_drawing_alone(other) for other in others)


class EndStage:
    """Has something to say only when a track is over."""

    def observe(self, _frame: Frame, _tracks: Sequence[Track]) -> tuple[str, ...]:
        return ()

    def forget(self, track_id: int) -> tuple[str, ...]:
        return (f"end of {track_id}",)


@pytest.fixture
def walked_in(
    detector: BrightDetector, notes: Notes, tmp_path: Path
) -> Iterator[Runner[Any]]:
    """Give a runner whose camera's only track is still in view."""
    clip = write_pictures(tmp_path / "in.mp4", [walking(0.5)] * 10)
    runner = make_runner(detector, notes, stages_of=lambda _: [EndStage()])
    runner.reconcile([plan(clip)])
    run_until(runner, lambda: len(notes.frames) >= 4)
    assert notes.ends == []
    yield runner
    runner.close()


class TestOpenTracks:
    def test_end_with_a_recording(self, walked_in: Runner[Any], notes: Notes) -> None:
        run_until(walked_in, lambda: notes.states[-1][1] is CameraState.ENDED)
        assert notes.ends == [("CAM-1", ["end of 1"])]

    def test_end_when_their_camera_is_switched_off(
        self, walked_in: Runner[Any], notes: Notes
    ) -> None:
        walked_in.reconcile([])
        assert notes.ends == [("CAM-1", ["end of 1"])]

    def test_end_when_the_runner_is_closed(
        self, walked_in: Runner[Any], notes: Notes
    ) -> None:
        walked_in.close()
        walked_in.close()
        assert notes.ends == [("CAM-1", ["end of 1"])]
