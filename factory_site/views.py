"""Pages that show several apps at once, and the health of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import redis
from django.contrib.auth.decorators import login_not_required, permission_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from streaming import workers
from streaming.models import Camera, Site

from .outage_week import OutageWeek, Period, local_days, outage_week
from .wall import Filters, camera_cards, last_events, shown_cameras, wall_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from django.db.models import QuerySet

    from identity.models import AccessLog
    from occupancy.models import OccupancyLog
    from streaming.models import CameraOutage
    from streaming.vision.stats import CameraStats

CROSSINGS_SHOWN = 20
OUTAGES_SHOWN = 20
IDENTITIES_SHOWN = 5
FALLBACK = (
    "No weights: people are found by the simple OpenCV detector and will be missed."
)
FACE_FALLBACK = (
    "No weights for faces: dlib stands in and misses more of them. "
    "Run manage.py fetch_models."
)
PLATE_FALLBACK = (
    "Number plates are found or read with less than they should be. The vision "
    "worker's log says what is missing."
)
NO_WORKER = "No vision worker is running: pictures and counts stand still."
SET_ASIDE = "Events that could not be recorded: {}. The vision worker's log says why."
NO_DATABASE = "Postgres does not answer: nothing is recorded, events wait on disk."
NO_REDIS = "Redis does not answer: nothing is live."


@require_GET
@permission_required("streaming.view_camera", raise_exception=True)
def wall(request: HttpRequest) -> HttpResponse:
    """Show all cameras at once: live pictures, states, counts and the last events."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    filters = Filters.of(request, sites)
    cameras = shown_cameras(request, filters)
    cards = camera_cards(cameras, with_counts=sees_counts(request), now=timezone.now())
    return render(
        request,
        "wall.html",
        {
            "sites": sites,
            "filters": filters,
            "cards": wall_order(cards),
            "offline": sum(card.is_out for card in cards),
            "inside": sum(card.counts.current_count for card in cards if card.counts),
            "sees_counts": sees_counts(request),
            "events": last_events(request, cameras),
        },
    )


@require_GET
@permission_required("streaming.view_camera", raise_exception=True)
def camera(request: HttpRequest, code: str) -> HttpResponse:
    """Show one camera: picture, counts, last crossings and outages."""
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    shown = get_object_or_404(cameras, code=code)
    now = timezone.now()
    with_counts = sees_counts(request)
    sees_outages = request.user.has_perm("streaming.view_cameraoutage")
    return render(
        request,
        "streaming/camera.html",
        {
            "site": shown.site,
            "card": camera_cards([shown], with_counts=with_counts, now=now)[0],
            "stats": stats_of(shown),
            "lines": shown.lines.enabled().order_by("name"),
            "sees_counts": with_counts,
            "crossings": last_crossings(shown) if with_counts else [],
            "outages": last_outages(shown, now=now) if sees_outages else None,
            "identities": last_identities(request, shown),
        },
    )


def sees_counts(request: HttpRequest) -> bool:
    return request.user.has_perm("occupancy.view_occupancylog")


def last_crossings(of: Camera) -> QuerySet[OccupancyLog]:
    """Return those of people: vehicles are counted apart."""
    logs = of.occupancy_logs.of_people().select_related("line").newest_first()
    return logs[:CROSSINGS_SHOWN]


def last_identities(request: HttpRequest, of: Camera) -> list[AccessLog] | None:
    """Return whom it saw last; None where the user may not see that, or nobody can."""
    looks = Camera.Task.FACES in of.tasks
    if not request.user.has_perm("identity.view_accesslog"):
        return None
    found = list(of.access_logs.with_names().newest_first()[:IDENTITIES_SHOWN])
    return found if looks or found else None


@dataclass(frozen=True, slots=True)
class LastOutages:
    """A camera's outages of the last days: all as a strip, the newest as a list."""

    number: int
    week: OutageWeek
    newest: Sequence[tuple[CameraOutage, timedelta]]
    """Each with how long it lasted, so far where it is not over."""


def last_outages(of: Camera, *, now: datetime) -> LastOutages:
    zone = ZoneInfo(of.site.time_zone)
    start = local_days(now=now, zone=zone)[0].start
    found = list(of.outages.between(start, now).newest_first())
    periods = [Period(one.started_at, min(one.ended_at or now, now)) for one in found]
    week = outage_week(periods, now=now, zone=zone)
    newest = [(one, one.lasted(now=now)) for one in found[:OUTAGES_SHOWN]]
    return LastOutages(len(found), week, newest)


def stats_of(of: Camera) -> CameraStats | None:
    """Return what its worker measures of a camera; None while none runs it."""
    try:
        running = workers.running()
    except redis.RedisError:
        return None
    return next((w.cameras[of.code] for w in running if of.code in w.cameras), None)


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
    failed = sum(worker.failed for worker in running)
    problems = {
        FALLBACK: any(worker.fallback for worker in running),
        FACE_FALLBACK: any(worker.face_fallback for worker in running),
        PLATE_FALLBACK: any(worker.plate_fallback for worker in running),
        SET_ASIDE.format(failed): failed > 0,
    }
    return [problem for problem, is_so in problems.items() if is_so]
