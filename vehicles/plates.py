"""Number plates in pictures: where they are, and what they say. Plain Python.

Who finds and who reads them are adapters behind two ports, in vehicles/readers/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from .voting import PlateRead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streaming.vision.types import Box, Image

MARGINS: Final = ((0.0, 0.0), (0.05, 0.05), (0.02, 0.15), (0.1, 0.1))
"""How much is left around a plate, (sideways, upright) as shares of its own size.

A box that cuts a character or leaves too much around makes a reader err differently
each time, so what most of these cuts say is right more often than one alone; see
docs/vehicles.md for what each number of cuts gives.
"""
TWO_LINES_BELOW: Final = 2.2
"""Width over height under which a plate may have two lines. Those of one line are 3.1
(India, 340 x 110 mm) to 4.7 (EU, 520 x 110 mm), those of two 1.5 (EU, 340 x 220 mm) to
2 (India, 200 x 100 mm)."""
SPLITS: Final = ((0.0, 0.5), (0.05, 0.5), (0.0, 0.45))
"""How much is left around a plate of two lines, and where they are parted."""


@dataclass(frozen=True, slots=True)
class FoundPlate:
    """Where a plate is in a picture."""

    box: Box
    confidence: float
    """0..1, that it is a plate at all."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """What a reader makes of one cut-out."""

    text: str
    confidences: tuple[float, ...]
    """One for each character, 0..1."""


class PlateFinder(Protocol):
    """Finds plates; one instance serves all threads of a process."""

    name: str

    def find(self, image: Image) -> list[FoundPlate]:
        """Return the plates of a picture, the surest first."""
        ...


class PlateReader(Protocol):
    """Reads plates; one instance serves all threads of a process."""

    name: str

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        """Return what each cut-out of a plate says, in the order given."""
        ...


@dataclass(frozen=True, slots=True)
class PlateModel:
    """A finder and a reader, and who reads plates of two lines."""

    finder: PlateFinder
    reader: PlateReader
    line_reader: PlateReader | None = None
    """Reads each of two lines by itself; without it they are read as one."""

    def reads(
        self, image: Image, found: FoundPlate, *, frame_index: int = 0
    ) -> list[PlateRead]:
        """Return what the plate says, once for each of its cuts; nothing if nothing."""
        said = self.reader.read(list(cuts(image, found.box)))
        if self.line_reader and may_have_two_lines(image, found.box):
            lines = [line for part in lines_of(image, found.box) for line in part]
            read = self.line_reader.read(lines)
            said += [_joined(*pair) for pair in zip(read[::2], read[1::2], strict=True)]
        return [
            PlateRead(frame_index, each.text, each.confidences)
            for each in said
            if each.text
        ]


def cuts(image: Image, box: Box) -> Iterator[Image]:
    """Cut a plate out of a picture with each of the MARGINS; none that are empty."""
    for sideways, upright in MARGINS:
        found = _cut(image, box, sideways * box.width, upright * box.height)
        if found.size:
            yield found


def may_have_two_lines(image: Image, box: Box) -> bool:
    height, width = image.shape[:2]
    return bool(box.width * width < TWO_LINES_BELOW * box.height * height)


def lines_of(image: Image, box: Box) -> Iterator[tuple[Image, Image]]:
    """Part a plate into an upper and a lower line with each of the SPLITS."""
    for around, at in SPLITS:
        found = cut(image, box, around=around)
        row = round(at * found.shape[0])
        if 0 < row < found.shape[0] and found.size:
            yield found[:row], found[row:]


def _joined(upper: ReadText, lower: ReadText) -> ReadText:
    """Return two lines as one text; nothing where one of them says nothing."""
    if not (upper.text and lower.text):
        return ReadText("", ())
    return ReadText(upper.text + lower.text, upper.confidences + lower.confidences)


def cut(image: Image, box: Box, *, around: float = 0.0) -> Image:
    """Cut out a box with a share of its size around it, as far as the picture goes."""
    return _cut(image, box, around * box.width, around * box.height)


def _cut(image: Image, box: Box, x: float, y: float) -> Image:
    height, width = image.shape[:2]
    left, right = _pixels(box.x1 - x, box.x2 + x, width)
    top, bottom = _pixels(box.y1 - y, box.y2 + y, height)
    return image[top:bottom, left:right]


def _pixels(first: float, last: float, size: int) -> tuple[int, int]:
    """Return the pixels [first, last) of a side, of relative positions 0..1."""
    return max(0, int(first * size)), max(0, min(size, int(last * size) + 1))
