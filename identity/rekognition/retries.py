"""When to try again: values in, values out; sleeping is the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_DELAY_S: Final = 1.0
LONGEST_DELAY_S: Final = 8.0
SPREAD: Final = 0.25
"""By how much of itself a delay is shorter or longer, so that workers which failed
together do not come back together."""
MAX_RETRIES: Final = 3
ResultT = TypeVar("ResultT")


class OnRetry(Protocol):
    def __call__(self, attempt: int, error: Exception, delay_s: float) -> None:
        """Hear, before the wait, which attempt failed (from 1), how, and the wait."""


def delay_s(attempt: int, *, jitter: float) -> float:
    """Return how long to wait after attempt 1, 2, 3, ...: 1, 2, 4, 8, 8, ... seconds.

    `jitter` is 0..1, by chance: 0 is a quarter less, 1 a quarter more.
    """
    whole = min(FIRST_DELAY_S * 2.0 ** min(attempt - 1, 30), LONGEST_DELAY_S)
    return whole * (1 + SPREAD * (2 * jitter - 1))


def with_retries(
    call: Callable[[], ResultT],
    *,
    on: tuple[type[Exception], ...],
    sleep: Callable[[float], object],
    jitter: Callable[[], float],
    max_retries: int = MAX_RETRIES,
    on_retry: OnRetry | None = None,
) -> ResultT:
    """Call until it succeeds; raise an error that is none of `on`, and the last."""
    for attempt in range(1, max_retries + 1):
        try:
            return call()
        except on as error:
            wait_s = delay_s(attempt, jitter=jitter())
            if on_retry:
                on_retry(attempt, error, wait_s)
        sleep(wait_s)
    return call()
