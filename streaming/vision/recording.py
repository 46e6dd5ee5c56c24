"""Analyses a recording: all frames in order, as fast as it goes, the same each time."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

    from .pipeline import Analysis, CameraPipeline, Request
    from .ports import Detector, Source
    from .types import Detection, Frame

EventT = TypeVar("EventT")

BATCH = 8
"""Frames given to the detector at once: enough to keep its streams busy."""
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class _Planned:
    frames: list[tuple[Frame, Request | None]]
    found: Future[list[list[Detection]]]


def analyse(
    source: Source,
    detector: Detector,
    pipeline: CameraPipeline[EventT],
    *,
    batch: int = BATCH,
    every_frame: bool = False,
    on_frame: Callable[[float], None] | None = None,
) -> Generator[Analysis[EventT]]:
    """Yield what is known at each frame that the pipeline samples, in order.

    `every_frame` yields the frames between them too, which costs their conversion.
    `on_frame` is called for each frame of the source, with its seconds, in the thread
    that decodes. Decoding, detecting and following overlap; about three batches of
    frames are in memory. What the source raises is raised here, after
    the frames before it. What the recording's end makes, `pipeline.finish` gives then.
    """
    sampler = None if every_frame else pipeline.new_sampler()

    def wants(seconds: float) -> bool:
        if on_frame:
            on_frame(seconds)
        return sampler is None or sampler.wants(seconds)

    ahead = _ReadAhead(source.frames(wants), limit=batch)
    with (
        ahead as frames,
        ThreadPoolExecutor(1, thread_name_prefix="detect") as worker,
    ):
        waiting: _Planned | None = None
        for group in _groups(frames, pipeline, size=batch):
            wanted = [request.frame for _, request in group if request]
            planned = _Planned(group, worker.submit(detector.detect, wanted))
            if waiting:
                yield from _follow(waiting, pipeline)
            waiting = planned
        if waiting:
            yield from _follow(waiting, pipeline)
    if ahead.error:
        raise ahead.error


def _groups(
    frames: Iterable[Frame], pipeline: CameraPipeline[EventT], *, size: int
) -> Iterator[list[tuple[Frame, Request | None]]]:
    """Group frames so that each group holds up to `size` that want detection.

    Groups with few such frames end at four times that, to bound memory.
    """
    group: list[tuple[Frame, Request | None]] = []
    wanted = 0
    for frame in frames:
        request = pipeline.plan(frame)
        group.append((frame, request))
        wanted += request is not None
        if wanted == size or len(group) == 4 * size:
            yield group
            group, wanted = [], 0
    if group:
        yield group


def _follow(
    planned: _Planned, pipeline: CameraPipeline[EventT]
) -> Iterator[Analysis[EventT]]:
    found = iter(planned.found.result())
    for frame, request in planned.frames:
        if request is None:
            yield pipeline.hold(frame)
        else:
            yield pipeline.take(request, next(found))


class _ReadAhead:
    """Takes frames from an iterator in another thread, at most `limit` ahead."""

    def __init__(self, frames: Iterator[Frame], *, limit: int) -> None:
        self.error: Exception | None = None
        self._source = frames
        self._frames: queue.Queue[Frame | None] = queue.Queue(limit)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="decode", daemon=True)

    def __enter__(self) -> Iterator[Frame]:
        self._thread.start()
        return iter(self._frames.get, None)

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _read(self) -> None:
        try:
            for frame in self._source:
                self._put(frame)
                if self._stopped.is_set():
                    return
        except Exception as error:  # raised again in the thread that reads
            self.error = error
        self._put(None)

    def _put(self, frame: Frame | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._frames.put(frame, timeout=POLL_S)
                return
