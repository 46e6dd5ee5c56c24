"""Draws the reception of the demo: a hall, and a desk that visitors come to."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from . import scenery
from .cutouts import visitors

if TYPE_CHECKING:
    from .cutouts import Cutout, Image

DESK_TOP_PX: Final = 548
"""The row in which the desk begins, behind which visitors stand."""
SWAY_PX: Final = 3.0
SWAY_S: Final = 2.3


def hall() -> Image:
    """Return the empty hall and its desk, 1280 x 720."""
    height, width = scenery.HEIGHT, scenery.WIDTH
    fall = np.linspace(16, -20, height)[:, None, None]
    across = 8 * np.cos(np.linspace(-1.2, 1.2, width))[None, :, None]
    wall = np.array((182.0, 190.0, 192.0)) + fall + across
    picture = np.clip(wall, 0, 255).astype(np.uint8)
    for left in (0, 1120):
        cv2.rectangle(picture, (left, 90), (left + 160, height), (120, 112, 100), -1)
        cv2.rectangle(
            picture, (left + 14, 108), (left + 146, height), (206, 200, 188), -1
        )
    cv2.rectangle(picture, (220, 60), (560, 200), (150, 124, 84), -1)
    cv2.rectangle(picture, (236, 76), (544, 184), (176, 152, 112), -1)
    picture = cast("Image", cv2.GaussianBlur(picture, (0, 0), 4))
    picture[DESK_TOP_PX:] = desk()
    return picture


@functools.cache
def desk() -> Image:
    """Return the rows from `DESK_TOP_PX` down."""
    rows = np.linspace(0, 1, scenery.HEIGHT - DESK_TOP_PX)[:, None, None]
    wood = np.array((92.0, 124.0, 158.0)) * (1 - 0.35 * rows)
    wood = np.repeat(wood, scenery.WIDTH, axis=1)
    wood[:14] = (140, 172, 200)
    return wood.astype(np.uint8)


@dataclass(frozen=True)
class Visitor:
    """Comes in from the left, stands at the desk for a while, leaves to the right."""

    person: int
    start_s: float
    stays_s: float
    at_px: int
    """Where in the picture the middle of the person stands, from the left."""
    height_px: int
    """Of what is seen of the person over the desk."""
    walks_s: float = 3.0

    def distance_m(self, seconds: float) -> float:
        return 2.0

    def draw(self, picture: Image, seconds: float) -> None:
        passed_s = seconds - self.start_s
        if not 0 <= passed_s < 2 * self.walks_s + self.stays_s:
            return
        shown = self._shown
        height, width = shown.alpha.shape
        coming = min(passed_s / self.walks_s, 1.0)
        going = max(passed_s - self.walks_s - self.stays_s, 0.0) / self.walks_s
        left = -width + coming * (self.at_px - width / 2 + width)
        left += going * (scenery.WIDTH - self.at_px + width / 2)
        sway = SWAY_PX * math.sin(2 * math.pi * passed_s / SWAY_S)
        corner = (round(left), round(DESK_TOP_PX + 12 - height + sway))
        scenery.blend(picture, shown.image, shown.alpha, corner)

    @cached_property
    def _shown(self) -> Cutout:
        return visitors()[self.person].scaled(self.height_px, mirrored=False)


@dataclass(frozen=True)
class Desk:
    """Stands before everybody."""

    def distance_m(self, seconds: float) -> float:
        return 0.0

    def draw(self, picture: Image, seconds: float) -> None:
        picture[DESK_TOP_PX:] = desk()
