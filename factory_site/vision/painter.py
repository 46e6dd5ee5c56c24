"""The vision worker's thread that draws pictures, for cameras that somebody watches."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import redis

from streaming import workers
from streaming.vision.annotate import annotate, encode_jpeg

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from streaming.frames import FramePublisher
    from streaming.vision.pipeline import Analysis
    from streaming.vision.runner import CameraPlan
    from streaming.workers import WorkerStatus

logger = logging.getLogger(__name__)
MAX_FPS = 30
MAX_WIDTH_PX = 1280
LOOK_EVERY_S = 1.0
REPORT_EVERY_S = 5.0
RATE_FRAMES = 30


class Painter:
    """Draws and publishes the newest frame of each watched camera.

    A frame that comes while another is drawn replaces the one before: the loop never
    waits and viewers never lag. Also tells Redis that the worker lives.
    """

    def __init__(
        self, publisher: FramePublisher, status: Callable[[], WorkerStatus]
    ) -> None:
        self.watched: frozenset[str] = frozenset()
        self._publisher = publisher
        self._status = status
        self._newest: dict[str, tuple[CameraPlan, Analysis[Any]]] = {}
        self._codes: frozenset[str] = frozenset()
        self._times_s: dict[str, deque[float]] = {}
        self._look_at_s = self._report_at_s = self._try_at_s = 0.0
        self._redis_is_away = False

    def show(self, plan: CameraPlan, analysis: Analysis[Any]) -> None:
        """Offer a frame; called in the loop."""
        if plan.code in self.watched:
            self._newest[plan.code] = plan, analysis

    def look_after(self, codes: frozenset[str]) -> None:
        """Say which cameras this worker runs."""
        self._codes = codes
        self._times_s = {code: deque(maxlen=RATE_FRAMES) for code in codes}

    def run(self, stopping: threading.Event) -> None:
        while not stopping.wait(1 / MAX_FPS):
            self.step(now_s=time.monotonic())

    def step(self, *, now_s: float) -> None:
        """Publish what is new; look up who watches; report."""
        if now_s < self._try_at_s:
            return
        try:
            self._publish(now_s)
            self._look(now_s)
            self._report(now_s)
        except redis.RedisError as error:
            self._note_outage(error, now_s)
        else:
            self._note_recovery()

    def _publish(self, now_s: float) -> None:
        for code in list(self._newest):
            plan, analysis = self._newest.pop(code)
            self._publisher.publish(code, self._draw(plan, analysis, now_s))

    def _look(self, now_s: float) -> None:
        if now_s >= self._look_at_s:
            self.watched = self._publisher.watched(self._codes)
            self._look_at_s = now_s + LOOK_EVERY_S

    def _report(self, now_s: float) -> None:
        if now_s >= self._report_at_s:
            workers.report(self._publisher.redis, self._status())
            self._report_at_s = now_s + REPORT_EVERY_S

    def _draw(self, plan: CameraPlan, analysis: Analysis[Any], now_s: float) -> bytes:
        local = analysis.frame.at.astimezone(ZoneInfo(plan.time_zone))
        picture = annotate(
            analysis.frame.image,
            analysis.tracks,
            lines=plan.lines,
            camera=plan.name,
            time=f"{local:%Y-%m-%d %H:%M:%S}",
            fps=self._rate(plan.code, now_s),
        )
        return encode_jpeg(picture, max_width=MAX_WIDTH_PX)

    def _rate(self, code: str, now_s: float) -> float:
        """Return the frames per second drawn lately."""
        times_s = self._times_s.setdefault(code, deque(maxlen=RATE_FRAMES))
        if times_s and now_s - times_s[-1] > LOOK_EVERY_S:
            times_s.clear()
        times_s.append(now_s)
        if len(times_s) < 2:
            return 0.0
        return (len(times_s) - 1) / (times_s[-1] - times_s[0])

    def _note_outage(self, error: redis.RedisError, now_s: float) -> None:
        if not self._redis_is_away:
            logger.warning(
                "Redis does not answer (%s); nothing is live.", type(error).__name__
            )
        self._redis_is_away, self.watched = True, frozenset()
        self._try_at_s = now_s + LOOK_EVERY_S

    def _note_recovery(self) -> None:
        if self._redis_is_away:
            logger.warning("Redis answers again.")
        self._redis_is_away = False
