"""Says whether anything moves, so that still pictures need no detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from .types import Image


AROUND = np.ones((11, 11), np.uint8)
"""As wide as two figures of a burned-in clock."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """How easily the gate opens; pixels are those of the small grey picture."""

    height: int = 100
    """Pictures are shrunk to this many rows."""
    contrast: float = 12.0
    """Grey levels (of 255) by which a moving pixel differs from the background."""
    min_pixels: int = 6
    """Differing pixels that make motion: a person of a tenth of the picture's height
    has about 30."""
    learning_s: float = 3.0
    """Time constant of the background: what stands this long belongs to it."""
    restless_share: float = 0.35
    """Pixels that differ for more than this share of the time are a clock's or a
    leaf's: they and those around them are not looked at ..."""
    restless_s: float = 60.0
    """... this being the time constant of that share."""
    hold_s: float = 3.0
    """How long the gate stays open after the last motion."""


class _Known(NamedTuple):
    """What a gate has learned, as two small grey pictures."""

    background: Any
    restless: Any
    """Share of the time for which each pixel differs."""


class MotionGate:
    """Compares a camera's pictures with a running average of them."""

    def __init__(self, settings: MotionSettings | None = None) -> None:
        self._settings = settings or MotionSettings()
        self._known: _Known | None = None
        self._seconds = 0.0
        self._open_until = 0.0

    def is_open(self, image: Image, *, seconds: float) -> bool:
        """Tell whether a picture is worth looking at.

        True from the first motion until `hold_s` after the last, and for the first
        pictures, when nothing is known yet. `seconds` must not go back.
        """
        if self.moving(image, seconds=seconds):
            self._open_until = seconds + self._settings.hold_s
        return seconds <= self._open_until

    def moves(self, image: Image) -> bool:
        """Tell whether this picture differs from the ones before, without learning it.

        Another thread may ask while `is_open` learns: half a picture more or less in
        the background changes nothing.
        """
        small, known = self._small(image), self._known
        if known is None or known.background.shape != small.shape:
            return True
        return self._is_motion(self._differing(small, known), known)

    def moving(self, image: Image, *, seconds: float) -> bool:
        """Tell whether this picture differs from the ones before, and learn it."""
        settings = self._settings
        small, known = self._small(image), self._known
        if known is None or known.background.shape != small.shape:
            self._known = _Known(small, np.zeros_like(small))
            self._seconds = seconds
            return True
        elapsed_s = max(seconds - self._seconds, 0.0)
        self._seconds = seconds
        differs = self._differing(small, known)
        is_motion = self._is_motion(differs, known)
        cv2.accumulateWeighted(
            small, known.background, 1 - np.exp(-elapsed_s / settings.learning_s)
        )
        cv2.accumulateWeighted(
            differs.astype(np.float32),
            known.restless,
            1 - np.exp(-elapsed_s / settings.restless_s),
        )
        return is_motion

    def _differing(self, small: Any, known: _Known) -> Any:
        return cv2.absdiff(small, known.background) > self._settings.contrast

    def _is_motion(self, differs: Any, known: _Known) -> bool:
        restless = (known.restless > self._settings.restless_share).astype(np.uint8)
        counted = differs & (cv2.dilate(restless, AROUND) == 0)
        return int(np.count_nonzero(counted)) >= self._settings.min_pixels

    def _small(self, image: Image) -> Any:
        height, width = image.shape[:2]
        rows = self._settings.height
        columns = max(round(rows * width / height), 1)
        step = max(height // (2 * rows), 1)
        coarse = np.ascontiguousarray(image[::step, ::step, 1])
        small = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_AREA)
        return cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)
