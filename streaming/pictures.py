"""What a viewer is told when a camera's pictures stop: never is one left as if live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.utils import timezone

from .models import Camera

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from .frames import Feed

LOOK_AFTER_S = 5.0
"""After so long without a picture it is lost, and it is looked up why. Even of a camera
at which nothing moves, or one that a busy worker neglects, one in 2.5 s is shown."""
LOOK_OFTEN_FOR_S, LOOK_LATER_EVERY_S = 15.0, 30.0


@dataclass(frozen=True, slots=True)
class Loss:
    """Why there is no picture, in words for whoever sees the camera."""

    title: str
    reason: str


REMOVED = Loss("No such camera any more", "It was deleted in the admin")
STATE = [
    "enabled",
    "state",
    "state_since",
    "state_cause",
    "state_reason",
    "last_frame_at",
]


async def follow(camera: Camera, feed: Feed) -> AsyncGenerator[bytes | Loss | None]:
    """Yield each picture that there is time for, and once they stop a Loss.

    The Loss comes anew when it turns out to be another one. None is yielded where
    LOOK_AFTER_S pass with nothing to tell.
    """
    number, silent_s, told = 0, 0.0, None
    while True:
        newer = await feed.after(number, timeout_s=LOOK_AFTER_S)
        if newer is not None:
            number, silent_s, told = newer, 0.0, None
            yield feed.payload
            continue
        silent_s += LOOK_AFTER_S
        if silent_s > LOOK_OFTEN_FOR_S and silent_s % LOOK_LATER_EVERY_S:
            yield None
            continue
        found = await _loss_now(camera)
        yield found if found != told else None
        told = found


async def _loss_now(camera: Camera) -> Loss:
    try:
        await database_sync_to_async(camera.refresh_from_db)(fields=STATE)
    except Camera.DoesNotExist:
        return REMOVED
    return loss(camera, now=timezone.now())


def loss(camera: Camera, *, now: datetime) -> Loss:
    """Say since when and why a camera of which no picture comes gives none."""
    if not camera.enabled:
        return Loss("Switched off", "It is not enabled in the admin")
    if camera.state == Camera.State.ONLINE:
        since, reason = camera.last_frame_at, "The vision worker sends none"
    elif camera.state == Camera.State.UNKNOWN:
        since, reason = None, "The vision worker sends none"
    else:
        since = camera.state_since
        reason = camera.get_state_cause_display() or camera.state_reason
    if camera.state == Camera.State.ENDED:
        return Loss("Recording ended", reason or "It is not played again")
    usable = "usable " if camera.state == Camera.State.UNUSABLE else ""
    if since is None:
        return Loss("No picture yet", reason)
    return Loss(f"No {usable}picture since {clock(camera, since, now=now)}", reason)


def clock(camera: Camera, at: datetime, *, now: datetime) -> str:
    """Return the time at the camera's site, with the day unless it is today."""
    local, today = camera.site.local(at), camera.site.local(now)
    words = "%H:%M" if local.date() == today.date() else "%d %b %H:%M"
    return local.strftime(words)
