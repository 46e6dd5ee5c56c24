"""The cameras that this vision worker may run, and how sure it may be of that."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from streaming import leases
from streaming.leases import LEASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streaming.leases import Holder, Leases

logger = logging.getLogger(__name__)
LOOP_SILENT_S = 30.0
"""Far longer than the loop takes to load what it needs for a picture's size."""
LEASE_S = LEASE.total_seconds()
OUT_OF_TOUCH_S = 4.0
"""After a longer gap between renewals others too may have been without Postgres: for
the length of a lease they may come back to what they hold."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Under which lease something was seen."""

    term: int
    """0 when there was none."""
    is_sure: bool
    """Whether the lease was certainly held at that time."""


@dataclass(frozen=True, slots=True)
class _Held:
    terms: Mapping[str, int] = field(default_factory=dict)
    until_s: float = -inf


class Tenure:
    """Keeps the worker's leases for the clerk, and tells the loop of them.

    Instants are monotonic time. A lease is certain for its length from before the
    renewal was sent: by any clock that runs at Postgres' pace it cannot end earlier.
    """

    def __init__(self, holder: Holder) -> None:
        self.running: frozenset[str] = frozenset()
        """What the loop reads now; the loop says."""
        self.loop_seen_s = inf
        """When the loop last was at work; the loop says."""
        self._holder = holder
        self._held = _Held()
        self._renewed_s = self._in_touch_since_s = -inf
        self._is_told = False

    def renew(self, now_s: float) -> Leases | None:
        """Renew; None while the loop stands still, so that others take the cameras.

        Raises NameInUse and Django's database errors.
        """
        is_still = now_s - self.loop_seen_s > LOOP_SILENT_S
        if is_still and not self._is_told:
            logger.error(
                "The loop has stood still for %.0f s; its cameras are left to others.",
                LOOP_SILENT_S,
            )
        self._is_told = is_still
        if is_still:
            return None
        if now_s - self._renewed_s > OUT_OF_TOUCH_S:
            self._in_touch_since_s = now_s
        held = leases.renew(
            self._holder,
            running=self.running,
            takes_expired=now_s - self._in_touch_since_s >= LEASE_S,
        )
        self._renewed_s = now_s
        self._held = _Held(held.terms, now_s + LEASE_S)
        return held

    def leave(self) -> None:
        """Give everything back."""
        leases.leave(self._holder)

    def holds(self, code: str) -> bool:
        """Whether the camera was this worker's when that was looked up last."""
        return code in self._held.terms

    def claim(self, code: str, now_s: float) -> Claim:
        """Say under which lease a camera is seen at `now_s`."""
        held = self._held
        term = held.terms.get(code, 0)
        return Claim(term, is_sure=bool(term) and now_s <= held.until_s)
