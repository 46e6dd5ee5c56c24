"""How many are where now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from identity.views.filters import storable
from occupancy.board import board
from occupancy.capacity import Fullness
from streaming.models import Site

from . import graphs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from occupancy.board import AreaNow, CameraNow, SiteNow
    from occupancy.charts import Chart

CHARTS_MAX: Final = 12
"""So many cameras of one site have a chart; more are numbers, each with its history."""
TOPICS: Final = {
    "occupancy.area": "occupancy.view_area",
    "occupancy.zone": "occupancy.view_zone",
    "occupancy.occupancylog": "occupancy.view_occupancylog",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A site, and a chart of today for each of its areas and cameras."""

    now: SiteNow
    areas: Sequence[tuple[AreaNow, Chart]]
    cameras: Sequence[tuple[CameraNow, Chart | None]]

    @classmethod
    def of(cls, now: SiteNow) -> Section:
        is_drawn = len(now.cameras) <= CHARTS_MAX
        return cls(
            now,
            [(one, graphs.of_today(one.today, site=now.site)) for one in now.areas],
            [
                (one, graphs.of_today(one.today, site=now.site) if is_drawn else None)
                for one in now.cameras
            ],
        )


@require_GET
@permission_required("occupancy.view_occupancylog", raise_exception=True)
def now(request: HttpRequest) -> HttpResponse:
    """Show how many are in each area and zone now, and what today was like."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    slug = storable(request.GET.get("site", ""))
    chosen = next((site for site in sites if site.slug == slug), None)
    told = board(sites=[chosen] if chosen else sites, now=timezone.now())
    return render(
        request,
        "occupancy/now.html",
        {
            "sites": sites,
            "chosen": chosen,
            "sections": [Section.of(one) for one in told],
            "answer": answer(told),
            "topics": topics(request),
        },
    )


def topics(request: HttpRequest) -> str:
    """Return the live topics that the login may watch."""
    may = [name for name, needed in TOPICS.items() if request.user.has_perm(needed)]
    return " ".join(may)


@dataclass(frozen=True, slots=True)
class Answer:
    """The first line: the fullest area, and how many places are too full."""

    area: AreaNow | None
    over: int
    unseen: int

    @property
    def inside(self) -> int:
        return self.area.room.count if self.area else 0


def answer(told: Sequence[SiteNow]) -> Answer:
    areas = [area for site in told for area in site.areas]
    zones = [zone for site in told for zone in site.zones]
    rooms = [*(one.room for one in areas), *(one.room for one in zones if one.is_known)]
    fullest = max(
        areas, key=lambda one: (one.room.fullness.rank, one.room.count), default=None
    )
    return Answer(
        fullest,
        over=sum(room.fullness is Fullness.RED for room in rooms),
        unseen=sum(one.area.drift for one in areas),
    )
