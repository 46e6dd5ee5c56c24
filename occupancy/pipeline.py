"""Turns tracks into line crossings that can be stored exactly once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read at run time to decode events
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from streaming.vision.types import Label

from .rules import CrossingCounter, Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streaming.vision.geometry import NamedLine
    from streaming.vision.types import Frame, Track

NAMESPACE = UUID("6f0b3d0e-3a53-5c5e-9c55-6f1d1b1a7e42")
"""Makes our event ids differ from all others; it must never change."""


@dataclass(frozen=True, slots=True)
class LineCrossed:
    """A confirmed track went from one side of a line to the other."""

    event_id: UUID
    """The same whenever the same recording is analysed in the same way."""
    camera: str
    line_id: int | None
    line: str
    direction: Direction
    track_id: int
    frame_index: int
    at: datetime
    session: str = ""
    """Of the track, whose id is unique in it; older events do not say."""
    label: Label = Label.PERSON
    """What crossed it; older events tell of people alone."""

    @property
    def is_recordable(self) -> bool:
        """A line that is no row can be counted but not recorded."""
        return self.line_id is not None


class CrossingStage:
    """Implements `Stage`: watches the lines of one camera."""

    def __init__(self, lines: Sequence[NamedLine]) -> None:
        self._counters = [(line, CrossingCounter(line.line)) for line in lines]

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[LineCrossed]:
        """Give the crossings that this frame completes."""
        for line, counter in self._counters:
            for track in tracks:
                direction = counter.observe(track, aspect=frame.aspect)
                if direction is not None:
                    yield _crossing(frame, line, track, direction)

    def forget(self, track_id: int) -> tuple[LineCrossed, ...]:
        """Drop what is kept about a track that has ended; its end is no crossing."""
        for _, counter in self._counters:
            counter.forget(track_id)
        return ()


def _crossing(
    frame: Frame, line: NamedLine, track: Track, direction: Direction
) -> LineCrossed:
    facts = [
        frame.session,
        line.id or [frame.camera, line.name],
        frame.index,
        track.id,
        direction.value,
    ]
    return LineCrossed(
        event_id=uuid5(NAMESPACE, json.dumps(facts)),
        camera=frame.camera,
        line_id=line.id,
        line=line.name,
        direction=direction,
        track_id=track.id,
        frame_index=frame.index,
        at=frame.at,
        session=frame.session,
        label=track.label,
    )
