"""Scheduled work that belongs to no single app; each says what it did."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_results.models import TaskResult
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from alerts import conditions
from alerts.models import Alert
from alerts.tasks import send_soon
from identity import snapshots
from streaming.services import mark_lost

from . import system


@shared_task(time_limit=50, ignore_result=False)
def camera_health(**_: Any) -> dict[str, Any]:
    """Look after cameras, vision workers and the disk; raise and resolve alerts."""
    now = timezone.now()
    lost = mark_lost(now=now)
    conditions.check_cameras(now=now)
    conditions.check_workers(now=now)
    disk = system.disk()
    conditions.check_disk(now=now, used_percent=disk.used_percent, path=disk.path)
    send_soon()
    # Codes would tell of cameras to users of other sites.
    return {
        "cameras without a worker": len(lost),
        "alerts unresolved": Alert.objects.unresolved().count(),
    }


@shared_task(time_limit=600, ignore_result=False)
def remove_old_snapshots(**_: Any) -> dict[str, int]:
    """Remove the pictures of visits older than SNAPSHOT_DAYS, and those of none."""
    older_than = timedelta(days=settings.SNAPSHOT_DAYS)
    return asdict(snapshots.clean_up(older_than=older_than, now=timezone.now()))


@shared_task(time_limit=300, ignore_result=False)
def forget_expired_logins(**_: Any) -> dict[str, int]:
    """Delete API refresh tokens that have expired and so need no blacklisting."""
    expired = OutstandingToken.objects.filter(expires_at__lte=timezone.now())
    deleted = expired.delete()[1]
    return {"forgotten": deleted.get(OutstandingToken._meta.label, 0)}


@shared_task(time_limit=300, ignore_result=False)
def forget_expired_sessions(**_: Any) -> dict[str, int]:
    """Delete the browser sessions that have expired."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    forgotten, _ = expired.delete()
    return {"forgotten": forgotten}


@shared_task(time_limit=300, ignore_result=False)
def forget_old_runs(**_: Any) -> dict[str, int]:
    """Delete the rows of runs older than CELERY_RESULT_EXPIRES."""
    kept_from = timezone.now() - settings.CELERY_RESULT_EXPIRES
    forgotten, _ = TaskResult.objects.filter(date_done__lt=kept_from).delete()
    return {"forgotten": forgotten}
