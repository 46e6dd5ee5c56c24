"""Draws what the demo clips' people and vehicle move in: a yard, a gate, a truck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cutouts import Alpha, Image

WIDTH: Final = 1280
HEIGHT: Final = 720
TEXELS_PER_M: Final = 60
GROUND_WIDTH_M: Final = 24.0
YARD_DEPTH_M: Final = 12.0
GATE_DEPTH_M: Final = 60.0
SEED: Final = 11


@dataclass(frozen=True, slots=True)
class View:
    """A level pinhole camera over flat ground; x to the right, z away, in metres."""

    focal_px: float
    height_m: float
    horizon_px: float

    def scale(self, z_m: float) -> float:
        """Pixels per metre at the distance `z_m`."""
        return self.focal_px / z_m

    def row(self, z_m: float) -> float:
        """The picture row in which the ground at `z_m` lies."""
        return self.horizon_px + self.height_m * self.scale(z_m)

    def column(self, x_m: float, z_m: float) -> float:
        return WIDTH / 2 + x_m * self.scale(z_m)


YARD: Final = View(focal_px=900, height_m=3.2, horizon_px=40)
GATE: Final = View(focal_px=1500, height_m=1.9, horizon_px=110)
WALL_Z_M: Final = 11.0


def yard() -> Image:
    """Return the empty yard before a factory wall, 1280 x 720."""
    ground = _asphalt(YARD_DEPTH_M)
    _stripe(ground, z_m=9.6, width_m=0.12, colour=(205, 208, 206))
    _stripe(ground, z_m=4.55, width_m=0.12, colour=(205, 208, 206))
    for z_m in (6.2, 8.0):
        _stripe(ground, z_m=z_m, width_m=0.02, colour=(88, 90, 92))
    _hatch(ground)
    picture = _lay(ground, YARD)
    foot = round(YARD.row(WALL_Z_M))
    picture[:foot] = _wall(foot)
    return _light(picture, foot)


def gate() -> Image:
    """Return the empty lane of the gate, 1280 x 720."""
    ground = _asphalt(GATE_DEPTH_M)
    for x_m in (-2.2, 2.2):
        _lane(ground, x_m=x_m)
    _stripe(ground, z_m=4.75, width_m=0.2, colour=(210, 212, 210))
    picture = _lay(ground, GATE)
    foot = round(GATE.row(GATE_DEPTH_M))
    picture[:foot] = _distance(foot)
    _posts(picture)
    return _light(picture, foot)


def _noise(shape: tuple[int, int], *, grain: int, seed: int) -> NDArray[np.float32]:
    """Smooth noise around 0, about 1 strong, whose blobs are `grain` texels wide."""
    rng = np.random.default_rng(seed)
    small = rng.standard_normal((shape[0] // grain + 2, shape[1] // grain + 2))
    size = (shape[1], shape[0])
    grown = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return cast("NDArray[np.float32]", grown)


def _asphalt(depth_m: float) -> Image:
    shape = (round(depth_m * TEXELS_PER_M), round(GROUND_WIDTH_M * TEXELS_PER_M))
    grey = np.full(shape, 118, np.float32)
    for grain, strength in ((2, 5.0), (6, 2.5), (60, 2.5), (300, 5.0)):
        grey += strength * _noise(shape, grain=grain, seed=SEED + grain)
    tinted = np.clip(grey[..., None] * np.array((1.0, 1.0, 0.985)), 0, 255)
    return cast("Image", tinted.astype(np.uint8))


def _stripe(
    ground: Image, *, z_m: float, width_m: float, colour: tuple[int, int, int]
) -> None:
    """Paint a worn stripe across the whole width."""
    half = width_m / 2
    rows = slice(
        round((z_m - half) * TEXELS_PER_M), round((z_m + half) * TEXELS_PER_M) or None
    )
    _paint(ground, (rows, slice(None)), colour)


def _lane(ground: Image, *, x_m: float) -> None:
    middle = round((x_m + GROUND_WIDTH_M / 2) * TEXELS_PER_M)
    _paint(ground, (slice(None), slice(middle - 4, middle + 4)), (70, 190, 225))


def _paint(
    ground: Image, area: tuple[slice, slice], colour: tuple[int, int, int]
) -> None:
    part = ground[area].astype(np.float32)
    worn = 0.72 + 0.1 * _noise(part.shape[:2], grain=5, seed=SEED)
    cover = np.clip(worn, 0.35, 0.95)[..., None]
    ground[area] = (part * (1 - cover) + np.array(colour) * cover).astype(np.uint8)


def _hatch(ground: Image) -> None:
    """Mark the keep-clear area along the wall in yellow."""
    layer = np.zeros(ground.shape[:2], np.uint8)
    top, bottom = (round(z * TEXELS_PER_M) for z in (10.0, 10.8))
    for x in range(0, ground.shape[1], TEXELS_PER_M):
        points = np.array([[x, top], [x + 18, top], [x + 48, bottom], [x + 30, bottom]])
        cv2.fillPoly(layer, [points.astype(np.int32)], 255, cv2.LINE_AA)
    cover = (layer / 255 * 0.55)[..., None]
    ground[:] = (ground * (1 - cover) + np.array((70, 175, 205)) * cover).astype(
        np.uint8
    )


def _lay(ground: Image, view: View) -> Image:
    """Project the painted ground, whose rows run away from the camera."""
    near, far, half = 2.5, ground.shape[0] / TEXELS_PER_M, GROUND_WIDTH_M / 2
    corners = [(-half, near), (half, near), (half, far), (-half, far)]
    source = np.array(
        [((x + half) * TEXELS_PER_M, z * TEXELS_PER_M) for x, z in corners], np.float32
    )
    target = np.array(
        [(view.column(x, z), view.row(z)) for x, z in corners], np.float32
    )
    matrix = cv2.getPerspectiveTransform(source, target)
    blurred = cv2.GaussianBlur(ground, (3, 3), 0)
    laid = cv2.warpPerspective(
        blurred,
        matrix,
        (WIDTH, HEIGHT),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cast("Image", laid)


def _wall(height: int) -> Image:
    """Corrugated sheet over a concrete foot, with a roller door and a window band."""
    columns = np.arange(WIDTH)
    ribs = 6 * np.sin(columns * 2 * np.pi / 16) + 1.5 * np.sin(columns / 97)
    fall = np.linspace(8, -6, height)[:, None]
    tone = np.array((186, 180, 170))
    wall = tone + (ribs[None, :] + fall)[..., None]
    wall += _noise((height, WIDTH), grain=40, seed=SEED)[..., None] * 1.5
    picture = np.clip(wall, 0, 255).astype(np.uint8)
    foot = round(0.45 * YARD.scale(WALL_Z_M))
    concrete = 142 + 4 * _noise((foot, WIDTH), grain=7, seed=SEED + 1)
    picture[height - foot :] = concrete[..., None].clip(0, 255).astype(np.uint8)
    cv2.line(picture, (0, height - foot), (WIDTH, height - foot), (118, 118, 118), 2)
    _windows(picture)
    _roller_door(picture, 850, 1110, height)
    return picture


def _windows(picture: Image) -> None:
    for left in range(90, 720, 160):
        cv2.rectangle(picture, (left, 36), (left + 120, 96), (128, 124, 118), -1)
        glass = np.linspace(92, 128, 52)[:, None, None] + np.array((8.0, 2.0, -6.0))
        picture[40:92, left + 4 : left + 116] = glass.astype(np.uint8)
        cv2.line(picture, (left + 60, 38), (left + 60, 94), (128, 124, 118), 3)


def _roller_door(picture: Image, left: int, right: int, foot: int) -> None:
    rows = np.arange(foot - 50)
    slats = 150 + 9 * np.sin(rows * 2 * np.pi / 11)
    door = slats[:, None, None] + np.array((-2.0, 2.0, 4.0))
    picture[50:foot, left:right] = door.astype(np.uint8)
    cv2.rectangle(picture, (left - 8, 40), (right + 8, 52), (96, 92, 88), -1)
    for x in (left - 8, right):
        cv2.rectangle(picture, (x, 50), (x + 8, foot), (70, 170, 205), -1)


def _distance(foot: int) -> Image:
    """A hazy sky over a row of trees and sheds, out of focus."""
    sky = np.linspace(0, 1, foot)[:, None, None]
    picture = np.array((226, 214, 200)) * (1 - sky) + np.array((226, 224, 220)) * sky
    picture = np.repeat(picture, WIDTH, axis=1).astype(np.uint8)
    heights = 42 + 16 * _noise((1, WIDTH), grain=70, seed=SEED)[0]
    for x, height in enumerate(heights):
        picture[foot - round(float(height)) : foot, x] = (118, 134, 122)
    cv2.rectangle(picture, (70, foot - 78), (420, foot), (168, 166, 162), -1)
    cv2.rectangle(picture, (880, foot - 64), (1180, foot), (150, 158, 168), -1)
    return cast("Image", cv2.GaussianBlur(picture, (0, 0), 5))


def _posts(picture: Image) -> None:
    """The gate's posts, banded, left and right of the lane."""
    for x_m in (-2.9, 2.9):
        z_m = 9.5
        x, foot = round(GATE.column(x_m, z_m)), round(GATE.row(z_m))
        scale = GATE.scale(z_m)
        half, top = round(0.14 * scale), foot - round(1.5 * scale)
        shades = 1 - 0.35 * np.abs(np.linspace(-0.7, 1, 2 * half))
        for y in range(top, foot):
            band = (60, 178, 222) if (y - top) // 34 % 2 == 0 else (62, 60, 58)
            line = shades[:, None] * np.array(band)
            picture[y, x - half : x + half] = line.astype(np.uint8)
        ground_shade(picture, x + half / 2, foot, width_px=half * 5.0)


