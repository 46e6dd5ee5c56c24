"""Turns tracks of vehicles into the plates that were read of each."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid5

from streaming.vision.annotate import encode_jpeg, shrink
from streaming.vision.types import Box, Label

from .pipeline import NAMESPACE, PlateOffered
from .plates import FoundPlate, cut
from .rules import refusal
from .voting import fused, vote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from streaming.vision.types import Frame, Image, Point, Track

    from .formats import Format
    from .plates import PlateModel
    from .rules import GatePolicy
    from .voting import Consensus, PlateRead

WITH_PLATES: Final = {Label.CAR, Label.MOTORCYCLE, Label.BUS, Label.TRUCK}
LOOKS_PER_S: Final = 5
"""Pictures closer together err in the same way."""
SLOWER_EVERY: Final = 10
"""A vehicle that stands still is looked at again after a tenth of the time it stands:
one that is parked in view for an hour costs next to nothing."""
MOVED: Final = 0.1
"""Share of its own height by which a vehicle must move to be looked at afresh."""
WAIT_S: Final = 4.0
"""After so long without two reads that agree, what there is is told."""
STILL_THERE_S: Final = 20.0
"""So often a vehicle that stays is told of: well within what is still the same visit,
so that one that is followed anew after a long stay does not come a second time."""
READS_KEPT: Final = 12
LASTS_S: Final = 1.0
"""What was in view for less is no visit, if nothing was read."""
PLATE_AROUND: Final = 0.2
SNAPSHOT_WIDTH_PX: Final = 960
QUALITY: Final = 88


@dataclass(frozen=True, slots=True)
class _Shown:
    """A vehicle in one picture."""

    snapshot: Image
    plate: Image | None
    ground: Point
    frame_index: int
    at: datetime


@dataclass(slots=True)
class _Visit:
    """What is known of one track."""

    camera: str
    session: str
    label: Label
    first_seen_at: datetime
    since_s: float
    """Since when it has stood where it stands."""
    place: Point
    first_s: float
    """When it came into view."""
    looked_s: float = -math.inf
    last_s: float = -math.inf
    reads: list[PlateRead] = field(default_factory=list)
    shown: dict[int, _Shown] = field(default_factory=dict)
    """The pictures of the reads that are kept, by frame."""
    seen: _Shown = field(init=False)
    """The last picture in which it was looked at: from the first one on."""
    has_news: bool = False
    """Whether something was read since it was told of last."""
    offers: int = 0
    settled: PlateOffered | None = None
    """What was told when its plate was sure, without the pictures."""
    told_s: float = -math.inf
    """When it was told of last, once it is settled."""

    def interval_s(self, seconds: float) -> float:
        return max(1 / LOOKS_PER_S, (seconds - self.since_s) / SLOWER_EVERY)

    def keep(self, read: PlateRead, shown: _Shown) -> None:
        """Keep a read; of too many the least sure goes."""
        self.has_news = True
        self.reads.append(read)
        self.shown[read.frame_index] = shown
        if len(self.reads) > READS_KEPT:
            worst = min(self.reads, key=lambda each: (each.lowest, each.frame_index))
            self.reads.remove(worst)
            del self.shown[worst.frame_index]


class PlateStage:
    """Implements `Stage`: reads each vehicle's plate until two pictures agree.

    Plates are looked for while some vehicle needs one, and no more once they are sure.
    A vehicle that goes on without a sure plate is told of too, after a while and at
    its end: no visit is lost without a word. One that stays is told of now and then.
    """

    def __init__(
        self, model: PlateModel, *, formats: Sequence[Format], policy: GatePolicy
    ) -> None:
        self._model = model
        self._formats = formats
        self._policy = policy
        self._visits: dict[int, _Visit] = {}

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[PlateOffered]:
        """Give what is sure, or overdue, at this frame."""
        vehicles = [
            track for track in tracks if track.confirmed and track.label in WITH_PLATES
        ]
        due = [
            track
            for track in vehicles
            if self._is_due(self._visit(track, frame), track, frame)
        ]
        plates = self._plates_of(frame.image, due, vehicles) if due else {}
        for track in due:
            visit = self._visits[track.id]
            self._look(frame, track, plates.get(track.id), visit)
            yield from self._news(track.id, visit, frame.seconds)
        for track in vehicles:
            yield from self._still_there(self._visits[track.id], frame)

    def forget(self, track_id: int) -> tuple[PlateOffered, ...]:
        """Drop a track that has ended; give what was not told of it."""
        visit = self._visits.pop(track_id, None)
        if visit is None or visit.settled:
            return ()
        lasted_s = visit.last_s - visit.first_s
        if visit.offers and not visit.has_news:
            return ()
        if not visit.reads and lasted_s < LASTS_S:
            return ()
        return (self._offer(track_id, visit),)

    def _visit(self, track: Track, frame: Frame) -> _Visit:
        visit = self._visits.get(track.id)
        if visit is None:
            visit = self._visits[track.id] = _Visit(
                camera=frame.camera,
                session=frame.session,
                label=track.label,
                first_seen_at=frame.at,
                since_s=frame.seconds,
                place=track.ground,
                first_s=frame.seconds,
            )
        visit.last_s = frame.seconds
        return visit

    def _is_due(self, visit: _Visit, track: Track, frame: Frame) -> bool:
        if visit.settled:
            return False
        way = math.hypot(
            (track.ground.x - visit.place.x) * frame.aspect,
            track.ground.y - visit.place.y,
        )
        if way > MOVED * track.height:
            visit.since_s, visit.place = frame.seconds, track.ground
        return frame.seconds - visit.looked_s >= visit.interval_s(frame.seconds)

    def _plates_of(
        self, image: Image, due: Sequence[Track], vehicles: Sequence[Track]
    ) -> dict[int, FoundPlate]:
        """Return the surest plate of each vehicle that is due, by track.

        They are looked for in the whole picture at once. Where that shows none they are
        too small in it, and looked for in the vehicle's part alone.
        """
        found: dict[int, FoundPlate] = {}
        for plate in self._model.finder.find(image):
            found.setdefault(_owner(plate.box, vehicles), plate)
        for track in due:
            part = _within(track.box)
            if track.id in found or part.width <= 0 or part.height <= 0:
                continue
            for plate in self._model.finder.find(cut(image, part)):
                moved = FoundPlate(_moved(plate.box, part), plate.confidence)
                if _owner(moved.box, vehicles) == track.id:
                    found.setdefault(track.id, moved)
        return found

    def _look(
        self, frame: Frame, track: Track, found: FoundPlate | None, visit: _Visit
    ) -> None:
        visit.looked_s = frame.seconds
        visit.label = track.label
        reads = (
            self._model.reads(frame.image, found, frame_index=frame.index)
            if found
            else []
        )
        visit.seen = _shown(frame, track, found if reads else None)
        if read := fused(reads, self._formats):
            visit.keep(read, visit.seen)

    def _news(
        self, track_id: int, visit: _Visit, seconds: float
    ) -> Iterator[PlateOffered]:
        plate = self._plate(visit)
        if plate is not None and refusal(plate, self._policy) is None:
            offered = self._offer(track_id, visit)
            visit.settled = replace(offered, snapshot=b"", plate=b"")
            visit.told_s = seconds
            yield offered
            visit.reads.clear()
            visit.shown.clear()
        elif not visit.offers and visit.reads and seconds - visit.first_s >= WAIT_S:
            yield self._offer(track_id, visit)

    def _still_there(self, visit: _Visit, frame: Frame) -> Iterator[PlateOffered]:
        if visit.settled is None or frame.seconds - visit.told_s < STILL_THERE_S:
            return
        visit.told_s = frame.seconds
        event_id = _event_id(visit, visit.settled.track_id)
        visit.offers += 1
        yield replace(
            visit.settled, event_id=event_id, seen_at=frame.at, is_more_of_same=True
        )

    def _plate(self, visit: _Visit) -> Consensus | None:
        return vote(visit.reads, self._formats)

    def _offer(self, track_id: int, visit: _Visit) -> PlateOffered:
        """Make the event; its picture is the one of the deciding read."""
        plate = self._plate(visit)
        deciding = plate.deciding if plate else None
        shown = visit.shown[deciding.frame_index] if deciding else visit.seen
        event_id = _event_id(visit, track_id)
        visit.offers += 1
        visit.has_news = False
        return PlateOffered(
            event_id=event_id,
            camera=visit.camera,
            session=visit.session,
            track_id=track_id,
            label=visit.label,
            first_seen_at=visit.first_seen_at,
            at=shown.at,
            seen_at=visit.seen.at,
            x=min(max(shown.ground.x, 0.0), 1.0),
            y=min(max(shown.ground.y, 0.0), 1.0),
            reads=tuple(sorted(visit.reads)),
            snapshot=encode_jpeg(shown.snapshot, quality=QUALITY),
            plate=b""
            if shown.plate is None
            else encode_jpeg(shown.plate, quality=QUALITY),
            frame_index=shown.frame_index,
            reader=self._model.reader.name,
        )


def _event_id(visit: _Visit, track_id: int) -> UUID:
    facts = [visit.session, visit.camera, track_id, visit.offers]
    return uuid5(NAMESPACE, json.dumps(facts))


def _shown(frame: Frame, track: Track, plate: FoundPlate | None) -> _Shown:
    """Take down what may be told, which keeps nothing else of the picture."""
    vehicle = shrink(cut(frame.image, track.box), max_width=SNAPSHOT_WIDTH_PX)
    return _Shown(
        snapshot=vehicle.copy(),
        plate=cut(frame.image, plate.box, around=PLATE_AROUND).copy()
        if plate
        else None,
        ground=track.ground,
        frame_index=frame.index,
        at=frame.at,
    )


def _within(box: Box) -> Box:
    """Return the part of a box that is in the picture."""
    return Box(max(box.x1, 0.0), max(box.y1, 0.0), min(box.x2, 1.0), min(box.y2, 1.0))


def _moved(box: Box, part: Box) -> Box:
    """Return where a box in a part of the picture is in the whole of it."""
    return Box(
        part.x1 + box.x1 * part.width,
        part.y1 + box.y1 * part.height,
        part.x1 + box.x2 * part.width,
        part.y1 + box.y2 * part.height,
    )


def _owner(plate: Box, vehicles: Sequence[Track]) -> int:
    """Return whose plate it is: the nearest one's around it; 0 where there is none."""
    x, y = (plate.x1 + plate.x2) / 2, (plate.y1 + plate.y2) / 2
    around = [
        track
        for track in vehicles
        if track.box.x1 <= x <= track.box.x2 and track.box.y1 <= y <= track.box.y2
    ]
    nearest = max(around, key=lambda track: track.box.y2, default=None)
    return nearest.id if nearest else 0
