"""One stream of a camera: read while it can be, tried again when it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from .addresses import SourceError
from .backoff import login_delay_s, retry_delay_s
from .sources import Capture, open_source
from .stall import STALLED_AFTER_S, StallRule
from .trouble import Cause, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .plans import CameraPlan
    from .types import Frame, Image

STEADY_AFTER_S: Final = 10.0
"""A source that fails sooner is waited for as if it had not been there."""
STALLED: Final = Trouble(
    Cause.STALLED,
    f"The camera is connected but has given no picture for {STALLED_AFTER_S:.0f}"
    " seconds. It is connected anew until it does; restart it if that does not help.",
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of a stream, over all its connections."""

    frames_read: int = 0
    dropped: int = 0
    corrupt_packets: int = 0

    def with_those_of(self, capture: Capture | None) -> Tally:
        if capture is None:
            return self
        return Tally(
            self.frames_read + capture.reading.frames_read,
            self.dropped + capture.dropped,
            self.corrupt_packets + capture.reading.corrupt_packets,
        )


class Feed:
    """Opens one address of a camera, notices when it stalls, and tries it again.

    `wants` and `wakes` are those of `VideoSource.frames`, called in another thread.
    """

    def __init__(
        self,
        plan: CameraPlan,
        url: str,
        *,
        wants: Callable[[float], bool] | None,
        wakes: Callable[[Image], bool] | None,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self.trouble: Trouble | None = None
        """Why no frame comes; None from the first frame on, and before any try."""
        self.has_ended = False
        """A recording was played to its end."""
        self.is_giving = False
        """Frames came since it was last opened."""
        self.connects = 0
        self._plan = plan
        self._url = url
        self._wants = wants
        self._wakes = wakes
        self._clock = clock
        self._jitter = jitter
        self._capture: Capture | None = None
        self._past = Tally()
        self._failures = self._refusals = 0
        self._retry_at_s = 0.0
        self._steady_at_s = inf
        self._stall: StallRule | None = None

    @property
    def tally(self) -> Tally:
        return self._past.with_those_of(self._capture)

    @property
    def is_idle(self) -> bool:
        return self._capture is not None and self._capture.reading.is_idle

    def idle(self, is_idle: bool) -> None:  # noqa: FBT001
        """Decode key frames only, or all again; says so as often as wanted."""
        if self._capture is not None:
            self._capture.reading.idle = is_idle

    def next_frame(self, now_s: float) -> Frame | None:
        """Take the newest frame, if there is one; open, close and retry as is due."""
        capture = self._capture
        if capture is None:
            self._open_when_due(now_s)
            return None
        is_over = not capture.is_running
        frame = capture.get(0)
        if frame is not None:
            self._note_frame(now_s)
        elif is_over:
            self._end(capture.error, now_s)
        elif self._stall and self._stall.is_stalled(capture.reading, now_s=now_s):
            self._fail(STALLED, now_s)
        return frame

    def reopen(self, now_s: float) -> None:
        """Connect anew without delay, as if nothing had failed."""
        self.close()
        self._retry_at_s = now_s

    def close(self) -> Capture | None:
        """End the reading without waiting; return what may still be at it."""
        capture, self._capture = self._capture, None
        self.is_giving = False
        if capture:
            self._past = self._past.with_those_of(capture)
            capture.close()
        return capture

    def _open_when_due(self, now_s: float) -> None:
        if now_s < self._retry_at_s:
            return
        try:
            source = open_source(
                self._url,
                camera=self._plan.code,
                clock=self._clock,
                loop=self._plan.loop,
            )
        except SourceError as error:
            self._fail(Trouble.of(error), now_s)
            return
        self._capture = Capture(source, wants=self._wants, wakes=self._wakes)
        self._capture.start()
        self.connects += 1
        self._stall = StallRule(opened_s=now_s) if source.spec.is_live else None

    def _note_frame(self, now_s: float) -> None:
        self.trouble = None
        if not self.is_giving:
            self.is_giving = True
            self._refusals = 0
            self._steady_at_s = now_s + STEADY_AFTER_S
        if now_s >= self._steady_at_s:
            self._failures = 0

    def _end(self, error: SourceError | None, now_s: float) -> None:
        if error is not None:
            self._fail(Trouble.of(error), now_s)
            return
        self.close()
        self.has_ended, self._retry_at_s = True, inf

    def _fail(self, trouble: Trouble, now_s: float) -> None:
        self.close()
        self.trouble = trouble
        self._failures += 1
        self._retry_at_s = now_s + self._delay_s(trouble.cause)

    def _delay_s(self, cause: Cause) -> float:
        jitter = self._jitter()
        if cause is not Cause.UNAUTHORIZED:
            return retry_delay_s(self._failures, jitter=jitter)
        self._refusals += 1
        return login_delay_s(self._refusals, jitter=jitter)
