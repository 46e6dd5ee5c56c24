"""The pipeline against the naive loop, on the same clips and weights, in one run.

The naive loop is what people write first: ultralytics' `track` on every frame and
supervision's LineZone. Both count the lines of `line_truth.json`; `wrong` is the summed
absolute error of in and out over all lines whose truth is stable.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import cv2
import supervision
from ultralytics import YOLO  # type: ignore[attr-defined]

from occupancy.pipeline import CrossingStage
from occupancy.rules import Direction
from streaming.vision.detectors import load_detector
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.pipeline import CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.sources import open_source
from streaming.vision.types import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from streaming.vision.detectors import NamedDetector

    from .tables import Tables

WEIGHTS = "yolo11n_int8_openvino_model"
CLASSES = [0, 1, 2, 3, 5, 7]
LIVE_FPS = 10
Counts = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Clip:
    path: Path
    lines: Sequence[tuple[float, float, float, float]]
    truth: Counts
    fps: float
    frames: int

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def clips(shared: Path) -> list[Clip]:
    truth = json.loads((shared / "samples" / "line_truth.json").read_text())
    truth.pop("note")
    return [clip(shared / "samples" / name, rows) for name, rows in truth.items()]


def clip(path: Path, rows: Sequence[dict[str, Any]]) -> Clip:
    stable = [row for row in rows if row["stable"]]
    video = cv2.VideoCapture(str(path))
    return Clip(
        path=path,
        lines=[tuple(row["line"]) for row in stable],
        truth=[(row["in"], row["out"]) for row in stable],
        fps=video.get(cv2.CAP_PROP_FPS),
        frames=int(video.get(cv2.CAP_PROP_FRAME_COUNT)),
    )


def naive(model: Any, clip: Clip) -> Counts:
    video = cv2.VideoCapture(str(clip.path))
    width, height = (
        video.get(cv2.CAP_PROP_FRAME_WIDTH),
        video.get(cv2.CAP_PROP_FRAME_HEIGHT),
    )
    zones = [
        supervision.LineZone(
            start=supervision.Point(x1 * width, y1 * height),
            end=supervision.Point(x2 * width, y2 * height),
            triggering_anchors=[supervision.Position.BOTTOM_CENTER],
        )
        for x1, y1, x2, y2 in clip.lines
    ]
    first = True
    while True:
        there, frame = video.read()
        if not there:
            return [(zone.in_count, zone.out_count) for zone in zones]
        result = model.track(frame, persist=not first, classes=CLASSES, verbose=False)
        first = False
        detections = supervision.Detections.from_ultralytics(result[0])
        for zone in zones:
            zone.trigger(detections)


def ours(detector: NamedDetector, clip: Clip, *, detect_fps: float | None) -> Counts:
    lines = [
        NamedLine(str(i), Line(Point(x1, y1), Point(x2, y2)))
        for i, (x1, y1, x2, y2) in enumerate(clip.lines)
    ]
    source = open_source(
        str(clip.path), camera="bench", clock=lambda: datetime.now(UTC), realtime=False
    )
    pipeline = CameraPipeline([CrossingStage(lines)], detect_fps=detect_fps)
    counts = {line.name: {Direction.IN: 0, Direction.OUT: 0} for line in lines}
    for analysis in analyse(source, detector, pipeline):
        for event in analysis.events:
            counts[event.line][event.direction] += 1
    return [(each[Direction.IN], each[Direction.OUT]) for each in counts.values()]


def wrong(counts: Counts, truth: Counts) -> int:
    return sum(
        abs(got[0] - true[0]) + abs(got[1] - true[1])
        for got, true in zip(counts, truth, strict=True)
    )


def run(shared: Path) -> Tables:
    weights = shared / "models" / WEIGHTS
    model, detector = YOLO(str(weights), task="detect"), load_detector(weights)
    ways: dict[str, Callable[[Clip], Counts]] = {
        "naive": lambda clip: naive(model, clip),
        "every frame": lambda clip: ours(detector, clip, detect_fps=None),
        f"{LIVE_FPS} fps": lambda clip: ours(detector, clip, detect_fps=LIVE_FPS),
    }
    rows = []
    for clip in clips(shared):
        for way in ways.values():
            way(clip)
        rows += [measured(name, way, clip) for name, way in ways.items()]
    return {"pipeline": with_ratios(rows)}


def measured(name: str, way: Callable[[Clip], Counts], clip: Clip) -> dict[str, Any]:
    began_s = time.perf_counter()
    counts = way(clip)
    took_s = time.perf_counter() - began_s
    return {
        "clip": clip.path.name,
        "way": name,
        "frames/s": round(clip.frames / took_s, 1),
        "video s/s": round(clip.seconds / took_s, 2),
        "wrong": wrong(counts, clip.truth),
        "of": sum(sum(pair) for pair in clip.truth),
    }


def with_ratios(rows: list[dict[str, Any]]) -> list[dict[str, object]]:
    naive_speed = {r["clip"]: r["frames/s"] for r in rows if r["way"] == "naive"}
    return [
        {**row, "x naive": round(row["frames/s"] / naive_speed[row["clip"]], 2)}
        for row in rows
    ]
