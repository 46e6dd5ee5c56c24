"""Postgres and Redis under the data folder, for a machine that has neither.

Every process that needs a server holds a shared lock while it does, and whoever leaves
last stops it. The kernel drops the lock of a process that was killed, so a crash leaves
nothing behind that the next start has to understand.
"""

from __future__ import annotations

import fcntl
import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import psutil

from .embedded_servers import (
    DATABASE_NAME,
    DATABASE_PORT,
    DATABASE_USER,
    START_TIMEOUT_S,
    Postgres,
    Redis,
    Server,
    ServerDidNotStart,
    did_not_start,
    last_complaint,
    make_folders,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["ServerDidNotStart", "database_settings", "redis_url", "revive", "servers"]

STOP_TIMEOUT_S = 3.0
INTERRUPTED_START_S = 1.0


def database_settings(var_dir: Path) -> dict[str, Any]:
    """Return Django's settings for the embedded Postgres, which need not run yet."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE_NAME,
        "USER": DATABASE_USER,
        "HOST": str(Postgres.under(var_dir).socket_path.parent),
        "PORT": DATABASE_PORT,
    }


def redis_url(var_dir: Path) -> str:
    """Return the address of the embedded Redis, which need not run yet."""
    address = Redis.under(var_dir).socket_path.as_uri()
    return address.replace("file://", "unix://", 1)


@contextmanager
def servers(
    var_dir: Path, *, database: bool, redis: bool
) -> Iterator[Sequence[Server]]:
    """Keep the wanted servers running for as long as the block lasts.

    A server that runs already is shared. The last block to end, in whichever process,
    stops it. Raises ServerDidNotStart.
    """
    wanted: list[Server] = []
    if database:
        wanted.append(Postgres.under(var_dir))
    if redis:
        wanted.append(Redis.under(var_dir))
    with ExitStack() as blocks:
        for server in wanted:
            blocks.enter_context(_in_use(server))
        yield wanted


def revive(server: Server) -> bool:
    """Start a server that ended under its users; return whether it had ended.

    For use inside the block of `servers`. Raises ServerDidNotStart.
    """
    if server.process() is not None:
        return False
    with _alone(server):
        _ensure_running(server)
    return True


@contextmanager
def _in_use(server: Server) -> Iterator[None]:
    make_folders(server)
    with (server.folder / "users.lock").open("w") as users:
        try:
            with _alone(server):
                fcntl.flock(users, fcntl.LOCK_SH)
                _ensure_running(server)
            yield
        finally:
            with _alone(server):
                if _is_last(users):
                    _stop(server)


@contextmanager
def _alone(server: Server) -> Iterator[None]:
    """Let one process at a time start or stop a server."""
    with (server.folder / "start.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ensure_running(server: Server) -> None:
    """Start the server unless it runs, and wait until it answers.

    One found running may be on its way out, so a start may be needed after all; one
    that ends again after a second start is given up.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    starts = 0
    while time.monotonic() < deadline:
        if server.process() is None:
            if starts == 2:
                break
            starts += 1
            _launch(server)
        if server.answers():
            server.prepare()
            return
        time.sleep(0.02)
    raise did_not_start(server, last_complaint(server.log))


def _launch(server: Server) -> None:
    try:
        if server.log.exists():
            server.log.replace(server.log.with_suffix(".log.old"))
        server.launch()
    except OSError as error:
        raise did_not_start(server, str(error)) from error
    except KeyboardInterrupt:
        # It may be on its way in the background: let it come, so that it is stopped.
        deadline = time.monotonic() + INTERRUPTED_START_S
        while server.process() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        raise


def _stop(server: Server) -> None:
    process = server.process()
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        for number in (*server.stop_signals, signal.SIGKILL):
            process.send_signal(number)
            if _ended(process, timeout_s=STOP_TIMEOUT_S):
                return


def _ended(process: psutil.Process, *, timeout_s: float) -> bool:
    """Wait for the end of a process that may be nobody's child, and never reaped."""
    deadline = time.monotonic() + timeout_s
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
