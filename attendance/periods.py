"""Stretches of dates, and what is left of one where others take its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates [first, end); without an end they go on."""

    first: date
    end: date | None = None

    def overlaps(self, other: Dates) -> bool:
        begins = self.end is None or other.first < self.end
        return begins and (other.end is None or self.first < other.end)

    def covers(self, other: Dates) -> bool:
        """Whether every date of the other is one of these."""
        if self.end is None:
            return self.first <= other.first
        return self.first <= other.first and (
            other.end is not None and other.end <= self.end
        )

    def without(self, taken: Iterable[Dates]) -> list[Dates]:
        """Return what is left outside of the others, earliest first."""
        left = [self]
        for gap in taken:
            left = [piece for one in left for piece in _cut(one, gap)]
        return left


def _cut(dates: Dates, gap: Dates) -> list[Dates]:
    if not dates.overlaps(gap):
        return [dates]
    pieces = []
    if dates.first < gap.first:
        pieces.append(Dates(dates.first, gap.first))
    if gap.end and (dates.end is None or gap.end < dates.end):
        pieces.append(Dates(gap.end, dates.end))
    return pieces
