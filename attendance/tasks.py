"""Days worked out anew in the background after the roster has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from identity.models import Employee
from streaming import workers
from streaming.models import Site

from . import closing, days, digest, retention
from .models import AttendanceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from .assigning import Touched

Batch = Sequence[tuple[date, date, int]]
"""First date, last date and employee."""
Stretch = tuple[date, date | None]
"""The first and the last, which may be open."""
AT_ONCE: Final = 50
"""Employees of one run: a year of them takes well under its time limit."""


def all_changed(changes: Iterable[Touched], *, now: datetime) -> int:
    """Have all that a change of the roster touched worked out anew; return how many
    days of people until today that is.

    Dates are the sites' own. Later ones need nothing: they are worked out when they
    come. Nor do those before anything was known of the site, nor those of which the
    evidence is no longer kept. Call it inside the transaction that changed the roster,
    or after it.
    """
    batches: list[Batch] = []
    count = 0
    for todo, today in _by_site(_by_employee(changes), now=now):
        batches += [todo[at : at + AT_ONCE] for at in range(0, len(todo), AT_ONCE)]
        count += sum(
            max((min(last, today) - first).days + 1, 0) for first, last, _ in todo
        )
    for batch in batches:
        _unsettle(batch)

    def send() -> None:
        _send(batches)

    if batches:
        transaction.on_commit(send, robust=True)
    return count


def in_words(days_of_people: int) -> str:
    """Say what is under way; empty where nothing is."""
    if not days_of_people:
        return ""
    if days_of_people == 1:
        return "1 day is being worked out anew."
    return f"{days_of_people:,} days are being worked out anew."


@shared_task(time_limit=600)
def recompute(*, employees: list[int], first: str, last: str) -> dict[str, Any]:
    """Work out the dates [first, last] of employees; dates as ISO."""
    done = days.recompute_days(
        employees=employees,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        now=timezone.now(),
    )
    return {"days": done.days, "changed": done.changed, "deleted": done.deleted}


@shared_task(time_limit=600, ignore_result=False)
def close_occurrences(**_: Any) -> dict[str, int]:
    """Mark who did not come, settle the days that are over, name unknown faces."""
    return asdict(closing.close_occurrences(now=timezone.now()))


@shared_task(time_limit=600, ignore_result=False)
def tell_of_the_day(**_: Any) -> dict[str, int]:
    """Raise the day's alert for each site that has attendance to look after."""
    return {"sites": digest.tell(now=timezone.now())}


@shared_task(time_limit=600, ignore_result=False)
def forget_old_attendance(**_: Any) -> dict[str, int]:
    """Delete attendance older than ATTENDANCE_DAYS."""
    return asdict(retention.forget_old(now=timezone.now()))


@transaction.atomic
def _unsettle(todo: Batch) -> None:
    """Leave the days to the scheduled run where the one at once comes to nothing.

    But for those that are being written: whoever writes them may wait for others.
    """
    people, first, last = _range(todo)
    records = AttendanceRecord.objects.of(people).between(first, last)
    settled = records.filter(corrected_at=None, is_settled=True)
    free = settled.select_for_update(skip_locked=True).values("pk")
    AttendanceRecord.objects.filter(pk__in=free).update(is_settled=False)


def _send(batches: Sequence[Batch]) -> None:
    # Celery itself would wait many seconds for a machine that does not answer.
    with workers.connect() as client:
        client.ping()
    for batch in batches:
        people, first, last = _range(batch)
        recompute.apply_async(
            kwargs={
                "employees": people,
                "first": first.isoformat(),
                "last": last.isoformat(),
            },
            retry=False,
        )


def _range(todo: Batch) -> tuple[list[int], date, date]:
    firsts, lasts, people = zip(*todo, strict=True)
    return list(people), min(firsts), max(lasts)


def _by_employee(changes: Iterable[Touched]) -> dict[int, Stretch]:
    """Return from when to when each is touched, gaps left in."""
    dates: dict[int, Stretch] = {}
    for touched in changes:
        for employee in touched.employees:
            first, last = dates.get(employee, (touched.first, touched.last))
            ends = (last, touched.last)
            until = None if None in ends else max(end for end in ends if end)
            dates[employee] = (min(first, touched.first), until)
    return dates


def _by_site(
    dates: Mapping[int, Stretch], *, now: datetime
) -> Iterator[tuple[Batch, date]]:
    """Give what is to do at each site, and its date of today.

    Nothing where nothing is known of a site: somebody put on a shift since years ago
    was not absent all the time before there were cameras.
    """
    people = Employee.objects.filter(pk__in=dates)
    of_site: dict[int, list[int]] = defaultdict(list)
    for site, employee in people.values_list("site", "pk"):
        of_site[site].append(employee)
    sites = Site.objects.filter(pk__in=of_site).order_by("pk")
    # A day is worked out from those around it: the oldest kept ones lack some.
    kept = timedelta(days=settings.ATTENDANCE_DAYS - 3)
    known = closing.known_since(sites, now=now, back=kept)
    for each in sites:
        if each.pk in known:
            here = {pk: dates[pk] for pk in of_site[each.pk]}
            today = each.local(now).date()
            yield _todo(here, known[each.pk], today), today


def _todo(dates: Mapping[int, Stretch], known: date, today: date) -> Batch:
    # Somebody may have come today for a shift that starts tomorrow.
    end = today + timedelta(days=1)
    return sorted(
        (max(first, known), min(last or end, end), employee)
        for employee, (first, last) in dates.items()
        if first <= end and (last is None or last >= known)
    )
