"""Runs the processes of the system side by side and keeps them running.

One thread does everything: it copies the output of the processes, starts those that
ended again, and stops all when it is asked to.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import psutil
from honcho.colour import get_colours
from honcho.printer import Message, Printer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

STOP_GRACE_S = 8.0
"""Celery's worker takes 2 to 3 s to stop when idle, and waits for its tasks; a second
signal kills at once."""
TICK_S = 0.2
LINE_MAX_BYTES = 65_536
READ_MAX_BYTES = 1_048_576
"""Not less than a pipe holds, so that one read empties it: pipe(7)."""
OWN_NAME = "up"
PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal a process gets when its parent ends."""

libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a process may end before it is given up, and how long it rests."""

    ends: int = 5
    window_s: float = 60.0
    first_delay_s: float = 0.5
    retry_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Restart:
    delay_s: float
    given_up: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A command to keep running. Nothing runs without the `vital` ones."""

    name: str
    command: Sequence[str]
    vital: bool = False


def next_start(
    ends_s: Sequence[float], *, now_s: float, budget: Budget, given_up: bool = False
) -> Restart:
    """Decide when a process that ended starts again.

    `ends_s` are the times of its ends, the last one included; those within the window
    count, and each doubles the delay. One given up that has not run for a whole window
    since stays given up: it is tried once per `retry_s`.
    """
    recent = sum(now_s - end_s < budget.window_s for end_s in ends_s)
    if given_up or recent >= budget.ends:
        return Restart(budget.retry_s, given_up=True)
    return Restart(budget.first_delay_s * 2 ** max(recent - 1, 0), given_up=False)


@dataclass(slots=True)
class _Child:
    program: Program
    colour: str
    process: subprocess.Popen[bytes] | None = None
    start_at_s: float = 0.0
    started_s: float = 0.0
    ends_s: list[float] = field(default_factory=list)
    given_up: bool = False
    unfinished_line: bytes = b""


