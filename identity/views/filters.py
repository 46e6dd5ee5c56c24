"""What the access page is narrowed to, as it stands in the address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from identity.models import AccessLog
    from identity.models.sightings import AccessLogQuerySet
    from streaming.models import Site

FIELDS = ("site", "camera", "decision", "person", "from", "to", "flagged")
YEARS = range(2000, 2101)
SeenT = TypeVar("SeenT", bound=QuerySet[Any])
"""Rows that have `occurred_at`."""
NO_DATE = "Write the day as 2026-11-21."
NO_ORDER = "The last day is before the first."


@dataclass(frozen=True, slots=True)
class Filters:
    """Each empty where nothing is asked for; days are those of `zone`."""

    values: Mapping[str, str]
    zone: ZoneInfo
    first_day: date | None = None
    last_day: date | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    """A sentence per field that cannot be understood, which then narrows nothing."""

    @classmethod
    def of(cls, asked: Mapping[str, str], *, sites: Sequence[Site]) -> Filters:
        values = {name: storable(asked.get(name, "")).strip() for name in FIELDS}
        zone = zone_of(values["site"], sites)
        first, last = day_of(values["from"]), day_of(values["to"])
        asked_days = {"from": first, "to": last}
        errors = {
            name: NO_DATE
            for name, day in asked_days.items()
            if values[name] and day is None
        }
        if first and last and last < first:
            errors["to"], last = NO_ORDER, None
        return cls(values, zone, first, last, errors)

    def __bool__(self) -> bool:
        return any(self.values.values())

    def apply(self, logs: AccessLogQuerySet) -> AccessLogQuerySet:
        told = self.values
        exact = {
            "camera__site__slug": told["site"],
            "camera__code": told["camera"],
            "decision": told["decision"],
        }
        logs = logs.filter(**{name: value for name, value in exact.items() if value})
        if told["flagged"]:
            logs = logs.filter(flagged=True)
        if told["person"]:
            logs = logs.filter(named_like(told["person"]))
        if self.first_day:
            logs = logs.filter(occurred_at__gte=midnight(self.first_day, self.zone))
        if self.last_day:
            end = midnight(self.last_day + timedelta(days=1), self.zone)
            logs = logs.filter(occurred_at__lt=end)
        return logs

    def query(self) -> str:
        """Return them as they stand in the address."""
        return urlencode({name: value for name, value in self.values.items() if value})


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list, newest first: what is older than this row."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, text: str) -> Cursor | None:
        """Read it from the address; None for anything that none of ours looks like."""
        at, _, pk = text.rpartition("_")
        try:
            return cls(datetime.fromisoformat(at).astimezone(ZoneInfo("UTC")), int(pk))
        except (ValueError, OverflowError):
            return None

    @classmethod
    def behind(cls, log: AccessLog) -> Cursor:
        return cls(log.occurred_at, log.pk)

    def __str__(self) -> str:
        return f"{self.at.astimezone(ZoneInfo('UTC')).isoformat()}_{self.pk}"

    def older(self, logs: SeenT) -> SeenT:
        same_time = Q(occurred_at=self.at, pk__lt=self.pk)
        return logs.filter(Q(occurred_at__lt=self.at) | same_time)


def zone_of(slug: str, sites: Sequence[Site]) -> ZoneInfo:
    """Return the zone of the site asked for, else of the first that the user sees."""
    asked = [site for site in sites if site.slug == slug] or list(sites)
    return ZoneInfo(asked[0].time_zone if asked else "UTC")


def named_like(text: str) -> Q:
    """Match a person by any part of code or name, a stranger by "stranger 17"."""
    by_name = Q(employee__code__icontains=text) | Q(employee__name__icontains=text)
    number = text.casefold().removeprefix("unknown").removeprefix("stranger").strip()
    if number.isascii() and number.isdigit() and len(number) < 18:
        return by_name | Q(unknown_person=int(number))
    return by_name


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def day_of(text: str) -> date | None:
    """Read a day; None for what is none, or none that a camera can have seen."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def on_day_of(site: Site, *, now: datetime) -> Q:
    """Match what a site's cameras have seen so far on its own day."""
    start = midnight(site.local(now).date(), ZoneInfo(site.time_zone))
    return Q(camera__site=site, occurred_at__gte=start)


def storable(text: str) -> str:
    """Leave out the one character that Postgres has no place for."""
    return text.replace("\0", "")
