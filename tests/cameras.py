"""Starts the real RTSP cameras of rtsp_server.py, for tests and benchmarks."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = Path("/usr/bin/python3")
SCRIPT = Path(__file__).with_name("rtsp_server.py")


class NoRtspServer(Exception):
    """This machine has no GStreamer RTSP server."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "no RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi"
            " gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
            f" gstreamer1.0-plugins-bad ({why})"
        )


class RtspServer:
    """A process that serves recordings as cameras, each without end.

    `arguments` are those of rtsp_server.py. A context manager; between `kill` and
    `start` all its cameras are gone, and then back at the same port, which is how a
    switch or a recorder fails (tests/proxy.py fails one camera).
    """

    def __init__(self, *arguments: str | Path) -> None:
        self.port = 0
        """0 until it was started once."""
        self._arguments = [str(part) for part in arguments]
        self._process: subprocess.Popen[str] | None = None

    @property
    def host(self) -> str:
        """What goes between rtsp:// and the path, such as 127.0.0.1:40113."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it listens; raises `NoRtspServer`."""
        if not PYTHON.exists():
            raise NoRtspServer(f"{PYTHON} is missing")
        command = [str(PYTHON), str(SCRIPT), *self._arguments, "--port", str(self.port)]
        # A pipe that nobody reads would fill up and hold a long-running server.
        with tempfile.TemporaryFile("w+") as errors:
            self._process = process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True
            )
            assert process.stdout is not None
            if not (port := process.stdout.readline().strip()):
                process.wait()
                errors.seek(0)
                raise NoRtspServer(errors.read().strip()[-500:])
        self.port = int(port)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()


@contextmanager
def rtsp_server(*arguments: str | Path) -> Iterator[RtspServer]:
    """Run a server for the length of a test, which is skipped where there is none."""
    server = RtspServer(*arguments)
    try:
        server.start()
    except NoRtspServer as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.kill()
