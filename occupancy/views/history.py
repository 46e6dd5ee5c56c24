"""What was counted before: charts, the same in numbers, a usual week, and as a file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from identity.sheets import harmless
from identity.views.filters import storable
from occupancy import charts, history, periods
from occupancy.models import Kind
from streaming.models import Site

from . import graphs
from .asked import DAY, FILE_DAYS_MAX, HOUR, MONTH, Asked, choices_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from django.http import HttpRequest

    from occupancy.charts import Chart
    from occupancy.history import Compared, Counted

DAY_HOURS: Final = 24
TEN: Final = 10
LONGEST_MONTH: Final = 31
SAME_BEFORE: Final = {
    HOUR: "a week before",
    DAY: "a week before",
    MONTH: "a year before",
}
FIND: Final = {HOUR: history.by_hour, DAY: history.by_day, MONTH: history.by_month}
WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COLUMNS: Final = (
    "site",
    "place",
    "counted",
    "start",
    "end",
    "entries",
    "exits",
    "average inside",
    "most inside",
    "least inside",
    "complete",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: the name of the period, and what was counted."""

    name: str
    now: Counted
    before: Counted | None


@dataclass(frozen=True, slots=True)
class Sums:
    """All periods together."""

    entries: int
    exits: int
    inside: int | None
    """How many are inside now; None where the period does not hold now."""
    fullest: Row | None
    """The row with the most; None where more are inside now."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """A cell of the usual week: how many, and how warm that is against the most."""

    day: str
    value: float | None
    heat: int

    @property
    def shown(self) -> str:
        """The number in few digits; empty where nothing was counted."""
        if self.value is None:
            return ""
        is_exact = self.value == 0 or self.value >= TEN
        return f"{self.value:.{0 if is_exact else 1}f}"


@require_GET
@permission_required("occupancy.view_occupancylog", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """Show what was counted in a period, against the week or the year before."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    choices = choices_of(request, chosen_sites(request, sites))
    told: dict[str, object] = {
        "sites": sites,
        "site_slug": storable(request.GET.get("site", "")),
        "choices": choices,
        "kinds": Kind,
    }
    if not choices:
        return render(request, "occupancy/history.html", told)
    now = timezone.now()
    asked = Asked.of(request.GET, choices=choices, now=now)
    told |= {"asked": asked}
    if asked.errors:
        return render(request, "occupancy/history.html", told, status=400)
    return render(request, "occupancy/history.html", told | drawn(asked, now=now))


