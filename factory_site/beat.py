"""Celery's scheduler, which also notes that it runs."""

from __future__ import annotations

import time
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from . import heartbeats


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Starts what the rows of schedules.py say, and nothing else."""

    _noted_at_s = 0.0

    def install_default_entries(self, data: Any) -> None:
        """Leave out Celery's own job for old results: ours says what it did."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now_s = time.time()
        if now_s - self._noted_at_s >= heartbeats.EVERY_S:
            heartbeats.note(heartbeats.BEAT, at_s=now_s)
            self._noted_at_s = now_s
        return float(super().tick(*args, **kwargs))

    def close(self) -> None:
        super().close()
        heartbeats.forget(heartbeats.BEAT)
