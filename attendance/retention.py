"""The end of attendance that is older than it is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef

from .models import AttendanceRecord, Passage, PresenceEvent, UnknownAttendance
from .models.days import AttendanceCorrection, CorrectionRequest

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.db.models import QuerySet

BATCH: Final = 1_000
MARGIN: Final = timedelta(days=1)
"""No zone is farther from UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many rows a run deleted."""

    records: int
    corrections: int
    requests: int
    events: int
    unknown: int
    passages: int


def forget_old(*, now: datetime) -> Forgotten:
    """Delete attendance older than ATTENDANCE_DAYS, the oldest first.

    In batches, without a transaction around them: broken off it goes on the next time.
    A day later than by UTC, so that it is over everywhere; an event stays for as long
    as a day that is kept rests on it.
    """
    before = now - timedelta(days=settings.ATTENDANCE_DAYS) - MARGIN
    gone = _delete(_old_records(before.date()), by="attendance_date")
    gone += _delete(_old_events(before), by="occurred_at")
    unknown = UnknownAttendance.objects.filter(last_seen_at__lt=before)
    gone += _delete(unknown, by="occurred_at")
    # Not sooner: who is named weeks later went the way that the line tells.
    passages = Passage.objects.filter(occurred_at__lt=before)
    gone += _delete(passages, by="occurred_at")
    return Forgotten(
        records=gone[AttendanceRecord._meta.label],
        corrections=gone[AttendanceCorrection._meta.label],
        requests=gone[CorrectionRequest._meta.label],
        events=gone[PresenceEvent._meta.label],
        unknown=gone[UnknownAttendance._meta.label],
        passages=gone[Passage._meta.label],
    )


def _old_records(before: date) -> QuerySet[AttendanceRecord]:
    return AttendanceRecord.objects.filter(attendance_date__lt=before)


def _old_events(before: datetime) -> QuerySet[PresenceEvent]:
    """Return the events that no day rests on any more; those of old days are gone."""
    came = AttendanceRecord.objects.filter(check_in=OuterRef("pk"))
    left = AttendanceRecord.objects.filter(check_out=OuterRef("pk"))
    # The second bound is the one that counts, the first one has an index.
    old = PresenceEvent.objects.filter(occurred_at__lt=before, last_seen_at__lt=before)
    return old.filter(~Exists(came), ~Exists(left))


def _delete(rows: QuerySet[Any], *, by: str) -> Counter[str]:
    """Delete rows and what belongs to them alone; count by label of the model."""
    gone: Counter[str] = Counter()
    while keys := list(rows.order_by(by, "pk").values_list("pk", flat=True)[:BATCH]):
        gone.update(rows.model._default_manager.filter(pk__in=keys).delete()[1])
    return gone
