"""One camera while it runs: its streams, its picture's health, and what is counted."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from .addresses import UnsupportedSource, parse_source
from .feed import Feed
from .health import PictureHealth, trouble_of
from .interest import Interest
from .pipeline import CameraPipeline
from .plans import CameraState
from .rates import Rates
from .shedding import CameraLoad, Work
from .stats import CameraStats
from .trouble import Cause, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from .pipeline import Analysis
    from .plans import CameraPlan
    from .ports import Stage
    from .sources import Capture
    from .types import Frame

EventT = TypeVar("EventT")

IDLE_AFTER_S: Final = 10.0
RECONNECT_FROZEN_S: Final = 30.0
RATES_S: Final = 10


class RunningCamera(Generic[EventT]):
    """One camera; frames are taken from it, and what was made of them is noted."""

    def __init__(
        self,
        plan: CameraPlan,
        stages: Sequence[Stage[EventT]],
        *,
        drawn: Sequence[Stage[EventT]] = (),
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self.plan = plan
        self.told: tuple[CameraState, Trouble | None] | None = None
        self.pipeline = CameraPipeline(stages, drawn=drawn, detect_fps=plan.detect_fps)
        self._interest = Interest(plan.detect_fps, moves=self.pipeline.moves)
        self._is_live = _is_live(plan.sub_stream_url or plan.source_url)
        self._clock = clock
        self._analysed = Feed(
            plan,
            plan.sub_stream_url or plan.source_url,
            wants=self._interest.wants,
            wakes=self._interest.wakes,
            clock=clock,
            jitter=jitter,
        )
        self._main = None
        if plan.sub_stream_url:
            self._main = Feed(
                plan,
                plan.source_url,
                wants=None,
                wakes=None,
                clock=clock,
                jitter=jitter,
            )
        self._is_watched = False
        self._health = self._new_health()
        self._reconnect_at_s = inf
        self._awake_s = 0.0
        self._frames_analysed = 0
        self._latency_s = 0.0
        self._rates = Rates(RATES_S)
        self._at_last_look = Work(0, 0, 0)

    def redraw(self, plan: CameraPlan, drawn: Sequence[Stage[EventT]]) -> None:
        """Go on with a plan that differs in its lines and zones alone."""
        self.plan = plan
        self.pipeline.redraw(drawn)

    @property
    def is_watched(self) -> bool:
        return self._is_watched

    @is_watched.setter
    def is_watched(self, is_watched: bool) -> None:
        self._is_watched = is_watched
        if self._main and not is_watched:
            self._main.close()

    @property
    def is_showing_main(self) -> bool:
        """Whether viewers see the main stream, not the one that is analysed."""
        return self._main is not None and self._main.is_giving

    def thin(self, divisor: int) -> None:
        """Analyse every so manieth of the pictures due, from now on."""
        self._interest.thinned = divisor
        self.pipeline.thin(divisor)

    def next_frame(self, now_s: float) -> Frame | None:
        """Take the newest frame to look at, if there is one."""
        if self.plan.problem:
            return None
        self._interest.is_watched = self.is_watched and not self.is_showing_main
        frame = self._analysed.next_frame(now_s)
        if frame is not None and self._health:
            self._health.judge(frame.image, now_s=now_s)
            self._reconnect_frozen(now_s)
        self._idle(now_s)
        return frame

    def next_picture(self, now_s: float) -> Frame | None:
        """Take the newest frame of the main stream, where only viewers need it."""
        if self._main is None or not self.is_watched:
            return None
        return self._main.next_frame(now_s)

    def condition(self) -> tuple[CameraState, Trouble | None] | None:
        """Return how it is; None while that is not known yet."""
        if self.plan.problem:
            return CameraState.OFFLINE, Trouble(Cause.WRONG_KEY, self.plan.problem)
        if self._analysed.trouble:
            return CameraState.OFFLINE, self._analysed.trouble
        if self._analysed.has_ended:
            return CameraState.ENDED, None
        if not self._analysed.is_giving:
            return None
        if self._health and self._health.cause:
            return CameraState.UNUSABLE, trouble_of(self._health.cause)
        return CameraState.ONLINE, None

    def note(self, analysis: Analysis[EventT]) -> Analysis[EventT]:
        """Count what was made of a frame; return it marked as shown or not."""
        if analysis.analysed:
            self._frames_analysed += 1
            passed = self._clock() - analysis.frame.at
            self._latency_s += passed.total_seconds()
        return replace(analysis, shown=not (self.is_showing_main or self._is_frozen))

    def load(self) -> CameraLoad | None:
        """Return what it did since the last call; None where nothing may be shed.

        Each picture of a recording played once counts.
        """
        before = self._at_last_look
        self._at_last_look = now = Work(
            self._frames_analysed, self.pipeline.looked_at, self._analysed.tally.dropped
        )
        plan = self.plan
        if plan.detect_fps is None or not (self._is_live or plan.loop):
            return None
        work = Work(*(after - then for after, then in zip(now, before, strict=True)))
        if self._interest.is_watched:
            # Most of what was dropped then was for viewers only.
            work = work._replace(missed=0)
        return CameraLoad(plan.code, plan.priority, plan.detect_fps, work)

    def measure(self, now_s: float) -> CameraStats:
        """Return what was counted; call it once a second."""
        tally = self._analysed.tally
        fps, looked_at, analysed, latency_s = self._rates.sample(
            now_s,
            tally.frames_read,
            self.pipeline.looked_at,
            self._frames_analysed,
            self._latency_s,
        )
        return CameraStats(
            frames_read=tally.frames_read,
            frames_analysed=self._frames_analysed,
            dropped=tally.dropped,
            shed=self._interest.shed,
            corrupt_packets=tally.corrupt_packets,
            connects=self._analysed.connects,
            fps=fps,
            fps_analysed=looked_at,
            latency_ms=1000 * latency_s / analysed if analysed else 0.0,
            is_idle=self._analysed.is_idle,
        )

    def close(self) -> list[Capture]:
        """End all reading without waiting; return what may still be at it."""
        feeds = [self._analysed, *filter(None, [self._main])]
        return [capture for feed in feeds if (capture := feed.close())]

    def _new_health(self) -> PictureHealth | None:
        """Judge what stands for a camera, but of a recording not that it stands still.

        One played once shows what it shows. One played again and again may well be of
        one still picture, and to open it again would not change that.
        """
        if not (self._is_live or self.plan.loop):
            return None
        return PictureHealth(may_freeze=self._is_live)

    @property
    def _is_frozen(self) -> bool:
        return self._health is not None and self._health.cause is Cause.FROZEN

    def _reconnect_frozen(self, now_s: float) -> None:
        """Connect anew to an encoder that hangs, as long as it does."""
        if not self._is_frozen:
            self._reconnect_at_s = inf
        elif self._reconnect_at_s == inf:
            self._reconnect_at_s = now_s
        if now_s >= self._reconnect_at_s:
            self._analysed.reopen(now_s)
            self._reconnect_at_s = now_s + RECONNECT_FROZEN_S

    def _idle(self, now_s: float) -> None:
        """Have only key frames decoded while nothing moves and nobody watches."""
        is_still = self.pipeline.is_still and not self._interest.was_woken
        self._interest.was_woken = False
        if not is_still or self._interest.is_watched:
            self._awake_s = now_s
        self._analysed.idle(now_s - self._awake_s >= IDLE_AFTER_S)


def _is_live(url: str) -> bool:
    try:
        return parse_source(url).is_live
    except UnsupportedSource:
        return False
