"""Draws what was seen on a copy of the picture; the only place that knows pixels."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np

from .types import Label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .geometry import NamedLine
    from .plans import ZonePlan
    from .types import Box, Image, Point, Track

    Colour = tuple[int, int, int]
    Pixel = tuple[int, int]

# Bluish green, blue and orange of Okabe and Ito's palette (Color Universal Design,
# 2008), which the colour-blind tell apart, as BGR. The first two are darkened so that
# white text on them has a contrast above 4.5 to 1 (WCAG 2.1, 1.4.3).
_PERSON: Final = (96, 126, 0)
_VEHICLE: Final = (168, 104, 0)
_LINE: Final = (0, 159, 230)
_COLOURS: Final[Mapping[str, Colour]] = {
    "blue": (233, 180, 86),
    "green": (115, 158, 0),
    "orange": _LINE,
    "purple": (167, 121, 204),
    "red": (0, 94, 213),
}
"""Of lines and zones, from the same palette; their names are written on dark."""
_DARK: Final = (28, 26, 24)
_WHITE: Final = (250, 250, 250)
_MUTED: Final = (208, 208, 208)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


class NotEncoded(ValueError):
    """The picture cannot become a JPEG."""


def annotate(
    image: Image,
    tracks: Sequence[Track],
    *,
    lines: Sequence[NamedLine] = (),
    zones: Sequence[ZonePlan] = (),
    counts: Mapping[int, int] | None = None,
    notes: Mapping[int, str] | None = None,
    camera: str = "",
    time: str = "",
    fps: float | None = None,
) -> Image:
    """Return a copy with boxes, lines, zones and, where `camera` is given, a panel.

    `image` is H x W x 3, BGR; `counts` is how many stand in each zone, by its id;
    `notes` is more text by track id; `time` is shown as it is given. Tracks not yet
    confirmed have a thin box and no label.
    """
    brush = _Brush.on(image.copy())
    for zone in zones:
        brush.zone(zone, (counts or {}).get(zone.id) if zone.id else None)
    for line in lines:
        brush.line(line)
    for track in sorted(tracks, key=lambda track: track.box.y2):
        brush.track(track, (notes or {}).get(track.id, ""))
    if camera:
        count = sum(track.confirmed for track in tracks)
        brush.panel(camera, _details(time, fps, count))
    return brush.canvas


def shrink(image: Image, *, max_width: int) -> Image:
    """Return the picture made smaller where it is wider than `max_width` pixels."""
    height, width = image.shape[:2]
    if width <= max_width:
        return image
    size = (max_width, max(1, round(height * max_width / width)))
    return cast("Image", cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def encode_jpeg(
    image: Image, *, quality: int = 80, max_width: int | None = None
) -> bytes:
    """Return the picture as a JPEG, made smaller where wider than `max_width` pixels.

    `quality` is 0..100. Raises `NotEncoded`.
    """
    height, width = image.shape[:2]
    if max_width is not None:
        image = shrink(image, max_width=max_width)
    try:
        encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error:
        encoded = False
    if not encoded:
        raise NotEncoded(f"A picture of {width} x {height} cannot become a JPEG.")
    return bytes(data)


def _details(time: str, fps: float | None, count: int) -> str:
    parts = [time] if time else []
    if fps is not None:
        parts.append(f"{fps:.1f} fps")
    return "  ".join([*parts, "1 object" if count == 1 else f"{count} objects"])


def _printable(text: str) -> str:
    """Spell the text in the only letters that OpenCV's font has."""
    plain = unicodedata.normalize("NFKD", text)
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" else "?" for letter in kept)


