"""Says whether a camera's pictures are of any use, though they come.

The limits were measured on 201 pictures: 55 of clips, the demo's own among them, and
146 photos. As they are, slightly unsharp (Gaussian blurs of 0.5 and 1 % of the height),
at dusk (0.4 of the light) and at night (0.15 of it, noise of 2, 4 and 8 grey levels,
and as a JPEG) none of these 1608 is found black or blurred. Found are:

all         black, also with noise of 2 levels (with a clock burned in 186 of 201)
198 of 201  blurred by 3 % of the height, also with noise of 3 levels (with a clock
            burned in 154); 97 of those blurred by 2 %
200 of 201  on average, of lenses covered evenly, light or dark, with noise of 3 to 8
            levels or as a JPEG; 190 of 201 covered unevenly, as by a hand
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from .trouble import Cause, Trouble

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from .types import Image

LOOK_EVERY_S: Final = 1.0
LONGEST_GAP_S: Final = 10.0
"""After as long without a picture what was noticed before proves nothing any more."""
AFTER_S: Final[Mapping[Cause, float]] = {
    Cause.BLACK: 10.0,
    Cause.FROZEN: 30.0,
    Cause.BLURRED: 30.0,
}
"""How long a symptom lasts before it is told; which goes first if several do. Of a
frozen picture: longer than encoders go without a key frame, in which the noise of a
real picture shows even where they skip all that does not move."""
WELL_AFTER_S: Final = 3.0
STILL_AGAIN_S: Final = 15.0
"""A frozen picture that changes once and then not for so long is still frozen: a hung
encoder sends a slightly different one at each connection."""

SENTENCES: Final[Mapping[Cause, str]] = {
    Cause.BLACK: (
        "The picture is black. Check that nothing covers the lens and that there is"
        " light."
    ),
    Cause.FROZEN: (
        "The picture has not changed at all for 30 seconds, not even by the noise that"
        " every camera has. The camera is connected anew every 30 seconds; restart it"
        " if that does not help."
    ),
    Cause.BLURRED: (
        "The picture shows hardly any detail. Clean or uncover the lens and check its"
        " focus."
    ),
}

ROWS: Final = 180
"""Of the small grey picture that is looked at: its pixels are means of many, in which
noise shows little, and of a blur only a heavy one."""
BLOCKS: Final = 8
"""The picture is parted in 8 x 8 blocks ..."""
BLOCK_PERCENTILE: Final = 85
"""... and the sharpest nine do not count: a burned-in clock is always sharp."""
FINE_PX, MIDDLE_PX, COARSE_PX = 1.5, 3.0, 6.0
"""Widths of the blurs that part fine from coarse detail."""
LIGHT_PERCENTILE: Final = 98
DARK_BELOW: Final = 15.0
"""Grey levels. Black pictures with noise reach 10; the night's lowest has 19."""
SOFT_BELOW: Final = 0.42
"""Fine over coarse detail; the limit of a perfect blur is 0.25. Blurred by 3 % of the
height: 0.30 to 0.44. Good pictures have 0.53 and more, slightly unsharp ones 0.43."""
FLAT_BELOW: Final = 0.0045
"""Coarse detail over brightness. A covered lens has 0.0004 to 0.0027 where it is light,
the flattest real scene, a road from above, 0.0068 at its worst."""
GRAINY_BELOW: Final = 0.0075
GRAINY_ABOVE: Final = 1.5
"""A dark covered lens has up to 0.008, but it is noise: fine over coarse 1.68 and more.
The same road at night has 0.0068 with 1.30, and 0.0116 with 1.73."""


def trouble_of(cause: Cause) -> Trouble:
    """Return what is told of a picture that is black, frozen or blurred."""
    return Trouble(cause, SENTENCES[cause])


@dataclass(frozen=True, slots=True)
class Sight:
    """What is measured of one picture."""

    light: float
    """Brightness, 0..255, that all but a burned-in clock and a lamp stay below."""
    contrast: float
    """Coarse detail, relative to the mean brightness."""
    sharpness: float
    """Fine detail over coarse."""

    @property
    def symptom(self) -> Cause | None:
        if self.light < DARK_BELOW:
            return Cause.BLACK
        is_soft = self.sharpness < SOFT_BELOW
        is_grain = self.contrast < GRAINY_BELOW and self.sharpness > GRAINY_ABOVE
        if is_soft or is_grain or self.contrast < FLAT_BELOW:
            return Cause.BLURRED
        return None


