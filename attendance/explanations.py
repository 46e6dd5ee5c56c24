"""How a day of an employee came about, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Min

from identity.models import AccessLog

from .days import workings
from .explain import Evidence, Known, Note, explain
from .models import AttendanceCorrection, PresenceEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from identity.models import Employee
    from identity.models.sightings import AccessLogQuerySet

    from .days import Workings
    from .planning import Planned
    from .rules import Sighting


@dataclass(frozen=True, slots=True)
class Explanation:
    """The sentences, and what they were made from."""

    lines: list[str]
    workings: Workings


def explain_day(*, employee: Employee, on: date, now: datetime) -> Explanation:
    """Return how the rules come to what they say of a date, and what people said."""
    found = workings(employee=employee, on=on, now=now)
    shift = found.planned.shift
    known = Known(
        result=found.result,
        zone=ZoneInfo(employee.site.time_zone),
        shift_name=shift.shift_name if shift else "",
        rest=_rest(found.planned),
        evidence={key: _evidence(event) for key, event in found.events.items()},
        elsewhere=_elsewhere(employee, found, now=now),
        outages=found.outages,
        notes=[*_refused(employee, found), *_not_kept(employee, found)],
        corrected=_corrected(employee, on),
        absent_after=timedelta(minutes=settings.ABSENT_AFTER_MINUTES),
    )
    return Explanation(explain(known), found)


def _rest(planned: Planned) -> str:
    if planned.holiday:
        return planned.holiday.name
    if planned.is_weekly_off or planned.leave is None:
        return ""
    return planned.leave.get_kind_display()


def _evidence(event: PresenceEvent) -> Evidence:
    return Evidence(
        words=_words(event), similarity=event.similarity, threshold=event.threshold
    )


def _words(event: PresenceEvent) -> str:
    where = f" at {event.camera.name}" if event.camera else ""
    by = f" by {event.recorded_by}" if event.recorded_by else ""
    return {
        PresenceEvent.Source.FACE: f"recognised{where}",
        PresenceEvent.Source.LINE: f"crossed the line{where}",
        PresenceEvent.Source.LINKED: f"seen{where} and named{by}",
        PresenceEvent.Source.API: f"stamped{by}",
    }[PresenceEvent.Source(event.source)]


def _elsewhere(
    employee: Employee, found: Workings, *, now: datetime
) -> list[tuple[Sighting, date | None]]:
    """Return what was seen around the day but not counted for it."""
    counted = {seen for seen, _ in found.result.seen}
    first, last = _around(found)
    rest = [
        seen
        for seen in found.sightings
        if seen not in counted and first <= seen.at < last
    ]
    if not rest:
        return []
    whose: dict[Sighting, date] = {}
    for days in (-1, 1):
        on = found.result.occurrence.date + timedelta(days=days)
        other = workings(employee=employee, on=on, now=now).result
        whose |= dict.fromkeys((seen for seen, _ in other.seen), on)
    return [(seen, whose.get(seen)) for seen in rest]


def _around(found: Workings) -> tuple[datetime, datetime]:
    """Return the time whose events people ask about: that of the shift's window."""
    plan = found.result.occurrence
    return plan.start_at - (plan.closes_at - plan.end_at), plan.closes_at


def _visits(employee: Employee, found: Workings) -> AccessLogQuerySet:
    first, last = _around(found)
    rows = AccessLog.objects.filter(
        employee=employee, occurred_at__gte=first, occurred_at__lt=last
    )
    return rows.filter(presence_events=None)


def _refused(employee: Employee, found: Workings) -> Iterator[Note]:
    rows = _visits(employee, found).filter(decision=AccessLog.Decision.UNAUTHORIZED)
    for at, where in rows.order_by("occurred_at").values_list(
        "occurred_at", "camera__name"
    ):
        yield Note(at, f"refused at {where}, which is no attendance")


def _not_kept(employee: Employee, found: Workings) -> Iterator[Note]:
    """Tell in one line of visits to cameras that only say who was there."""
    rows = _visits(employee, found).filter(decision=AccessLog.Decision.AUTHORIZED)
    told = rows.aggregate(
        first=Min("occurred_at"),
        count=Count("pk"),
        where=Max("camera__name"),
        cameras=Count("camera", distinct=True),
    )
    if told["count"]:
        where = told["where"] if told["cameras"] == 1 else f"{told['cameras']} cameras"
        times = "" if told["count"] == 1 else f" {told['count']} times from then on"
        yield Note(
            told["first"], f"recognised{times} at {where}, where no attendance was kept"
        )


def _corrected(employee: Employee, on: date) -> Note | None:
    rows = AttendanceCorrection.objects.filter(
        record__employee=employee,
        record__attendance_date=on,
        record__corrected_at__isnull=False,
    )
    last = rows.select_related("made_by").newest_first().first()
    if last is None:
        return None
    by = f" by {last.made_by}" if last.made_by else ""
    return Note(last.made_at, f'corrected{by}: "{last.reason}"')
