from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from streaming.vision.backoff import login_delay_s, retry_delay_s
from streaming.vision.feed import Feed
from streaming.vision.plans import CameraPlan
from streaming.vision.stall import OPENED_WITHIN_S, STALLED_AFTER_S
from streaming.vision.trouble import Cause
from tests.fakes import write_walk
from tests.mjpeg_server import PATH, MjpegCamera, mjpeg_server, pictures_of
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from streaming.vision.types import Frame

PLAN = CameraPlan(
    code="CAM-1",
    name="Gate",
    source_url="",
    loop=False,
    detect_fps=10,
    time_zone="UTC",
    lines=(),
)
TICK_S = 0.05
"""By so much the loop's clock advances at each step, whatever ours does."""


class Loop:
    """Steps a feed, by a clock of its own that the test may advance."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.now_s = 100.0
        self.frames: list[Frame] = []

    def step(self) -> None:
        self.now_s += TICK_S
        frame = self.feed.next_frame(self.now_s)
        if frame is not None:
            self.frames.append(frame)

    def run_until(self, done: Callable[[], bool]) -> None:
        """Step ten times as slowly as the loop's clock goes."""
        deadline = time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline, "nothing happened"
            self.step()
            time.sleep(TICK_S / 10)

    def cause(self) -> Cause | None:
        return self.feed.trouble.cause if self.feed.trouble else None


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Sequence[bytes]:
    return pictures_of(write_walk(tmp_path_factory.mktemp("feed") / "walk.mp4"))


@pytest.fixture
def feeds() -> Iterator[Callable[[str | Path], Loop]]:
    made: list[Feed] = []

    def make(url: str | Path) -> Loop:
        made.append(
            Feed(
                PLAN,
                str(url),
                wants=None,
                wakes=None,
                clock=lambda: datetime.now(UTC),
                jitter=lambda: 1.0,
            )
        )
        return Loop(made[-1])

    yield make
    for feed in made:
        if capture := feed.close():
            capture.stop()


class TestFeed:
    def test_plays_a_recording_to_its_end(
        self, feeds: Callable[[str | Path], Loop], tmp_path: Path
    ) -> None:
        loop = feeds(write_walk(tmp_path / "walk.mp4", seconds=1))

        loop.run_until(lambda: loop.feed.has_ended)

        assert len(loop.frames) == loop.feed.tally.frames_read == 10
        assert loop.feed.connects == 1
        assert loop.feed.trouble is None

    def test_waits_longer_after_each_failure(
        self, feeds: Callable[[str | Path], Loop], tmp_path: Path
    ) -> None:
        loop = feeds(tmp_path / "gone.mp4")
        tried_s: list[float] = []
        while len(tried_s) < 5:
            if loop.feed.connects > len(tried_s):
                tried_s.append(loop.now_s)
            loop.step()
            time.sleep(0.001)

        gaps = [after - before for before, after in pairwise(tried_s)]
        assert loop.cause() is Cause.MISSING_FILE
        for number, gap in enumerate(gaps, start=1):
            assert gap >= retry_delay_s(number, jitter=1.0)

    def test_spares_a_camera_that_refuses_its_login(
        self, feeds: Callable[[str | Path], Loop], pictures: Sequence[bytes]
    ) -> None:
        camera = MjpegCamera(pictures, login=("viewer", "right"))
        with mjpeg_server(camera) as port:
            loop = feeds(f"http://viewer:wrong@127.0.0.1:{port}{PATH}")
            failed_s: list[float] = []
            for number in range(1, 4):
                loop.run_until(lambda count=number: loop.feed.connects == count)  # type: ignore[misc]
                loop.feed.trouble = None
                loop.run_until(lambda: loop.feed.trouble is not None)
                assert loop.cause() is Cause.UNAUTHORIZED
                failed_s.append(loop.now_s)

        gaps = [after - before for before, after in pairwise(failed_s)]
        for number, gap in enumerate(gaps, start=1):
            assert gap >= login_delay_s(number, jitter=1.0)

    def test_comes_back_when_its_camera_does(
        self, feeds: Callable[[str | Path], Loop], pictures: Sequence[bytes]
    ) -> None:
        with mjpeg_server(MjpegCamera(pictures)) as port, Proxy(port) as network:
            loop = feeds(f"http://127.0.0.1:{network.port}{PATH}")
            loop.run_until(lambda: loop.feed.is_giving)

            network.refuse()
            loop.run_until(lambda: loop.cause() is Cause.REFUSED)
            read = loop.feed.tally.frames_read
            network.accept()
            loop.run_until(lambda: loop.feed.is_giving)

            assert loop.feed.trouble is None
            assert loop.feed.tally.frames_read > read

    def test_notices_a_stall_before_the_network_does(
        self, feeds: Callable[[str | Path], Loop], pictures: Sequence[bytes]
    ) -> None:
        with mjpeg_server(MjpegCamera(pictures)) as port, Proxy(port) as network:
            loop = feeds(f"http://127.0.0.1:{network.port}{PATH}")
            loop.run_until(lambda: loop.feed.is_giving)

            network.stall()
            last_s = loop.now_s
            loop.run_until(lambda: loop.feed.trouble is not None)

            assert loop.cause() is Cause.STALLED
            assert loop.now_s - last_s >= STALLED_AFTER_S - TICK_S
            network.flow()
            loop.run_until(lambda: loop.feed.is_giving)

    def test_takes_pictures_that_nobody_can_read_for_a_stall(
        self, feeds: Callable[[str | Path], Loop]
    ) -> None:
        with mjpeg_server(MjpegCamera([b"\xff\xd8 no picture \xff\xd9"])) as port:
            loop = feeds(f"http://127.0.0.1:{port}{PATH}")
            loop.run_until(lambda: loop.feed.trouble is not None)

        assert loop.cause() in {Cause.STALLED, Cause.NOT_A_VIDEO, Cause.NO_VIDEO}
        assert loop.now_s - 100.0 <= OPENED_WITHIN_S + STALLED_AFTER_S

    def test_waits_longer_for_a_camera_that_keeps_failing_soon(
        self, feeds: Callable[[str | Path], Loop], pictures: Sequence[bytes]
    ) -> None:
        with mjpeg_server(MjpegCamera(pictures)) as port, Proxy(port) as network:
            loop = feeds(f"http://127.0.0.1:{network.port}{PATH}")
            waited_s = []
            for _ in range(3):
                loop.run_until(lambda: loop.feed.is_giving)
                network.cut()
                loop.run_until(lambda: loop.feed.trouble is not None)
                failed_s = loop.now_s
                loop.run_until(lambda: loop.feed.trouble is None)
                waited_s.append(loop.now_s - failed_s)

        assert waited_s[2] > waited_s[1] > waited_s[0]

    def test_does_not_call_a_recording_stalled(
        self, feeds: Callable[[str | Path], Loop], tmp_path: Path
    ) -> None:
        """Its reader waits for us, however long we take."""
        loop = feeds(write_walk(tmp_path / "walk.mp4", seconds=1))
        loop.run_until(lambda: loop.feed.is_giving)

        loop.now_s += 100 * STALLED_AFTER_S
        loop.run_until(lambda: loop.feed.has_ended)

        assert loop.feed.trouble is None
