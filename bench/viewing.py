"""The web process of a benchmark's plant, and a login to watch with."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from .live import END_S, ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .live import Plant

LOGIN = """
from django.contrib.auth.models import Group
from rest_framework_simplejwt.tokens import AccessToken
from identity.models import User
from streaming.models import Site
sam = User.objects.create_user(username="sam", password="a long passphrase")
sam.groups.add(Group.objects.get(name="Security"))
sam.sites.set(Site.objects.all())
print("token", AccessToken.for_user(sam))
"""


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process, and the header of somebody who may watch."""

    process: psutil.Process
    port: int
    authorization: str

    def ask(self, path: str, *, buffer_bytes: int | None = None) -> socket.socket:
        """Send a request; the answer is left to be read."""
        client = socket.socket()
        if buffer_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.settimeout(30)
        client.connect(("127.0.0.1", self.port))
        head = [f"GET {path} HTTP/1.1", "Host: localhost"]
        head += [f"Authorization: {self.authorization}", "", ""]
        client.sendall("\r\n".join(head).encode())
        return client


@contextmanager
def web(site: Plant) -> Iterator[Web]:
    """Run the web process of a plant for the length of the block."""
    token = token_of(site)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with site.log("web").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "factory_site.web", "-p", str(port)],
            cwd=ROOT,
            env=site.env(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: answers(port), what="the web process answers")
        yield Web(psutil.Process(process.pid), port, f"Bearer {token}")
    finally:
        process.terminate()
        process.wait(END_S)


def token_of(site: Plant) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", LOGIN],
        cwd=ROOT,
        env=site.env(),
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"^token (\S+)$", done.stdout, re.MULTILINE)
    assert found
    return found[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def cpu_s(*processes: psutil.Process) -> float:
    """Return the processor time that they used so far, together."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def seconds_since(began_s: float) -> float:
    return time.monotonic() - began_s