def look_at(image: Image) -> Sight:
    """Measure a picture, H x W x 3, BGR."""
    small = _small(image)
    fine, middle, coarse = (
        cv2.GaussianBlur(small, (0, 0), width)
        for width in (FINE_PX, MIDDLE_PX, COARSE_PX)
    )
    fine_detail, coarse_detail = _detail(fine, middle), _detail(middle, coarse)
    return Sight(
        light=float(np.percentile(small, LIGHT_PERCENTILE)),
        contrast=coarse_detail / (float(small.mean()) + 2),
        sharpness=fine_detail / max(coarse_detail, 1e-3),
    )


def _small(image: Image) -> Any:
    height, width = image.shape[:2]
    step = max(height // (2 * ROWS), 1)
    columns = max(round(ROWS * width / height), BLOCKS)
    green = np.ascontiguousarray(image[::step, ::step, 1])
    small = cv2.resize(green, (columns, ROWS), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def _detail(sharper: Any, softer: Any) -> float:
    """Return the grey levels by which they differ in all but the sharpest blocks."""
    apart = cv2.absdiff(sharper, softer)
    blocks = cv2.resize(apart, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
    return float(np.percentile(blocks, BLOCK_PERCENTILE))


class PictureHealth:
    """Follows the pictures of one camera, over its reconnections too."""

    def __init__(self, *, may_freeze: bool) -> None:
        self.cause: Cause | None = None
        """What is wrong; None while nothing is."""
        self._may_freeze = may_freeze
        self._looked_s: float | None = None
        self._since_s: dict[Cause, float] = {}
        self._well_since_s: float | None = None
        self._changed_s = 0.0
        self._digest: int | None = None

    def judge(self, image: Image, *, now_s: float) -> Cause | None:
        """Return what is wrong with the pictures; looks at about one a second.

        `now_s` is monotonic. A symptom must last (`AFTER_S`), and so must its absence
        (`WELL_AFTER_S`).
        """
        if self._looked_s is not None:
            passed_s = now_s - self._looked_s
            if passed_s < LOOK_EVERY_S:
                return self.cause
            if passed_s > LONGEST_GAP_S:
                self.cause, self._digest = None, None
                self._since_s.clear()
        self._looked_s = now_s
        symptoms = self._symptoms(image)
        if self.cause is None or self._is_over(self.cause, symptoms, now_s):
            self._well_since_s = None
            self.cause = self._due(symptoms, now_s)
        if Cause.FROZEN not in symptoms:
            self._changed_s = now_s
        return self.cause

    def _symptoms(self, image: Image) -> Collection[Cause]:
        symptom = look_at(image).symptom
        symptoms = set() if symptom is None else {symptom}
        if self._may_freeze:
            digest = zlib.crc32(np.ascontiguousarray(image).data)
            if digest == self._digest:
                symptoms.add(Cause.FROZEN)
            self._digest = digest
        return symptoms

    def _due(self, symptoms: Collection[Cause], now_s: float) -> Cause | None:
        for cause in AFTER_S:
            if cause in symptoms:
                self._since_s.setdefault(cause, now_s)
            else:
                self._since_s.pop(cause, None)
        return next(
            (
                cause
                for cause, after_s in AFTER_S.items()
                if now_s - self._since_s.get(cause, now_s) >= after_s
            ),
            None,
        )

    def _is_over(self, cause: Cause, symptoms: Collection[Cause], now_s: float) -> bool:
        is_there = cause in symptoms
        if cause is Cause.FROZEN:
            # Between two key frames even a sound picture may stay the same.
            is_there = now_s - self._changed_s > STILL_AGAIN_S
        if is_there:
            self._well_since_s = None
        if cause in symptoms:
            return False
        if self._well_since_s is None:
            self._well_since_s = now_s
        return now_s - self._well_since_s >= WELL_AFTER_S
