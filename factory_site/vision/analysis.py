"""Analysis of one recording: the live pipeline over every frame, with a report."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from factory_site.pipelines import (
    Event,
    drawn_of,
    recognise,
    stages_of,
    the_recogniser,
)
from identity.models import AccessLog, Employee
from identity.pipeline import FaceOffered
from identity.rules import standing
from occupancy.pipeline import LineCrossed
from occupancy.zone_stage import ZoneCounted, ZoneEntered, ZoneFull, ZoneLoitered
from streaming.models import Camera
from streaming.vision.pipeline import CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.types import Frame
from vehicles.arrivals import Arrival
from vehicles.pipeline import PlateOffered
from vehicles.services import record_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from occupancy.zone_stage import InZone
    from streaming.vision.geometry import NamedLine
    from streaming.vision.pipeline import Analysis
    from streaming.vision.plans import CameraPlan, ZonePlan
    from streaming.vision.ports import Detector
    from streaming.vision.sources import VideoSource

    Seen = Callable[[Analysis[Event]], None]
    Identify = Callable[[FaceOffered], "Identity"]
    Decide = Callable[[PlateOffered], "Plate"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose the faces of one visit are."""

    frame: int
    """With the best face, from 1."""
    track: int
    decision: str
    employee: str | None
    """Code of who was recognised."""
    similarity: float | None
    runner_up: float | None


def identity_of(offer: FaceOffered) -> Identity:
    """Compare the faces with the people of the camera's site; record nothing."""
    site_id = Camera.objects.values_list("site_id", flat=True).get(code=offer.camera)
    verdict = the_recogniser().judge(offer.faces, site_id=site_id)
    employee = Employee.objects.get(pk=verdict.person) if verdict.person else None
    return Identity(
        frame=offer.frame_index + 1,
        track=offer.track_id,
        decision=standing(verdict, may_enter=bool(employee and employee.may_enter)),
        employee=employee.code if employee else None,
        similarity=_rounded(verdict.similarity),
        runner_up=_rounded(verdict.runner_up),
    )


def recorded_identity_of(offer: FaceOffered) -> Identity:
    """Record who it is as the vision worker does, and tell what was recorded."""
    seen = recognise(offer)
    if seen is None:
        raise Camera.DoesNotExist(offer.camera)
    log = AccessLog.objects.with_names().get(pk=seen.access_log_id)
    return Identity(
        frame=offer.frame_index + 1,
        track=offer.track_id,
        decision=log.decision,
        employee=log.employee.code if log.employee else None,
        similarity=_rounded(log.similarity),
        runner_up=_rounded(log.runner_up),
    )


@dataclass(frozen=True, slots=True)
class Plate:
    """Which plate one vehicle has, and what its gate makes of it."""

    frame: int
    """With the deciding read, from 1."""
    track: int
    text: str
    """After the format; empty where nothing was read."""
    as_read: str
    decision: str
    reason: str
    confidence: float
    """Of the worst character."""
    agreeing: int
    """How many pictures say exactly this."""
    reads: int
    """In how many something was read."""


def plate_of(offer: PlateOffered) -> Plate:
    """Decide as the camera's gate would; record nothing."""
    arrival = Arrival.of(offer, Camera.objects.get(code=offer.camera))
    plate, decision = arrival.plate, arrival.decision
    return Plate(
        frame=offer.frame_index + 1,
        track=offer.track_id,
        text=plate.text if plate else "",
        as_read=plate.deciding.text if plate and plate.deciding else "",
        decision=decision.status,
        reason=decision.reason,
        confidence=round(plate.confidence, 4) if plate else 0.0,
        agreeing=plate.agreeing if plate else 0,
        reads=len(offer.reads),
    )


def recorded_plate_of(offer: PlateOffered) -> Plate:
    """Record the visit as the vision worker does, and tell what was recorded."""
    log = record_visit(event=offer)
    if log is None:
        raise Camera.DoesNotExist(offer.camera)
    return Plate(
        frame=offer.frame_index + 1,
        track=offer.track_id,
        text=log.plate_number,
        as_read=log.as_read,
        decision=log.status,
        reason=log.reason,
        confidence=round(log.ocr_confidence, 4),
        agreeing=log.agreeing,
        reads=len(log.reads),
    )


@dataclass(frozen=True, slots=True)
class Judges:
    """Who says whose faces and which plates they are."""

    identify: Identify = identity_of
    decide: Decide = plate_of


RECORDING: Final = Judges(recorded_identity_of, recorded_plate_of)
"""Those that record it too."""


def _rounded(similarity: float | None) -> float | None:
    return None if similarity is None else round(similarity, 4)


