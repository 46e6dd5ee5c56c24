"""Turns tracks of people into the faces by which they may be recognised."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid5

from streaming.vision.annotate import encode_jpeg, shrink
from streaming.vision.types import Box, Label, Point

from .faces import crop, find_within, measure, portrait
from .heads import owners, region
from .pipeline import NAMESPACE, FaceCrop, FaceOffered
from .quality import is_usable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from streaming.vision.types import Frame, Image, Track

    from .faces import FaceFinder
    from .quality import FaceQuality

LOOKS_PER_S: Final = 5
SHY_LOOKS_PER_S: Final = 1
SHY_AFTER_S: Final = 5.0
"""After so long without a usable face a track is looked at less often."""
EARLY_S: Final = 0.02
"""By how much a look may be early: frames do not come exactly on time."""
FACES_KEPT: Final = 3
GOOD_SCORE: Final = 0.5
"""A face of this score is worth no more waiting: sharp, frontal and 80 px high."""
WAIT_S: Final = 1.5
"""For how long better faces are waited for: a step or two."""
SNAPSHOT_AROUND: Final = 0.1
SNAPSHOT_HEIGHT_PX: Final = 640
SNAPSHOT_QUALITY: Final = 85
CROP_QUALITY: Final = 95
"""Nearly lossless: it is compared."""
CROP_WIDTH_PX: Final = 448
"""Of a crop that is twice as wide as its face: twice what face models look at."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A face of a track, with what is needed to offer it."""

    quality: FaceQuality
    crop: Image
    ground: Point
    camera: str
    session: str
    frame_index: int
    at: datetime


@dataclass(slots=True)
class _Visit:
    """What is known of one track."""

    came_at: datetime
    """When the track came into view."""
    since_s: float
    """When a usable face was seen last or, without any, since when one is wanted."""
    offers: int = 0
    first_s: float = math.inf
    """When the first usable face since the last offer was seen."""
    best: list[_Seen] = field(default_factory=list)
    """Best first."""
    snapshot: Image = field(init=False)
    """The person in the moment of the best, once there is one."""

    def keep(self, seen: _Seen, seconds: float) -> bool:
        """Keep a face if it is among the best; tell whether it is the best."""
        self.first_s = min(self.first_s, seconds)
        self.since_s = seconds
        self.best.append(seen)
        self.best.sort(key=lambda each: each.quality.score, reverse=True)
        del self.best[FACES_KEPT:]
        return self.best[0] is seen

    def is_ready(self, seconds: float) -> bool:
        """Tell whether its faces are good enough, or were waited for long enough."""
        if seconds - self.first_s >= WAIT_S:
            return True
        good = [each for each in self.best if each.quality.score >= GOOD_SCORE]
        return len(good) == FACES_KEPT

    def rest(self, until_s: float) -> None:
        self.offers += 1
        self.first_s, self.best = math.inf, []
        del self.snapshot
        self.since_s = until_s


