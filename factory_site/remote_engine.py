"""Rekognition as the System page tells of it, where faces are compared there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.models import FaceSample
from identity.rekognition.breaker import State

if TYPE_CHECKING:
    from datetime import datetime

    from identity.rekognition.shared_breaker import BreakerReport
    from identity.usage import Usage

HOW_TO_INDEX = "run `manage.py index_faces`"


def words(breaker: BreakerReport) -> tuple[bool, str, datetime | None]:
    """Return whether it is asked, the words for it, and since when it is not."""
    if breaker.state is State.CLOSED:
        return True, "in use", None
    return False, "not asked, the local engine recognises,", breaker.since


def detail(breaker: BreakerReport, usage: Usage | None) -> str:
    """Return why it is not asked, who is missing there, and what it cost today."""
    missing = FaceSample.objects.filter(
        external_face_id="", employee__erased_at=None
    ).count()
    parts = [breaker.reason.rstrip(".")] if breaker.reason else []
    if missing:
        parts.append(
            f"{missing} {'photo is' if missing == 1 else 'photos are'} not in its "
            f"collections: {HOW_TO_INDEX}"
        )
    if usage:
        parts.append(f"{usage.calls} paid calls today, USD {usage.cost_usd:.2f}")
    return "; ".join(parts)
