"""What happens to cameras: state changes and their announcement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from . import live
from .models import Camera
from .serializers import CameraSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@transaction.atomic
def report_state(*, code: str, state: Camera.State, reason: str, at: datetime) -> bool:
    """Store and announce a camera's state; False when it is no news.

    `reason` is the sentence that people read, without any password. Being told that a
    camera is online is always news: its worker may have ended without a word before.
    """
    told = Camera.objects.filter(code=code)
    if state != Camera.State.ONLINE:
        told = told.exclude(state=state, state_reason=reason)
    changed = told.update(state=state, state_reason=reason, state_since=at)
    if changed:
        camera = Camera.objects.get(code=code)
        live.publish(
            topic="streaming.camera",
            site_id=camera.site_id,
            data=CameraSerializer(camera).data,
        )
    return bool(changed)


def report_frames(*, last_frame_at: Mapping[str, datetime]) -> None:
    """Store when each camera (by code) last gave a picture."""
    for code, at in last_frame_at.items():
        Camera.objects.filter(code=code).update(last_frame_at=at)
