"""What is done about vehicles at fixed times."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.utils import timezone

from . import retention


@shared_task(time_limit=600, ignore_result=False)
def forget_old_visits(**_: Any) -> dict[str, int]:
    """Delete visits at the gates older than VEHICLE_DAYS, with their pictures."""
    return asdict(retention.forget_old(now=timezone.now()))
