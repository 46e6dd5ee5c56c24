"""Recording of what happens in zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from streaming import live

from . import alarms
from .models import Zone
from .serializers import ZoneSerializer

if TYPE_CHECKING:
    from .zone_stage import (
        ZoneCounted,
        ZoneEntered,
        ZoneEvent,
        ZoneFull,
        ZoneLoitered,
    )


@transaction.atomic
def record_counted(*, event: ZoneCounted) -> bool:
    """Keep how many stand in a zone now, and announce it.

    False where a newer count is known, or the zone is gone.
    """
    zone = _zone(event)
    no_newer = Q(counted_at=None) | Q(counted_at__lte=event.at)
    if zone is None or not Zone.objects.filter(no_newer, pk=zone.pk).update(
        live_count=event.count, counted_at=event.at
    ):
        return False
    zone.live_count, zone.counted_at = event.count, event.at
    live.publish(
        topic="occupancy.zone",
        site_id=zone.camera.site_id,
        data=ZoneSerializer(zone).data,
    )
    return True


@transaction.atomic
def record_entered(*, event: ZoneEntered) -> None:
    """Tell of somebody in a zone where nobody may be."""
    if zone := _zone(event):
        alarms.note_entered(zone=zone, at=event.at)


@transaction.atomic
def record_loitered(*, event: ZoneLoitered) -> None:
    """Tell of somebody who stays too long."""
    if zone := _zone(event):
        alarms.note_loitered(zone=zone, seconds=event.seconds, at=event.at)


@transaction.atomic
def record_fullness(*, event: ZoneFull) -> None:
    """Tell of a zone that is too full, or not any more.

    Not where a newer count is known, such as that of the worker that took the camera
    over from one that died: that one tells how full it is now.
    """
    zone = _zone(event)
    if zone is None or (zone.counted_at and zone.counted_at > event.at):
        return
    alarms.note_fullness(
        zone=zone,
        count=event.count,
        capacity=event.capacity,
        now_is=event.fullness,
        at=event.at,
    )


def _zone(event: ZoneEvent) -> Zone | None:
    """Return a zone with its camera and site; None where it was deleted meanwhile."""
    if event.zone_id is None:
        return None
    rows = Zone.objects.select_related("camera__site")
    return rows.filter(pk=event.zone_id).first()
