"""Draws a small truck from the front, with a number plate that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from .cutouts import Cutout, photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cutouts import Image

    Colour = tuple[int, int, int]
    Points = Sequence[tuple[float, float]]

PX_PER_M: Final = 400
"""Drawn larger than it is shown, so that edges come out smooth."""
WIDTH_M: Final = 2.1
HEIGHT_M: Final = 2.3
PLATE_M: Final = (0.5, 0.12)
"""A long Indian plate: 500 mm x 120 mm (AIS-159)."""

_GLASS: Final = ((-0.715, 1.12), (0.715, 1.12), (0.63, 1.79), (-0.63, 1.79))


def truck(plate: str) -> Cutout:
    """Return the truck with its tyres on the lower edge, `HEIGHT_M` high."""
    size = (round(HEIGHT_M * PX_PER_M), round(WIDTH_M * PX_PER_M))
    canvas = np.zeros((*size, 3), np.uint8)
    cover = np.zeros(size, np.uint8)
    pen = _Pen(canvas, cover)
    for layer in (
        _box,
        _chassis,
        _cab,
        _windscreen,
        _wipers,
        _lamps,
        _grille,
        _mirrors,
    ):
        layer(pen)
    _mount(canvas, plate)
    soft = cv2.GaussianBlur(cover, (3, 3), 0) / 255
    return Cutout(canvas, soft.astype(np.float32))


class _Pen:
    """Draws shaded shapes given in metres: x from the middle, y up from the ground."""

    def __init__(self, canvas: Image, cover: Image) -> None:
        self._canvas = canvas
        self._cover = cover

    def fill(
        self,
        points: Points,
        top: Colour,
        bottom: Colour | None = None,
        *,
        round_m: float = 0,
    ) -> None:
        """Fill a polygon, shaded from `top` to `bottom`, its corners rounded."""
        pixels = self._pixels(points)
        x, y, width, height = cv2.boundingRect(pixels)
        left, top_row = max(x, 0), max(y, 0)
        part = (slice(top_row, y + height), slice(left, x + width))
        cover = self._cover[part]
        mask = np.zeros_like(cover)
        cv2.fillPoly(mask, [pixels - (left, top_row)], 255, cv2.LINE_AA)
        if radius := round(round_m * PX_PER_M):
            mask = _rounded(mask, radius)
        ramp = np.linspace(0, 1, cover.shape[0])[:, None, None]
        shade = np.array(top) * (1 - ramp) + np.array(bottom or top) * ramp
        weight = (mask / 255)[..., None]
        blended = self._canvas[part] * (1 - weight) + shade * weight
        self._canvas[part] = blended.astype(np.uint8)
        self._cover[part] = np.maximum(cover, mask)

    def reflect(self, points: Points, scene: Image, *, share: float) -> None:
        """Let `scene` shine on the polygon, as windows do with what faces them."""
        pixels = self._pixels(points)
        x, y, width, height = cv2.boundingRect(pixels)
        part = self._canvas[y : y + height, x : x + width]
        mask = np.zeros(part.shape[:2], np.uint8)
        cv2.fillPoly(mask, [pixels - (x, y)], 255, cv2.LINE_AA)
        weight = (mask / 255 * share)[..., None]
        seen = cv2.resize(scene, (width, height))
        part[:] = (part * (1 - weight) + seen * weight).astype(np.uint8)

    def mirror(
        self,
        points: Points,
        top: Colour,
        bottom: Colour | None = None,
        *,
        round_m: float = 0,
    ) -> None:
        """Fill the polygon and its mirror image."""
        self.fill(points, top, bottom, round_m=round_m)
        self.fill([(-x, y) for x, y in points], top, bottom, round_m=round_m)

    def disc(self, x: float, y: float, radius_m: float, colour: Colour) -> None:
        angles = np.linspace(0, 2 * np.pi, 40)
        ring = [
            (x + radius_m * float(np.cos(a)), y + radius_m * float(np.sin(a)))
            for a in angles
        ]
        self.fill(ring, colour)

    def _pixels(self, points: Points) -> Image:
        pixels = [
            ((x + WIDTH_M / 2) * PX_PER_M, (HEIGHT_M - y) * PX_PER_M) for x, y in points
        ]
        return cast("Image", np.array(pixels).round().astype(np.int32))


def _rounded(mask: Image, radius: int) -> Image:
    kernel = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)
    )
    edged = cv2.copyMakeBorder(mask, *(radius,) * 4, cv2.BORDER_CONSTANT)
    opened = cv2.morphologyEx(edged, cv2.MORPH_OPEN, kernel)
    soft = cv2.GaussianBlur(opened, (5, 5), 0)
    return cast("Image", soft[radius:-radius, radius:-radius])


def _rectangle(x1: float, y1: float, x2: float, y2: float) -> list[tuple[float, float]]:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def _box(pen: _Pen) -> None:
    """The load's body, which shows above and beside the cab."""
    pen.fill(
        _rectangle(-0.9, 0.75, 0.9, 2.28),
        (206, 208, 208),
        (150, 152, 154),
        round_m=0.02,
    )
    pen.fill(_rectangle(-0.9, 2.22, 0.9, 2.28), (226, 228, 228))
    for x in (-0.88, 0.84):
        pen.fill(_rectangle(x, 0.75, x + 0.04, 2.26), (128, 130, 132), (96, 98, 100))


