"""Tells the pages that watch of a visit, as the REST list gives it."""

from __future__ import annotations

from streaming import live

from .models import VehicleLog
from .serializers import VehicleLogSerializer


def announce(log: VehicleLog) -> None:
    """Announce a visit when its transaction commits."""
    live.publish(
        topic="vehicles.vehiclelog",
        site_id=log.camera.site_id,
        data=VehicleLogSerializer(log).data,
    )


def announce_again(log_id: int) -> None:
    """Announce a visit as it is stored now; nothing where it is gone."""
    rows = VehicleLog.objects.with_names().with_calls()
    log = rows.filter(pk=log_id).first()
    if log is not None:
        announce(log)
