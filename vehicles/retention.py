"""The end of visits at the gates that are older than they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Q

from identity.snapshots import ORPHAN_AFTER, Removal, orphans

from .models import BarrierCall, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

BATCH: Final = 500
ROOT: Final = "snapshots/vehicles"
"""It holds a folder per day."""
WITH_PICTURE: Final = ~Q(snapshot="") | ~Q(plate_snapshot="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What a run deleted."""

    visits: int
    calls: int
    """Of barriers."""
    files: int
    bytes: int
    orphans: int
    """Of the files, those that no visit had."""
    failed: int
    """Files that could not be removed; the log names them."""


def forget_old(*, now: datetime) -> Forgotten:
    """Delete visits older than VEHICLE_DAYS, and pictures older than SNAPSHOT_DAYS.

    In batches, without a transaction around them: broken off it goes on the next time.
    A visit stays for as long as a picture of it cannot be removed.
    """
    removal = Removal(is_dry=False)
    before = now - timedelta(days=settings.VEHICLE_DAYS)
    pictures_before = now - timedelta(days=settings.SNAPSHOT_DAYS)
    pictured = VehicleLog.objects.filter(WITH_PICTURE)
    for batch in _batches(pictured, before=max(before, pictures_before)):
        freed = [log.pk for log in batch if _remove_pictures(log, removal)]
        rows = VehicleLog.objects.filter(pk__in=freed)
        rows.update(snapshot="", plate_snapshot="", snapshot_bytes=0)
    bare = VehicleLog.objects.exclude(WITH_PICTURE)
    visits = sum(_delete(batch) for batch in _batches(bare, before=before))
    calls, _ = BarrierCall.objects.filter(asked_at__lt=before).delete()
    of_visits = removal.files
    for name in orphans(ROOT, owned_around=_owned, before=now - ORPHAN_AFTER):
        removal.remove(name)
    return Forgotten(
        visits=visits,
        calls=calls,
        files=removal.files,
        bytes=removal.bytes,
        orphans=removal.files - of_visits,
        failed=removal.failed,
    )


def _batches(
    logs: QuerySet[VehicleLog], *, before: datetime
) -> Iterator[Sequence[VehicleLog]]:
    """Give visits that were over before an instant, lowest key first."""
    # The second bound is the one that counts, the first one has an index.
    old = logs.filter(occurred_at__lt=before, last_seen_at__lt=before).order_by("pk")
    last = 0
    while batch := list(
        old.filter(pk__gt=last).only("pk", "snapshot", "plate_snapshot")[:BATCH]
    ):
        yield batch
        last = batch[-1].pk


def _remove_pictures(log: VehicleLog, removal: Removal) -> bool:
    """Return whether both are gone; each is tried."""
    names = [str(each) for each in (log.snapshot, log.plate_snapshot) if each]
    gone = [removal.remove(name) for name in names]
    return all(gone)


def _delete(batch: Sequence[VehicleLog]) -> int:
    rows = VehicleLog.objects.filter(pk__in=[log.pk for log in batch])
    return rows.delete()[1].get(VehicleLog._meta.label, 0)


def _owned(day: date) -> set[str]:
    """Return the files of the visits of a day, in whatever zone it is meant."""
    start = datetime.combine(day, time(), UTC) - timedelta(days=1)
    end = start + timedelta(days=3)
    visits = VehicleLog.objects.filter(
        WITH_PICTURE, occurred_at__lt=end, last_seen_at__gte=start
    )
    pairs = visits.values_list("snapshot", "plate_snapshot")
    return {name for pair in pairs for name in pair if name}