def _chassis(pen: _Pen) -> None:
    pen.fill(_rectangle(-0.7, 0.16, 0.7, 0.5), (24, 24, 24), (12, 12, 12))
    pen.mirror(
        _rectangle(0.54, 0.0, 0.77, 0.5), (40, 40, 41), (20, 20, 20), round_m=0.045
    )
    for x in (0.59, 0.655, 0.72):
        pen.mirror(_rectangle(x - 0.004, 0.02, x + 0.004, 0.3), (16, 16, 16))


def _cab(pen: _Pen) -> None:
    light, dark = (196, 138, 70), (118, 70, 22)
    body = [
        (-0.8, 0.34),
        (0.8, 0.34),
        (0.83, 1.05),
        (0.72, 1.92),
        (-0.72, 1.92),
        (-0.83, 1.05),
    ]
    pen.fill(body, light, dark, round_m=0.07)
    pen.fill([(-0.66, 1.9), (0.66, 1.9), (0.6, 1.94), (-0.6, 1.94)], (214, 160, 96))
    pen.fill(_rectangle(-0.8, 0.98, 0.8, 0.995), (92, 52, 14))
    pen.fill([(-0.82, 1.0), (0.82, 1.0), (0.822, 1.04), (-0.822, 1.04)], (204, 150, 84))
    for x in (-0.845, 0.805):
        pen.fill(_rectangle(x, 0.55, x + 0.04, 1.0), (104, 60, 18))


def _windscreen(pen: _Pen) -> None:
    frame = [(-0.745, 1.09), (0.745, 1.09), (0.655, 1.82), (-0.655, 1.82)]
    pen.fill(frame, (22, 22, 22), round_m=0.07)
    pen.fill(_GLASS, (132, 118, 98), (50, 46, 40), round_m=0.06)
    for x in (-0.34, 0.34):
        seat = [(x - 0.17, 1.13), (x + 0.17, 1.13), (x + 0.15, 1.42), (x - 0.15, 1.42)]
        pen.fill(seat, (48, 44, 40), (34, 32, 30), round_m=0.05)
    pen.fill([(-0.7, 1.12), (0.7, 1.12), (0.69, 1.18), (-0.69, 1.18)], (30, 29, 28))
    pen.reflect(_GLASS, _houses(), share=0.35)


def _wipers(pen: _Pen) -> None:
    for x in (-0.55, 0.1):
        pen.fill([(x, 1.1), (x + 0.5, 1.155), (x + 0.5, 1.17), (x, 1.12)], (14, 14, 14))


def _lamps(pen: _Pen) -> None:
    outer = [(0.44, 0.66), (0.79, 0.7), (0.8, 0.92), (0.47, 0.88)]
    pen.mirror(outer, (28, 28, 28), round_m=0.04)
    inner = [(0.46, 0.68), (0.7, 0.71), (0.71, 0.895), (0.485, 0.865)]
    pen.mirror(inner, (240, 238, 230), (168, 166, 160), round_m=0.04)
    for side in (-1, 1):
        pen.disc(side * 0.585, 0.785, 0.062, (206, 204, 198))
        pen.disc(side * 0.585, 0.785, 0.04, (250, 249, 246))
    pen.mirror(
        [(0.715, 0.72), (0.775, 0.725), (0.78, 0.9), (0.725, 0.89)],
        (30, 130, 240),
        (20, 96, 200),
        round_m=0.02,
    )


