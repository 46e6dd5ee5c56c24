"""The System page, running a job from it, and `/metrics`."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_celery_beat.models import PeriodicTask
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from alerts.models import Alert
from streaming.models import Camera, Site

from . import jobs, metrics
from .system import look

if TYPE_CHECKING:
    from alerts.models import AlertQuerySet
    from streaming.models import CameraQuerySet, SiteQuerySet

SEE, RUN = "streaming.view_visionworker", "django_celery_beat.change_periodictask"
HOW_TO_READ = "Send METRICS_TOKEN as a bearer token, or log in.\n"


@require_GET
@permission_required(SEE, raise_exception=True)
def system(request: HttpRequest) -> HttpResponse:
    """Show every part of the system, and how the cameras the user sees do."""
    cameras = Camera.objects.visible_to(request.user)
    return render(
        request,
        "system.html",
        {
            "system": look(cameras=cameras, now=timezone.now()),
            "may_run": request.user.has_perm(RUN),
        },
    )


@require_POST
@permission_required([SEE, RUN], raise_exception=True)
def run_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a job now, once; its schedule stays as it is."""
    job = get_object_or_404(PeriodicTask, pk=pk)
    try:
        jobs.run_now(job=job, by=request.user)
    except jobs.NotStarted as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{job.name}: handed to the worker.")
    return redirect("system")


@require_GET
@login_not_required
def scrape(request: HttpRequest) -> HttpResponse:
    """Give Prometheus its figures: of everything for METRICS_TOKEN, else of what the
    logged-in user sees."""
    if bears_token(request):
        cameras, alerts = Camera.objects.all(), Alert.objects.all()
        sites = Site.objects.all()
    elif request.user.is_authenticated:
        cameras, alerts, sites = of_user(request)
    else:
        return HttpResponse(
            HOW_TO_READ,
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    text = metrics.exposed(
        cameras=cameras, alerts=alerts.open(), sites=sites, now=timezone.now()
    )
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def bears_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    if wanted is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), wanted.encode())


def of_user(
    request: HttpRequest,
) -> tuple[CameraQuerySet, AlertQuerySet, SiteQuerySet]:
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    return (
        Camera.objects.visible_to(request.user),
        Alert.objects.visible_to(request.user),
        Site.objects.visible_to(request.user),
    )
