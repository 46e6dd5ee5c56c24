"""A real MJPEG camera for the tests: pictures over HTTP, one part each, without end."""

from __future__ import annotations

import base64
import http.server
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from typing import TYPE_CHECKING

import av
import cv2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PATH = "/cam.mjpg"


def pictures_of(clip: Path) -> list[bytes]:
    """Return a recording's pictures, each as a JPEG."""
    with av.open(clip) as container:
        images = (each.to_ndarray(format="bgr24") for each in container.decode(video=0))
        return [bytes(cv2.imencode(".jpg", image)[1]) for image in images]


@dataclass(frozen=True)
class MjpegCamera:
    """What the camera shows and asks for."""

    pictures: Sequence[bytes]
    """JPEGs, shown over and over."""
    fps: float = 25.0
    login: tuple[str, str] | None = None
    """User and password, asked for as HTTP Basic authentication."""
    tells_length: bool = True
    """Whether each part says how long it is; cheap cameras leave it to the boundary."""

    @cached_property
    def authorization(self) -> str | None:
        if self.login is None:
            return None
        return "Basic " + base64.b64encode(":".join(self.login).encode()).decode()

    def part(self, picture: bytes) -> bytes:
        length = f"Content-Length: {len(picture)}\r\n" if self.tells_length else ""
        head = f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n"
        return head.encode() + picture + b"\r\n"


@contextmanager
def mjpeg_server(camera: MjpegCamera, *, port: int = 0) -> Iterator[int]:
    """Serve the camera at `PATH` on 127.0.0.1 in a thread; give the port."""

    class Handler(_Handler):
        shown = camera

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    shown: MjpegCamera

    def do_GET(self) -> None:
        if self.path != PATH:
            self.send_error(404)
        elif self.headers["Authorization"] != self.shown.authorization:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
        else:
            self._show()

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""

    def _show(self) -> None:
        self.send_response(200)
        kind = "multipart/x-mixed-replace; boundary=frame"
        self.send_header("Content-Type", kind)
        self.end_headers()
        try:
            for picture in cycle(self.shown.pictures):
                self.wfile.write(self.shown.part(picture))
                time.sleep(1 / self.shown.fps)
        except OSError:
            self.close_connection = True
