"""Who or what the tracks on the live picture turned out to be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from streaming.vision.types import Frame

KEPT: Final = 100
"""Tracks of a camera; ids are never used again, so that of more the oldest go."""


class Offer(Protocol):
    """What is told of a track: faces, or the plate of a vehicle."""

    @property
    def camera(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def track_id(self) -> int: ...
    @property
    def at(self) -> datetime: ...


class Names:
    """Written where faces are identified and plates recorded, read where pictures are
    drawn; any thread.

    A name is an employee's code, a plate, or a word such as unknown.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, str] = {}
        self._words: dict[str, dict[int, str]] = {}
        self._noted_at: dict[str, datetime] = {}
        self._noting = threading.Lock()

    def note(self, offer: Offer, words: str | None) -> None:
        """Keep what a track is called from now on, and drop those of older sessions."""
        with self._noting:
            self._note(offer, words)

    def _note(self, offer: Offer, words: str | None) -> None:
        known: dict[int, str] = {}
        noted_at = self._noted_at.get(offer.camera, offer.at)
        if self._sessions.get(offer.camera) == offer.session:
            known = self._words[offer.camera].copy()
        elif offer.at < noted_at:
            return  # It waited, maybe at a worker that is dead: that session is over.
        self._noted_at[offer.camera] = max(offer.at, noted_at)
        known.pop(offer.track_id, None)
        if words:
            known[offer.track_id] = words
        while len(known) > KEPT:
            del known[next(iter(known))]
        self._words[offer.camera] = known
        self._sessions[offer.camera] = offer.session

    def of(self, frame: Frame) -> Mapping[int, str]:
        """Return the names of a frame's tracks by id."""
        if self._sessions.get(frame.camera) != frame.session:
            return {}
        return self._words[frame.camera]
