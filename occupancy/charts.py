"""Where the shapes of a chart lie: values in, places out.

Across they are in per cent of the chart's width, so that it fits any screen without a
script; down they are in pixels from its upper edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEIGHT: Final = 180
TICKS_MAX: Final = 5
NICE: Final = (1, 2, 5)
LABELS_MAX: Final = 8
"""As many as a telephone has room for."""
MINOR_MAX: Final = 31
"""As many as there may be on a wide screen: the days of a month."""
FILLED: Final = 0.8
"""Share of a slot's width that its bars take."""
HEATS: Final = 6


@dataclass(frozen=True, slots=True)
class Span:
    """The least, the mean and the most of a period."""

    least: float
    average: float
    most: float


@dataclass(frozen=True, slots=True)
class Slot:
    """One period of a chart. None is what is not known, and leaves a gap."""

    title: str
    label: str = ""
    bars: Sequence[float | None] = ()
    span: Span | None = None
    before: float | None = None
    """What it is compared with, drawn as a line."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line between two points, or a dot where both are one."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def is_dot(self) -> bool:
        return (self.x1, self.y1) == (self.x2, self.y2)


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    value: int


@dataclass(frozen=True, slots=True)
class Label:
    """What is written below; a minor one only where there is room."""

    x: float
    text: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Chart:
    height: int
    bars: Sequence[Bar]
    spans: Sequence[Bar]
    averages: Sequence[Stroke]
    line: Sequence[Stroke]
    ticks: Sequence[Tick]
    labels: Sequence[Label]


def chart(slots: Sequence[Slot], *, height: int = HEIGHT) -> Chart:
    """Lay out bars side by side, spans, and the line of what was before."""
    ticks = scale(max(_values(slots), default=0))
    frame = _Frame(len(slots), ticks[-1], height)
    return Chart(
        height=height,
        bars=[bar for at, slot in enumerate(slots) for bar in frame.bars(at, slot)],
        spans=[
            frame.bar(at, slot.span.least, slot.span.most, title=slot.title)
            for at, slot in enumerate(slots)
            if slot.span
        ],
        averages=[
            frame.across(at, slot.span.average)
            for at, slot in enumerate(slots)
            if slot.span
        ],
        line=frame.line([slot.before for slot in slots]),
        ticks=[Tick(frame.y(value), value) for value in ticks],
        labels=labels([slot.label for slot in slots]),
    )


def scale(most: float) -> Sequence[int]:
    """Return evenly spaced whole numbers from 0 to at least `most`, and at least to 1.

    Their distance is 1, 2 or 5 times a power of ten, the smallest that makes no more
    than TICKS_MAX of them above 0.
    """
    wanted = max(most, 1) / TICKS_MAX
    power = 10 ** max(math.floor(math.log10(wanted)), 0)
    steps = (nice * power * more for more in (1, 10) for nice in NICE)
    step = next(one for one in steps if one >= wanted)
    return range(0, step * max(math.ceil(most / step), 1) + 1, step)


def labels(texts: Sequence[str]) -> Sequence[Label]:
    """Place those texts that there is room for, each below the middle of its slot."""
    written = [(at, text) for at, text in enumerate(texts) if text]
    every = math.ceil(len(written) / LABELS_MAX) or 1
    shown = written if len(written) <= MINOR_MAX else written[::every]
    major = set(written[::every])
    return [
        Label((at + 0.5) * 100 / len(texts), text, (at, text) not in major)
        for at, text in shown
    ]


def heat(value: float, *, most: float) -> int:
    """Return how warm a value is, from 0 for nothing to HEATS for the most."""
    if value <= 0 or most <= 0:
        return 0
    return min(math.ceil(value / most * HEATS), HEATS)


def _values(slots: Iterable[Slot]) -> Iterable[float]:
    for slot in slots:
        tops = (*slot.bars, slot.before, slot.span.most if slot.span else None)
        yield from (value for value in tops if value is not None)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The chart's plane: so many slots across, from 0 up to `top`."""

    slots: int
    top: float
    height: int

    def y(self, value: float) -> float:
        return self.height * (1 - value / self.top)

    def middle(self, at: int) -> float:
        return (at + 0.5) * 100 / self.slots

    def bars(self, at: int, slot: Slot) -> Iterable[Bar]:
        for series, value in enumerate(slot.bars):
            if value is not None:
                yield self.bar(
                    at, 0, value, series=series, of=len(slot.bars), title=slot.title
                )

    def bar(
        self,
        at: int,
        low: float,
        high: float,
        *,
        title: str,
        series: int = 0,
        of: int = 1,
    ) -> Bar:
        """Return the bar from `low` to `high`, one of so many beside each other."""
        filled = FILLED * 100 / self.slots
        x = self.middle(at) - filled / 2 + series * filled / of
        y = self.y(high)
        return Bar(x, y, filled / of, self.y(low) - y, series, title)

    def across(self, at: int, value: float) -> Stroke:
        half, middle, y = FILLED * 50 / self.slots, self.middle(at), self.y(value)
        return Stroke(middle - half, y, middle + half, y)

    def line(self, values: Sequence[float | None]) -> Sequence[Stroke]:
        """Join what follows each other; a value between two gaps is a dot."""
        points = [
            None if value is None else (self.middle(at), self.y(value))
            for at, value in enumerate(values)
        ]
        padded = [None, *points, None]
        dots = [
            Stroke(*point, *point)
            for before, point, after in zip(
                padded[:-2], points, padded[2:], strict=True
            )
            if point and before is None and after is None
        ]
        joined = [Stroke(*one, *two) for one, two in pairwise(points) if one and two]
        return [*joined, *dots]
