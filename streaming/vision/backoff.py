"""When a source that failed is tried again."""

from __future__ import annotations

from typing import Final

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 3.0
"""A camera that is back must give pictures again within 10 s. At worst it comes back
just after a try began that then runs out of time: 5 s (`opening.Timeouts`), and this,
leave 2 s to open it and to wait for its next key frame."""


def retry_delay_s(failures: int, *, jitter: float) -> float:
    """Return how long to wait after the n-th failure in a row, from 1.

    Doubles from 1 s to 3 s, spread by `jitter` (0..1) over the upper half, so that
    cameras which failed together do not come back together.
    """
    # Beyond the tenth it only overflows.
    ceiling = min(FIRST_RETRY_S * 2 ** min(failures - 1, 10), LONGEST_RETRY_S)
    return float(ceiling * (0.5 + jitter / 2))
