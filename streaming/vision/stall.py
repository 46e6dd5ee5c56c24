"""Says when a connection gives no picture any more, whatever bytes it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .decoding import LONGEST_BLINK_S
from .opening import Timeouts

if TYPE_CHECKING:
    from .decoding import Reading

STALLED_AFTER_S: Final = 5.0
OPENED_WITHIN_S: Final = Timeouts().open_s + STALLED_AFTER_S
"""Until the first picture: a camera may be slow to answer, and its first key frame may
be far off when it does."""


class StallRule:
    """Follows one connection of a live source; instants are monotonic."""

    def __init__(self, *, opened_s: float) -> None:
        self._stalled_at_s = opened_s + OPENED_WITHIN_S
        self._seen: tuple[bool, float | None] = False, None

    def is_stalled(self, reading: Reading, *, now_s: float) -> bool:
        """Judge by what was decoded, wanted or not; before that by what was read.

        While idle the last picture decoded is older than the last read, and a silent
        network is the reader's to notice: it gives what it kept back before it ends.
        """
        seen = reading.frames_read > 0, reading.decoded_at_s
        if seen != self._seen:
            self._seen = seen
            stalled_at_s = now_s + STALLED_AFTER_S
            if reading.decoded_at_s is None:
                stalled_at_s = max(stalled_at_s, self._stalled_at_s)
            self._stalled_at_s = stalled_at_s
        kept_s = LONGEST_BLINK_S if reading.is_idle else 0.0
        return now_s >= self._stalled_at_s + kept_s
