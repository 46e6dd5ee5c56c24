"""What detectors make of people at a door, as tables of boxes, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from math import sin
from typing import TYPE_CHECKING

import numpy as np
import pytest
import supervision

from occupancy.pipeline import CrossingStage
from occupancy.rules import Direction
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.tracking import ByteTracker
from streaming.vision.types import Box, Detection, Label, Point
from tests.scenes import ASPECT, box_at, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from occupancy.pipeline import LineCrossed

    Walker = Callable[[float], "Seen | None"]

RATES = [7.0, 10.0, 25.0]
"""Pictures analysed a second."""
LASTS_S = 6.0
BODY = 0.3
BODY_X = BODY / ASPECT
"""A body height to the side, as a share of the picture's width."""
DOOR = Line(Point(0.5, 0), Point(0.5, 1))
KERB = Line(Point(0, 0.75), Point(1, 0.75))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a detector tells of somebody in one picture."""

    box: Box
    confidence: float = 0.9
    naive_id: int = 1
    """As a tracker tells it that joins nothing."""


@dataclass(frozen=True, slots=True)
class Scene:
    name: str
    walkers: Sequence[Walker]
    """What is seen of each at a time in seconds."""
    into: int = 0
    out: int = 0
    line: Line = DOOR

    def __str__(self) -> str:
        return self.name


def walked(seconds: float, *, start: float = 0.2, speed: float = 0.1) -> float:
    return start + speed * seconds


def passes(seconds: float) -> Seen | None:
    return Seen(box_at(walked(seconds), 0.8))


def leaves(seconds: float) -> Seen | None:
    return Seen(box_at(walked(seconds, start=0.8, speed=-0.1), 0.8))


def runs(seconds: float) -> Seen | None:
    """Go at 4 body heights a second, seven metres for most."""
    x = walked(seconds, start=0.05, speed=4 * BODY_X)
    return Seen(box_at(x, 0.8)) if x < 0.95 else None


def rides(seconds: float) -> Seen | None:
    """Be a motorcycle, wider than it is high, at 6 heights a second."""
    x = walked(seconds, start=0.1, speed=6 * BODY_X)
    half = 0.6 * BODY_X
    return Seen(Box(x - half, 0.5, x + half, 0.8)) if x < 0.9 else None


def turns_back(seconds: float) -> Seen | None:
    way = min(seconds, LASTS_S - seconds)
    return Seen(box_at(walked(way), 0.8))


def stands_on_the_line(seconds: float) -> Seen | None:
    return Seen(box_at(0.5 + 0.06 * BODY_X * sin(9 * seconds), 0.8))


def lingers(seconds: float) -> Seen | None:
    """Walk to the line, stand on it for three seconds, and go on."""
    if 1.5 <= seconds < 4.5:
        return Seen(box_at(0.5 + 0.06 * BODY_X * sin(9 * seconds), 0.8))
    way = seconds if seconds < 1.5 else seconds - 3.0
    return Seen(box_at(walked(way, start=0.35), 0.8))


def flickers(seconds: float) -> Seen | None:
    """Miss it in every third tenth of a second."""
    return None if int(seconds * 10) % 3 == 0 else passes(seconds)


def is_unsure(seconds: float) -> Seen | None:
    seen = passes(seconds)
    return Seen(seen.box, 0.15) if seen and 2 <= seconds < 4 else seen


def is_hidden_on_the_line(seconds: float) -> Seen | None:
    if 2.5 <= seconds < 3.7:
        return None
    seen = passes(seconds)
    return Seen(seen.box, naive_id=1 if seconds < 3 else 2) if seen else None


def is_never_told_apart(seconds: float) -> Seen | None:
    """Be somebody whom the naive tracker gives the id of all that it does not know."""
    seen = turns_back(seconds)
    return Seen(seen.box, naive_id=-1) if seen else None


def stays_over_there(seconds: float) -> Seen | None:
    return Seen(box_at(0.9, 0.6), naive_id=-1)


def has_feet_hidden(seconds: float) -> Seen | None:
    """Stand below the kerb, behind a box that is pushed past for two seconds."""
    whole = box_at(0.5, 0.8)
    if not 2 <= seconds < 4:
        return Seen(whole)
    return Seen(Box(whole.x1, whole.y1, whole.x2, 0.68))


def appears_on_the_line(seconds: float) -> Seen | None:
    """Be seen from 0.05 body heights before the line on, as if let out of a lift."""
    return Seen(box_at(0.5 - 0.05 * BODY_X + 0.001 * seconds, 0.8))


def wavers_at_the_knees(seconds: float) -> Seen | None:
    """Stand just above the kerb, one picture in four with a box too long."""
    is_long = int(seconds * 25) % 4 == 0
    return Seen(box_at(0.5, 0.756 if is_long else 0.735, height=BODY))


def behind(other: Walker) -> Walker:
    """Walk the other way, hidden while the one in front is within a third of a body."""

    def seen(seconds: float) -> Seen | None:
        mine, front = leaves(seconds), other(seconds)
        assert mine
        assert front
        apart = abs(mine.box.ground.x - front.box.ground.x)
        met = apart < BODY_X / 3
        return None if met else Seen(mine.box, naive_id=5 if seconds < 3 else 6)

    return seen


SCENES = [
    Scene("passes", [passes], into=1),
    Scene("leaves", [leaves], out=1),
    Scene("runs", [runs], into=1),
    Scene("rides", [rides], into=1),
    Scene("passes and leaves at once", [passes, behind(passes)], into=1, out=1),
    Scene("turns back on the line", [turns_back]),
    Scene("stands on the line", [stands_on_the_line]),
    Scene("lingers on the line", [lingers], into=1),
    Scene("flickers", [flickers], into=1),
    Scene("is unsure", [is_unsure], into=1),
    Scene("is hidden on the line", [is_hidden_on_the_line], into=1),
    Scene("two without an id", [is_never_told_apart, stays_over_there]),
    Scene("has the feet hidden", [has_feet_hidden], line=KERB),
    Scene("appears on the line", [appears_on_the_line]),
    Scene("wavers at the knees", [wavers_at_the_knees], line=KERB),
]


def pictures(scene: Scene, fps: float) -> list[list[Seen]]:
    return [
        [seen for walker in scene.walkers if (seen := walker(number / fps))]
        for number in range(round(LASTS_S * fps))
    ]


def counted(scene: Scene, fps: float) -> tuple[int, int]:
    """Return in and out as the tracker and the stage have them."""
    tracker = ByteTracker()
    stage = CrossingStage([NamedLine("Door", scene.line)])
    told: list[LineCrossed] = []
    for number, seen in enumerate(pictures(scene, fps)):
        found = [Detection(one.box, Label.PERSON, one.confidence) for one in seen]
        update = tracker.update(found, elapsed_s=1 / fps, aspect=ASPECT)
        told += stage.observe(frame(number), update.tracks)
    ways = [each.direction for each in told]
    return ways.count(Direction.IN), ways.count(Direction.OUT)


def naively_counted(scene: Scene, fps: float) -> tuple[int, int]:
    """Return in and out as supervision's LineZone has them."""
    start, end = (
        supervision.Point(each.x * 1600, each.y * 900)
        for each in (scene.line.a, scene.line.b)
    )
    zone = supervision.LineZone(
        start,
        end,
        triggering_anchors=[supervision.Position.BOTTOM_CENTER],
    )
    scale = np.array([1600, 900, 1600, 900])
    for seen in pictures(scene, fps):
        boxes = [(one.box.x1, one.box.y1, one.box.x2, one.box.y2) for one in seen]
        zone.trigger(
            supervision.Detections(
                xyxy=np.array(boxes).reshape(-1, 4) * scale,
                class_id=np.zeros(len(seen), int),
                tracker_id=np.array([one.naive_id for one in seen], int),
            )
        )
    return zone.in_count, zone.out_count


class TestCounts:
    @pytest.mark.parametrize("fps", RATES)
    @pytest.mark.parametrize("scene", SCENES, ids=str)
    def test_are_right(self, scene: Scene, fps: float) -> None:
        assert counted(scene, fps) == (scene.into, scene.out)

    def test_are_wrong_where_boxes_alone_are_believed(self) -> None:
        wrong = {
            scene.name
            for scene in SCENES
            if naively_counted(scene, 10.0) != (scene.into, scene.out)
        }
        assert wrong >= {
            "stands on the line",
            "is hidden on the line",
            "has the feet hidden",
        }
