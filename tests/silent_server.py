"""A server for the tests that takes whatever it is told and never answers."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Silent:
    """Who came to it; `release` hangs up on all of them."""

    listening: socket.socket
    came: threading.Event = field(default_factory=threading.Event)
    held: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def release(self) -> None:
        """Break off, and answer nobody who comes later."""
        for each in (self.listening, *self.held):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                self.held.append(self.listening.accept()[0])
                self.came.set()


@contextmanager
def silent_server() -> Iterator[Silent]:
    """Listen on any free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Silent(listening)
        threading.Thread(target=server.accept, daemon=True).start()
        try:
            yield server
        finally:
            server.release()
