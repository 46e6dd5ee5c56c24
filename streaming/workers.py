"""What the running vision workers say of themselves, kept in Redis while they live."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import redis
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = "vision_workers"
EXPIRY_S = 15


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One vision worker, as it was less than 15 s ago."""

    name: str
    detector: str
    fallback: bool
    """True while it makes do with the OpenCV detector, for want of weights."""
    cameras: Sequence[str]
    queued: int
    """Events on disk that are not yet recorded."""
    failed: int
    """Events set aside because they could not be recorded; the log says why."""


def connect() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)


def report(client: redis.Redis, status: WorkerStatus) -> None:
    client.set(_key(status.name), json.dumps(asdict(status)), ex=EXPIRY_S)
    client.sadd(NAMES, status.name)


def running() -> list[WorkerStatus]:
    """Return the workers that reported lately, by name; raise redis.RedisError."""
    with connect() as client:
        names = sorted(name.decode() for name in client.smembers(NAMES))
        values = client.mget([_key(name) for name in names]) if names else []
        reports = dict(zip(names, values, strict=True))
        if gone := [name for name, report in reports.items() if not report]:
            client.srem(NAMES, *gone)
    return [WorkerStatus(**json.loads(report)) for report in values if report]


def _key(name: str) -> str:
    return f"vision_worker:{name}"
