"""How many were seen, in all and by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDate

from .models import AccessLog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from .models.sightings import AccessLogQuerySet

Decision = AccessLog.Decision


@dataclass(frozen=True, slots=True)
class Counts:
    """Visits by what was decided."""

    total: int
    authorized: int
    unauthorized: int
    unknown: int
    ambiguous: int

    @classmethod
    def of(cls, by_decision: Mapping[str, int]) -> Self:
        named = {word: by_decision.get(word, 0) for word in Decision.values}
        return cls(total=sum(named.values()), **named)

    @property
    def authorized_rate(self) -> float | None:
        """Share of the total that was let pass, 0..1; None of nobody."""
        return round(self.authorized / self.total, 4) if self.total else None


@dataclass(frozen=True, slots=True)
class Summary:
    """Visits of a period."""

    whole: Counts
    days: Mapping[date, Counts]
    """Site-local days on which somebody was seen, the first one first."""


def summarise(logs: AccessLogQuerySet, *, zones: Collection[str]) -> Summary:
    """Count visits by decision, and by day in the time zone of their site.

    `zones` are those of all sites that the visits may be of; one query each.
    """
    days: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for zone in zones:
        for day, decision, number in counted(logs, zone):
            days[day][decision] += number
    whole = sum(days.values(), Counter[str]())
    by_day = {day: Counts.of(days[day]) for day in sorted(days)}
    return Summary(whole=Counts.of(whole), days=by_day)


def counted(logs: AccessLogQuerySet, zone: str) -> list[tuple[date, str, int]]:
    here = logs.filter(camera__site__time_zone=zone).order_by()
    by_day = here.annotate(day=TruncDate("occurred_at", tzinfo=ZoneInfo(zone)))
    groups = by_day.values_list("day", "decision").annotate(number=Count("id"))
    return list(groups)
