"""Works out days: the one place that writes records from what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from streaming import live, locks

from .basis import AROUND, Basis
from .models import AttendanceRecord, PresenceEvent
from .roster import Plan
from .rules import Status
from .serializers import AttendanceRecordSerializer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from identity.models import Employee

    from .planning import Period, Planned
    from .rules import DayResult, Sighting

AT_ONCE: Final = 200
"""Employees whose days are worked out, and locked, in one transaction."""
TOLD: Final = 50
"""Changed days that are announced one by one; after more, pages look by themselves."""
NO_ROW: Final = frozenset({Status.EXPECTED, Status.NONE})
FREED: Final = frozenset({Plan.HOLIDAY, Plan.ON_LEAVE})
"""What is often entered after the day, and after somebody has left."""
WORKED_OUT: Final = (
    "shift",
    "plan",
    "is_weekly_off",
    "start_at",
    "end_at",
    "grace_minutes",
    "status",
    "check_in_at",
    "check_out_at",
    "check_in",
    "check_out",
    "grace_period_applied",
    "late_minutes",
    "early_minutes",
    "worked_minutes",
    "overtime_minutes",
    "unscheduled",
    "reviews",
    "closes_at",
    "is_settled",
)
"""What a record has from the rules."""
COLUMNS: Final = tuple(
    field.attname
    for field in AttendanceRecord._meta.concrete_fields
    if field.name in WORKED_OUT
)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a recomputation did."""

    days: int
    """Looked at."""
    changed: int
    """Written, new ones included."""
    deleted: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What days came to."""

    results: Mapping[tuple[int, date], DayResult]
    """What the rules say, by employee and date."""
    changed: Sequence[AttendanceRecord]
    """Those that were written; with names and proof where they are few."""
    deleted: int


@dataclass(frozen=True, slots=True)
class Workings:
    """What the result of a day was worked out from."""

    planned: Planned
    result: DayResult
    sightings: Sequence[Sighting]
    """All that were looked at, of the days around it too; oldest first."""
    outages: Sequence[Period]
    events: Mapping[str, PresenceEvent]
    """Of the sightings, by event id; with camera, access log and who recorded it."""


def alone(*employees: int, also: str = "") -> None:
    """Let nobody else change the days of these employees until the commit.

    All that a transaction changes are named in one call, lest two wait for each other;
    `also` is one further lock, taken with theirs.
    """
    names = [f"attendance/employee/{pk}" for pk in employees]
    locks.hold(*names, *([also] if also else []))


def dates_touched(at: datetime, *, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and last date whose result may rest on a sighting then."""
    on, around = at.astimezone(zone).date(), timedelta(days=AROUND)
    return on - around, on + around


def recompute_days(
    *, employees: Collection[int], first: date, last: date, now: datetime
) -> Recomputed:
    """Work out the dates [first, last] of these employees anew, in batches.

    Harmless when repeated, and the same whoever else does it at the same time.
    """
    total = Recomputed(0, 0, 0)
    keys = sorted(set(employees))
    for start in range(0, len(keys), AT_ONCE):
        batch = keys[start : start + AT_ONCE]
        with transaction.atomic():
            alone(*batch)
            done = settle_days(employees=batch, first=first, last=last, now=now)
        total = Recomputed(
            total.days + len(done.results),
            total.changed + len(done.changed),
            total.deleted + done.deleted,
        )
    return total


def settle_days(
    *,
    employees: Collection[int],
    first: date,
    last: date,
    now: datetime,
    only_seen: bool = False,
) -> Settled:
    """Work out [first, last] of employees whom the caller has `alone` until the commit.

    A day that the rules no longer support is deleted, unless somebody said something of
    it. One that a person corrected stays as it is. With `only_seen` no day gets its
    first record of which nothing was seen.
    """
    basis = Basis.load(
        employees=employees, first=first, last=last, now=now, only_seen=only_seen
    )
    results: dict[tuple[int, date], DayResult] = {}
    changes = _Changes()
    for pk in basis.roster.people:
        for on in _dates(first, last):
            results[pk, on] = result = basis.result(pk, on)
            changes.note(basis, pk, result)
    deleted, kept = _delete(changes.unsupported)
    doubtful = [(basis.doubtful(record), record) for record in kept]
    changes.written += [row for row, record in doubtful if _differs(row, record)]
    AttendanceRecord.objects.filter(pk__in=changes.closed).update(is_settled=True)
    return Settled(results, _write(changes.written), deleted)


