"""What the running vision workers say of themselves, kept in Redis while they live."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads it
from dataclasses import dataclass

import msgspec
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from .vision.stats import CameraStats  # noqa: TC001 - msgspec reads it

NAMES = "vision_workers"
EXPIRY_S = 15


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One vision worker, as it was less than 15 s ago."""

    name: str
    detector: str
    fallback: bool
    """True while it makes do with the OpenCV detector, for want of weights."""
    cameras: Mapping[str, CameraStats]
    """By code, those it runs."""
    queued: int
    """Events on disk that are not yet recorded."""
    failed: int
    """Events set aside because they could not be recorded; the log says why."""
    stale: int = 0
    """Events left out because another worker had taken over their camera."""
    memory_bytes: int = 0
    """Resident memory of the process."""
    busy: float = 0.0
    """Share of the last seconds in which the loop had work, 0..1."""
    weights: str = ""
    """File or folder of the detector's weights; empty without any."""
    weights_sha256: str = ""
    """Of that file; of a folder, of its largest file, which holds the weights."""
    face_model: str = ""
    """Name and version of what compares faces; empty where no camera asks for it."""
    face_fallback: bool = False
    """True while dlib stands in for the weights of faces, which are not there."""
    faces_queued: int = 0
    """Visits of which the faces wait on disk to be identified."""
    plate_reader: str = ""
    """What reads number plates; empty where no camera asks for it."""
    plate_fallback: bool = False
    """True while plates are found or read with less than they should be."""
    plates_queued: int = 0
    """Visits of vehicles that wait on disk to be recorded."""


def connect() -> redis.Redis:
    """Return a client that gives up after a second: a page waits for its answer."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )


def report(client: redis.Redis, status: WorkerStatus) -> None:
    client.set(_key(status.name), msgspec.json.encode(status), ex=EXPIRY_S)
    client.sadd(NAMES, status.name)


def running() -> list[WorkerStatus]:
    """Return the workers that reported lately, by name; raise redis.RedisError."""
    with connect() as client:
        names = sorted(name.decode() for name in client.smembers(NAMES))
        values = client.mget([_key(name) for name in names]) if names else []
        reports = dict(zip(names, values, strict=True))
        if gone := [name for name, report in reports.items() if not report]:
            client.srem(NAMES, *gone)
    return [
        msgspec.json.decode(report, type=WorkerStatus) for report in values if report
    ]


def _key(name: str) -> str:
    return f"vision_worker:{name}"
