"""Decisions about cameras and their workers: values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def shares(cameras: int, *, held: Mapping[str, int]) -> dict[str, int]:
    """Return how many of the cameras each worker is to have, by its name.

    `held` says how many each has now. Shares add up to `cameras` and differ by one at
    most. The odd ones stay with those who have the most, then go by name: every worker
    finds the same shares, and as few cameras as can be change their worker.
    """
    if not held:
        return {}
    each, odd = divmod(cameras, len(held))
    most_first = sorted(held, key=lambda name: (-held[name], name))
    return {name: each + (rank < odd) for rank, name in enumerate(most_first)}


def outage_start(
    *, at: datetime, last_frame_at: datetime | None, last_ended_at: datetime | None
) -> datetime:
    """Return when an outage that was noticed at `at` began.

    That is when the last good picture came, where that is known, but never before the
    end of the outage before: outages of a camera do not overlap.
    """
    began = min(at, last_frame_at or at)
    return max(began, last_ended_at or began)
