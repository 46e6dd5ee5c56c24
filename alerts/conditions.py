"""What is looked at each minute: cameras, vision workers and the disk.

Each check raises an alert for what is wrong, which changes nothing where there is one
already, and resolves the alerts about what is well again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils.timezone import localtime

from streaming.models import CameraOutage, VisionWorker

from . import services
from .models import Alert, AlertRule, Kind
from .rules import is_disk_well

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

WORKER_LOST_AFTER: Final = timedelta(seconds=15)
"""A vision worker tells that it is alive every few seconds, and takes its name off
when it is stopped."""
DISMISSED_FOR: Final = timedelta(days=1)
"""How long nobody is told again of a full disk after a person resolved the alert."""


def check_cameras(*, now: datetime) -> None:
    """Raise alerts for enabled cameras that are out, resolve those of the others."""
    outages = CameraOutage.objects.open().filter(camera__enabled=True)
    for outage in outages.select_related("camera__site").order_by("pk"):
        camera = outage.camera
        services.raise_alert(
            kind=Kind.CAMERA_OFFLINE,
            subject=camera.code,
            text=camera_text(outage),
            at=now,
            since=outage.started_at,
            site=camera.site,
            camera=camera,
        )
    # Read first: what goes out in between is not taken for well again.
    unresolved = _unresolved(Kind.CAMERA_OFFLINE)
    out = set(outages.values_list("camera", flat=True))
    for alert in unresolved:
        if alert.camera_id not in out:
            services.resolve_if_unresolved(alert=alert, at=now)


def camera_text(outage: CameraOutage) -> str:
    """Return the sentence about a camera that is out."""
    camera = outage.camera
    since = camera.site.local(outage.started_at)
    return (
        f"{camera.name} ({camera.code}) has given no usable picture since "
        f"{since:%Y-%m-%d %H:%M %Z}: {outage.get_cause_display()}."
    )


def check_workers(*, now: datetime) -> None:
    """Raise alerts for vision workers that ended without a word, by Postgres' clock."""
    silence = ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField())
    alive = VisionWorker.objects.alive(lease=WORKER_LOST_AFTER)
    lost = VisionWorker.objects.exclude(pk__in=alive.values("pk"))
    names = set()
    silent = lost.annotate(silence=silence).order_by("name")
    for name, silent_for in silent.values_list("name", "silence"):
        names.add(name)
        since = now - silent_for
        services.raise_alert(
            kind=Kind.WORKER_LOST,
            subject=name,
            text=worker_text(name, since=since),
            at=now,
            since=since,
        )
    _resolve_others(Kind.WORKER_LOST, names, now=now)


def worker_text(name: str, *, since: datetime) -> str:
    """Return the sentence about a vision worker that is gone."""
    local = localtime(since, services.zone_of(None))
    return (
        f"The vision worker {name} has not been heard of since "
        f"{local:%Y-%m-%d %H:%M %Z}. Start it again, and look at its log."
    )


def check_disk(*, now: datetime, used_percent: float, path: str) -> None:
    """Raise an alert for a disk that is nearly full; resolve it clearly below that."""
    rules = AlertRule.objects.about(kind=Kind.DISK_FULL, site=None, camera=None)
    thresholds = list(rules.values_list("threshold_percent", flat=True))
    subject = path[-100:]
    if is_disk_well(used_percent=used_percent, thresholds_percent=thresholds):
        services.resolve_subject(kind=Kind.DISK_FULL, subject=subject, at=now)
        return
    services.raise_alert(
        kind=Kind.DISK_FULL,
        subject=subject,
        text=f"The disk that holds {path} is {used_percent:.0f} % full. Make room: "
        "when it is full, nothing is recorded.",
        at=now,
        since=now - DISMISSED_FOR,
        used_percent=used_percent,
    )


def _unresolved(kind: Kind) -> list[Alert]:
    return list(Alert.objects.unresolved().filter(kind=kind).order_by("pk"))


def _resolve_others(kind: Kind, wrong: Collection[str], *, now: datetime) -> None:
    """Resolve the alerts about subjects that are well again."""
    for alert in _unresolved(kind):
        if alert.subject not in wrong:
            services.resolve_if_unresolved(alert=alert, at=now)
