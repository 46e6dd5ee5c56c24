"""What happens to cameras: states, outages, and their announcement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from . import live
from .models import STILL_AFTER, Camera
from .rules import outage_start
from .serializers import CameraSerializer
from .vision.trouble import Cause, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

BLIND: Final = frozenset({Cause.FROZEN, Cause.BLACK, Cause.BLURRED})
"""Troubles in which pictures come, so that the last one says nothing."""
NOBODY: Final = Trouble(Cause.NO_WORKER, "No vision worker runs this camera.")


@transaction.atomic
def report_state(
    *,
    code: str,
    state: Camera.State,
    trouble: Trouble | None,
    at: datetime,
    last_frame_at: datetime | None = None,
    term: int | None = None,
) -> bool:
    """Store and announce a camera's state; False when it is no news.

    `trouble` says why there is no usable picture: with it an outage begins, without it
    one ends. `last_frame_at` is when the last picture came, if the reporter knows
    better than the row. `term` is the reporter's lease: a worker whose camera went to
    another is not heard, nor is anything of a camera that is switched off.

    Being told that a camera is online is always news: its worker may have ended
    without a word before. If no picture came meanwhile, that was an outage.
    """
    camera = Camera.objects.select_for_update().filter(code=code).first()
    if camera is None or not camera.enabled or term not in {None, camera.lease_term}:
        return False
    _take_note(camera, last_frame_at)
    since = _keep_outages(camera, state, trouble, at) or at
    _take_note(camera, at if state == Camera.State.ONLINE else None)
    cause, reason = (trouble.cause.value, trouble.sentence) if trouble else ("", "")
    known = (camera.state, camera.state_cause, camera.state_reason)
    if state != Camera.State.ONLINE and known == (state, cause, reason):
        return False
    _enter(camera, state, cause=cause, reason=reason, since=since)
    return True


def report_frames(*, last_frame_at: Mapping[str, datetime]) -> None:
    """Store when each camera (by code) last gave a picture."""
    for code, at in last_frame_at.items():
        Camera.objects.filter(code=code).update(last_frame_at=at)


def mark_lost(*, now: datetime) -> list[str]:
    """Say of the cameras that no worker runs that they are offline; return their codes.

    Those are the enabled ones that nobody holds and that stopped giving pictures, or
    that nobody took since the last call though they were free then. Also ends what is
    said of cameras that were switched off.
    """
    off = Camera.objects.filter(enabled=False).exclude(state=Camera.State.UNKNOWN)
    for code in off.values_list("code", flat=True):
        switch_off(code=code, at=now)
    free = Q(lease_until=None) | Q(lease_until__lte=Now())
    unheld = Camera.objects.enabled().filter(free)
    lost = unheld.filter(_looked_at_no_more(now)).order_by("code")
    marked = [
        code
        for code, term in lost.values_list("code", "lease_term")
        if report_state(
            code=code, state=Camera.State.OFFLINE, trouble=NOBODY, at=now, term=term
        )
    ]
    new = unheld.filter(state=Camera.State.UNKNOWN, state_since=None)
    new.update(state_since=now)
    return marked


@transaction.atomic
def switch_off(*, code: str, at: datetime) -> None:
    """End the outage and the state of a camera that is enabled no more."""
    cameras = Camera.objects.select_for_update().filter(code=code, enabled=False)
    camera = cameras.first()
    if camera is not None:
        _end_outage(camera, at)
        _enter(camera, Camera.State.UNKNOWN, cause="", reason="", since=None)


def _looked_at_no_more(now: datetime) -> Q:
    """Return what is true of a camera whose worker is gone, or that never had one."""
    long_ago = now - STILL_AFTER
    is_said_online = Q(state=Camera.State.ONLINE)
    is_still = Q(last_frame_at__lt=long_ago) | Q(last_frame_at=None)
    is_waiting = Q(state=Camera.State.UNKNOWN, state_since__lt=long_ago)
    return is_said_online & is_still | is_waiting


def _take_note(camera: Camera, last_frame_at: datetime | None) -> None:
    known = camera.last_frame_at
    if last_frame_at and (known is None or last_frame_at > known):
        camera.last_frame_at = last_frame_at


def _enter(
    camera: Camera,
    state: Camera.State,
    *,
    cause: str,
    reason: str,
    since: datetime | None,
) -> None:
    camera.state, camera.state_since = state, since
    camera.state_cause, camera.state_reason = cause, reason
    camera.save(
        update_fields=[
            "state",
            "state_since",
            "state_cause",
            "state_reason",
            "last_frame_at",
        ]
    )
    live.publish(
        topic="streaming.camera",
        site_id=camera.site_id,
        data=CameraSerializer(camera).data,
    )


def _keep_outages(
    camera: Camera, state: Camera.State, trouble: Trouble | None, at: datetime
) -> datetime | None:
    """Begin or end the camera's outage; return the beginning of one that began."""
    if trouble is None:
        is_over = _end_outage(camera, at)
        is_online = state == Camera.State.ONLINE
        if is_online and not is_over and camera.stands_still(now=at):
            _begin_outage(camera, NOBODY, at)
            _end_outage(camera, at)
        return None
    if camera.outages.open().exists():
        return None
    return _begin_outage(camera, trouble, at)


def _begin_outage(camera: Camera, trouble: Trouble, at: datetime) -> datetime:
    was_good = camera.state == Camera.State.ONLINE and trouble.cause not in BLIND
    started_at = outage_start(
        at=at,
        last_frame_at=camera.last_frame_at if was_good else None,
        last_ended_at=camera.outages.aggregate(at=Max("ended_at"))["at"],
    )
    camera.outages.create(
        cause=trouble.cause.value, reason=trouble.sentence, started_at=started_at
    )
    return started_at


def _end_outage(camera: Camera, at: datetime) -> bool:
    """End the camera's outage, if there is one; one that turns out empty was none."""
    outage = camera.outages.open().first()
    if outage is None:
        return False
    if at <= outage.started_at:
        outage.delete()
    else:
        outage.ended_at = at
        outage.save(update_fields=["ended_at"])
    return True
