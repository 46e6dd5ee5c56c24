"""The figures of `/metrics`, for Prometheus; docs/metrics.md explains each.

A scrape looks once, as the System page does: one Redis report and a handful of queries,
however many cameras there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from alerts.models import Severity
from attendance.models import PresenceEvent, UnknownAttendance
from streaming.models import Camera

from .jobs import State
from .system import Health, look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from django.db.models import QuerySet
    from prometheus_client import Metric

    from alerts.models import Alert
    from streaming.models import Site
    from streaming.status import CameraStatus

    from .system import System

PREFIX = "factory_site_"


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric: its name without the prefix, and how to read it off a row.

    A counter's name ends in `_total`. A value of None leaves the row out.
    """

    name: str
    meaning: str
    value: Callable[[Any], float | None]

    def family(self, labels: Sequence[str]) -> GaugeMetricFamily | CounterMetricFamily:
        kind = (
            CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        )
        return kind(f"{PREFIX}{self.name}", self.meaning, labels=labels)


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics that share their labels and the rows they are read off."""

    labels: Sequence[str]
    rows: Callable[[System], Sequence[tuple[Sequence[str], Any]]]
    figures: Sequence[Figure]

    def families(self, system: System) -> Iterator[Metric]:
        rows = self.rows(system)
        for figure in self.figures:
            family = figure.family(self.labels)
            for labels, row in rows:
                if (value := figure.value(row)) is not None:
                    family.add_metric(labels, float(value))
            yield family


def should_be_up(status: CameraStatus) -> bool:
    return status.camera.enabled and status.camera.state != Camera.State.ENDED


def cameras(system: System) -> list[tuple[Sequence[str], CameraStatus]]:
    return [((one.camera.code, one.camera.site.slug), one) for one in system.cameras]


def measured_cameras(system: System) -> list[tuple[Sequence[str], Any]]:
    return [(labels, one.stats) for labels, one in cameras(system) if one.stats]


GROUPS: Final[Sequence[Group]] = (
    Group(
        ("version",),
        lambda system: [((system.version,), system)],
        [Figure("build_info", "Always 1; says which version runs.", lambda _: 1)],
    ),
    Group(
        ("camera", "site"),
        cameras,
        [
            Figure(
                "camera_up",
                "1 while pictures come from a camera that is switched on, else 0.",
                lambda one: one.is_up if should_be_up(one) else None,
            ),
            Figure("camera_viewers", "How many watch it.", lambda one: one.viewers),
            Figure(
                "camera_outages",
                "Outages in the last 24 hours.",
                lambda one: one.outages.count,
            ),
            Figure(
                "camera_outage_seconds",
                "How long it was out in the last 24 hours.",
                lambda one: one.outages.seconds,
            ),
        ],
    ),
    Group(
        ("camera", "site"),
        measured_cameras,
        [
            Figure(
                "camera_frames_total",
                "Pictures that the source gave.",
                lambda stats: stats.frames_read,
            ),
            Figure(
                "camera_analysed_frames_total",
                "Pictures given to the detector.",
                lambda stats: stats.frames_analysed,
            ),
            Figure(
                "camera_dropped_frames_total",
                "Pictures replaced by a newer one before their turn.",
                lambda stats: stats.dropped,
            ),
            Figure(
                "camera_shed_frames_total",
                "Pictures left out because the machine is too busy.",
                lambda stats: stats.shed,
            ),
            Figure(
                "camera_corrupt_packets_total",
                "Packets that could not be decoded.",
                lambda stats: stats.corrupt_packets,
            ),
            Figure(
                "camera_connects_total",
                "How often its source was opened.",
                lambda stats: stats.connects,
            ),
            Figure(
                "camera_latency_seconds",
                "From a picture's arrival to the end of its analysis.",
                lambda stats: stats.latency_ms / 1000,
            ),
        ],
    ),
    Group(
        ("worker",),
        lambda system: [((one.name,), one) for one in system.workers],
        [
            Figure(
                "worker_up",
                "1 while the vision worker reports, 0 once it was lost.",
                lambda one: 0 if one.is_lost else 1 if one.status else None,
            )
        ],
    ),
    Group(
        ("worker", "detector", "weights_sha256"),
        lambda system: [
            ((one.name, one.detector, one.weights_sha256[:12]), one)
            for one in system.running
        ],
        [Figure("worker_info", "Always 1; says what it detects with.", lambda _: 1)],
    ),
    Group(
        ("worker",),
        lambda system: [((one.name,), one) for one in system.running],
        [
            Figure(
                "worker_fallback_detector",
                "1 while it makes do without weights.",
                lambda one: one.fallback,
            ),
            Figure(
                "worker_fallback_faces",
                "1 while dlib stands in for the weights of faces.",
                lambda one: one.face_fallback,
            ),
            Figure(
                "worker_fallback_plates",
                "1 while plates are found or read with less than they should be.",
                lambda one: one.plate_fallback,
            ),
            Figure(
                "worker_cameras", "Cameras that it runs.", lambda one: len(one.cameras)
            ),
            Figure("worker_busy_ratio", "Share of time at work.", lambda one: one.busy),
            Figure(
                "worker_resident_memory_bytes",
                "Resident memory of the process.",
                lambda one: one.memory_bytes,
            ),
            Figure(
                "worker_events_queued", "Events still on disk.", lambda one: one.queued
            ),
            Figure(
                "worker_faces_queued",
                "Visits of which the faces wait to be identified.",
                lambda one: one.faces_queued,
            ),
            Figure(
                "worker_plates_queued",
                "Visits of vehicles that wait to be recorded.",
                lambda one: one.plates_queued,
            ),
            Figure("worker_events_failed", "Events set aside.", lambda one: one.failed),
            Figure(
                "worker_events_stale_total",
                "Events left out because another worker had taken the camera over.",
                lambda one: one.stale,
            ),
        ],
    ),
    Group(
        ("part",),
        lambda system: [((part.name.lower(),), part) for part in system.parts],
        [
            Figure(
                "part_up",
                "1 while the process or store answers, else 0.",
                lambda part: (
                    None if part.health is Health.UNKNOWN else part.health is Health.OK
                ),
            )
        ],
    ),
    Group(
        ("job_name",),  # `job` is Prometheus' own name for what it scrapes
        lambda system: [((job.name,), job) for job in system.jobs if job.enabled],
        [
            Figure(
                "job_last_success_timestamp_seconds",
                "When it last ended well, since 1970-01-01 UTC.",
                lambda job: job.succeeded_at and job.succeeded_at.timestamp(),
            ),
            Figure(
                "job_last_run_failed",
                "1 when its newest run failed, broke off or was left out.",
                lambda job: None if job.state is State.NEVER else job.state.is_bad,
            ),
            Figure(
                "job_last_duration_seconds",
                "How long its newest run took.",
                lambda job: job.took_s,
            ),
        ],
    ),
    Group(
        (),
        lambda system: [((), system.usage)] if system.usage else [],
        [
            Figure(
                "identity_calls_total",
                "Paid calls of the remote engine today.",
                lambda usage: usage.calls,
            ),
            Figure(
                "identity_cost_usd_total",
                "What they cost.",
                lambda usage: usage.cost_usd,
            ),
            Figure(
                "identity_cache_hits_total",
                "Faces today whose track was known already.",
                lambda usage: usage.hits,
            ),
            Figure(
                "identity_cache_misses_total",
                "Faces today for which an engine was asked.",
                lambda usage: usage.misses,
            ),
            Figure(
                "identity_retries_total",
                "Requests sent to the remote engine again today.",
                lambda usage: usage.retries,
            ),
            Figure(
                "identity_throttled_total",
                "Requests today that it refused as too many.",
                lambda usage: usage.throttled,
            ),
            Figure(
                "identity_failures_total",
                "Requests today that it failed to answer.",
                lambda usage: usage.failures,
            ),
            Figure(
                "identity_fallbacks_total",
                "Searches today that the local engine did in its place.",
                lambda usage: usage.fallbacks,
            ),
        ],
    ),
    Group(
        (),
        lambda system: [((), system)],
        [
            Figure(
                "celery_queue_length",
                "Tasks that wait for the worker.",
                lambda system: system.queue_length,
            ),
            Figure(
                "disk_size_bytes",
                "Size of the file system that VAR_DIR is on.",
                lambda system: system.disk.size_bytes,
            ),
            Figure(
                "disk_free_bytes",
                "What may still be written there.",
                lambda system: system.disk.free_bytes,
            ),
        ],
    ),
)
ALERTS_OPEN: Final = Figure(
    "alerts_open", "Alerts that nobody has acknowledged.", lambda count: count
)
PRESENCE: Final = Figure(
    "attendance_events",
    "How often employees were seen or stamped in the last 24 hours.",
    lambda count: count,
)
UNKNOWN: Final = Figure(
    "attendance_unknown_open",
    "Unknown faces at attendance cameras that wait for a name.",
    lambda count: count,
)


@dataclass(frozen=True, slots=True)
class SiteCollector(Collector):
    """Reads the figures of some cameras, alerts and sites, and of the system."""

    cameras: QuerySet[Camera]
    alerts: QuerySet[Alert]
    sites: QuerySet[Site]
    now: datetime

    def collect(self) -> Iterator[Metric]:
        system = look(cameras=self.cameras, now=self.now)
        for group in GROUPS:
            yield from group.families(system)
        counts = dict(self.alerts.values_list("severity").annotate(Count("pk")))
        family = ALERTS_OPEN.family(["severity"])
        for severity in Severity.values:
            family.add_metric([severity], counts.get(severity, 0))
        yield family
        yield from self._attendance()

    def _attendance(self) -> Iterator[Metric]:
        """Give the figures of each site, also where they are 0."""
        slugs = list(self.sites.order_by("slug").values_list("slug", flat=True))
        lately = PresenceEvent.objects.filter(
            employee__site__in=self.sites,
            occurred_at__range=(self.now - timedelta(days=1), self.now),
        )
        seen = counted(lately, "employee__site__slug", "source")
        open_ = UnknownAttendance.objects.open().filter(camera__site__in=self.sites)
        unknown = counted(open_, "camera__site__slug")
        events, faces = PRESENCE.family(["site", "source"]), UNKNOWN.family(["site"])
        for slug in slugs:
            faces.add_metric([slug], unknown.get((slug,), 0))
            for source in PresenceEvent.Source.values:
                events.add_metric([slug, source], seen.get((slug, source), 0))
        yield from (events, faces)


def counted(rows: QuerySet[Any], *by: str) -> dict[tuple[str, ...], int]:
    found = rows.order_by().values_list(*by).annotate(Count("pk"))
    return {tuple(labels): count for *labels, count in found}


def exposed(
    *,
    cameras: QuerySet[Camera],
    alerts: QuerySet[Alert],
    sites: QuerySet[Site],
    now: datetime,
) -> bytes:
    """Return the text of a scrape; `alerts` are the open ones to count."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector(cameras, alerts, sites, now))
    return generate_latest(registry) + generate_latest(REGISTRY)
