"""What the running vision workers say of themselves, kept in Redis while they live."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import redis
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "vision_worker:"
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


def connect() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)


def report(client: redis.Redis, status: WorkerStatus) -> None:
    client.set(f"{KEY}{status.name}", json.dumps(asdict(status)), ex=EXPIRY_S)


def running() -> list[WorkerStatus]:
    """Return the workers that reported lately, by name; raise redis.RedisError."""
    with connect() as client:
        keys = sorted(client.scan_iter(f"{KEY}*"))
        values = client.mget(keys) if keys else []
    return [WorkerStatus(**json.loads(value)) for value in values if value]