class Supervisor:
    def __init__(
        self,
        programs: Sequence[Program],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: IO[str],
        budget: Budget | None = None,
    ) -> None:
        self._children = [
            _Child(program, colour)
            for program, colour in zip(programs, get_colours(), strict=False)
        ]
        self._cwd = cwd
        self._env = env
        self._budget = budget or Budget()
        names = [OWN_NAME, *(program.name for program in programs)]
        self._printer = Printer(output, width=max(map(len, names)))
        self._outputs = selectors.DefaultSelector()
        self._stop_requests = 0
        self._exit_code = 0
        self._stopping = False
        self._muted = False

    def run(self, *, each_tick: Callable[[], None] = lambda: None) -> int:
        """Run until SIGINT, SIGTERM or SIGHUP; return the exit code.

        0 after a signal, 1 after a vital program was given up. `each_tick` is called
        several times a second and must not block for long. A second signal kills.
        """
        with self._signals_counted():
            try:
                while not self._stopping and not self._stop_requests:
                    for child in self._children:
                        self._look_after(child)
                    self._copy_output()
                    each_tick()
            finally:
                self._stop()
        return self._exit_code

    def say(self, text: str) -> None:
        """Print a line of the supervisor's own."""
        self._print(text, name=OWN_NAME, colour=None)

    @contextmanager
    def _signals_counted(self) -> Iterator[None]:
        def count(_number: int, _frame: object) -> None:
            self._stop_requests += 1

        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            numbers.append(signal.SIGHUP)
        previous = {number: signal.signal(number, count) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _look_after(self, child: _Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.start_at_s and not self._stopping:
                self._start(child)
        elif _has_ended(child.process):
            how = self._bury(child, child.process)
            if not self._stopping:
                self._plan_restart(child, how)

    def _start(self, child: _Child) -> None:
        child.started_s = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603 - commands of this project
                child.program.command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
        except OSError as error:
            self._plan_restart(child, f"cannot start: {error}")
            return
        child.process = process
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._outputs.register(process.stdout, selectors.EVENT_READ, child)
        self.say(f"{child.program.name} started (process {process.pid})")

    def _plan_restart(self, child: _Child, how: str) -> None:
        now_s = time.monotonic()
        ran_well = now_s - child.started_s >= self._budget.window_s
        child.ends_s = [*child.ends_s[-self._budget.ends :], now_s]
        plan = next_start(
            child.ends_s,
            now_s=now_s,
            budget=self._budget,
            given_up=child.given_up and not ran_well,
        )
        child.given_up = plan.given_up
        child.start_at_s = now_s + plan.delay_s
        self._tell_plan(child, plan, how)
        if plan.given_up and child.program.vital:
            self._stopping = True
            self._exit_code = 1

    def _tell_plan(self, child: _Child, plan: Restart, how: str) -> None:
        name = child.program.name
        if not plan.given_up:
            self.say(f"{name} {how}; starting it again in {plan.delay_s:g} s")
            return
        often = f"ended {self._budget.ends} times in {self._budget.window_s:g} s"
        then = "" if child.program.vital else f"; next try in {plan.delay_s:g} s"
        self.say(f"{name} {how}")
        self.say(f"gave up on {name}: {often}{then}")

    def _bury(self, child: _Child, process: subprocess.Popen[bytes]) -> str:
        """Clear away an ended process and its group; return how it ended."""
        # Before the wait: until then nobody else can get the number of the group.
        _kill_group(process)
        self._copy(child, process)
        if child.unfinished_line:
            self._print_of(child, child.unfinished_line)
            child.unfinished_line = b""
        if process.stdout:
            with suppress(KeyError):
                self._outputs.unregister(process.stdout)
            process.stdout.close()
        code = process.wait()
        child.process = None
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def _copy_output(self) -> None:
        for key, _events in self._outputs.select(timeout=TICK_S):
            self._copy(key.data, key.data.process)

    def _copy(self, child: _Child, process: subprocess.Popen[bytes]) -> None:
        """Print the whole lines that a process has written; keep what follows them."""
        if process.stdout is None:
            return
        try:
            data = os.read(process.stdout.fileno(), READ_MAX_BYTES)
        except BlockingIOError:
            return
        if not data:
            with suppress(KeyError):
                self._outputs.unregister(process.stdout)
        *lines, rest = (child.unfinished_line + data).split(b"\n")
        if len(rest) > LINE_MAX_BYTES:
            lines, rest = [*lines, rest], b""
        child.unfinished_line = rest
        for line in lines:
            self._print_of(child, line)

    def _stop(self) -> None:
        """Stop all that runs, first by request, then by force; leave no descendant."""
        self._stopping = True
        began_s = time.monotonic()
        family = [kin for process in self._running() for kin in _descendants(process)]
        self.say("stopping; a second Ctrl-C kills at once")
        # To the process alone: it knows in which order to stop those of its group.
        for process in self._running():
            process.terminate()
        while self._running() and time.monotonic() - began_s < STOP_GRACE_S:
            if self._stop_requests > 1:
                break
            self._copy_output()
            for child in self._children:
                self._look_after(child)
        self._kill(family)
        self.say(f"stopped in {time.monotonic() - began_s:.1f} s")

    def _kill(self, family: Sequence[psutil.Process]) -> None:
        for process in self._running():
            self.say(f"process {process.pid} did not stop in time; killing it")
            _kill_group(process)
        for kin in family:  # One in a session of its own is in no group of ours.
            with suppress(psutil.Error):
                kin.kill()
        for child in self._children:
            if child.process:
                self._bury(child, child.process)

    def _running(self) -> list[subprocess.Popen[bytes]]:
        return [child.process for child in self._children if child.process]

    def _print_of(self, child: _Child, line: bytes) -> None:
        self._print(line, name=child.program.name, colour=child.colour)

    def _print(self, text: str | bytes, *, name: str, colour: str | None) -> None:
        if self._muted:
            return
        now = datetime.now(tz=UTC).astimezone()
        try:
            self._printer.write(Message("line", text, now, name, colour))
        except OSError:  # The terminal is gone, or the reader of a pipe.
            self._muted = self._stopping = True


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process has ended, and leave it to be waited for."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        return []


def _die_with(parent: int) -> Callable[[], None]:
    """Return what a new process does first, to end when its parent is killed."""

    def ask_the_kernel() -> None:
        if libc is None:
            return
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It ended before the kernel knew.
            os._exit(1)

    return ask_the_kernel
