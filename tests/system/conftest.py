"""A site of its own for tests that run the real processes."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.test import override_settings

from factory_site import embedded
from tests.environment import ROOT
from tests.processes import free_port, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from factory_site.embedded_servers import Postgres
    from tests.processes import Running

PLAIN = ["manage.py"]
BRIGHT = ["-m", "tests.system.bright"]
CAMERA = """
from streaming.models import Camera, Site
from occupancy.models import CountingLine
site = Site.objects.create(name="Plant", slug="plant")
camera = Camera.objects.create(site=site, code="CAM-MAIN", name="Main", source_url={!r})
for x in (0.3, 0.5, 0.6, 0.7):
    CountingLine.objects.create(camera=camera, name=str(x), x1=x, y1=0, x2=x, y2=1)
"""


@dataclass(frozen=True)
class Plant:
    """A data folder with running servers, and the commands run on it."""

    folder: Path
    models: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "VAR_DIR": str(self.folder),
            "MODELS_DIR": str(self.models),
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, *arguments: str, bright: bool = False) -> str:
        """Run a command; `bright` gives it the detector of tests/system/bright.py."""
        done = subprocess.run(
            [sys.executable, *(BRIGHT if bright else PLAIN), *arguments],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    @contextmanager
    def vision(
        self, name: str = "vision-1", *, bright: bool = False
    ) -> Iterator[Running]:
        command = [sys.executable, *(BRIGHT if bright else PLAIN), "run_vision"]
        env = {**self.env, "VISION_NAME": name}
        with running(command, env=env) as worker:
            yield worker

    @contextmanager
    def web(self, *, watchdog_s: float) -> Iterator[str]:
        """Run the web process; give its address."""
        port = free_port()
        command = [sys.executable, "-m", "factory_site.web", "-b", "127.0.0.1"]
        command += ["-p", str(port)]
        with running(command, env=self.env, watchdog_s=watchdog_s) as web:
            web.wait_for("Listening")
            yield f"http://127.0.0.1:{port}"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connect() as connection:
            return connection.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        with self._connect() as connection:
            connection.execute(sql)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        place = embedded.database_settings(self.folder)
        return psycopg.connect(
            host=place["HOST"], user=place["USER"], dbname=place["NAME"]
        )

    def crossings(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT line_id, frame_index, track_id, entries, exits, current_count "
            "FROM occupancy_occupancylog ORDER BY id"
        )

    def ended(self) -> bool:
        return self.rows("SELECT state FROM streaming_camera") == [("ended",)]


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def stop(postgres: Postgres) -> None:
    process = postgres.process()
    assert process
    process.send_signal(signal.SIGINT)
    process.wait()


@cache
def set_up_once() -> Path:
    """Return a data folder that is set up and at rest, for plants to begin as copies.

    Setting up takes much longer than all else that a plant needs before its test.
    """
    # Not tmp_path: pytest closes that to the account that runs servers for root.
    folder = Path(tempfile.mkdtemp(prefix="plant-set-up-"))
    atexit.register(shutil.rmtree, folder)
    with embedded.servers(folder, database=True, redis=False):
        Plant(folder, folder / "models").manage("set_up")
    # No plant outlives its test, still less the machine's power.
    config = folder / "postgres" / "data" / "postgresql.auto.conf"
    config.write_text("fsync = off\n")
    return folder


@contextmanager
def new_plant(*, models: Path | None = None) -> Iterator[Plant]:
    """Give a plant without cameras, whose Redis is this process' too."""
    with tempfile.TemporaryDirectory(prefix="plant-") as name:
        # Not copytree: it would give the database to the account that copies.
        subprocess.run(["cp", "--archive", f"{set_up_once()}/.", name], check=True)
        with (
            embedded.servers(Path(name), database=True, redis=True),
            override_settings(REDIS_URL=embedded.redis_url(Path(name))),
        ):
            yield Plant(Path(name), models or Path(name) / "models")


@pytest.fixture
def empty_plant() -> Iterator[Plant]:
    with new_plant() as plant:
        yield plant


@pytest.fixture
def plant(empty_plant: Plant, shared: Path) -> Plant:
    """Give a plant whose camera plays a street clip once."""
    plant = replace(empty_plant, models=shared / "models")
    clip = shared / "samples" / "clips" / "tud_stadtmitte.mp4"
    plant.manage("shell", "-c", CAMERA.format(str(clip)))
    return plant