@dataclass(slots=True)
class Report:
    """What was found; frames are counted from 1.

    `seconds` is how long the analysis took, from the first frame on with the weights
    loaded, and `fps` frames per such second;
    `video_seconds` is how long the recording plays.
    """

    lines: Sequence[NamedLine]
    judges: Judges = field(default_factory=Judges)
    zones: Sequence[ZonePlan] = ()
    frames: int = 0
    frames_analysed: int = 0
    video_seconds: float = 0.0
    seconds: float = 0.0
    track_ids: set[int] = field(default_factory=set)
    crossings: list[LineCrossed] = field(default_factory=list)
    in_zones: list[InZone] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    plates: dict[int, Plate] = field(default_factory=dict)
    """What was said last of each vehicle, by its track."""

    def count(self, seconds: float) -> None:
        """Take note of a decoded frame, analysed or not."""
        self.frames += 1
        self.video_seconds = seconds

    def add(self, analysis: Analysis[Event]) -> None:
        self.frames_analysed += analysis.analysed
        self.track_ids.update(t.id for t in analysis.tracks if t.confirmed)
        self.note(analysis.events)

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, FaceOffered):
                self.identities.append(self.judges.identify(event))
            elif isinstance(event, PlateOffered):
                self.plates[event.track_id] = self.judges.decide(event)
            elif isinstance(event, LineCrossed):
                self.crossings.append(event)
            else:
                self.in_zones.append(event)

    def as_json(self) -> dict[str, Any]:
        return {
            "frames": self.frames,
            "frames_analysed": self.frames_analysed,
            "video_seconds": round(self.video_seconds, 3),
            "seconds": round(self.seconds, 3),
            "fps": round(self.frames / self.seconds, 2) if self.seconds else 0.0,
            "tracks": len(self.track_ids),
            "lines": [self._line(line) for line in self.lines],
            "zones": [self._zone(zone) for zone in self.zones],
            "identities": [asdict(identity) for identity in self.identities],
            "plates": [asdict(plate) for plate in self.plates.values()],
        }

    def _line(self, line: NamedLine) -> dict[str, Any]:
        a, b = line.line.a, line.line.b
        crossings = [
            {
                "frame": crossing.frame_index + 1,
                "track": crossing.track_id,
                "direction": crossing.direction.value,
            }
            for crossing in self.crossings
            if (crossing.line_id, crossing.line) == (line.id, line.name)
        ]
        directions = [crossing["direction"] for crossing in crossings]
        return {
            "name": line.name,
            "line": [a.x, a.y, b.x, b.y],
            "in": directions.count("in"),
            "out": directions.count("out"),
            "crossings": crossings,
        }

    def _zone(self, zone: ZonePlan) -> dict[str, Any]:
        told = [
            (event.frame_index + 1, event)
            for event in self.in_zones
            if (event.zone_id, event.zone) == (zone.id, zone.name)
        ]
        counts = [each.count for _, each in told if isinstance(each, ZoneCounted)]
        return {
            "name": zone.name,
            "most": max(counts, default=0),
            "entered": [
                {"frame": frame, "track": each.track_id}
                for frame, each in told
                if isinstance(each, ZoneEntered)
            ],
            "loitered": [
                {"frame": frame, "track": each.track_id, "seconds": each.seconds}
                for frame, each in told
                if isinstance(each, ZoneLoitered)
            ],
            "fullness": [
                {"frame": frame, "count": each.count, "state": each.fullness.value}
                for frame, each in told
                if isinstance(each, ZoneFull)
            ],
        }


def warm_up(detector: Detector, *, width: int, height: int) -> None:
    """Have the detector load what it needs for pictures of this size."""
    black = np.zeros((height, width, 3), np.uint8)
    never = datetime.min.replace(tzinfo=UTC)
    detector.detect([Frame("", "", 0, never, 0.0, black)])


def analyse_recording(
    plan: CameraPlan,
    source: VideoSource,
    detector: Detector,
    *,
    every_picture: bool,
    seen: Seen,
    judges: Judges | None = None,
) -> Report:
    """Analyse a recording as the camera of `plan`; `seen` is called for each frame.

    `every_picture` also delivers the frames between those analysed; `judges` say whose
    the offered faces are and which the plates; without any nothing is recorded. Raises
    SourceError.
    """
    pipeline = CameraPipeline(
        stages_of(plan), drawn=drawn_of(plan), detect_fps=plan.detect_fps
    )
    report = Report(plan.lines, judges or Judges(), plan.zones)
    began_s = time.perf_counter()
    for analysis in analyse(
        source,
        detector,
        pipeline,
        every_frame=every_picture,
        on_frame=report.count,
    ):
        report.add(analysis)
        seen(analysis)
    report.note(pipeline.finish())
    report.seconds = time.perf_counter() - began_s
    return report
