from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil
import pytest
from django.core.management.base import CommandError

from factory_site.embedded_servers import Postgres, Redis
from factory_site.management.commands.up import address, refuse_port
from tests.processes import Running, free_port, running, survivors

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]
NAMES = {"web", "vision", "worker", "beat"}


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    # Not tmp_path: pytest closes that to the account that runs servers for root.
    with tempfile.TemporaryDirectory(prefix="up-") as folder:
        yield Path(folder)


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def up(var_dir: Path, *options: str, **variables: str) -> Iterator[Running]:
    names = {"DATABASE_URL", "REDIS_URL", "WEB_HOST", "WEB_PORT"}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    env = {**kept, "PYTHONUNBUFFERED": "1", "VAR_DIR": str(var_dir), **variables}
    with running([sys.executable, "manage.py", "up", *options], env=env) as process:
        try:
            yield process
        finally:
            process.send(signal.SIGTERM)
            process.exit_code()


def servers_of(var_dir: Path) -> list[psutil.Process]:
    servers = (Postgres.under(var_dir), Redis.under(var_dir))
    return [process for server in servers if (process := server.process())]


@pytest.mark.system
class TestUp:
    @pytest.mark.parametrize("number", STOP_SIGNALS)
    def test_starts_everything_and_leaves_nothing(
        self, number: signal.Signals, var_dir: Path, port: int
    ) -> None:
        with up(var_dir, "--port", str(port)) as system:
            started = {system.wait_for(r"up +\| (\w+) started")[1] for _ in NAMES}
            assert started == NAMES
            system.wait_for(f"runs at http://127.0.0.1:{port}/ ")
            with urlopen(f"http://127.0.0.1:{port}/login") as page:
                assert page.status == 200
            family = [*system.family(), *servers_of(var_dir)]
            system.send(number)
            assert system.exit_code() == 0
            assert len(family) >= len(NAMES) + 2
            assert survivors(family) == []
        refuse_port("127.0.0.1", port)

    def test_starts_again_what_was_killed(self, var_dir: Path, port: int) -> None:
        with up(var_dir, "--port", str(port)) as system:
            beat = int(system.wait_for(r"beat started \(process (\d+)\)")[1])
            psutil.Process(beat).kill()
            system.wait_for("beat was ended by SIGKILL; starting it again")
            system.wait_for("beat started")
            _, redis = servers_of(var_dir)
            redis.kill()
            system.wait_for("Redis had ended; it runs again")
            assert len(servers_of(var_dir)) == 2

    def test_refuses_to_run_twice_on_one_folder(self, var_dir: Path, port: int) -> None:
        with up(var_dir, "--port", str(port)) as system:
            system.wait_for("beat started")
            with up(var_dir, "--port", str(port)) as second:
                assert second.exit_code() == 1
                assert f"(process {system.process.pid})" in second.printed
            assert len(servers_of(var_dir)) == 2

    def test_starts_after_it_was_killed_itself(self, var_dir: Path, port: int) -> None:
        with up(var_dir, "--port", str(port)) as killed:
            killed.wait_for("beat started")
            family = killed.family()
            killed.send(signal.SIGKILL)
            assert survivors(family) == []
        servers = servers_of(var_dir)
        with up(var_dir, "--port", str(port)) as system:
            system.wait_for("runs at")
            assert servers_of(var_dir) == servers
        assert survivors(servers) == []

    def test_can_be_interrupted_while_it_starts(self, var_dir: Path, port: int) -> None:
        with up(var_dir, "--port", str(port)) as system:
            system.wait_for("Running migrations")
            servers = servers_of(var_dir)
            system.send(signal.SIGINT)
            assert system.exit_code() == 0
            assert len(servers) == 2
            assert survivors(servers) == []
            assert "Traceback" not in system.printed


@pytest.mark.system
class TestRefusal:
    @pytest.mark.parametrize(
        ("variable", "value", "expected"),
        [
            ("DATABASE_URL", "nonsense", "DATABASE_URL must look like"),
            ("DATABASE_URL", "mysql://u:hidden@h/db", "DATABASE_URL must look like"),
            ("DATABASE_URL", "postgres://u:hidden@127.0.0.1:1/x", "DATABASE_URL: no"),
            ("REDIS_URL", "http://127.0.0.1", "REDIS_URL must look like"),
            ("REDIS_URL", "redis://:hidden@127.0.0.1:1/0", "REDIS_URL: no answer"),
            ("REDIS_URL", "unix:///nonexistent/redis.sock", "REDIS_URL: no answer"),
        ],
    )
    def test_names_the_variable_and_starts_nothing(
        self, variable: str, value: str, expected: str, port: int, tmp_path: Path
    ) -> None:
        with up(tmp_path, "--port", str(port), **{variable: value}) as refused:
            assert refused.exit_code() == 1
            assert expected in refused.printed
            assert "hidden" not in refused.printed
            assert "Traceback" not in refused.printed
        assert not (tmp_path / "postgres").exists()
        assert not (tmp_path / "redis").exists()

    def test_of_a_used_port_names_the_way_out(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            with up(tmp_path, WEB_PORT=port) as refused:
                assert refused.exit_code() == 1
                way_out = f"Port {port} is in use; set WEB_PORT or pass --port."
                assert way_out in refused.printed
        assert not (tmp_path / "postgres").exists()

    def test_of_an_old_data_folder_is_a_sentence(self, port: int) -> None:
        with tempfile.TemporaryDirectory(prefix="up-") as folder:
            data = Path(folder) / "postgres" / "data"
            data.mkdir(parents=True)
            (data / "PG_VERSION").write_text("16\n")
            with up(Path(folder), "--port", str(port)) as refused:
                assert refused.exit_code() == 1
                assert "was made by Postgres 16" in refused.printed
                assert "Traceback" not in refused.printed


class TestRefusePort:
    def test_lets_a_free_port_pass(self, port: int) -> None:
        refuse_port("127.0.0.1", port)

    def test_sees_a_listener_on_all_addresses(self) -> None:
        with socket.create_server(("0.0.0.0", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(CommandError, match="in use"):
                refuse_port("127.0.0.1", port)

    @pytest.mark.parametrize("number", [-1, 65_536])
    def test_refuses_a_number_that_is_no_port(self, number: int) -> None:
        with pytest.raises(CommandError, match="is no port"):
            refuse_port("127.0.0.1", number)

    @pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
    def test_refuses_an_address_of_another_machine(self, host: str, port: int) -> None:
        with pytest.raises(CommandError, match=f"Cannot listen on {host}"):
            refuse_port(host, port)


class TestAddress:
    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("127.0.0.1", "http://127.0.0.1:80/"),
            ("0.0.0.0", "http://127.0.0.1:80/"),
            ("::", "http://[::1]:80/"),
            ("factory.example", "http://factory.example:80/"),
        ],
    )
    def test_can_be_opened(self, host: str, expected: str) -> None:
        assert address(host, 80) == expected
