"""When to stop asking a service that fails: values in, values out.

Instants are seconds on one clock of all who share the breaker. Who looked at it first
may come to the breaker last, so an instant may lie a little ahead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

FAILURES: Final = 5
WINDOW_S: Final = 60.0
REST_S: Final = 30.0


class State(StrEnum):
    CLOSED = "closed"
    """The service is asked."""
    OPEN = "open"
    """It is not asked for now."""
    HALF_OPEN = "half-open"
    """One request finds out whether it is back."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a service: its failures in a row, and since when it rests.

    Every answer begins a new row: a service that often fails and often answers is asked
    on, one that only fails is not.
    """

    failed_at: tuple[float, ...] = ()
    """The failures since the last answer, of the last minute."""
    opened_at: float | None = None
    reason: str = ""
    """Why it was opened, a sentence."""
    trial_at: float | None = None
    """When a request was let through to find out."""

    def state(self, *, now: float) -> State:
        if self.opened_at is None:
            return State.CLOSED
        is_resting = abs(now - self.opened_at) < REST_S
        return State.OPEN if is_resting else State.HALF_OPEN

    def may_call(self, *, now: float) -> bool:
        """Whether a request may be sent; tell `with_trial` of it when half open.

        A trial whose end nobody told, for it was killed, is replaced by another.
        """
        state = self.state(now=now)
        if state is not State.HALF_OPEN:
            return state is State.CLOSED
        return self.trial_at is None or abs(now - self.trial_at) >= REST_S

    def with_trial(self, *, now: float) -> Breaker:
        return self if self.opened_at is None else replace(self, trial_at=now)

    def after_failure(self, *, now: float, reason: str) -> Breaker:
        """Return it with one more failure in the row, or opened again."""
        if self.opened_at is not None:
            return self if self.trial_at is None else opened(now=now, reason=reason)
        lately = tuple(at for at in self.failed_at if abs(now - at) < WINDOW_S)
        if len(lately) + 1 >= FAILURES:
            return opened(now=now, reason=reason)
        return replace(self, failed_at=(*lately, now))


def opened(*, now: float, reason: str) -> Breaker:
    """Return a breaker that has just been opened."""
    return Breaker(opened_at=now, reason=reason)