def ground_shade(picture: Image, x: float, y: float, *, width_px: float) -> None:
    """Darken the ground around (x, y), where something stands on it."""
    size = (max(2, round(width_px)), max(2, round(width_px * 0.22)))
    shade = cast("Alpha", cv2.resize(_SPOT, size, interpolation=cv2.INTER_AREA))
    left, top = round(x - size[0] / 2), round(y - size[1] / 2)
    blend(picture, None, shade, (left, top))


def _spot() -> Alpha:
    spot = np.zeros((60, 60), np.float32)
    cv2.circle(spot, (30, 30), 18, 0.7, -1)
    return cast("Alpha", cv2.GaussianBlur(spot, (0, 0), 6))


_SPOT: Final = _spot()


def blend(
    picture: Image, image: Image | None, cover: Alpha, corner: tuple[int, int]
) -> None:
    """Lay `image`, or black, over the picture at `corner` (x, y), cut at its edges."""
    left, top = max(corner[0], 0), max(corner[1], 0)
    right = min(corner[0] + cover.shape[1], picture.shape[1])
    bottom = min(corner[1] + cover.shape[0], picture.shape[0])
    if left >= right or top >= bottom:
        return
    inner = (
        slice(top - corner[1], bottom - corner[1]),
        slice(left - corner[0], right - corner[0]),
    )
    part = picture[top:bottom, left:right]
    weight = cover[inner][..., None]
    blended = part * (1 - weight)
    if image is not None:
        blended += image[inner] * weight
    part[:] = blended.astype(np.uint8)


def _light(picture: Image, foot: int) -> Image:
    """Shade the foot of what stands on the ground and darken the corners."""
    rows = np.arange(HEIGHT, dtype=np.float32)
    shade = 1 - 0.28 * np.exp(-np.abs(rows - foot) / 12)
    x = np.linspace(-1, 1, WIDTH)[None, :]
    y = np.linspace(-1, 1, HEIGHT)[:, None]
    corners = 1.04 - 0.16 * (0.7 * x**2 + 0.5 * y**2)
    lit = picture * (shade[:, None] * corners)[..., None]
    return np.clip(lit, 0, 255).astype(np.uint8)
