"""Memory of a vision worker process, with 1 and with 4 cameras.

Starts the real process on embedded servers, the cameras playing a clip as if live, and
looks at it after a while. `USS` is what would be freed if it ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from factory_site import embedded

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 40
CLIP = "persons_one_by_one.mp4"
CAMERAS = """
from streaming.models import Camera, Site
from occupancy.models import CountingLine
site = Site.objects.create(name="Plant", slug="plant")
for number in range({}):
    camera = Camera.objects.create(
        site=site, code=f"CAM-{{number}}", name="Gate", source_url={!r}, loop=True
    )
    CountingLine.objects.create(camera=camera, name="Door", x1=0.5, y1=0, x2=0.5, y2=1)
"""


def run(shared: Path) -> list[dict[str, object]]:
    return [measured(shared, cameras) for cameras in (1, 4)]


def measured(shared: Path, cameras: int) -> dict[str, object]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        embedded.servers(Path(folder), database=True, redis=True),
    ):
        env = {
            **os.environ,
            "VAR_DIR": folder,
            "MODELS_DIR": str(shared / "models"),
            "LOG_LEVEL": "ERROR",
        }
        clip = str(shared / "samples" / "clips" / CLIP)
        manage("set_up", env=env)
        manage("shell", "-c", CAMERAS.format(cameras, clip), env=env)
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_vision"], cwd=ROOT, env=env
        )
        time.sleep(SECONDS)
        row = looked_at(psutil.Process(worker.pid), cameras)
        worker.terminate()
        worker.wait()
    return row


def manage(*arguments: str, env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)


def looked_at(process: psutil.Process, cameras: int) -> dict[str, Any]:
    process.cpu_percent()
    time.sleep(5)
    memory = process.memory_full_info()
    return {
        "cameras": cameras,
        "RSS MiB": round(memory.rss / 2**20),
        "USS MiB": round(memory.uss / 2**20),
        "CPU % of a core": round(process.cpu_percent()),
    }