@require_GET
@permission_required("occupancy.view_occupancylog", raise_exception=True)
def as_csv(request: HttpRequest) -> HttpResponse:
    """Return the same period as a file that Excel and others open."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    choices = choices_of(request, chosen_sites(request, sites))
    if not choices:
        return redirect("occupancy-history")
    now = timezone.now()
    asked = Asked.of(request.GET, choices=choices, now=now, at_most=FILE_DAYS_MAX)
    if asked.errors:
        return redirect(f"{reverse('occupancy-history')}?{asked.query()}")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{asked.name}.csv"'
    response["Cache-Control"] = "no-store"
    response.write("\ufeff")  # Without it Excel takes UTF-8 for something else.
    csv.writer(response).writerows(lines(asked, compared(asked, now=now)))
    return response


def chosen_sites(request: HttpRequest, sites: Sequence[Site]) -> Sequence[Site]:
    slug = storable(request.GET.get("site", ""))
    return [site for site in sites if site.slug == slug] or sites


def compared(asked: Asked, *, now: datetime) -> list[Compared]:
    return FIND[asked.by](
        asked.place,
        site=asked.choice.site,
        first=asked.first,
        last=asked.last,
        now=now,
    )


def drawn(asked: Asked, *, now: datetime) -> dict[str, object]:
    """Return what the page shows of a period."""
    found = compared(asked, now=now)
    rows = [
        Row(name(asked, each.now.start), each.now, each.before)
        for each in found
        if each.now.start <= now
    ]
    earlier, later = asked.steps()
    return {
        "rows": rows,
        "sums": sums(rows, inside=inside_now(asked, now=now)),
        "same_before": SAME_BEFORE[asked.by],
        "crossings": chart(asked, found, graphs.of_crossings),
        "inside": chart(asked, found, graphs.of_inside),
        "week": usual_week(asked),
        "week_days": WEEK,
        "week_since": history.usual_since(asked.last),
        "earlier": earlier,
        "later": later,
    }


def chart(asked: Asked, found: Sequence[Compared], draw: graphs.Draw) -> Chart:
    return draw(
        found,
        label=lambda at: label(asked, at),
        name=lambda at: name(asked, at),
    )


def inside_now(asked: Asked, *, now: datetime) -> int | None:
    if not asked.first <= asked.choice.site.local(now).date() <= asked.last:
        return None
    return history.inside_now(asked.place)


def sums(rows: Sequence[Row], *, inside: int | None) -> Sums:
    full = [row for row in rows if (row.now.most or 0) > (inside or 0)]
    return Sums(
        entries=sum(row.now.entries or 0 for row in rows),
        exits=sum(row.now.exits or 0 for row in rows),
        inside=inside,
        fullest=max(full, key=lambda row: row.now.most or 0, default=None),
    )


def name(asked: Asked, at: datetime) -> str:
    """Return what a period is called; where the clock is changed, with its zone."""
    local = asked.choice.site.local(at)
    if asked.by == MONTH:
        return f"{local:%B %Y}"
    if asked.by == DAY:
        return f"{local:%a %d %b %Y}"
    start, end = periods.day(local.date(), ZoneInfo(asked.choice.site.time_zone))
    is_usual = (end - start).total_seconds() == DAY_HOURS * 3600
    return f"{local:%a %d %b %H:%M}" if is_usual else f"{local:%a %d %b %H:%M %Z}"


def label(asked: Asked, at: datetime) -> str:
    """Return what is written below a period in the chart, as short as can be."""
    local = asked.choice.site.local(at)
    if asked.by == MONTH:
        return f"{local:%b %y}"
    if asked.by == DAY:
        return day_label(asked, local.date())
    if asked.first == asked.last:
        return f"{local:%H}"
    is_midnight = local.hour == 0 and local.minute == 0
    return f"{local.day} {local:%b}" if is_midnight else ""


def day_label(asked: Asked, on: date) -> str:
    """Return the day of the month; of the first, and in long periods, the month."""
    is_long = (asked.last - asked.first).days > LONGEST_MONTH
    if is_long:
        return f"{on:%b}" if on.day == 1 else ""
    is_named = on.day == 1 or on == asked.first
    return f"{on.day} {on:%b}" if is_named else f"{on.day}"


def usual_week(asked: Asked) -> Sequence[tuple[int, Sequence[Warmth]]]:
    """Return the hours of a day, each with the seven days of a usual week."""
    means: Mapping[tuple[int, int], float] = history.usual_week(
        asked.place, site=asked.choice.site, last=asked.last
    )
    most = max(means.values(), default=0)
    return [
        (hour, [warmth(means.get((hour, day)), day, most=most) for day in range(1, 8)])
        for hour in range(DAY_HOURS)
        if means
    ]


def warmth(value: float | None, day: int, *, most: float) -> Warmth:
    return Warmth(WEEK[day - 1], value, charts.heat(value or 0, most=most))


def lines(asked: Asked, found: Sequence[Compared]) -> Iterator[Sequence[object]]:
    """Yield the heading and a line per period that was counted, in the site's time."""
    yield COLUMNS
    site = asked.choice.site
    for told in (each.now for each in found if each.now.is_known):
        yield (
            harmless(site.name),
            harmless(asked.choice.name),
            asked.kind,
            site.local(told.start).isoformat(),
            site.local(told.end).isoformat(),
            told.entries,
            told.exits,
            "" if told.average is None else f"{told.average:.2f}",
            "" if told.most is None else told.most,
            "" if told.least is None else told.least,
            "yes" if told.is_over else "",
        )