def workings(*, employee: Employee, on: date, now: datetime) -> Workings:
    """Return what a day's result is worked out from; nothing is written."""
    basis = Basis.load(employees=[employee.pk], first=on, last=on, now=now)
    sightings = basis.around(employee.pk, on)
    rows = PresenceEvent.objects.select_related("camera", "access_log", "recorded_by")
    secret = ("camera__source_url", "camera__sub_stream_url", "access_log__embedding")
    found = rows.defer(*secret).filter(event_id__in={s.event_id for s in sightings})
    return Workings(
        planned=basis.planned(employee.pk, on),
        result=basis.result(employee.pk, on),
        sightings=sightings,
        outages=basis.outages(employee.pk),
        events={str(event.event_id): event for event in found},
    )


def _dates(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


@dataclass(slots=True)
class _Changes:
    """What is to be done to the records."""

    written: list[AttendanceRecord] = field(default_factory=list)
    unsupported: list[AttendanceRecord] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    """Keys of those that stay, and have closed."""

    def note(self, basis: Basis, pk: int, result: DayResult) -> None:
        on = result.occurrence.date
        record = basis.roster.records.get((pk, on))
        is_active = basis.roster.people[pk].is_active
        if record and _stays(record, result, is_active=is_active):
            if not record.is_settled and basis.now >= record.closes_at:
                self.closed.append(record.pk)
        elif not _is_told(
            result, is_there=is_active or _was_out(record), now=basis.now
        ):
            self.unsupported += [record] if record else []
        elif basis.tells(pk, result):
            row = basis.row(pk, result)
            if record is None or _differs(row, record):
                self.written.append(row)


def _stays(record: AttendanceRecord, result: DayResult, *, is_active: bool) -> bool:
    """Whether a person said what is right, or the day was before somebody left.

    Since when they are gone is not known: days without them stay, whatever becomes of
    their shift, but for leave and holidays that are entered later.
    """
    nobody = _was_out(record) and result.check_in is None
    is_free = result.occurrence.plan in FREED
    return record.is_corrected or (nobody and not is_active and not is_free)


def _was_out(record: AttendanceRecord | None) -> bool:
    """Whether a day is known on which they were not seen to come."""
    return record is not None and record.check_in_at is None


def _is_told(result: DayResult, *, is_there: bool, now: datetime) -> bool:
    """Whether a day has a record: what is to come has none, unless they came early."""
    if result.check_in:
        return True
    has_begun = now >= result.occurrence.start_at
    return is_there and has_begun and result.status not in NO_ROW


def _differs(row: AttendanceRecord, record: AttendanceRecord) -> bool:
    return any(getattr(row, name) != getattr(record, name) for name in COLUMNS)


def _delete(
    records: Sequence[AttendanceRecord],
) -> tuple[int, Sequence[AttendanceRecord]]:
    """Delete days, but for those of which somebody said something; return these too."""
    if not records:
        return 0, ()
    rows = AttendanceRecord.objects.filter(pk__in=[row.pk for row in records])
    silent = set(
        rows.filter(corrections=None, requests=None).values_list("pk", flat=True)
    )
    AttendanceRecord.objects.filter(pk__in=silent).delete()
    return len(silent), [row for row in records if row.pk not in silent]


def _write(rows: Sequence[AttendanceRecord]) -> Sequence[AttendanceRecord]:
    """Store days, new ones and others in one query, and announce them if few."""
    if not rows:
        return ()
    stored = AttendanceRecord.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["employee", "attendance_date"],
        update_fields=[*WORKED_OUT, "changed_at"],
    )
    if len(stored) > TOLD:
        return stored
    told = AttendanceRecord.objects.with_proof().filter(
        pk__in=[row.pk for row in stored]
    )
    for row in told:
        live.publish(
            topic="attendance.attendancerecord",
            site_id=row.employee.site_id,
            data=AttendanceRecordSerializer(row).data,
        )
    return list(told)
