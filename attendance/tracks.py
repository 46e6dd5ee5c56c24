"""What one track at a camera tells: whose face it has and which lines it crossed.

Faces and lines come in any order, and again; what is made of them is worked out from
all of them each time.
"""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from streaming import locks
from streaming.models import Camera

from . import days
from .models import Passage, PresenceEvent
from .rules import Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from .rules import Sighting

WAYS: Final = {Camera.Direction.ENTRY: Way.IN, Camera.Direction.EXIT: Way.OUT}
Source = PresenceEvent.Source
STATE: Final = ("employee_id", "way", "occurred_at", "last_seen_at", "access_log_id")
"""What may change of an event while its track goes on."""


@dataclass(frozen=True, slots=True)
class Track:
    """Somebody in view of a camera, until lost."""

    camera: Camera
    """With its site."""
    session: str
    track_id: int

    def alone(self) -> None:
        """Let nobody else record what the track tells until the commit."""
        locks.hold(f"attendance/track/{self.camera.pk}/{self.session}/{self.track_id}")

    @property
    def way(self) -> Way:
        """Which way people go who are seen here and cross no line."""
        return WAYS.get(Camera.Direction(self.camera.direction), Way.EITHER)


def attendance_camera(code: str) -> Camera | None:
    """Return the camera with its site; None where it keeps no attendance."""
    rows = Camera.objects.select_related("site").filter(code=code)
    camera = rows.defer("source_url", "sub_stream_url").first()
    keeps = camera is not None and Camera.Task.ATTENDANCE in camera.tasks
    return camera if keeps else None


class TrackEvents:
    """The presence that a track tells of, from its lock on until it is stored."""

    def __init__(self, track: Track) -> None:
        """Load it; the caller has the track `alone`."""
        self._track = track
        rows = PresenceEvent.objects.of_track(
            track.camera.pk, track.session, track.track_id
        )
        found = list(rows)
        self._before = {row.event_id: copy(row) for row in found}
        self._faces = [row for row in found if row.source != Source.LINE]

    def alone(self, *employees: int) -> None:
        """Have the days of everybody whom the track tells of, and of these, alone."""
        days.alone(*{row.employee_id for row in self._before.values()}, *employees)

    @property
    def recognised(self) -> int | None:
        """The employee whose face was told first, if any was."""
        faces = [face for face in self._faces if face.source == Source.FACE]
        first = min(faces, key=lambda face: face.occurred_at, default=None)
        return first.employee_id if first else None

    def face(self, event_id: UUID) -> PresenceEvent | None:
        found = (face for face in self._faces if face.event_id == event_id)
        return next(found, None)

    def add(self, face: PresenceEvent) -> None:
        """Note whose face it is, or when they were in view."""
        if self.face(face.event_id) is None:
            self._faces.append(face)

    def remove(self, event_id: UUID) -> None:
        self._faces = [face for face in self._faces if face.event_id != event_id]

    def store(self, *, now: datetime) -> None:
        """Bring the rows in line, and the days that rest on them.

        The days of everybody concerned are the caller's `alone`.
        """
        track = self._track
        crossed = Passage.objects.of_track(
            track.camera.pk, track.session, track.track_id
        )
        wanted = {row.event_id: row for row in self._faces}
        if self._faces:
            wanted |= {row.event_id: row for row in self._along(list(crossed))}
        self._write(wanted)
        touched = self._touched(wanted)
        self._before = {key: copy(row) for key, row in wanted.items()}
        for pk, instants in touched.items():
            self._settle(pk, instants, now=now)

    def _along(self, passages: Sequence[Passage]) -> Iterator[PresenceEvent]:
        """Give faces their way, and the events of those who crossed a line."""
        crossings: dict[UUID, list[Passage]] = defaultdict(list)
        for passage in passages:
            person = _in_view(self._faces, passage.occurred_at)
            crossings[person.event_id].append(passage)
            yield self._line(passage, person)
        for face in self._faces:
            _go(face, crossings[face.event_id], otherwise=self._track.way)

    def _line(self, passage: Passage, person: PresenceEvent) -> PresenceEvent:
        row = self._before.get(passage.event_id)
        event = copy(row) if row else PresenceEvent(event_id=passage.event_id)
        event.employee_id = person.employee_id
        event.source, event.way = Source.LINE, passage.way
        event.occurred_at = event.last_seen_at = passage.occurred_at
        event.camera, event.session = self._track.camera, self._track.session
        event.track_id = self._track.track_id
        event.access_log_id = person.access_log_id
        return event

    def _write(self, wanted: dict[UUID, PresenceEvent]) -> None:
        gone = [row.pk for key, row in self._before.items() if key not in wanted]
        if gone:
            PresenceEvent.objects.filter(pk__in=gone).delete()
        new = [row for key, row in wanted.items() if key not in self._before]
        if new:
            PresenceEvent.objects.bulk_create(new)
        for key, row in wanted.items():
            before = self._before.get(key)
            if before and _state(row) != _state(before):
                row.save(update_fields=STATE)

    def _touched(self, wanted: dict[UUID, PresenceEvent]) -> dict[int, list[datetime]]:
        """Return by employee at which instants there is more or less than before."""
        before = _seen(self._before.values())
        changed = before ^ _seen(wanted.values())
        touched: dict[int, list[datetime]] = {}
        for pk, sighting in changed:
            touched.setdefault(pk, []).append(sighting.at)
        return touched

    def _settle(self, pk: int, instants: Sequence[datetime], *, now: datetime) -> None:
        zone = ZoneInfo(self._track.camera.site.time_zone)
        first, _ = days.dates_touched(min(instants), zone=zone)
        _, last = days.dates_touched(max(instants), zone=zone)
        days.settle_days(
            employees=[pk], first=first, last=last, now=now, only_seen=True
        )


def _state(row: PresenceEvent) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in STATE)


def _in_view(faces: Sequence[PresenceEvent], at: datetime) -> PresenceEvent:
    """Return whose face a track had then: the last that came into view before.

    A track has several where two people cross each other and swap theirs.
    """
    ordered = sorted(faces, key=lambda face: (face.occurred_at, face.event_id))
    before = [face for face in ordered if face.occurred_at <= at]
    return before[-1] if before else ordered[0]


def _go(face: PresenceEvent, passages: Sequence[Passage], *, otherwise: Way) -> None:
    """Say which way somebody went: as the line tells that they crossed nearest to
    when they came into view."""
    nearest = min(
        passages,
        key=lambda passage: (
            abs(passage.occurred_at - face.occurred_at),
            passage.event_id,
        ),
        default=None,
    )
    face.way = nearest.way if nearest else otherwise.value
    if nearest and nearest.way == Way.OUT:
        # They left when they crossed it, however long they stay in view.
        face.last_seen_at = max(face.occurred_at, nearest.occurred_at)


def _seen(rows: Iterable[PresenceEvent]) -> set[tuple[int, Sighting]]:
    return {(row.employee_id, seen) for row in rows for seen in row.sightings()}
