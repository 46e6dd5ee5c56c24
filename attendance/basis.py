"""What days are worked out from: the roster, what was seen, and what was not seen."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from . import planning
from .models import AttendanceRecord, PresenceEvent
from .planning import Roster
from .roster import WINDOW
from .rules import MINUTE, Review, Status, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from .models.presence import PresenceEventQuerySet
    from .planning import Period, Planned
    from .rules import DayResult, Sighting

AROUND: Final = 2
"""A date is always worked out with so many before and after it, whatever else is asked
for: who is still there from one shift does not come for the next."""
VISIT: Final = timedelta(days=1)
"""Nobody stays in view of one camera for longer."""
DAY: Final = timedelta(days=1)


class Basis:
    """What days are worked out from, of several employees."""

    def __init__(
        self,
        *,
        roster: Roster,
        events: Iterable[PresenceEvent],
        period: Period,
        now: datetime,
        only_seen: bool,
    ) -> None:
        self.roster = roster
        self.now = now
        self.keys: dict[str, int] = {}
        """Of the events, by event id."""
        self._only_seen = only_seen
        self._period = period
        self._sightings: dict[int, list[Sighting]] = defaultdict(list)
        for event in events:
            self.keys[str(event.event_id)] = event.pk
            self._sightings[event.employee_id].extend(event.sightings())
        for seen in self._sightings.values():
            seen.sort()
        self._outages: Mapping[int, Sequence[Period]] | None = None
        self._planned: dict[tuple[int, date], Planned] = {}

    @classmethod
    def load(
        cls,
        *,
        employees: Collection[int],
        first: date,
        last: date,
        now: datetime,
        only_seen: bool = False,
    ) -> Basis:
        around = timedelta(days=AROUND)
        start, end = first - around, last + around
        # Of any zone, and of a shift that lasts into the second day.
        since = datetime.combine(start, time(), UTC) - DAY
        until = datetime.combine(end, time(), UTC) + 3 * DAY
        return cls(
            roster=Roster.load(employees=employees, first=start, last=end),
            events=_events(employees, since, until),
            period=(since, until),
            now=now,
            only_seen=only_seen,
        )

    def planned(self, pk: int, on: date) -> Planned:
        if (pk, on) not in self._planned:
            self._planned[pk, on] = self.roster.on(pk, on)
        return self._planned[pk, on]

    def around(self, pk: int, on: date) -> Sequence[Sighting]:
        """Return what was seen on a date and on those around it."""
        occurrences = [each.occurrence for each in self._planned_around(pk, on)]
        first = min(each.start_at for each in occurrences) - WINDOW
        end = max(each.end_at for each in occurrences) + WINDOW
        seen = self._sightings[pk]
        start = bisect_left(seen, first, key=lambda each: each.at)
        return seen[start : bisect_left(seen, end, key=lambda each: each.at)]

    def result(self, pk: int, on: date) -> DayResult:
        found = self._settle(pk, on, ())
        is_absent = found.status is Status.ABSENT and self.tells(pk, found)
        blind = self.outages(pk) if is_absent else ()
        return self._settle(pk, on, blind) if blind else found

    def tells(self, pk: int, result: DayResult) -> bool:
        """Whether the day has a record, or gets one now if it deserves one."""
        has_record = (pk, result.occurrence.date) in self.roster.records
        return has_record or bool(result.seen) or not self._only_seen

    def outages(self, pk: int) -> Sequence[Period]:
        """Return when cameras of arrivals were down; asked for the first time, for all
        sites at once."""
        people = self.roster.people
        if self._outages is None:
            start, end = self._period
            self._outages = planning.outages(
                sites={person.site_id for person in people.values()},
                start=start,
                end=min(end, self.now),
            )
        return self._outages.get(people[pk].site_id, ())

    def row(self, pk: int, result: DayResult) -> AttendanceRecord:
        """Return the record of a result, not stored."""
        occurrence = result.occurrence
        is_over = self.now >= occurrence.closes_at
        return AttendanceRecord(
            employee_id=pk,
            attendance_date=occurrence.date,
            **columns(self.planned(pk, occurrence.date), result),
            check_in_id=self._key(result.check_in),
            check_out_id=self._key(result.check_out),
            is_settled=is_over and result.status is not Status.EXPECTED,
        )

    def doubtful(self, record: AttendanceRecord) -> AttendanceRecord:
        """Return what a day becomes that nothing supports but that people spoke of."""
        pk = record.employee_id
        result = self.result(pk, record.attendance_date)
        status = Status.UNVERIFIED
        row = self.row(pk, replace(result, status=status))
        row.is_settled = row.is_settled and result.status is not Status.EXPECTED
        return row

    def _settle(self, pk: int, on: date, outages: Sequence[Period]) -> DayResult:
        (found,) = settle(
            [each.occurrence for each in self._planned_around(pk, on)],
            self.around(pk, on),
            now=self.now,
            outages=outages,
            absent_after=timedelta(minutes=settings.ABSENT_AFTER_MINUTES),
            only=on,
        )
        return found

    def _planned_around(self, pk: int, on: date) -> Iterator[Planned]:
        for number in range(-AROUND, AROUND + 1):
            yield self.planned(pk, on + timedelta(days=number))

    def _key(self, seen: Sighting | None) -> int | None:
        return self.keys[seen.event_id] if seen else None


def _events(
    employees: Collection[int], since: datetime, until: datetime
) -> PresenceEventQuerySet:
    """Return what the days of a period rest on."""
    rows = PresenceEvent.objects.of(employees).between(since, until)
    # Else all that was ever seen of somebody would be read.
    lately = rows.filter(occurred_at__gte=since - VISIT)
    return lately.only("event_id", "employee", "way", "occurred_at", "last_seen_at")


def columns(planned: Planned, result: DayResult) -> dict[str, Any]:
    """Return what a record has from the roster and from a result, by column."""
    occurrence = result.occurrence
    return {
        "shift": planned.shift,
        "plan": occurrence.plan.value,
        "is_weekly_off": planned.is_weekly_off,
        "start_at": occurrence.start_at,
        "end_at": occurrence.end_at,
        "grace_minutes": occurrence.grace // MINUTE,
        "status": result.status.value,
        "check_in_at": result.check_in_at,
        "check_out_at": result.check_out_at,
        "grace_period_applied": result.grace_period_applied,
        "late_minutes": result.late_minutes,
        "early_minutes": result.early_minutes,
        "worked_minutes": result.worked_minutes,
        "overtime_minutes": result.overtime_minutes,
        "unscheduled": result.unscheduled,
        "reviews": [each.value for each in Review if each in result.reviews],
        "closes_at": occurrence.closes_at,
    }
