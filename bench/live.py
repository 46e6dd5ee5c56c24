"""A plant for benchmarks: own servers, real RTSP cameras, real vision workers.

The figures come from where everybody reads them: what the workers say of themselves in
Redis, the rows in Postgres, and the system's own account of the processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import psycopg
import redis

from factory_site import embedded
from streaming.workers import WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import LiteralString

    from streaming.vision.stats import CameraStats

ROOT = Path(__file__).resolve().parent.parent
END_S = 20.0
CAMERAS = """
import json
from streaming.models import Camera, Site
from occupancy.models import CountingLine
site, _ = Site.objects.get_or_create(name="Plant", slug="plant")
for code, source in json.loads({!r}).items():
    camera = Camera.objects.create(
        site=site, code=code, name=code, source_url=source, loop={!r}
    )
    for x in (0.3, 0.5, 0.7):
        CountingLine.objects.create(camera=camera, name=str(x), x1=x, y1=0, x2=x, y2=1)
"""


@dataclass(frozen=True, slots=True)
class Clip:
    """A real recording of the shared folder, played as a camera."""

    name: str
    fps: float


CLIPS = (
    Clip("tud_stadtmitte.mp4", 25),
    Clip("car_JH10BP8513.mp4", 25),
    Clip("pets_300f_768x576.mp4", 7),
    Clip("persons_one_by_one.mp4", 10),
    Clip("cars_from_above.mp4", 12.5),
    Clip("car_UP32MW0479.mp4", 30),
    Clip("worker_zone.mp4", 12),
    Clip("tud_stadtmitte.mp4", 25),
)
"""One for each of eight cameras: streets, a hall, a gate; one of 1920 x 1080."""


class TookTooLong(Exception):
    """What a benchmark waits for did not come."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A data folder with running servers."""

    folder: Path
    models: Path
    database: psycopg.Connection[Any]
    redis: redis.Redis

    def env(self, **more: str) -> dict[str, str]:
        own = {"VAR_DIR": str(self.folder), "MODELS_DIR": str(self.models)}
        return {**os.environ, **own, **more}

    def manage(self, *arguments: str, **more: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(
            command,
            cwd=ROOT,
            env=self.env(**more),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def add_cameras(self, sources: Mapping[str, str], *, loop: bool = False) -> None:
        """Make a camera with three counting lines of each source, by code."""
        script = CAMERAS.format(json.dumps(dict(sources)), loop)
        self.manage("shell", "-c", script)

    @contextmanager
    def worker(self, name: str = "vision-1", **more: str) -> Iterator[psutil.Process]:
        """Run a vision worker; what it logs goes to `log(name)`."""
        with self.log(name).open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run_vision"],
                cwd=ROOT,
                env=self.env(VISION_NAME=name, PYTHONUNBUFFERED="1", **more),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield psutil.Process(process.pid)
        except TookTooLong as error:
            error.add_note(f"{name} last said:\n{self.log(name).read_text()[-2000:]}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, name: str = "vision-1") -> Path:
        return self.folder / f"{name}.log"

    def rows(self, sql: LiteralString) -> list[tuple[Any, ...]]:
        return self.database.execute(sql).fetchall()

    def states(self) -> dict[str, str]:
        """Return each camera's state as the pages show it, by code."""
        return dict(self.rows("SELECT code, state FROM streaming_camera"))

    def are_online(self) -> bool:
        return set(self.states().values()) == {"online"}

    def workers(self) -> dict[str, WorkerStatus]:
        """Return what the workers last said of themselves, by name."""
        keys = list(self.redis.scan_iter("vision_worker:*"))
        reports = [report for key in keys if (report := self.redis.get(key))]
        found = [msgspec.json.decode(each, type=WorkerStatus) for each in reports]
        return {status.name: status for status in found}

    def stats(self) -> dict[str, CameraStats]:
        """Return each camera's figures, by code, from whichever worker runs it."""
        return {
            code: stats
            for status in self.workers().values()
            for code, stats in status.cameras.items()
        }


@contextmanager
def plant(shared: Path) -> Iterator[Plant]:
    """Give a plant without cameras, for the length of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        embedded.servers(Path(name), database=True, redis=True),
    ):
        folder = Path(name)
        place = embedded.database_settings(folder)
        with (
            psycopg.connect(
                host=place["HOST"],
                user=place["USER"],
                dbname=place["NAME"],
                autocommit=True,
            ) as database,
            redis.Redis.from_url(embedded.redis_url(folder)) as client,
        ):
            made = Plant(folder, shared / "models", database, client)
            made.manage("set_up")
            yield made


def clips_of(shared: Path) -> list[Path]:
    """Return the recordings of `CLIPS`."""
    return [shared / "samples" / "clips" / clip.name for clip in CLIPS]


def code_of(number: int) -> str:
    return f"CAM-{number + 1}"


def wait_until(
    condition: Callable[[], bool], *, what: str, timeout_s: float = 120
) -> float:
    """Return how many seconds it took; raises TookTooLong."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > timeout_s:
            raise TookTooLong(f"{what}: not after {timeout_s:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - began_s


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process uses; `uss_mib` is what would be freed if it ended."""

    rss_mib: int
    uss_mib: int
    cpu_s: float

    @classmethod
    def of(cls, process: psutil.Process) -> Footprint:
        memory, cpu = process.memory_full_info(), process.cpu_times()
        return cls(
            round(memory.rss / 2**20), round(memory.uss / 2**20), cpu.user + cpu.system
        )
