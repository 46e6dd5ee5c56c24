"""Programs run by tests as processes of their own, with what they print."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import psutil

from .environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HANG_S = 8.0
"""Longer than anything waited for here may take to end."""
WATCHDOG_S = 120


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A running program and what it has printed so far, errors included."""

    def __init__(self, process: subprocess.Popen[str], output: IO[str]) -> None:
        self.process = process
        self.output = output
        self.printed = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read on to the first line with the pattern; fail when there is none."""
        for line in self.output:
            self.printed += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"Never printed {pattern}:\n{self.printed}")

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        """Wait for the end; what was printed up to it is in `printed`."""
        self.printed += self.output.read()
        return self.process.wait(HANG_S)


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    watchdog_s: float = WATCHDOG_S,
) -> Iterator[Running]:
    """Run a program in the project's folder for the length of the block.

    It is killed after `watchdog_s`, lest a test that waits for it never ends.
    """
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Under nohup the tests, and so what they start, would ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(watchdog_s, process.kill)
        watchdog.start()
        try:
            yield Running(process, process.stdout)
        finally:
            watchdog.cancel()
            process.kill()


def survivors(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the processes that live on after time enough to end."""
    deadline = time.monotonic() + HANG_S
    while alive := [process for process in processes if is_alive(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return alive


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
