"""Pages that show several apps at once, and the health of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis
from django.contrib.auth.decorators import login_not_required, permission_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from occupancy.services import LiveOccupancy, live_occupancy
from streaming import workers
from streaming.models import Camera, Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from occupancy.models import OccupancyLog

CROSSINGS_SHOWN = 20
FALLBACK = (
    "No weights: people are found by the simple OpenCV detector and will be missed."
)
NO_WORKER = "No vision worker is running: pictures and counts stand still."
SET_ASIDE = "Events that could not be recorded: {}. The vision worker's log says why."
NO_DATABASE = "Postgres does not answer: nothing is recorded, events wait on disk."
NO_REDIS = "Redis does not answer: nothing is live."


@dataclass(frozen=True, slots=True)
class CameraCard:
    """What is shown of one camera."""

    camera: Camera
    counts: LiveOccupancy | None
    """None for those who may not see counts."""
    now: datetime

    @property
    def stands_still(self) -> bool:
        return self.camera.stands_still(now=self.now)

    @property
    def is_out(self) -> bool:
        return self.camera.is_out(now=self.now)


@require_GET
@permission_required("streaming.view_camera", raise_exception=True)
def home(request: HttpRequest) -> HttpResponse:
    """Show each site's cameras with their state and counts."""
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    shown = cameras.prefetch_related("lines").order_by("site__name", "code")
    cards = camera_cards(request, list(shown))
    sites = Site.objects.visible_to(request.user).order_by("name")
    return render(
        request,
        "home.html",
        {
            "cards": cards,
            "offline": sum(card.is_out for card in cards),
            "inside": sum(card.counts.current_count for card in cards if card.counts),
            "sees_counts": sees_counts(request),
            "cards_of_sites": {
                site: [card for card in cards if card.camera.site_id == site.pk]
                for site in sites
            },
        },
    )


@require_GET
@permission_required("streaming.view_camera", raise_exception=True)
def camera(request: HttpRequest, code: str) -> HttpResponse:
    """Show one camera: picture, counts and last crossings."""
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    shown = get_object_or_404(cameras, code=code)
    return render(
        request,
        "streaming/camera.html",
        {
            "site": shown.site,
            "card": camera_cards(request, [shown])[0],
            "lines": shown.lines.enabled().order_by("name"),
            "sees_counts": sees_counts(request),
            "crossings": last_crossings(shown) if sees_counts(request) else [],
        },
    )


def camera_cards(request: HttpRequest, cameras: Sequence[Camera]) -> list[CameraCard]:
    """Return one card per camera, in the order given."""
    now = timezone.now()
    counts = live_occupancy(cameras=cameras, now=now) if sees_counts(request) else []
    of_camera = {row.camera.pk: row for row in counts}
    return [
        CameraCard(camera=camera, counts=of_camera.get(camera.pk), now=now)
        for camera in cameras
    ]


def sees_counts(request: HttpRequest) -> bool:
    return request.user.has_perm("occupancy.view_occupancylog")


def last_crossings(of: Camera) -> QuerySet[OccupancyLog]:
    logs = of.occupancy_logs.select_related("line").newest_first()
    return logs[:CROSSINGS_SHOWN]


@require_GET
@login_not_required
def health(_request: HttpRequest) -> JsonResponse:
    """Say whether the system is up: 200 when Postgres and Redis answer, else 503."""
    problems = [*database_problems(), *worker_problems()]
    down = not {NO_DATABASE, NO_REDIS}.isdisjoint(problems)
    status = "down" if down else "degraded" if problems else "ok"
    return JsonResponse(
        {"status": status, "problems": problems}, status=503 if down else 200
    )


def database_problems() -> list[str]:
    try:
        connection.ensure_connection()
    except DatabaseError:
        return [NO_DATABASE]
    return []


def worker_problems() -> list[str]:
    """Return what people should know about the vision workers, as sentences."""
    try:
        running = workers.running()
    except redis.RedisError:
        return [NO_REDIS]
    if not running:
        return [NO_WORKER]
    fallback = [FALLBACK] if any(worker.fallback for worker in running) else []
    failed = sum(worker.failed for worker in running)
    return fallback + ([SET_ASIDE.format(failed)] if failed else [])
