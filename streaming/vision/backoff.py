"""When a source that failed is tried again."""

from __future__ import annotations

from typing import Final

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 3.0
"""A camera that is back must give pictures again within 10 s. At worst it comes back
just after a try began that then runs out of time: 5 s (`opening.Timeouts`), and this,
leave 2 s to open it and to wait for its next key frame."""
FIRST_LOGIN_S: Final = 5.0
LONGEST_LOGIN_S: Final = 60.0
"""Cameras lock the account, or our address, after five to ten wrong logins. A wrong one
stays wrong until somebody corrects it; corrected here, it is tried at once."""


def retry_delay_s(failures: int, *, jitter: float) -> float:
    """Return how long to wait after the n-th failure in a row, from 1.

    Doubles from 1 s to 3 s, spread by `jitter` (0..1) over the upper half, so that
    cameras which failed together do not come back together.
    """
    return _doubled(FIRST_RETRY_S, failures, most_s=LONGEST_RETRY_S, jitter=jitter)


def login_delay_s(refusals: int, *, jitter: float) -> float:
    """Return how long to wait after the n-th refused login since a picture, from 1.

    Doubles from 5 s to a minute, spread like `retry_delay_s`.
    """
    return _doubled(FIRST_LOGIN_S, refusals, most_s=LONGEST_LOGIN_S, jitter=jitter)


def _doubled(first_s: float, times: int, *, most_s: float, jitter: float) -> float:
    # Beyond the tenth it only overflows.
    ceiling = min(first_s * 2 ** min(times - 1, 10), most_s)
    return float(ceiling * (0.5 + jitter / 2))
