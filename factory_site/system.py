"""How the whole system does at one moment: what the System page, `/api/system-info` and
`/metrics` tell."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import psutil
import redis
from django.conf import settings
from django.db import connection

from alerts.rules import DISK_FULL_PERCENT
from identity import usage
from identity.rekognition.shared_breaker import SharedBreaker
from streaming import frames, workers
from streaming.models import Camera, VisionWorker
from streaming.status import statuses

from . import heartbeats, jobs, remote_engine
from .version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from identity.rekognition.shared_breaker import BreakerReport
    from identity.usage import Usage
    from streaming.status import CameraStatus
    from streaming.workers import WorkerStatus

    from .heartbeats import Heartbeat
    from .jobs import Job

QUEUE = "celery"
"""Celery's default queue (kombu)."""


class Health(StrEnum):
    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"
    """It cannot be asked, for want of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process or a store of the system."""

    name: str
    health: Health
    words: str
    """In what state it is: running, answers in 1 ms, no sign of life."""
    since: datetime | None = None
    """When it was last heard of, where it is not any more."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RedisReport:
    """What one look into Redis brings."""

    version: str
    memory_bytes: int
    answer_ms: float
    queue_length: int
    """Tasks that wait for Celery's worker."""
    heartbeats: Sequence[Heartbeat]
    running: Sequence[WorkerStatus]
    viewers: Mapping[str, int]
    """How many watch each camera, by code; those that nobody watches are left out."""
    breaker: BreakerReport
    """Of the remote engine, whether it is used or not."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A vision worker that runs, or that was lost without stopping."""

    name: str
    status: WorkerStatus | None
    """None for one that has not reported for 15 s."""
    row: VisionWorker | None
    """None where it could not register yet."""
    is_lost: bool
    """Whether it ended without a word: one that stops takes its row out."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that VAR_DIR is on."""

    path: str
    size_bytes: int
    used_bytes: int
    free_bytes: int
    """What this account may still write."""

    @property
    def used_percent(self) -> int:
        """As `df` counts: without what is kept back for root."""
        usable = self.used_bytes + self.free_bytes
        return round(100 * self.used_bytes / usable) if usable else 100

    @property
    def is_nearly_full(self) -> bool:
        return self.used_percent >= DISK_FULL_PERCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The whole at one moment, of the cameras that were asked for."""

    version: str
    now: datetime
    parts: Sequence[Part]
    workers: Sequence[Worker]
    cameras: Sequence[CameraStatus]
    jobs: Sequence[Job]
    queue_length: int | None
    """None without Redis."""
    disk: Disk
    usage: Usage | None
    """Recognitions of this UTC day; None without Redis."""

    @property
    def beat_runs(self) -> bool:
        """Whether what is scheduled will start."""
        return any(
            part.name == "Beat" and part.health is Health.OK for part in self.parts
        )

    @property
    def out(self) -> int:
        return sum(camera.is_out for camera in self.cameras)

    @property
    def lost(self) -> int:
        return sum(worker.is_lost for worker in self.workers)

    @property
    def running(self) -> Sequence[WorkerStatus]:
        return [worker.status for worker in self.workers if worker.status]


def look(*, cameras: QuerySet[Camera], now: datetime) -> System:
    """Look at everything once, cameras that are out first.

    Without Redis what only it knows is left out.
    """
    found = look_into_redis()
    running = found.running if found else []
    used = usage.today() if found else None
    shown = list(cameras.select_related("site").order_by("site__name", "code"))
    shown.sort(key=lambda camera: not camera.is_out(now=now))
    return System(
        version=VERSION,
        now=now,
        parts=[*parts(found, now=now), *remote_parts(found, used)],
        workers=vision_workers(running, now=now),
        cameras=statuses(
            shown,
            running=running,
            viewers=found.viewers if found else {},
            now=now,
        ),
        jobs=jobs.listed(now=now),
        queue_length=found.queue_length if found else None,
        disk=disk(),
        usage=used,
    )


def look_into_redis() -> RedisReport | None:
    """Return what Redis knows; None when it does not answer within a second."""
    try:
        with workers.connect() as client:
            asked_s = time.perf_counter()
            client.ping()
            answer_ms = 1000 * (time.perf_counter() - asked_s)
            server, queue_length, scores = _ask(client)
            breaker = SharedBreaker(client).look()
        running = workers.running()
        viewers = frames.viewers_by_code()
    except redis.RedisError:
        return None
    return RedisReport(
        version=str(server["redis_version"]),
        memory_bytes=int(server["used_memory"]),
        answer_ms=answer_ms,
        queue_length=queue_length,
        heartbeats=heartbeats.heard(dict(scores)),
        running=running,
        viewers=viewers,
        breaker=breaker,
    )


def _ask(client: redis.Redis) -> Any:
    with client.pipeline(transaction=False) as asked:
        asked.info()
        asked.llen(QUEUE)
        asked.zrange(heartbeats.KEY, 0, -1, withscores=True)
        return asked.execute()


def parts(found: RedisReport | None, *, now: datetime) -> list[Part]:
    """Return every process and store but the vision workers."""
    memory = psutil.Process().memory_info().rss
    return [
        Part(
            name="Web",
            health=Health.OK,
            words="running",
            detail=f"version {VERSION}, {in_mib(memory)}",
        ),
        postgres(),
        redis_part(found),
        beating("Worker", heartbeats.WORKER, found, does="runs the jobs", now=now),
        beating("Beat", heartbeats.BEAT, found, does="starts jobs on time", now=now),
    ]


def postgres() -> Part:
    asked_s = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
    answer_ms = 1000 * (time.perf_counter() - asked_s)
    return Part(
        name="Postgres",
        health=Health.OK,
        words=f"answers in {answer_ms:.1f} ms",
        detail=f"version {version.split()[0]}",
    )


def redis_part(found: RedisReport | None) -> Part:
    if found is None:
        return Part(name="Redis", health=Health.BAD, words="does not answer")
    return Part(
        name="Redis",
        health=Health.OK,
        words=f"answers in {found.answer_ms:.1f} ms",
        detail=f"version {found.version}, {in_mib(found.memory_bytes)}",
    )


def beating(
    name: str, prefix: str, found: RedisReport | None, *, does: str, now: datetime
) -> Part:
    """Return the part whose processes leave heartbeats that start with `prefix`."""
    if found is None:
        words = "not known without Redis"
        return Part(name=name, health=Health.UNKNOWN, words=words, detail=does)
    noted = [one for one in found.heartbeats if one.name.startswith(prefix)]
    alive = sum(one.is_alive(now=now) for one in noted)
    if alive:
        words = f"running {alive} times" if alive > 1 else "running"
        return Part(name=name, health=Health.OK, words=words, detail=does)
    return Part(
        name=name,
        health=Health.BAD,
        words="no sign of life" if noted else "not running",
        since=noted[0].at if noted else None,
        detail=does,
    )


def remote_parts(found: RedisReport | None, used: Usage | None) -> list[Part]:
    """Return Rekognition, where settings choose it."""
    if settings.FACE_ENGINE != "rekognition":
        return []
    name = "Rekognition"
    if found is None:
        words = "not asked without Redis, the local engine recognises"
        return [Part(name=name, health=Health.BAD, words=words)]
    is_asked, words, since = remote_engine.words(found.breaker)
    return [
        Part(
            name=name,
            health=Health.OK if is_asked else Health.BAD,
            words=words,
            since=since,
            detail=remote_engine.detail(found.breaker, used),
        )
    ]


def vision_workers(running: Sequence[WorkerStatus], *, now: datetime) -> list[Worker]:
    """Return those that report, and those that are registered and do not, by name."""
    rows = {row.name: row for row in VisionWorker.objects.order_by("name")}
    reports = {status.name: status for status in running}
    unheard = {
        name
        for name, row in rows.items()
        if name not in reports and now - row.seen_at > heartbeats.ALIVE
    }
    return [
        Worker(name, reports.get(name), rows.get(name), is_lost=name in unheard)
        for name in sorted(rows.keys() | reports.keys())
    ]


def disk() -> Disk:
    usage = shutil.disk_usage(settings.VAR_DIR)
    return Disk(str(settings.VAR_DIR), usage.total, usage.used, usage.free)


def in_mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.0f} MiB"
