"""Scheduled work that belongs to no single app."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.core.management import call_command


@shared_task(time_limit=300)
def forget_expired_logins(**_: Any) -> None:
    """Delete API refresh tokens that have expired and so need no blacklisting."""
    call_command("flushexpiredtokens")


@shared_task(time_limit=300)
def forget_expired_sessions(**_: Any) -> None:
    """Delete the browser sessions that have expired."""
    call_command("clearsessions")
