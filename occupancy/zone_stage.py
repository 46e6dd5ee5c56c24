"""Turns tracks of people into what is told of the zones of a camera."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read at run time to decode events
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from alerts.rules import Hours
from streaming.vision.types import Label

from .capacity import Fullness  # noqa: TC001 - read at run time to decode events
from .pipeline import NAMESPACE
from .polygons import Polygon
from .zone_rules import FullnessWatch, ZoneOccupants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from streaming.vision.plans import ZonePlan
    from streaming.vision.types import Frame, Track

COUNT_EVERY_S: Final = 1.0
"""A zone's count is told no more often than that."""
COUNT_AGAIN_S: Final = 60.0
"""A count that stays is told again after so long: what is older is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneEvent:
    """Something happened in a zone."""

    event_id: UUID
    """The same whenever the same recording is analysed in the same way."""
    camera: str
    session: str
    zone_id: int | None
    zone: str
    frame_index: int
    at: datetime

    @property
    def is_recordable(self) -> bool:
        """A zone that is no row can be watched but not recorded."""
        return self.zone_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCounted(ZoneEvent):
    """So many stand in it; also when the camera's pictures end: nobody is seen then."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneEntered(ZoneEvent):
    """Somebody is in it while nobody may be; told once of each stay."""

    track_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLoitered(ZoneEvent):
    """Somebody has been in it for too long; told once of each stay."""

    track_id: int
    seconds: int
    """How long that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFull(ZoneEvent):
    """It is as full as this from now on, which may be: not any more.

    Told when it is known first, too: what was said of it before may be wrong.
    """

    count: int
    capacity: int
    fullness: Fullness


InZone = ZoneCounted | ZoneEntered | ZoneLoitered | ZoneFull
EventT = TypeVar("EventT", bound=ZoneEvent)


def counts_in(events: Iterable[object]) -> dict[int, int]:
    """Return the counts among events of any kind, the newest of each zone by its id."""
    return {
        event.zone_id: event.count
        for event in events
        if isinstance(event, ZoneCounted) and event.zone_id is not None
    }


def _counts(track: Track) -> bool:
    """Whether it is somebody for sure, and one that can be told from the others."""
    return track.confirmed and track.label is Label.PERSON and track.id > 0


@dataclass(frozen=True, slots=True)
class _Moment:
    """A frame without its picture, which would be kept too long."""

    camera: str
    session: str
    index: int
    at: datetime
    seconds: float

    @classmethod
    def of(cls, frame: Frame) -> _Moment:
        return cls(frame.camera, frame.session, frame.index, frame.at, frame.seconds)


class ZoneStage:
    """Implements `PatientStage`: watches the zones of one camera."""

    def __init__(self, zones: Sequence[ZonePlan], *, time_zone: str) -> None:
        self._watches = [_ZoneWatch(zone, ZoneInfo(time_zone)) for zone in zones]
        self._now: _Moment | None = None

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[InZone]:
        """Give what is told at this frame."""
        people = [track for track in tracks if _counts(track)]
        now = self._enter(frame)
        for watch in self._watches:
            watch.occupants.observe(people, seconds=now.seconds, aspect=frame.aspect)
            yield from watch.tell(now)

    def hold(self, frame: Frame) -> Iterator[InZone]:
        """Give what the passing of time makes, while everybody stands still."""
        now = self._enter(frame)
        for watch in self._watches:
            yield from watch.tell(now)

    def forget(self, track_id: int) -> tuple[()]:
        """Drop a track that has ended; the next frame tells the count without it."""
        for watch in self._watches:
            watch.occupants.forget(track_id)
        return ()

    def finish(self) -> Iterator[InZone]:
        """Give the last counts of the session, which is over."""
        now, self._now = self._now, None
        if now is not None:
            for watch in self._watches:
                yield from watch.finish(now)

    def _enter(self, frame: Frame) -> _Moment:
        now = _Moment.of(frame)
        if self._now is None:
            for watch in self._watches:
                watch.begin(now)
        self._now = now
        return now


class _ZoneWatch:
    """What is kept of one zone, and what is told of it."""

    def __init__(self, plan: ZonePlan, time_zone: ZoneInfo) -> None:
        self.occupants = ZoneOccupants(Polygon(plan.corners))
        self._plan = plan
        self._time_zone = time_zone
        self._hours = Hours(plan.restricted_from, plan.restricted_until)
        self._fullness = None
        if plan.capacity is not None:
            self._fullness = FullnessWatch(
                capacity=plan.capacity, amber_percent=plan.amber_percent
            )
        self._told: int | None = None
        self._told_s = 0.0

    def begin(self, now: _Moment) -> None:
        """Begin a session: who is in the zone is known after a moment."""
        self._told, self._told_s = None, now.seconds
        if self._fullness:
            self._fullness.begin()

    def tell(self, now: _Moment) -> Iterator[InZone]:
        """Give what is news at this moment."""
        yield from self._tell_count(now)
        if self._is_restricted(now.at):
            yield from self._tell_entries(now)
        if self._plan.loitering_s is not None:
            yield from self._tell_loiterers(now, self._plan.loitering_s)
        if self._fullness:
            yield from self._tell_fullness(now, self._fullness)

    def finish(self, now: _Moment) -> Iterator[InZone]:
        """End a session: nobody is seen any more."""
        if self._told:
            yield self._event(ZoneCounted, now, count=0)

    def _tell_count(self, now: _Moment) -> Iterator[InZone]:
        count, since_s = self.occupants.count, now.seconds - self._told_s
        is_news = count != self._told and since_s >= COUNT_EVERY_S
        if is_news or since_s >= COUNT_AGAIN_S:
            self._told, self._told_s = count, now.seconds
            yield self._event(ZoneCounted, now, count=count)

    def _is_restricted(self, at: datetime) -> bool:
        if not self._plan.is_restricted:
            return False
        return self._hours.hold(at.astimezone(self._time_zone))

    def _tell_entries(self, now: _Moment) -> Iterator[InZone]:
        for stay in self.occupants.stays:
            if not stay.is_entry_told:
                stay.is_entry_told = True
                yield self._event(ZoneEntered, now, track_id=stay.track_id)

    def _tell_loiterers(self, now: _Moment, loitering_s: int) -> Iterator[InZone]:
        for stay in self.occupants.stays:
            stayed_s = int(now.seconds - stay.since_s)
            if stayed_s >= loitering_s and not stay.is_loitering_told:
                stay.is_loitering_told = True
                yield self._event(
                    ZoneLoitered, now, track_id=stay.track_id, seconds=stayed_s
                )

    def _tell_fullness(self, now: _Moment, watch: FullnessWatch) -> Iterator[InZone]:
        count = self.occupants.count
        fullness = watch.look(count, seconds=now.seconds)
        if fullness is not None:
            yield self._event(
                ZoneFull,
                now,
                count=count,
                capacity=watch.capacity,
                fullness=fullness,
            )

    def _event(self, kind: type[EventT], now: _Moment, **values: Any) -> EventT:
        plan = self._plan
        facts = [
            kind.__name__,
            now.session,
            plan.id or [now.camera, plan.name],
            now.index,
            *values.values(),
        ]
        return kind(
            event_id=uuid5(NAMESPACE, json.dumps(facts)),
            camera=now.camera,
            session=now.session,
            zone_id=plan.id,
            zone=plan.name,
            frame_index=now.index,
            at=now.at,
            **values,
        )
