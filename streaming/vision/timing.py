"""Tells when a picture was taken and when it came, whatever its time stamp says."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime


class TimeLine:
    """Turns time stamps into seconds since the first frame that never run back.

    Where a stamp is missing, or leaps as a live camera's do when it sets its clock,
    the step is the time that passed (live) or one frame's interval (recording).
    """

    LONGEST_LIVE_STEP_S: Final = 5.0

    def __init__(self, interval_s: float, *, is_live: bool) -> None:
        self._interval_s = interval_s
        self._is_live = is_live
        self._zero_s: float | None = None
        self._seconds: float | None = None
        self._read_at_s = 0.0

    def read(self, stamp_s: float | None, *, at_s: float) -> float:
        """Take the next stamp, of a picture that came at `at_s`, a monotonic time."""
        previous, passed_s = self._seconds, at_s - self._read_at_s
        self._read_at_s = at_s
        if previous is None:
            self._seconds = 0.0
        elif stamp_s is not None and self._follows(stamp_s, previous):
            self._seconds = stamp_s - (self._zero_s or 0.0)
            return self._seconds
        else:
            self._seconds = previous + (passed_s if self._is_live else self._interval_s)
        self._zero_s = None if stamp_s is None else stamp_s - self._seconds
        return self._seconds

    def _follows(self, stamp_s: float, previous: float) -> bool:
        if self._zero_s is None:
            return False
        step_s = stamp_s - self._zero_s - previous
        return step_s > 0 and (not self._is_live or step_s <= self.LONGEST_LIVE_STEP_S)


class Lateness:
    """Tells which pictures are read late because older ones were in their way.

    While pictures kept back are decoded nothing is read: what comes meanwhile waits in
    the network and seems to arrive later than it did. The camera's own clock, which is
    compared with ours while nothing is late, tells when it came.
    """

    SLACK: Final = timedelta(seconds=0.05)
    """Read this late a picture is on time: about the interval between two."""
    LONGEST_S: Final = 5.0
    """After this long a busy machine is what makes pictures late, and none waits."""

    def __init__(self) -> None:
        self.is_late = False
        self._since_s = 0.0
        self._zero: datetime | None = None

    def arrival(self, at: datetime, seconds: float, *, is_kept: bool) -> datetime:
        """Return when the picture at `seconds` of the stream came.

        `at` is when it was read, `is_kept` tells that it was kept back since.
        """
        if is_kept and not self.is_late:
            self.is_late, self._since_s = True, time.monotonic()
        if self._zero is None or not self.is_late:
            self._zero = at - timedelta(seconds=seconds)
            return at
        came = min(at, self._zero + timedelta(seconds=seconds))
        is_too_long = time.monotonic() - self._since_s > self.LONGEST_S
        self.is_late = not is_too_long and (is_kept or at - came > self.SLACK)
        return came
