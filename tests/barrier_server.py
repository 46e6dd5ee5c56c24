"""A barrier for the tests that opens over HTTP."""

from __future__ import annotations

import http.server
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Told:
    """One request to open."""

    path: str
    payload: str
    content_type: str
    authorization: str | None
    at_s: float
    """When it came, since the epoch."""


@dataclass
class Barrier:
    """What it was told, and how it answers."""

    status: int = 200
    slow_s: float = 0
    breaks_off: bool = False
    told: list[Told] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/open"


@contextmanager
def barrier_server(
    *, status: int = 200, slow_s: float = 0, breaks_off: bool = False, port: int = 0
) -> Iterator[Barrier]:
    """Serve a barrier on 127.0.0.1 in threads; by default on any free port."""
    barrier = Barrier(status, slow_s, breaks_off)

    class Handler(_Handler):
        served = barrier

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    barrier.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield barrier
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    served: Barrier

    def do_POST(self) -> None:
        at_s = time.time()
        told = Told(
            path=self.path,
            payload=self.rfile.read(int(self.headers["Content-Length"])).decode(),
            content_type=self.headers["Content-Type"],
            authorization=self.headers["Authorization"],
            at_s=at_s,
        )
        self.served.told.append(told)
        time.sleep(self.served.slow_s)
        if self.served.breaks_off:
            return
        self.send_response(self.served.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""
