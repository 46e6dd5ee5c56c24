"""How full a place is, against how many may be there: values in, values out."""

from __future__ import annotations

from enum import StrEnum


class Fullness(StrEnum):
    """How full a place is, as a word; least full first."""

    NORMAL = "normal"
    AMBER = "amber"
    """Getting full."""
    RED = "red"
    """More are there than may be."""

    @property
    def rank(self) -> int:
        return list(Fullness).index(self)


def fullness(count: int, *, capacity: int | None, amber_percent: int) -> Fullness:
    """Return how full a place with so many in it is.

    As many as may be there are amber, not red; where there is no limit it is normal.
    """
    if capacity is None:
        return Fullness.NORMAL
    if count > capacity:
        return Fullness.RED
    is_amber = count > 0 and 100 * count >= amber_percent * capacity
    return Fullness.AMBER if is_amber else Fullness.NORMAL


def next_fullness(
    before: Fullness, count: int, *, capacity: int | None, amber_percent: int
) -> Fullness:
    """Return how full it is after it was `before`.

    It gets less full only when one more would not make it what it was, or nobody is
    left: somebody who stands in its door, in and out, changes nothing.
    """
    now = fullness(count, capacity=capacity, amber_percent=amber_percent)
    one_more = fullness(count + 1, capacity=capacity, amber_percent=amber_percent)
    is_falling = now.rank < before.rank
    return before if is_falling and count > 0 and one_more is before else now
