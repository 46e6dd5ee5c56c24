"""A real HTTP receiver of webhooks, which answers what a test wants."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.plant import gate, site

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["gate", "site"]


@dataclass
class Receiver:
    """What came in, and the statuses of the next answers; 200 after those."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    keep_waiting: threading.Event = field(default_factory=threading.Event)
    """Set by a test that is done with a receiver that does not answer."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/hidden-word"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.headers.append(headers)
        self.bodies.append(body)
        return self.statuses.pop(0) if self.statuses else 200


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(dict(self.headers.items()), body)
            if status == 0:
                receiver.keep_waiting.wait(30)
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.keep_waiting.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as found:
        yield found
