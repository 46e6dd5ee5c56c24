"""Start the whole system with one command, and stop it with Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from factory_site import embedded
from factory_site.demo.site import LOGINS
from factory_site.supervisor import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.core.management.base import CommandParser

    from factory_site.embedded_servers import Server

# More arenas let the vision worker's memory grow with every reconnect of a camera.
PROCESS_ENV = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
ASK_WEB_EVERY_S = 0.5
LOOK_AT_SERVERS_EVERY_S = 5.0
TRY_SERVERS_AGAIN_S = 60.0


class Command(BaseCommand):
    help = (
        "Run web, vision, worker and beat until Ctrl-C, with a Postgres and a Redis of "
        "their own where DATABASE_URL or REDIS_URL is unset."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default=settings.WEB_HOST, help="Instead of WEB_HOST."
        )
        parser.add_argument(
            "--port", default=settings.WEB_PORT, type=int, help="Instead of WEB_PORT."
        )
        parser.add_argument(
            "--demo", action="store_true", help="Make the demo site and its logins."
        )

    def handle(self, *, host: str, port: int, demo: bool, **_: Any) -> None:
        try:
            with stopped_by_one_signal(), alone_in_folder():
                refuse_port(host, port)
                refuse_unreachable()
                code = self.run(host, port, demo=demo)
        except KeyboardInterrupt:
            code = 0
        except embedded.ServerDidNotStart as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)

    def run(self, host: str, port: int, *, demo: bool) -> int:
        """Run the servers, prepare the database, and run the processes."""
        with embedded.servers(
            settings.VAR_DIR,
            database=settings.EMBEDDED_DATABASE,
            redis=settings.EMBEDDED_REDIS,
        ) as servers:
            notes = self.prepare(demo=demo)
            if demo:
                page = f"{address(host, port)}attendance"
                notes = [f"Who is here today: {page}", *notes]
            supervisor = Supervisor(
                programs(host, port),
                cwd=settings.BASE_DIR,
                env={**PROCESS_ENV, **os.environ},
                output=sys.stdout,
            )
            watch = Watch(supervisor, servers, host, port, notes)
            code = supervisor.run(each_tick=watch.look)
            for number in STOP_SIGNALS:  # The servers stop last, and stop whole.
                signal.signal(number, signal.SIG_IGN)
        return code

    def prepare(self, *, demo: bool) -> Sequence[str]:
        """Bring the database up to date; return what to tell with the address."""
        call_command("set_up", stdout=self.stdout)
        connection.close()
        return demo_logins() if demo else []


@dataclass(slots=True)
class Watch:
    """What `up` looks at while its processes run."""

    supervisor: Supervisor
    servers: Sequence[Server]
    host: str
    port: int
    notes: Sequence[str]
    announced: bool = False
    ask_web_at_s: float = 0.0
    look_at_servers_at_s: float = 0.0

    def look(self) -> None:
        now_s = time.monotonic()
        if not self.announced and now_s >= self.ask_web_at_s:
            self.ask_web_at_s = now_s + ASK_WEB_EVERY_S
            self.announced = web_answers(self.host, self.port)
            if self.announced:
                self.announce()
        if now_s >= self.look_at_servers_at_s:
            self.look_at_servers_at_s = now_s + self.revive_servers()

    def announce(self) -> None:
        """Print the address and the notes in a frame."""
        lines = [f"Factory Site runs at {address(self.host, self.port)}", *self.notes]
        width = max(map(len, lines))
        edge = f"+{'-' * (width + 2)}+"
        for line in (edge, *(f"| {line:<{width}} |" for line in lines), edge):
            self.supervisor.say(line)

    def revive_servers(self) -> float:
        """Start again servers that ended; return in how many seconds to look again."""
        try:
            for server in self.servers:
                if embedded.revive(server):
                    self.supervisor.say(f"{server.name} had ended; it runs again")
        except embedded.ServerDidNotStart as error:
            self.supervisor.say(str(error))
            return TRY_SERVERS_AGAIN_S
        return LOOK_AT_SERVERS_EVERY_S


def demo_logins() -> Sequence[str]:
    """Make the demo site; return its logins, one a line.

    In a process of its own, which gives the memory of drawing the footage back.
    """
    made = subprocess.run(
        (sys.executable, "manage.py", "seed_demo"),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        check=False,
        start_new_session=True,  # Ctrl-C is for this process, which then kills that.
    )
    if made.returncode:
        raise CommandError("The demo site could not be made: the reason is above.")
    passwords = json.loads(made.stdout.splitlines()[-1])
    return [
        f"{LOGINS[name]:<12} {name:<6} {password}"
        for name, password in passwords.items()
    ]


def programs(host: str, port: int) -> Sequence[Program]:
    python = (sys.executable, "-m")
    celery = (*python, "celery", "--quiet", "-A", "factory_site")
    # On one machine there is nobody to gossip with, and tasks are few and short.
    alone = ("--without-gossip", "--without-mingle", "--concurrency", "2")
    return (
        Program(
            "web",
            (*python, "factory_site.web", "-b", host, "-p", str(port)),
            vital=True,
        ),
        Program("vision", (sys.executable, "manage.py", "run_vision")),
        Program("worker", (*celery, "worker", "-l", "info", *alone)),
        Program("beat", (*celery, "beat", "-l", "info", "--pidfile=")),
    )


@contextmanager
def stopped_by_one_signal() -> Iterator[None]:
    """Turn the first stop signal into KeyboardInterrupt, and let no other disturb."""

    def interrupt(_number: int, _frame: object) -> None:
        for number in previous:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    previous = {
        number: signal.signal(number, interrupt)
        for number in STOP_SIGNALS
        # nohup asks for this.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def alone_in_folder() -> Iterator[None]:
    """Refuse a second `up` on the same data folder."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "up.lock").open("a+") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"manage.py up already runs on {settings.VAR_DIR} (process "
                f"{lock.read().strip()}). Stop that first."
            ) from None
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def refuse_port(host: str, port: int) -> None:
    """Raise CommandError unless the web process will be able to listen there."""
    if not 1 <= port <= 65_535:
        raise CommandError(f"{port} is no port: 1 to 65535 are.")
    try:
        family, kind, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is in use; set WEB_PORT or pass --port."
            ) from error
        raise CommandError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Set WEB_HOST or "
            "WEB_PORT, or pass --host or --port."
        ) from error


def refuse_unreachable() -> None:
    """Raise CommandError where a given Postgres or Redis does not answer."""
    if not settings.EMBEDDED_DATABASE:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            reason = str(error).partition("\n")[0]
            raise CommandError(f"DATABASE_URL: no answer. {reason}") from error
    if not settings.EMBEDDED_REDIS:
        try:
            with redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5
            ) as client:
                client.ping()
        except (redis.RedisError, OSError, ValueError) as error:
            raise CommandError(f"REDIS_URL: no answer. {error}") from error


def web_answers(host: str, port: int) -> bool:
    client = http.client.HTTPConnection(ANY_ADDRESS.get(host, host), port, timeout=2)
    try:
        client.request("GET", "/api/health")
        client.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
    return True


def address(host: str, port: int) -> str:
    name = ANY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"
