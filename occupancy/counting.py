"""The count of a place from what was recorded there: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A crossing, or a correction, which sets the count."""

    at: datetime
    entries: int = 0
    exits: int = 0
    set_to: int | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """What a bucket holds."""

    avg_occupancy: float
    max_occupancy: int
    min_occupancy: int
    total_entries: int
    total_exits: int
    closing_count: int


def after(count: int, step: Step) -> int:
    """Return the count after a step; never below zero: whoever leaves an empty place
    had entered it unseen."""
    if step.set_to is not None:
        return step.set_to
    return max(count + step.entries - step.exits, 0)


def recount(
    steps: Iterable[Step], periods: Sequence[tuple[datetime, datetime]], *, opening: int
) -> list[Sums]:
    """Sum up, for each period, the steps in it; they and the periods are in order.

    This is what the statement in `aggregation` must equal. `opening` is the count when
    the first period begins; each next one begins where the one before ended.
    """
    found, waiting = [], list(steps)
    for start, end in periods:
        inside = [step for step in waiting if start <= step.at < end]
        found.append(_sums(inside, start, end, opening))
        opening = found[-1].closing_count
    return found


def _sums(steps: Sequence[Step], start: datetime, end: datetime, opening: int) -> Sums:
    count, since, weighted, counts = opening, start, 0.0, [opening]
    for step in steps:
        weighted += count * (step.at - since).total_seconds()
        count, since = after(count, step), step.at
        counts.append(count)
    weighted += count * (end - since).total_seconds()
    return Sums(
        avg_occupancy=weighted / (end - start).total_seconds(),
        max_occupancy=max(counts),
        min_occupancy=min(counts),
        total_entries=sum(step.entries for step in steps),
        total_exits=sum(step.exits for step in steps),
        closing_count=count,
    )
