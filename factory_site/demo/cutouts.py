"""People for the demo clips, cut out of pictures that installed packages carry."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Alpha = NDArray[np.float32]

SEED: Final = 7
MARGIN_PX: Final = 14


class PicturesMissing(Exception):
    """The pictures that the clips are made of are not installed."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """Something without background: BGR colours, 0..1 coverage, feet at the bottom."""

    image: Image
    alpha: Alpha

    def scaled(self, height_px: int, *, mirrored: bool) -> Cutout:
        height, width = self.alpha.shape
        size = (round(width * height_px / height), height_px)
        image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA)
        if mirrored:
            image, alpha = cv2.flip(image, 1), cv2.flip(alpha, 1)
        return Cutout(cast("Image", image), cast("Alpha", alpha))

    def dressed(self, gains: tuple[float, float, float]) -> Cutout:
        """Tint the clothes by the gains for blue, green and red; the head stays."""
        height = self.alpha.shape[0]
        below_neck = np.clip((np.arange(height) / height - 0.14) / 0.04, 0, 1)
        weights = below_neck[:, None, None]
        tint = 1 + weights * (np.array(gains) - 1)
        image = np.clip(self.image * tint, 0, 255).astype(np.uint8)
        return Cutout(image, self.alpha)


@dataclass(frozen=True, slots=True)
class _Outline:
    """Where a person is in the picture, in pixels: nothing is taken from outside of
    `around`, and what lies on the lines of `inside` is taken for certain."""

    around: Sequence[tuple[int, int]]
    inside: Sequence[Sequence[tuple[int, int]]]


_MAN_IN_COAT: Final = _Outline(
    around=(
        (130, 394), (106, 402), (98, 440), (106, 454), (90, 456), (70, 476),
        (62, 512), (57, 548), (54, 590), (56, 640), (54, 698), (70, 704), (74, 760),
        (70, 800), (56, 836), (52, 858), (46, 868), (50, 898), (92, 908), (112, 898),
        (104, 872), (90, 858), (96, 838), (112, 800), (124, 752), (130, 706),
        (138, 706), (146, 752), (152, 802), (166, 842), (172, 862), (174, 894),
        (212, 902), (250, 890), (246, 872), (218, 860), (200, 848), (193, 808),
        (187, 758), (184, 712), (196, 698), (194, 650), (190, 614), (200, 592),
        (206, 560), (196, 520), (186, 490), (184, 466), (156, 446), (158, 426),
        (162, 406), (148, 396),
    ),
    inside=(
        ((135, 410), (132, 480), (120, 560), (125, 680)),
        ((95, 710), (84, 800), (75, 850), (75, 885)),
        ((155, 705), (178, 800), (190, 850), (215, 882)),
        ((85, 560), (80, 650)),
        ((175, 560), (170, 650)),
        ((90, 500), (170, 500)),
    ),
)  # fmt: skip
_MAN_IN_BLACK: Final = _Outline(
    around=(
        (285, 402), (262, 412), (260, 440), (266, 462), (272, 476), (252, 486),
        (236, 502), (232, 520), (236, 542), (230, 556), (232, 620), (226, 660),
        (220, 696), (232, 708), (242, 712), (246, 770), (250, 816), (246, 842),
        (252, 858), (284, 864), (298, 854), (294, 830), (288, 818), (302, 824),
        (306, 806), (298, 784), (312, 758), (342, 722), (344, 696), (334, 690),
        (342, 686), (332, 580), (346, 560), (344, 536), (334, 500), (322, 482),
        (308, 472), (310, 448), (312, 416), (300, 404),
    ),
    inside=(
        ((286, 415), (290, 480), (285, 560), (290, 650)),
        ((265, 720), (268, 800), (270, 840)),
        ((264, 838), (272, 852), (287, 852)),
        ((270, 484), (258, 498), (254, 506)),
        ((320, 690), (290, 780), (288, 806)),
        ((315, 520), (325, 660)),
        ((255, 530), (245, 690)),
        ((300, 490), (262, 520)),
    ),
)  # fmt: skip
_MAN_AT_DESK: Final = _Outline(
    around=(
        (985, 36), (930, 56), (896, 96), (888, 150), (890, 190), (904, 216), (900, 240),
        (866, 262), (812, 290), (772, 330), (754, 380), (748, 402), (1090, 402),
        (1076, 366), (1044, 318), (1030, 288), (1050, 250), (1064, 190), (1076, 130),
        (1066, 84), (1034, 52),
    ),
    inside=(
        ((985, 60), (920, 110), (910, 140)),
        ((985, 90), (1040, 100), (1050, 140)),
        ((980, 120), (985, 220), (990, 300), (1000, 390)),
        ((900, 280), (820, 320), (790, 380)),
        ((930, 290), (900, 380)),
        ((1035, 340), (1060, 390)),
    ),
)  # fmt: skip
_WOMAN_IN_CAP: Final = _Outline(
    around=(
        (270, 18), (214, 38), (170, 68), (148, 100), (146, 136), (146, 184), (154, 216),
        (156, 270), (182, 308), (196, 326), (150, 346), (88, 366), (46, 392), (26, 440),
        (16, 520), (6, 599), (511, 599), (511, 430), (497, 390), (440, 366), (360, 338),
        (334, 318), (352, 290), (374, 206), (380, 150), (376, 98), (352, 68), (320, 38),
    ),
    inside=(
        ((265, 35), (200, 80), (165, 115)),
        ((270, 60), (330, 90), (360, 130)),
        ((265, 130), (265, 300), (265, 590)),
        ((180, 180), (180, 260)),
        ((350, 160), (345, 240)),
        ((80, 400), (60, 580)),
        ((440, 400), (480, 580)),
    ),
)  # fmt: skip


def picture_path(name: str, *, folder: str = "ultralytics/assets") -> Path:
    """Find a picture of a package without importing it: torch takes seconds.

    `folder` begins with the package's name. Raises `PicturesMissing`.
    """
    package, _, inner = folder.partition("/")
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations if spec else None) or ():
        path = Path(place) / inner / name
        if path.is_file():
            return path
    raise PicturesMissing(
        f"The picture {name} of the package {package} is not installed, and the demo"
        " clips are made of it. Install requirements.txt, or set DEMO_FOOTAGE to a"
        " folder of recordings."
    )


def photo(name: str, *, folder: str = "ultralytics/assets") -> Image:
    """Read a picture of a package; raises `PicturesMissing`."""
    path = picture_path(name, folder=folder)
    picture = cv2.imread(str(path))
    if picture is None:
        raise PicturesMissing(
            f"The picture {path} cannot be read. Install its package again."
        )
    return cast("Image", picture)


@functools.cache
def people() -> tuple[Cutout, ...]:
    """Return the two people seen from head to foot; the same at each call."""
    street = photo("bus.jpg")
    return _cut(street, _MAN_IN_COAT), _cut(street, _MAN_IN_BLACK)


@functools.cache
def visitors() -> tuple[Cutout, ...]:
    """Return two people from the chest up, whose faces are seen; the same each time."""
    bench = photo("zidane.jpg")
    portrait = photo("grace_hopper.jpg", folder="matplotlib/mpl-data/sample_data")
    return _cut(bench, _MAN_AT_DESK), _cut(portrait, _WOMAN_IN_CAP)


def _cut(picture: Image, outline: _Outline) -> Cutout:
    around = np.array(outline.around, np.int32)
    x, y, width, height = cv2.boundingRect(around)
    left, top = max(0, x - MARGIN_PX), max(0, y - MARGIN_PX)
    part = picture[top : y + height + MARGIN_PX, left : x + width + MARGIN_PX].copy()
    mask = np.full(part.shape[:2], cv2.GC_BGD, np.uint8)
    cv2.fillPoly(mask, [around - (left, top)], int(cv2.GC_PR_FGD))
    for line in outline.inside:
        points = np.array(line, np.int32) - (left, top)
        cv2.polylines(
            mask, [points], isClosed=False, color=int(cv2.GC_FGD), thickness=8
        )
    cv2.setRNGSeed(SEED)
    behind, before = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, part.shape[1], part.shape[0])
    cv2.grabCut(part, mask, whole, behind, before, 6, cv2.GC_INIT_WITH_MASK)
    return _trim(part, np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8))


def _trim(part: Image, mask: Image) -> Cutout:
    """Keep the largest piece, with soft edges, cropped to what is left."""
    mask = cast("Image", cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3))))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    mask = cast("Image", (labels == largest).astype(np.uint8))
    x, y, width, height = (int(value) for value in stats[largest][:4])
    soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3))) * 255, (5, 5), 0)
    inner = (slice(y, y + height), slice(x, x + width))
    return Cutout(part[inner].copy(), (soft[inner] / 255).astype(np.float32))
