"""Follows objects from frame to frame: ByteTrack, with broken tracks re-joined.

After Zhang et al. 2022, "ByteTrack": the sure detections are given to tracks first,
by overlap with the predicted box, then the unsure ones to tracks that got none. Unlike
there, tracks seen in the frame before come first and lost ones choose from what is
left, by distance from where they would have gone: so who reappears from behind another
does not take the other's place. Everything is in seconds and body heights, so that the
same settings serve near and far people and about 5 to 30 analysed frames per second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from .geometry import pairwise_iou
from .trajectory import Trajectory, corners, middle
from .types import Track, TrackUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .types import Detection, Label

    Floats = NDArray[np.float64]
    Cost = Callable[[Sequence["_Tracklet"], Sequence[Detection], float], Floats]

FORBIDDEN = 1e6


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """What a tracker believes; the defaults suit people and vehicles alike."""

    sure: float = 0.45
    """Confidence from which a detection may start, or continue, any track."""
    unsure: float = 0.1
    """Confidence from which it may continue a track seen in the frame before."""
    min_overlap: float = 0.3
    """Least intersection over union with the box predicted for a track."""
    confirm_frames: int = 3
    """Frames in which an object must be seen to be believed."""
    tentative_s: float = 0.2
    """How long a track that is not yet confirmed is waited for."""
    lost_s: float = 2.0
    """How long a confirmed track that is not seen is waited for."""
    rejoin_bodies: float = 0.3
    """How far from its predicted way a track may reappear, in body heights ..."""
    rejoin_bodies_per_s: float = 0.4
    """... and how much farther for each second that it was lost."""
    new_bodies_per_s: float = 4.0
    """The same for what was seen only once and whose way is not known: a sprint."""
    max_size_ratio: float = 2.0
    """How much taller or shorter it may reappear."""


@dataclass(slots=True, eq=False)
class _Tracklet:
    """A track and what is needed to carry it on."""

    id: int
    trajectory: Trajectory
    detection: Detection
    frames: int = 1
    unseen_s: float = 0.0
    seen: bool = True
    """Whether it was found in the latest frame."""
    confirmed: bool = False
    votes: dict[Label, float] = field(default_factory=dict)

    def wait(self, elapsed_s: float) -> None:
        self.trajectory.predict(elapsed_s)
        self.unseen_s += elapsed_s
        self.seen = False

    def see(self, detection: Detection, aspect: float) -> None:
        self.trajectory.correct(detection.box, aspect)
        self.detection = detection
        self.unseen_s = 0.0
        self.seen = True
        self.frames += 1

    def vote(self) -> None:
        label = self.detection.label
        self.votes[label] = self.votes.get(label, 0.0) + self.detection.confidence

    def as_track(self, aspect: float) -> Track:
        return Track(
            self.id,
            self.detection.box,
            max(self.votes, key=self.votes.__getitem__),
            self.detection.confidence,
            self.confirmed,
            self.trajectory.box(aspect),
        )


class ByteTracker:
    """Implements `Tracker`; what it keeps is bounded by the view and `lost_s`."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._ids = count(1)
        self._tracklets: list[_Tracklet] = []

    def update(
        self, detections: Sequence[Detection], *, elapsed_s: float, aspect: float
    ) -> TrackUpdate:
        """Take the detections of the next analysed frame; see `Tracker`."""
        settings = self._settings
        held = [each for each in self._tracklets if each.seen]
        for tracklet in self._tracklets:
            tracklet.wait(elapsed_s)
        sure = [one for one in detections if one.confidence >= settings.sure]
        unsure = [
            one
            for one in detections
            if settings.unsure <= one.confidence < settings.sure
        ]
        sure = self._match(held, sure, self._overlap_cost, aspect)
        self._match(_unseen(held), unsure, self._overlap_cost, aspect)
        sure = self._match(_unseen(self._tracklets), sure, self._way_cost, aspect)
        self._tracklets += [self._begin(one, aspect) for one in sure]
        return self._update(aspect)

    def _match(
        self,
        tracklets: Sequence[_Tracklet],
        detections: Sequence[Detection],
        cost: Cost,
        aspect: float,
    ) -> list[Detection]:
        """Give detections to tracks, at most `cost` 1 each; return the others."""
        if not tracklets or not detections:
            return list(detections)
        costs = cost(tracklets, detections, aspect)
        groups = [each.detection.label.group for each in tracklets]
        alike = [[one.label.group is group for one in detections] for group in groups]
        costs = np.where(np.array(alike) & (costs <= 1.0), costs, FORBIDDEN)
        rows, columns = linear_sum_assignment(costs)
        taken = set()
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if costs[row, column] < FORBIDDEN:
                tracklets[row].see(detections[column], aspect)
                taken.add(column)
        return [one for column, one in enumerate(detections) if column not in taken]

    def _overlap_cost(
        self,
        tracklets: Sequence[_Tracklet],
        detections: Sequence[Detection],
        aspect: float,
    ) -> Floats:
        """Return 0 for the predicted box itself, 1 for the least overlap with it."""
        predicted = np.array([each.trajectory.corners() for each in tracklets])
        boxes = np.array([corners(one.box, aspect) for one in detections])
        overlap = pairwise_iou(predicted, boxes)
        return (1 - overlap) / (1 - self._settings.min_overlap)

    def _way_cost(
        self,
        tracklets: Sequence[_Tracklet],
        detections: Sequence[Detection],
        aspect: float,
    ) -> Floats:
        """Return 0 on the way that a track would have gone, 1 at its reach from it."""
        return np.array(
            [
                [self._way_cost_of(each, one, aspect) for one in detections]
                for each in tracklets
            ]
        )

    def _way_cost_of(
        self, tracklet: _Tracklet, detection: Detection, aspect: float
    ) -> float:
        settings, way = self._settings, tracklet.trajectory
        ratio = detection.box.height / way.height
        if not 1 / settings.max_size_ratio <= ratio <= settings.max_size_ratio:
            return FORBIDDEN
        is_new = tracklet.frames == 1
        speed = settings.new_bodies_per_s if is_new else settings.rejoin_bodies_per_s
        reach = settings.rejoin_bodies + speed * tracklet.unseen_s
        return way.distance(*middle(detection.box, aspect)) / reach

    def _begin(self, detection: Detection, aspect: float) -> _Tracklet:
        trajectory = Trajectory.starting_at(detection.box, aspect)
        return _Tracklet(next(self._ids), trajectory, detection)

    def _update(self, aspect: float) -> TrackUpdate:
        seen = [each for each in self._tracklets if each.seen]
        for each in seen:
            each.vote()
            each.confirmed = each.frames >= self._settings.confirm_frames
        ended = [each for each in self._tracklets if self._is_over(each, aspect)]
        self._tracklets = [each for each in self._tracklets if each not in ended]
        return TrackUpdate(
            tuple(each.as_track(aspect) for each in seen),
            tuple(each.id for each in ended),
        )

    def _is_over(self, tracklet: _Tracklet, aspect: float) -> bool:
        """Tell whether a track has left the view or is lost for too long."""
        if tracklet.seen:
            return False
        wait_s = (
            self._settings.lost_s if tracklet.confirmed else self._settings.tentative_s
        )
        way = tracklet.trajectory
        is_in_view = 0 <= way.x <= aspect and 0 <= way.y <= 1
        return tracklet.unseen_s > wait_s or not is_in_view


def _unseen(tracklets: Sequence[_Tracklet]) -> list[_Tracklet]:
    return [each for each in tracklets if not each.seen]
