"""What the history is asked for, as it stands in the address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef

from identity.views.filters import NO_DATE, NO_ORDER, day_of, storable
from occupancy.history import Place
from occupancy.models import Area, CountingLine, Kind
from streaming.models import Camera

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from django.http import HttpRequest

    from streaming.models import Site

FIELDS: Final = ("site", "place", "kind", "by", "from", "to")
HOUR, DAY, MONTH = "hour", "day", "month"
BY: Final = {HOUR: "By hour", DAY: "By day", MONTH: "By month"}
USUAL_DAYS: Final = {HOUR: 1, DAY: 28, MONTH: 365}
"""How long the period is where none is asked for."""
DAYS_MAX: Final = {HOUR: 14, DAY: 366, MONTH: 3660}
"""What a chart has room for."""
FILE_DAYS_MAX: Final = {**DAYS_MAX, HOUR: 366}
TOO_LONG: Final = {
    HOUR: f"Hours are drawn for at most {DAYS_MAX[HOUR]} days. Choose a shorter "
    f"period, or days; the CSV takes {FILE_DAYS_MAX[HOUR]} days of hours.",
    DAY: f"Days are drawn for at most {DAYS_MAX[DAY]}. Choose a shorter period, or "
    "months.",
    MONTH: "Months are drawn for at most ten years. Choose a shorter period.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An area or a camera whose history there is."""

    key: str
    name: str
    site: Site
    area_id: int | None = None
    camera_id: int | None = None

    def place(self, kind: str) -> Place:
        return Place(self.area_id, self.camera_id, kind)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose history, by what, and of which dates, both ends included."""

    values: Mapping[str, str]
    choice: Choice
    kind: str
    by: str
    first: date
    last: date
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        asked: Mapping[str, str],
        *,
        choices: Sequence[Choice],
        now: datetime,
        at_most: Mapping[str, int] = DAYS_MAX,
    ) -> Asked:
        """Read it; what is not asked for, or not known, is what is usual."""
        values = {name: storable(asked.get(name, "")).strip() for name in FIELDS}
        found = [one for one in choices if one.key == values["place"]]
        choice = (found or choices)[0]
        by = values["by"] if values["by"] in BY else HOUR
        today = choice.site.local(now).date()
        first, last, errors = _period(values, by=by, today=today)
        if not errors and (last - first).days >= at_most[by]:
            errors["to"] = TOO_LONG[by]
        kind = values["kind"] if values["kind"] in Kind.values else Kind.PEOPLE.value
        return cls(values, choice, kind, by, first, last, errors)

    @property
    def place(self) -> Place:
        return self.choice.place(self.kind)

    @property
    def kind_name(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def shown_from(self) -> str:
        return self.values["from"] or self.first.isoformat()

    @property
    def shown_to(self) -> str:
        return self.values["to"] or self.last.isoformat()

    @property
    def fits_a_file(self) -> bool:
        """Whether nothing is wrong but that it is too long to be drawn."""
        days = (self.last - self.first).days
        is_right = not self.errors or self.errors == {"to": TOO_LONG[self.by]}
        return is_right and days < FILE_DAYS_MAX[self.by]

    @property
    def name(self) -> str:
        return f"occupancy-{self.choice.key}-{self.by}-{self.first}-to-{self.last}"

    def query(self, **changed: str) -> str:
        """Return it as it stands in the address, some changed."""
        values = {**self.values, **changed}
        return urlencode({name: value for name, value in values.items() if value})

    def bys(self) -> list[tuple[str, str, bool]]:
        """Return the other lengths of periods, each with what is usual for it."""
        return [
            (label, self.query(by=by, **{"from": "", "to": ""}), by == self.by)
            for by, label in BY.items()
        ]

    def steps(self) -> tuple[str, str]:
        """Return the addresses of the period before and of the one after."""
        lasts = self.last - self.first + timedelta(days=1)
        before = (self.first - lasts, self.first - timedelta(days=1))
        after = (self.last + timedelta(days=1), self.last + lasts)
        earlier, later = (
            self.query(**{"from": one.isoformat(), "to": other.isoformat()})
            for one, other in (before, after)
        )
        return earlier, later


def _period(
    values: Mapping[str, str], *, by: str, today: date
) -> tuple[date, date, dict[str, str]]:
    """Return the first and the last date, and a sentence for each that is none."""
    days = {name: day_of(values[name]) for name in ("from", "to")}
    errors = {
        name: NO_DATE for name, day in days.items() if values[name] and day is None
    }
    last = days["to"] or max(today, days["from"] or today)
    first = days["from"] or last - timedelta(days=USUAL_DAYS[by] - 1)
    if not errors and last < first:
        errors["to"] = NO_ORDER
    return first, last, errors


def choices_of(request: HttpRequest, sites: Sequence[Site]) -> list[Choice]:
    """Return the areas, and the cameras with lines, of these sites."""
    by_id = {site.pk: site for site in sites}
    found = [*_areas(by_id), *_cameras(by_id)]
    order = {site.pk: number for number, site in enumerate(sites)}
    return sorted(found, key=lambda choice: order[choice.site.pk])


def _areas(sites: Mapping[int, Site]) -> Iterator[Choice]:
    areas = Area.objects.filter(site__in=sites).order_by("name", "pk")
    for area in areas:
        name = area.name if area.enabled else f"{area.name} (switched off)"
        yield Choice(f"area-{area.pk}", name, sites[area.site_id], area_id=area.pk)


def _cameras(sites: Mapping[int, Site]) -> Iterator[Choice]:
    lines = CountingLine.objects.filter(camera=OuterRef("pk"))
    cameras = Camera.objects.filter(Exists(lines), site__in=sites)
    rows = cameras.order_by("name", "pk").values_list("pk", "code", "name", "site_id")
    for pk, code, name, site in rows:
        yield Choice(f"camera-{code}", f"{name} ({code})", sites[site], camera_id=pk)
