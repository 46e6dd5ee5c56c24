"""Which of a camera's pictures are worth decoding and converting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pipeline import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from .types import Image


class Interest:
    """Those to analyse, and all while somebody watches; asked in the reading thread."""

    def __init__(
        self, detect_fps: float | None, *, moves: Callable[[Image], bool]
    ) -> None:
        self.is_watched = False
        self.thinned = 1
        """Every so manieth of the pictures due is analysed."""
        self.shed = 0
        """Pictures due that were left out."""
        self.was_woken = False
        """Something moved while idle; whoever decides about idling takes it back."""
        self._detect_fps = detect_fps
        self._moves = moves
        self._start()

    def _start(self) -> None:
        self._due = Sampler(self._detect_fps)
        self._picked = Sampler(self._detect_fps)
        self._seconds = 0.0

    def wants(self, seconds: float) -> bool:
        """Tell whether to convert the picture at `seconds`."""
        if seconds < self._seconds:
            self._start()
        self._seconds = seconds
        self._picked.thinned = self.thinned
        is_due, is_picked = self._due.wants(seconds), self._picked.wants(seconds)
        self.shed += self.thinned > 1 and is_due and not is_picked
        return is_picked or self.is_watched

    def wakes(self, image: Image) -> bool:
        """Tell whether something moves in a key frame that was decoded while idle."""
        if not self._moves(image):
            return False
        self.was_woken = True
        return True
