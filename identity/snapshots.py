"""The pictures of visits: how many there are, and the end of the old ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.core.files.storage import default_storage
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import TruncDate

from .models import AccessLog
from .rules import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from .models.sightings import AccessLogQuerySet

logger = logging.getLogger(__name__)
BATCH: Final = 500
ROOTS: Final = ("snapshots/known", "snapshots/unknown")
"""Each holds a folder per day."""
ORPHAN_AFTER: Final = timedelta(days=1)
"""A picture is written before its row; much later none will come any more."""
KNOWN: Final = Q(decision__in=NAMED)


@dataclass(frozen=True, slots=True)
class Freed:
    """What a clean-up removed, or would remove."""

    files: int
    bytes: int
    rows: int
    """Visits that have no picture any more; all else of them stays."""
    missing: int
    """Of these, whose file was gone already."""
    orphans: int
    """Of the files, those that no visit had."""
    failed: int
    """Files that could not be removed; the log names them."""


@dataclass(slots=True)
class Removal:
    """Removes files and keeps count; a file that cannot be removed stops nothing."""

    is_dry: bool
    files: int = 0
    bytes: int = 0
    missing: int = 0
    failed: int = 0

    def remove(self, name: str) -> bool:
        """Return whether the file is gone, or would be."""
        try:
            size = default_storage.size(name)
            if not self.is_dry:
                default_storage.delete(name)
        except FileNotFoundError:
            logger.warning("The snapshot %s was gone already.", name)
            self.missing += 1
            return True
        # Every storage has errors of its own.
        except Exception as error:
            kind = type(error).__name__
            logger.warning("The snapshot %s cannot be removed: %s.", name, kind)
            self.failed += 1
            return False
        self.files += 1
        self.bytes += size
        return True


def clean_up(
    *,
    older_than: timedelta,
    now: datetime,
    dry_run: bool = False,
    logs: AccessLogQuerySet | None = None,
) -> Freed:
    """Remove the pictures of visits that began longer ago, and those of no visit.

    With `logs` those of these visits alone: a picture of no visit is of no site.

    Row by row in batches, without a transaction around them: broken off it goes on the
    next time. A picture that cannot be removed is tried again then.
    """
    removal = Removal(is_dry=dry_run)
    rows = 0
    chosen = AccessLog.objects.all() if logs is None else logs
    for batch in _batches(chosen, before=now - older_than):
        gone = [pk for pk, name in batch if removal.remove(name)]
        rows += len(gone)
        if not dry_run:
            done = AccessLog.objects.filter(pk__in=gone)
            done.update(snapshot="", snapshot_bytes=0)
    of_rows = removal.files
    for name in _orphans(before=now - ORPHAN_AFTER) if logs is None else ():
        removal.remove(name)
    return Freed(
        files=removal.files,
        bytes=removal.bytes,
        rows=rows,
        missing=removal.missing,
        orphans=removal.files - of_rows,
        failed=removal.failed,
    )


def _batches(
    logs: AccessLogQuerySet, *, before: datetime
) -> Iterator[Sequence[tuple[int, str]]]:
    """Give (key, file) of visits that began before an instant, oldest key first."""
    old = logs.with_snapshot().filter(occurred_at__lt=before)
    last = 0
    while batch := list(
        old.filter(pk__gt=last).order_by("pk").values_list("pk", "snapshot")[:BATCH]
    ):
        yield batch
        last = batch[-1][0]


def _orphans(*, before: datetime) -> Iterator[str]:
    for root in ROOTS:
        yield from orphans(root, owned_around=_owned_around, before=before)


def orphans(
    root: str, *, owned_around: Callable[[date], set[str]], before: datetime
) -> Iterator[str]:
    """Give the files that no visit has and that were written before an instant.

    `root` holds a folder per day; `owned_around` returns the files of a day's visits.
    """
    for day in _days(root):
        folder = f"{root}/{day}"
        owned = owned_around(day)
        for file in _files_in(folder):
            name = f"{folder}/{file}"
            if name not in owned and _is_older(name, before):
                yield name


def _days(root: str) -> list[date]:
    try:
        folders, _ = default_storage.listdir(root)
    except FileNotFoundError:
        return []
    return sorted(filter(None, map(_as_day, folders)))


def _as_day(folder: str) -> date | None:
    try:
        return date.fromisoformat(folder)
    except ValueError:
        return None


def _files_in(folder: str) -> Sequence[str]:
    """Return the names of a folder's files; none where it cannot be read."""
    try:
        _, files = default_storage.listdir(folder)
    # Every storage has errors of its own.
    except Exception as error:
        logger.warning("%s cannot be read: %s.", folder, type(error).__name__)
        return ()
    return list(files)


def _owned_around(day: date) -> set[str]:
    """Return the files of the visits of a day, in whatever zone it is meant."""
    start = datetime.combine(day, time(), UTC) - timedelta(days=1)
    visits = AccessLog.objects.between(start, start + timedelta(days=3))
    return set(visits.with_snapshot().values_list("snapshot", flat=True))


def _is_older(name: str, before: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < before
    except Exception as error:
        logger.warning("%s is left alone: %s.", name, type(error).__name__)
        return False


@dataclass(frozen=True, slots=True)
class Held:
    """The pictures of some visits."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class SnapshotStats:
    """What the pictures take up, as their rows say."""

    total: Held
    known: Held
    unknown: Held
    """Of nobody, or of nobody for sure."""
    oldest_at: datetime | None
    per_day: Mapping[date, Held] = field(default_factory=dict)
    """Newest day first."""


def stats(
    *, logs: AccessLogQuerySet | None = None, zone: tzinfo = UTC
) -> SnapshotStats:
    """Return the figures over these visits, by default all, by days of a zone."""
    held = (AccessLog.objects.all() if logs is None else logs).with_snapshot()
    found = held.aggregate(
        files=Count("pk"),
        bytes=Sum("snapshot_bytes", default=0),
        known_files=Count("pk", filter=KNOWN),
        known_bytes=Sum("snapshot_bytes", filter=KNOWN, default=0),
        oldest_at=Min("occurred_at"),
    )
    total = Held(found["files"], found["bytes"])
    known = Held(found["known_files"], found["known_bytes"])
    days = held.annotate(day=TruncDate("occurred_at", tzinfo=zone)).values("day")
    per_day = days.annotate(files=Count("pk"), size=Sum("snapshot_bytes"))
    return SnapshotStats(
        total=total,
        known=known,
        unknown=Held(total.files - known.files, total.bytes - known.bytes),
        oldest_at=found["oldest_at"],
        per_day={
            row["day"]: Held(row["files"], row["size"])
            for row in per_day.order_by("-day")
        },
    )
