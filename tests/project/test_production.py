"""The image's own commands, in production settings, against real servers."""

from __future__ import annotations

import os
import re
import signal
import string
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import yaml

from factory_site import embedded, healthcheck
from tests.environment import ROOT
from tests.processes import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from tests.processes import Running

pytestmark = pytest.mark.system
READY = {
    "vision": "vision-1 works with",
    "worker": "ready",
    "beat": "beat: Starting",
}


@pytest.fixture(scope="module")
def production() -> Iterator[dict[str, str]]:
    """Give an environment like the one of compose.yaml, with servers to reach."""
    with tempfile.TemporaryDirectory(prefix="production-") as name:
        folder, data = Path(name) / "servers", Path(name) / "data"
        with embedded.servers(folder, database=True, redis=True):
            place = embedded.database_settings(folder)
            address = f"postgresql://{place['USER']}@/{place['NAME']}"
            yield {
                **os.environ,
                **services()["web"]["environment"],
                "ENVIRONMENT": "production",
                "SECRET_KEY": string.printable[:62],
                "ALLOWED_HOSTS": "factory.example.com",
                "DATABASE_URL": f"{address}?host={quote(place['HOST'])}",
                "REDIS_URL": embedded.redis_url(folder),
                "VAR_DIR": str(data),
                "STATIC_ROOT": str(Path(name) / "static"),
                "PYTHONUNBUFFERED": "1",
            }


def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return services["services"]  # type: ignore[no-any-return]


def command_of(service: str) -> list[str]:
    program, *arguments = services()[service]["command"]
    if program == "python":
        return [sys.executable, *arguments]
    return [sys.executable, "-m", program, *arguments]


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def service(name: str, env: dict[str, str], **replaced: str) -> Iterator[Running]:
    command = [replaced.get(f"_{part}", part) for part in command_of(name)]
    with running(command, env=env) as process:
        yield process
        process.send(signal.SIGTERM)
        process.exit_code()


class TestImage:
    def test_keeps_its_static_files_out_of_the_volumes(self) -> None:
        dockerfile = (ROOT / "Dockerfile").read_text()
        (static,) = re.findall(r"\bSTATIC_ROOT=(\S+)", dockerfile)

        for mount in services()["web"]["volumes"]:
            assert not Path(static).is_relative_to(mount.split(":")[1])

    def test_owns_every_volume_that_it_writes(self) -> None:
        dockerfile = (ROOT / "Dockerfile").read_text()
        (var_dir,) = re.findall(r"\bVAR_DIR=(\S+)", dockerfile)

        assert 'install -d -o factory -g factory "$VAR_DIR"' in dockerfile
        assert services()["vision"]["volumes"] == [f"var:{var_dir}"]


class TestUp:
    def test_serves_whole_pages(
        self, production: dict[str, str], port: int, tmp_path: Path
    ) -> None:
        env = {**production, "VAR_DIR": str(tmp_path), "STATIC_ROOT": ""}
        command = [sys.executable, "manage.py", "up", "--port", str(port)]
        with running(command, env=env) as system:
            system.wait_for("runs at")
            page = text_of("/login", port)
            sheets = re.findall(r'href="(/static/css/\S+?\.css)"', page)
            assert sheets
            assert all(text_of(sheet, port) for sheet in sheets)
            system.send(signal.SIGTERM)
            assert system.exit_code() == 0


def text_of(path: str, port: int) -> str:
    """Ask as a TLS proxy does; return the body of a 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection):
        headers = {"Host": "factory.example.com", "X-Forwarded-Proto": "https"}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        return response.read().decode()


class TestComposeServices:
    @pytest.fixture(autouse=True)
    def set_up(self, production: dict[str, str]) -> None:
        for command in (
            command_of("setup"),
            ["manage.py", "collectstatic", "--noinput"],
        ):
            arguments = (
                command if command[0] == sys.executable else [sys.executable, *command]
            )
            subprocess.run(arguments, cwd=ROOT, env=production, check=True, stdout=-3)

    @pytest.mark.parametrize("name", READY)
    def test_start_by_their_exact_commands(
        self, production: dict[str, str], name: str
    ) -> None:
        with service(name, production) as process:
            process.wait_for(READY[name])

    def test_answer_the_health_check_of_the_image(
        self, production: dict[str, str], settings: Settings, port: int
    ) -> None:
        settings.ALLOWED_HOSTS = ["factory.example.com"]
        assert healthcheck.main(port) == 1

        with service("web", production, _8000=str(port)) as web:
            web.process.poll()
            deadline = 60
            while healthcheck.main(port) and deadline:
                deadline -= 1
                with pytest.raises(subprocess.TimeoutExpired):
                    web.process.wait(0.5)

            assert healthcheck.main(port) == 0


class TestCheckDeploy:
    def test_finds_nothing(self, production: dict[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level=WARNING"],
            cwd=ROOT,
            env=production,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
            ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
            ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is empty"),
            ({"DEBUG": "on"}, "DEBUG is on in production"),
            ({"DATABASE_URL": "mysql://h/n"}, "DATABASE_URL must look like"),
        ],
    )
    def test_refuses_to_start_what_is_unsafe(
        self, production: dict[str, str], changed: dict[str, str], sentence: str
    ) -> None:
        done = subprocess.run(
            command_of("web"),
            cwd=ROOT,
            env={**production, **changed},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert done.returncode != 0
        assert sentence in done.stderr
