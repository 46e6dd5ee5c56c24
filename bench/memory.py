"""Memory of a vision worker: detector and runner, with 1 and with 4 cameras.

Each count is measured in a process of its own, which plays a clip as live cameras.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from occupancy.pipeline import CrossingStage
from streaming.vision.detectors import load_detector
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.runner import CameraPlan, Runner
from streaming.vision.types import Point

if TYPE_CHECKING:
    from streaming.vision.pipeline import Analysis

SECONDS = 30
WEIGHTS = "yolo11n_int8_openvino_model"
CLIP = "persons_one_by_one.mp4"
LINE = NamedLine("middle", Line(Point(0.5, 0), Point(0.5, 1)))


class Tally:
    """Counts what the runner tells."""

    def __init__(self) -> None:
        self.analysed = 0

    def on_state(self, *_: object) -> None:
        """Leave states alone."""

    def on_analysis(self, _plan: CameraPlan, analysis: Analysis[Any]) -> None:
        self.analysed += analysis.analysed


def run(shared: Path) -> list[dict[str, object]]:
    return [measured(shared, cameras) for cameras in (1, 4)]


def measured(shared: Path, cameras: int) -> dict[str, object]:
    command = [sys.executable, "-m", "bench.memory", str(shared), str(cameras)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(output.stdout))


def work(shared: Path, cameras: int) -> dict[str, object]:
    """Run the cameras in this process and say how large it has become."""
    tally = Tally()
    runner: Runner[Any] = Runner(
        load_detector(shared / "models" / WEIGHTS),
        stages_of=lambda lines: [CrossingStage(lines)],
        listener=tally,
        clock=lambda: datetime.now(UTC),
        jitter=lambda: 0.5,
    )
    clip = str(shared / "samples" / "clips" / CLIP)
    runner.reconcile([plan(f"CAM-{number}", clip) for number in range(cameras)])
    until_s = time.monotonic() + SECONDS
    while (now_s := time.monotonic()) < until_s:
        if not runner.step(now_s=now_s):
            time.sleep(0.002)
    size = psutil.Process().memory_info().rss
    runner.close()
    return {
        "cameras": cameras,
        "MiB": round(size / 2**20),
        "analysed/s": round(tally.analysed / SECONDS, 1),
    }


def plan(code: str, source: str) -> CameraPlan:
    return CameraPlan(
        code=code,
        name=code,
        source_url=source,
        loop=True,
        detect_fps=10,
        time_zone="UTC",
        lines=(LINE,),
    )


if __name__ == "__main__":
    print(json.dumps(work(Path(sys.argv[1]), int(sys.argv[2]))))
