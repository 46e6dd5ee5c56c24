"""The pictures of visits: stored beside their rows, and removed without them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from identity.services import STORAGE_ERRORS

from .models import VehicleLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.models import Camera

    from .pipeline import PlateOffered

logger = logging.getLogger(__name__)


def store(log: VehicleLog, event: PlateOffered) -> bool:
    """Give a stored visit the pictures of what decided it, in place of those before.

    Returns whether it has them. Where the storage fails, it keeps what it has: the
    visit counts without.
    """
    before = of(log)
    name = picture_name(event, camera=log.camera)
    snapshot = _save(name, event.snapshot)
    if not snapshot:
        return False
    plate = _save(f"{name.removesuffix('.jpg')}-plate.jpg", event.plate)
    size = len(event.snapshot) + (len(event.plate) if plate else 0)
    is_kept = VehicleLog.objects.filter(pk=log.pk).update(
        snapshot=snapshot,
        plate_snapshot=plate,
        snapshot_bytes=size,
        progress=VehicleLog.Progress.DONE,
    )
    if not is_kept:
        discard([snapshot, plate])
        return False
    log.snapshot, log.plate_snapshot, log.snapshot_bytes = snapshot, plate, size
    discard([old for old in before if old not in {snapshot, plate}])
    return True


def _save(name: str, picture: bytes) -> str:
    """Store a picture; return its name, empty where there is none."""
    if not picture:
        return ""
    try:
        return default_storage.save(name, ContentFile(picture))
    except STORAGE_ERRORS:
        logger.exception("Picture %s was not stored; its visit is.", name)
        return ""


def of(log: VehicleLog) -> list[str]:
    """Return the names of a visit's pictures."""
    return [str(each.name) for each in (log.snapshot, log.plate_snapshot) if each]


def discard(names: Sequence[str]) -> None:
    """Remove pictures that no row holds any more."""
    for name in filter(None, names):
        try:
            default_storage.delete(name)
        except STORAGE_ERRORS:
            logger.exception("Picture %s was not removed.", name)


def picture_name(event: PlateOffered, *, camera: Camera) -> str:
    """Return where a visit's picture lies; day and time are those of the site."""
    local = camera.site.local(event.at)
    track = f"{camera.code}-{event.track_id}-{event.event_id.hex[:8]}"
    return f"snapshots/vehicles/{local:%Y-%m-%d}/{local:%H-%M-%S}-{track}.jpg"