@dataclass(frozen=True, slots=True)
class _Brush:
    """Draws on one canvas, in sizes that suit it."""

    canvas: Image
    text_scale: float
    stroke_px: int

    @classmethod
    def on(cls, canvas: Image) -> _Brush:
        """Choose sizes: letters about 1/45 of the height, but never under 8 pixels."""
        height, width = canvas.shape[:2]
        letter_px = max(8.0, min(height, width * 9 / 16) / 45)
        # A capital of this font is 21 pixels high at scale 1.
        return cls(canvas, letter_px / 21, max(1, round(letter_px / 8)))

    def track(self, track: Track, note: str) -> None:
        colour = _PERSON if track.label is Label.PERSON else _VEHICLE
        (left, top), (right, bottom) = self._corners(track.box)
        if not track.confirmed:
            cv2.rectangle(self.canvas, (left, top), (right, bottom), colour, 1)
            return
        outline = self.stroke_px + 2
        cv2.rectangle(self.canvas, (left, top), (right, bottom), _WHITE, outline)
        cv2.rectangle(self.canvas, (left, top), (right, bottom), colour, self.stroke_px)
        label = f"#{track.id} {track.label} {track.confidence:.0%} {note}"
        self.tag(label.strip(), (left, top), colour)

    def line(self, named: NamedLine) -> None:
        """Draw a counting line with an arrow towards its in-side."""
        start, end = self._pixel(named.line.a), self._pixel(named.line.b)
        colour = _COLOURS.get(named.colour, _LINE)
        self._stroke(start, end, colour)
        along = np.subtract(end, start)
        length = float(np.hypot(*along)) or 1.0
        reach = self.text_scale * 90
        # The left-hand side of the way from a to b; y points down.
        inward = (along[1] / length * reach, -along[0] / length * reach)
        middle = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
        tip = (round(middle[0] + inward[0]), round(middle[1] + inward[1]))
        self._stroke(middle, tip, colour, is_arrow=True)
        self.tag("in", (tip[0], tip[1]), _DARK)
        if named.name:
            self.tag(named.name, start, _DARK)

    def zone(self, zone: ZonePlan, count: int | None) -> None:
        """Draw a zone's outline with its name, and how many are in it where known."""
        corners = [self._pixel(each) for each in zone.corners]
        outline = np.array(corners, np.int32)
        for colour, extra in ((_DARK, 2), (_COLOURS.get(zone.colour, _LINE), 0)):
            width = self.stroke_px + extra
            cv2.polylines(
                self.canvas,
                [outline],
                isClosed=True,
                color=colour,
                thickness=width,
                lineType=cv2.LINE_AA,
            )
        words = zone.name if count is None else f"{zone.name}: {count}"
        self.tag(words, min(corners, key=lambda corner: corner[::-1]), _DARK)

    def panel(self, title: str, details: str) -> None:
        """Write two lines on a dark, half-transparent ground in the top left corner."""
        title, details = _printable(title), _printable(details)
        margin = round(self.text_scale * 18)
        row = round(self.text_scale * 38)
        widths = (self._width(title, 1.15), self._width(details, 1.0))
        ground = self.canvas[: 2 * row + margin, : max(widths) + 2 * margin]
        ground[:] = cv2.addWeighted(ground, 0.3, np.full_like(ground, _DARK), 0.7, 0)
        self._write(title, (margin, row), _WHITE, 1.15)
        self._write(details, (margin, 2 * row), _MUTED, 1.0)

    def tag(self, text: str, corner: Pixel, ground: Colour) -> None:
        """Write on a filled ground above `corner`, kept inside the picture."""
        text = _printable(text)
        pad = max(2, round(self.text_scale * 8))
        high = round(self.text_scale * 21) + 2 * pad
        wide = self._width(text, 1.0) + 2 * pad
        left = max(0, min(corner[0], self.canvas.shape[1] - wide))
        top = max(0, min(corner[1] - high, self.canvas.shape[0] - high))
        cv2.rectangle(self.canvas, (left, top), (left + wide, top + high), ground, -1)
        self._write(text, (left + pad, top + high - pad), _WHITE, 1.0)

    def _stroke(
        self, start: Pixel, end: Pixel, colour: Colour, *, is_arrow: bool = False
    ) -> None:
        for each, extra in ((_DARK, 2), (colour, 0)):
            width = self.stroke_px + extra
            if is_arrow:
                cv2.arrowedLine(
                    self.canvas, start, end, each, width, cv2.LINE_AA, tipLength=0.35
                )
            else:
                cv2.line(self.canvas, start, end, each, width, cv2.LINE_AA)

    def _write(self, text: str, origin: Pixel, colour: Colour, size: float) -> None:
        scale, weight = self.text_scale * size, self._weight
        cv2.putText(
            self.canvas, text, origin, _FONT, scale, colour, weight, cv2.LINE_AA
        )

    def _width(self, text: str, size: float) -> int:
        scale = self.text_scale * size
        return int(cv2.getTextSize(text, _FONT, scale, self._weight)[0][0])

    @property
    def _weight(self) -> int:
        return max(1, round(self.text_scale * 2))

    def _pixel(self, point: Point) -> Pixel:
        height, width = self.canvas.shape[:2]
        return round(point.x * (width - 1)), round(point.y * (height - 1))

    def _corners(self, box: Box) -> tuple[Pixel, Pixel]:
        height, width = self.canvas.shape[:2]
        left, right = (round(x * (width - 1)) for x in (box.x1, box.x2))
        top, bottom = (round(y * (height - 1)) for y in (box.y1, box.y2))
        return (left, top), (right, bottom)
