"""How each camera does at this moment: its row, its worker's figures, its outages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import redis

from . import frames, workers
from .models import Camera, CameraOutage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .vision.stats import CameraStats
    from .workers import WorkerStatus

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Outages:
    """How often and how long a camera gave no usable picture in the last 24 h."""

    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """One camera at the moment `now`."""

    camera: Camera
    now: datetime
    worker: str
    """Name of the vision worker that runs it; empty when none does."""
    stats: CameraStats | None
    """As that worker told less than 15 s ago; None when it did not."""
    viewers: int
    outages: Outages

    @property
    def is_out(self) -> bool:
        return self.camera.is_out(now=self.now)

    @property
    def stands_still(self) -> bool:
        return self.camera.stands_still(now=self.now)

    @property
    def is_up(self) -> bool:
        """Whether it is switched on, said to be online, and its pictures come."""
        is_online = self.camera.state == Camera.State.ONLINE
        return self.camera.enabled and is_online and not self.stands_still

    @property
    def connected(self) -> bool:
        """Whether a worker reads pictures from it."""
        return self.stats is not None and self.stats.fps > 0


def statuses(
    cameras: Sequence[Camera],
    *,
    running: Sequence[WorkerStatus],
    viewers: Mapping[str, int],
    now: datetime,
) -> list[CameraStatus]:
    """Return how each camera does, in the order given; one query for their outages.

    `running` are the vision workers that report, `viewers` how many watch by code.
    """
    at = {code: one for one in running for code in one.cameras}
    outages = _outages(cameras, now=now)
    return [
        CameraStatus(
            camera=camera,
            now=now,
            worker=at[camera.code].name
            if camera.code in at
            else camera.holder(now=now),
            stats=at[camera.code].cameras[camera.code] if camera.code in at else None,
            viewers=viewers.get(camera.code, 0),
            outages=outages.get(camera.pk, Outages()),
        )
        for camera in cameras
    ]


def read_statuses(cameras: Sequence[Camera], *, now: datetime) -> list[CameraStatus]:
    """Ask Redis for the rest; without it, what the rows say and nothing more."""
    running: Sequence[WorkerStatus] = []
    viewers: Mapping[str, int] = {}
    with suppress(redis.RedisError):
        running = workers.running()
        viewers = frames.viewers_by_code()
    return statuses(cameras, running=running, viewers=viewers, now=now)


def _outages(cameras: Sequence[Camera], *, now: datetime) -> dict[int, Outages]:
    of = CameraOutage.objects.filter(camera__in=[camera.pk for camera in cameras])
    totals = of.totals_per_camera(now - DAY, now)
    return {
        pk: Outages(count, lasted.total_seconds())
        for pk, (count, lasted) in totals.items()
    }