class FaceStage:
    """Implements `Stage`: offers the best faces of each person, once in a while.

    All faces are looked for, and only while somebody needs one: each track once, and
    again when `cooldown_s` of media time have passed since. It is looked once for all
    of them, where their heads may be, in the picture's full size: that takes a fifth of
    what the whole picture would. Looks are 0.2 s or more apart, so that faces differ.
    """

    def __init__(self, finder: FaceFinder, *, cooldown_s: float) -> None:
        self._finder = finder
        self._cooldown_s = cooldown_s
        self._visits: dict[int, _Visit] = {}
        self._came_at: dict[int, datetime] = {}
        """Of each track in view; tracks are wanted only when they are confirmed."""
        self._looked_s = -math.inf

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[FaceOffered]:
        """Give the offers that are due at this frame."""
        people = [track for track in tracks if track.label is Label.PERSON]
        for track in people:
            self._came_at.setdefault(track.id, frame.at)
        wanting = {track.id for track in people if self._wants(track, frame.seconds)}
        if wanting and self._is_due(wanting, frame.seconds):
            self._looked_s = frame.seconds
            self._look(frame, people, wanting)
        for track_id, visit in self._visits.items():
            if visit.is_ready(frame.seconds):
                yield _offer(track_id, visit)
                visit.rest(frame.seconds + self._cooldown_s)

    def forget(self, track_id: int) -> tuple[FaceOffered, ...]:
        """Drop a track that has ended; give its faces that were not offered yet."""
        self._came_at.pop(track_id, None)
        visit = self._visits.pop(track_id, None)
        return (_offer(track_id, visit),) if visit and visit.best else ()

    def _wants(self, track: Track, seconds: float) -> bool:
        """Tell whether a face of this track is wanted now, and begin to want it."""
        if not track.confirmed:
            return False
        if track.id not in self._visits:
            self._visits[track.id] = _Visit(self._came_at[track.id], since_s=seconds)
        return self._visits[track.id].since_s <= seconds

    def _is_due(self, wanting: Collection[int], seconds: float) -> bool:
        since_s = max(self._visits[track_id].since_s for track_id in wanting)
        is_shy = seconds - since_s > SHY_AFTER_S
        interval_s = 1 / (SHY_LOOKS_PER_S if is_shy else LOOKS_PER_S)
        passed_s = seconds - self._looked_s
        # A new session counts its seconds from 0 again.
        return passed_s < 0 or passed_s >= interval_s - EARLY_S

    def _look(
        self, frame: Frame, people: Sequence[Track], wanting: Collection[int]
    ) -> None:
        """Find the faces in a frame and keep those that are wanted and usable.

        Those who need none have theirs too, lest a neighbour be given it.
        """
        where = region([track.box for track in people if track.id in wanting])
        faces = find_within(self._finder, frame.image, where)
        whose = owners(
            [face.box for face in faces],
            [track.box for track in people],
            aspect=frame.aspect,
        )
        for index, person in whose.items():
            track, face = people[person], faces[index]
            quality = measure(frame.image, face)
            if track.id in wanting and is_usable(quality):
                visit = self._visits[track.id]
                shown = portrait(frame.image, face, faces)
                seen = _seen(frame, track, quality, shown)
                if visit.keep(seen, frame.seconds):
                    visit.snapshot = _snapshot(frame.image, track.box)


def _seen(frame: Frame, track: Track, quality: FaceQuality, face: Image) -> _Seen:
    """Take down what may be offered, which keeps nothing else of the picture."""
    return _Seen(
        quality=quality,
        crop=shrink(face, max_width=CROP_WIDTH_PX),
        ground=track.ground,
        camera=frame.camera,
        session=frame.session,
        frame_index=frame.index,
        at=frame.at,
    )


def _snapshot(image: Image, box: Box) -> Image:
    body = crop(image, box, around=SNAPSHOT_AROUND)
    height, width = body.shape[:2]
    width_px = max(1, round(width * min(1.0, SNAPSHOT_HEIGHT_PX / height)))
    return shrink(body, max_width=width_px).copy()


def _offer(track_id: int, visit: _Visit) -> FaceOffered:
    """Make the event of the faces kept."""
    best = visit.best[0]
    facts = [best.session, best.camera, track_id, visit.offers]
    return FaceOffered(
        event_id=uuid5(NAMESPACE, json.dumps(facts)),
        camera=best.camera,
        session=best.session,
        track_id=track_id,
        at=best.at,
        x=min(max(best.ground.x, 0.0), 1.0),
        y=min(max(best.ground.y, 0.0), 1.0),
        faces=tuple(_face_crop(seen) for seen in visit.best),
        snapshot=encode_jpeg(visit.snapshot, quality=SNAPSHOT_QUALITY),
        frame_index=best.frame_index,
        first_seen_at=visit.came_at,
    )


def _face_crop(seen: _Seen) -> FaceCrop:
    return FaceCrop(
        jpeg=encode_jpeg(seen.crop, quality=CROP_QUALITY),
        quality=seen.quality.score,
        height_px=round(seen.quality.height_px),
    )
