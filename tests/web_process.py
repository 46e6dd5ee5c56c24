"""The real web process on the tests' own database and Redis."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.test import Client

from .processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from identity.models import User

    from .processes import Running

START_S = 60
MODULE = "factory_site.web"


@dataclass(frozen=True, slots=True)
class WebProcess:
    """A web process that answers, and raw connections to it."""

    running: Running
    port: int

    def connect(self, *, buffer_bytes: int | None = None) -> socket.socket:
        client = socket.socket()
        if buffer_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        return client

    def get(
        self, path: str, *, user: User, buffer_bytes: int | None = None
    ) -> socket.socket:
        """Ask for a page as a logged-in user; the answer is left to be read."""
        client = self.connect(buffer_bytes=buffer_bytes)
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Cookie: {cookie(user)}"]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        return client


def cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


@contextmanager
def web_process() -> Iterator[WebProcess]:
    """Run it on the test database; rows must be committed for it to see them."""
    port = free_port()
    command = [sys.executable, "-m", MODULE, "-b", "127.0.0.1", "-p", str(port)]
    with running(command, env=environment()) as process:
        deadline = time.monotonic() + START_S
        while not answers(port):
            assert process.process.poll() is None, process.output.read()
            assert time.monotonic() < deadline, "the web process does not answer"
            time.sleep(0.1)
        yield WebProcess(process, port)


def environment() -> dict[str, str]:
    place = connection.settings_dict
    address = f"postgresql://{place['USER']}@/{place['NAME']}?host="
    return {
        **os.environ,
        "DATABASE_URL": address + quote(place["HOST"]),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "VAR_DIR": str(settings.VAR_DIR),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
