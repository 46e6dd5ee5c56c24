"""Scheduled work that belongs to no single app."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

logger = logging.getLogger(__name__)


@shared_task(time_limit=300)
def forget_expired_logins(**_: Any) -> None:
    """Delete API refresh tokens that have expired and so need no blacklisting."""
    deleted, _rows = OutstandingToken.objects.filter(
        expires_at__lte=timezone.now()
    ).delete()
    logger.info("Forgot %d expired API logins.", deleted)
