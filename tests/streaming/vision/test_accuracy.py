"""The counts on real footage; each clip is analysed with the same defaults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from occupancy.pipeline import CrossingStage
from occupancy.rules import Direction
from streaming.vision.detectors import load_detector
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.pipeline import DETECT_FPS, CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.sources import open_source
from streaming.vision.types import Point
from tests.scenes import START

if TYPE_CHECKING:
    from pathlib import Path

    from occupancy.pipeline import LineCrossed
    from streaming.vision.detectors import NamedDetector

WRONG_AT_MOST = 3
CROSSINGS = 57


def crossings(
    clip: Path, rows: list[Any], detector: NamedDetector, detect_fps: float | None
) -> list[LineCrossed]:
    lines = [
        NamedLine(str(number), Line(Point(*row["line"][:2]), Point(*row["line"][2:])))
        for number, row in enumerate(rows)
    ]
    source = open_source(str(clip), camera="CAM-1", clock=lambda: START, realtime=False)
    pipeline = CameraPipeline([CrossingStage(lines)], detect_fps=detect_fps)
    return [
        event for each in analyse(source, detector, pipeline) for event in each.events
    ]


def wrong(rows: list[Any], events: list[LineCrossed]) -> int:
    """Return by how much the counts on the stable lines are off."""
    error = 0
    for number, row in enumerate(rows):
        told = [each.direction for each in events if each.line == str(number)]
        if row["stable"]:
            error += abs(told.count(Direction.IN) - row["in"])
            error += abs(told.count(Direction.OUT) - row["out"])
    return error


@pytest.mark.weights
class TestCounts:
    @pytest.mark.parametrize("detect_fps", [None, DETECT_FPS, 7.0])
    def test_are_right_but_for_a_few(
        self, shared: Path, detect_fps: float | None
    ) -> None:
        detector = load_detector(shared / "models/yolo11n_int8_openvino_model")
        truth = json.loads((shared / "samples/line_truth.json").read_text())
        clips = {name: rows for name, rows in truth.items() if name != "note"}
        stable = [row for rows in clips.values() for row in rows if row["stable"]]
        assert sum(row["in"] + row["out"] for row in stable) == CROSSINGS
        error = sum(
            wrong(
                rows, crossings(shared / "samples" / name, rows, detector, detect_fps)
            )
            for name, rows in clips.items()
        )
        assert error <= WRONG_AT_MOST
