"""Miscounts on lines that nobody chose: the given ones, moved aside, on the same clips.

Counts on a handful of lines flatter or wrong by chance. Here every line of
`line_truth.json` is moved by up to a twentieth of the picture, and the truth comes from
the annotations that it was made from (MOTChallenge 2D MOT 2015, `gt.txt` of
PETS09-S2L1 and TUD-Stadtmitte, renamed after the sequence). They are no part of the
project, so their folder has to be given.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
from ultralytics import YOLO  # type: ignore[attr-defined]

from streaming.vision.detectors import load_detector
from streaming.vision.geometry import Line
from streaming.vision.types import Point

from .pipeline import WEIGHTS, clip, naive, ours, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .pipeline import Clip, Counts
    from .tables import Tables

    Ends = tuple[float, float, float, float]
    Paths = Sequence[Sequence[Point]]

SEQUENCES = {
    "clips/pets_300f_768x576.mp4": "PETS09-S2L1",
    "clips/tud_stadtmitte.mp4": "TUD-Stadtmitte",
}
SHIFTS = (-0.05, -0.03, -0.02, 0.0, 0.02, 0.03, 0.05)
BANDS_PX = (3, 6, 10)
"""A line is used where the truth is the same for each, as in `line_truth.json`."""
RATES = (7.0, 10.0, 25.0)


def run(shared: Path, *, annotations: Path | None) -> Tables:
    if annotations is None:
        sys.exit("Say where the annotations are: --annotations FOLDER.")
    weights = shared / "models" / WEIGHTS
    model, detector = YOLO(str(weights), task="detect"), load_detector(weights)
    ways: dict[str, Callable[[Clip], Counts]] = {
        "naive": lambda clip: naive(model, clip),
    }
    for rate in RATES:
        ways[f"{rate:.0f} fps"] = partial(ours, detector, detect_fps=rate)
    clips = list(shifted(shared, annotations))
    rows = [measured(way, count, clip) for clip in clips for way, count in ways.items()]
    return {"shifted": rows}


def measured(
    way: str, count: Callable[[Clip], Counts], clip: Clip
) -> dict[str, object]:
    return {
        "clip": clip.path.name,
        "way": way,
        "lines": len(clip.lines),
        "wrong": wrong(count(clip), clip.truth),
        "of": sum(sum(pair) for pair in clip.truth),
    }


def shifted(shared: Path, annotations: Path) -> Iterator[Clip]:
    given = json.loads((shared / "samples" / "line_truth.json").read_text())
    for name, sequence in SEQUENCES.items():
        path = shared / "samples" / name
        known = clip(path, given[name])
        picture = size(path)
        walked = paths(annotations / f"{sequence}.txt", known.frames, picture)
        truths = {
            ends: truth
            for ends in moved(given[name])
            if (truth := truth_of(ends, walked, picture)) is not None
        }
        yield replace(known, lines=list(truths), truth=list(truths.values()))


def size(path: Path) -> tuple[int, int]:
    video = cv2.VideoCapture(str(path))
    return (
        int(video.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    )


def paths(file: Path, frames: int, picture: tuple[int, int]) -> Paths:
    """Return where each person's feet are, picture by picture."""
    width, height = picture
    walked: dict[str, list[tuple[int, Point]]] = defaultdict(list)
    with file.open() as lines:
        for row in csv.reader(lines):
            frame, left, top, wide, high = int(row[0]), *map(float, row[2:6])
            if frame <= frames:
                feet = Point((left + wide / 2) / width, (top + high) / height)
                walked[row[1]].append((frame, feet))
    return [
        [feet for _, feet in sorted(each, key=lambda one: one[0])]
        for each in walked.values()
    ]


def moved(rows: Sequence[dict[str, Any]]) -> Iterator[Ends]:
    """Give each line at each shift, upright ones moved sideways and others up."""
    for row in rows:
        x1, y1, x2, y2 = row["line"]
        for shift in SHIFTS:
            aside, up = (shift, 0.0) if x1 == x2 else (0.0, shift)
            yield x1 + aside, y1 + up, x2 + aside, y2 + up


def truth_of(
    ends: Ends, walked: Paths, picture: tuple[int, int]
) -> tuple[int, int] | None:
    """Return who went in and out, or None where that hangs on the dead band."""
    x1, y1, x2, y2 = ends
    line = Line(Point(x1, y1), Point(x2, y2))
    width, height = picture
    told = {
        tuple(
            counted(line, path, aspect=width / height, band=band / height)
            for path in walked
        )
        for band in BANDS_PX
    }
    if len(told) > 1:
        return None
    (each,) = told
    return sum(into for into, _ in each), sum(out for _, out in each)


def counted(
    line: Line, path: Sequence[Point], *, aspect: float, band: float
) -> tuple[int, int]:
    """Return how often one went in and out of a line across the whole picture."""
    distances = [line.distance(feet, aspect) for feet in path]
    sides = [distance > 0 for distance in distances if abs(distance) > band]
    changes = [then for before, then in pairwise(sides) if before != then]
    return sum(changes), len(changes) - sum(changes)
