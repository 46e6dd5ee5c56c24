"""Sending in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from streaming import workers

from . import delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

SOON_S = 60
"""After this long the scheduled run has done it anyway."""


@shared_task(time_limit=240, ignore_result=False)
def send_due(**_: Any) -> Mapping[str, int]:
    """Send the deliveries that are due; return how many got into each state."""
    return delivery.deliver_due(now=timezone.now())


def send_soon() -> None:
    """Have what is due sent once this transaction commits.

    Without Redis the scheduled run sends it later, and nothing fails here.
    """
    transaction.on_commit(_send_now, robust=True)


def _send_now() -> None:
    # Celery itself would wait many seconds for a machine that does not answer.
    with workers.connect() as client:
        client.ping()
    send_due.apply_async(expires=SOON_S, ignore_result=True, retry=False)
