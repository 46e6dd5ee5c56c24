"""What is done about counts at fixed times."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.utils import timezone

from streaming.models import Site

from . import aggregation, corrections, retention
from .aggregation import Done


@shared_task(time_limit=1800, ignore_result=False)
def sum_up(**_: Any) -> dict[str, int]:
    """Sum up the hours that are over, and the days and months that they end."""
    now = timezone.now()
    sites = Site.objects.order_by("pk")
    done = [aggregation.catch_up(site=site, now=now) for site in sites]
    return asdict(sum(done, Done()))


@shared_task(time_limit=300, ignore_result=False)
def correct_daily(**_: Any) -> dict[str, int]:
    """Set the counts to zero once a night, at three by the clock of each site."""
    now = timezone.now()
    sites = Site.objects.order_by("pk")
    corrected = [corrections.correct_daily(site=site, now=now) for site in sites]
    return {"corrected": sum(corrected)}


@shared_task(time_limit=1800, ignore_result=False)
def forget_old_crossings(**_: Any) -> dict[str, int]:
    """Delete crossings older than OCCUPANCY_LOG_DAYS that are summed up."""
    return asdict(retention.forget_old(now=timezone.now()))