def _grille(pen: _Pen) -> None:
    pen.fill(
        [(-0.4, 0.66), (0.4, 0.66), (0.43, 0.86), (-0.43, 0.86)],
        (30, 30, 30),
        round_m=0.03,
    )
    for y in (0.69, 0.735, 0.78, 0.825):
        pen.fill(_rectangle(-0.37, y, 0.37, y + 0.014), (86, 86, 86), (58, 58, 58))
    pen.disc(0, 0.765, 0.062, (190, 190, 190))
    pen.disc(0, 0.765, 0.048, (120, 66, 16))
    pen.fill(
        [(-0.83, 0.3), (0.83, 0.3), (0.84, 0.6), (-0.84, 0.6)],
        (78, 77, 76),
        (40, 40, 40),
        round_m=0.05,
    )
    pen.fill(_rectangle(-0.8, 0.57, 0.8, 0.585), (110, 109, 108))
    pen.mirror(_rectangle(0.52, 0.38, 0.68, 0.5), (22, 22, 22), round_m=0.03)
    for side in (-1, 1):
        pen.disc(side * 0.6, 0.44, 0.045, (196, 196, 190))


def _mirrors(pen: _Pen) -> None:
    pen.mirror([(0.76, 1.62), (0.95, 1.66), (0.95, 1.64), (0.77, 1.59)], (26, 26, 26))
    pen.mirror(
        _rectangle(0.88, 1.26, 1.02, 1.64), (58, 57, 56), (28, 28, 28), round_m=0.035
    )


def _houses() -> Image:
    """A blurred house front: a detector takes a bare pane for no windscreen."""
    return cast("Image", cv2.GaussianBlur(photo("bus.jpg")[:225], (0, 0), 3))


def number_plate(text: str, *, width_px: int) -> Image:
    """Draw `text`, such as KA01AB1234, black on white in the layout of AIS-159:
    the blue IND strip to the left and one row of letters."""
    scale = 4
    width, height = width_px * scale, round(width_px * PLATE_M[1] / PLATE_M[0]) * scale
    plate = np.full((height, width, 3), 238, np.uint8)
    cv2.rectangle(plate, (0, 0), (width - 1, height - 1), (30, 30, 30), height // 18)
    strip = round(width * 0.075)
    cv2.rectangle(
        plate, (height // 14, height // 3), (strip, height * 9 // 10), (150, 78, 30), -1
    )
    letters = _letters((text[:2], text[2:4], text[4:-4], text[-4:]))
    size = (round((width - strip) * 0.84), round(height * 0.5))
    ink = cv2.resize(letters, size, interpolation=cv2.INTER_AREA)[..., None] / 255
    left, top = strip + round((width - strip) * 0.08), round(height * 0.25)
    part = plate[top : top + size[1], left : left + size[0]]
    part[:] = (part * (1 - ink) + 22 * ink).astype(np.uint8)
    return cast(
        "Image",
        cv2.resize(
            plate, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA
        ),
    )


def _letters(groups: Sequence[str]) -> Image:
    """White on black, cropped, with a gap between the groups."""
    font, scale, thickness, gap = cv2.FONT_HERSHEY_SIMPLEX, 3.0, 8, 45
    (_, height), baseline = cv2.getTextSize("0", font, scale, thickness)
    pieces = []
    for group in groups:
        (width, _), _ = cv2.getTextSize(group, font, scale, thickness)
        piece = np.zeros((height + baseline, width + gap), np.uint8)
        origin = (gap // 2, height + baseline // 2)
        cv2.putText(piece, group, origin, font, scale, 255, thickness, cv2.LINE_AA)
        pieces.append(piece)
    row = np.hstack(pieces)
    x, y, width, height = cv2.boundingRect(row)
    return row[y : y + height, x : x + width]


def _mount(canvas: Image, text: str) -> None:
    plate = number_plate(text, width_px=round(PLATE_M[0] * PX_PER_M))
    height, width = plate.shape[:2]
    left = (canvas.shape[1] - width) // 2
    top = round((HEIGHT_M - 0.51) * PX_PER_M)
    canvas[top : top + height, left : left + width] = plate
