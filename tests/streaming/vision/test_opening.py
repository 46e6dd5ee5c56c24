from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from streaming.vision.addresses import SourceError, redact
from streaming.vision.opening import Timeouts
from streaming.vision.sources import Capture, open_source
from streaming.vision.trouble import Cause
from tests.cameras import rtsp_server
from tests.clips import write_clip
from tests.mjpeg_server import PATH, MjpegCamera, mjpeg_server, pictures_of
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = Timeouts(open_s=2.0, read_s=1.0)
WAIT_S = 20.0
PASSWORD = "tür/#7@x y"
"""With all that must be percent-encoded in an address."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return write_clip(path, count=30, size=(128, 96))


@pytest.fixture(params=["rtsp", pytest.param("http", id="http mjpeg")])
def camera(request: pytest.FixtureRequest, film: Path) -> Iterator[tuple[str, Proxy]]:
    """Give a real camera's address, and the network before it."""
    serve = _rtsp if request.param == "rtsp" else _http
    with serve(film) as (port, path), Proxy(port) as network:
        login = f"admin:{quote(PASSWORD, safe='')}"
        yield f"{request.param}://{login}@127.0.0.1:{network.port}{path}", network


@contextmanager
def _rtsp(film: Path) -> Iterator[tuple[int, str]]:
    guard = ["--user", "admin", "--password", PASSWORD]
    with rtsp_server(film, *guard) as server:
        yield server.port, "/cam"


@contextmanager
def _http(film: Path) -> Iterator[tuple[int, str]]:
    shown = MjpegCamera(pictures_of(film), fps=10, login=("admin", PASSWORD))
    with mjpeg_server(shown) as port:
        yield port, PATH


def capture_of(url: str) -> Capture:
    source = open_source(
        url, camera="CAM-1", clock=lambda: datetime.now(UTC), timeouts=QUICK
    )
    capture = Capture(source)
    capture.start()
    return capture


def fault(capture: Capture) -> SourceError:
    """Wait for the capture to end by itself."""
    deadline = time.monotonic() + WAIT_S
    while capture.is_running and time.monotonic() < deadline:
        capture.get(0.1)
    assert capture.error is not None
    return capture.error


@pytest.mark.system
class TestDisturbedCamera:
    def test_gives_frames_while_the_network_works(
        self, camera: tuple[str, Proxy]
    ) -> None:
        capture = capture_of(camera[0])
        assert capture.get(WAIT_S) is not None
        assert capture.get(WAIT_S) is not None
        assert capture.stop()

    def test_has_ended_when_its_connection_is_cut(
        self, camera: tuple[str, Proxy]
    ) -> None:
        url, network = camera
        capture = capture_of(url)
        assert capture.get(WAIT_S) is not None
        network.cut()
        assert fault(capture).reason is Cause.ENDED_UNEXPECTEDLY

    def test_times_out_when_nothing_comes_any_more(
        self, camera: tuple[str, Proxy]
    ) -> None:
        url, network = camera
        capture = capture_of(url)
        assert capture.get(WAIT_S) is not None
        network.stall()
        assert fault(capture).reason is Cause.TIMED_OUT

    def test_times_out_when_it_never_answers(self, camera: tuple[str, Proxy]) -> None:
        url, network = camera
        network.stall()
        assert fault(capture_of(url)).reason is Cause.TIMED_OUT

    def test_is_refused_and_then_taken_again(self, camera: tuple[str, Proxy]) -> None:
        url, network = camera
        network.refuse()
        assert fault(capture_of(url)).reason is Cause.REFUSED
        network.accept()
        capture = capture_of(url)
        assert capture.get(WAIT_S) is not None
        capture.stop()

    def test_stands_a_slow_network(self, camera: tuple[str, Proxy]) -> None:
        url, network = camera
        network.delay(0.1)
        capture = capture_of(url)
        assert capture.get(WAIT_S) is not None
        capture.stop()

    def test_never_shows_its_password(
        self, camera: tuple[str, Proxy], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        url, network = camera
        capture = capture_of(url)
        assert capture.get(WAIT_S) is not None
        names = [thread.name for thread in threading.enumerate()]
        network.cut()
        refused = url.replace("admin", "nobody")
        errors = [fault(capture), fault(capture_of(refused))]
        told = f"{errors!r} {[str(error) for error in errors]} {names} {caplog.text}"
        told += repr([error.__context__ for error in errors]) + redact(url)
        assert errors[1].reason is Cause.UNAUTHORIZED
        for secret in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD)):
            assert secret not in told
