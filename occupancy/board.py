"""How many are where now: the areas, the zones, and the cameras of no area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Sum

from streaming.models import Camera

from . import history, periods
from .capacity import Fullness, fullness
from .history import Place
from .models import (
    Area,
    AreaCorrection,
    AreaLine,
    CountingLine,
    Kind,
    OccupancyLog,
    Zone,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from streaming.models import Site

    from .history import Counted


TOLD_WITHIN: Final = timedelta(minutes=3)
"""A zone that is watched tells of its count once a minute, also of the same one."""


@dataclass(frozen=True, slots=True)
class Room:
    """How full a place is, against how many may be there."""

    count: int
    capacity: int | None
    amber_percent: int

    @property
    def fullness(self) -> Fullness:
        return fullness(
            self.count, capacity=self.capacity, amber_percent=self.amber_percent
        )

    @property
    def amber_from(self) -> int:
        """The least count that is amber; of a place without a limit none is."""
        return max(math.ceil((self.capacity or 0) * self.amber_percent / 100), 1)

    @property
    def percent(self) -> int:
        """How long the bar is: a place that is over its capacity has a full one."""
        return min(round(100 * self.count / self.capacity), 100) if self.capacity else 0


@dataclass(frozen=True, slots=True)
class Hour:
    """What was counted in an hour of today, None of one to come, and a week before."""

    start: datetime
    now: Counted | None
    before: Counted | None


@dataclass(frozen=True, slots=True)
class Today:
    """What a place has come to since its site's midnight."""

    entries: int
    exits: int
    hours: Sequence[Hour]

    @property
    def busiest(self) -> Counted | None:
        """The hour that is over in which most were inside; None where nobody was."""
        over = [hour.now for hour in self.hours if hour.now and hour.now.most]
        return max(over, key=lambda hour: hour.most or 0, default=None)


@dataclass(frozen=True, slots=True)
class AreaNow:
    area: Area
    room: Room
    today: Today
    corrected: AreaCorrection | None


@dataclass(frozen=True, slots=True)
class CameraNow:
    """A camera with a line that is no door of an area."""

    camera: Camera
    count: int
    today: Today


@dataclass(frozen=True, slots=True)
class ZoneNow:
    zone: Zone
    room: Room
    unknown: str
    """Why nobody can say, as a sentence; empty where the count is known."""

    @property
    def is_known(self) -> bool:
        return not self.unknown


@dataclass(frozen=True, slots=True)
class Vehicles:
    """How many vehicles of a class crossed a camera's lines today."""

    camera: Camera
    label: str
    entries: int
    exits: int


@dataclass(frozen=True, slots=True)
class SiteNow:
    site: Site
    areas: Sequence[AreaNow]
    zones: Sequence[ZoneNow]
    cameras: Sequence[CameraNow]
    vehicles: Sequence[Vehicles]

    @property
    def is_empty(self) -> bool:
        return not (self.areas or self.zones or self.cameras)


def board(*, sites: Sequence[Site], now: datetime) -> list[SiteNow]:
    """Return how many are where, site by site; as many queries as there are clocks."""
    areas = list(Area.objects.enabled().filter(site__in=sites).order_by("name", "pk"))
    cameras = list(_cameras_of_no_area(sites))
    today = _today(areas, cameras, sites=sites, now=now)
    corrected = {row.area_id: row for row in _last_corrections(areas)}
    counts = OccupancyLog.objects.of_people().current_counts(cameras)
    zones, vehicles = list(_zones(sites, now)), list(_vehicles(sites, now))
    return [
        SiteNow(
            site=site,
            areas=[
                AreaNow(
                    area,
                    Room(area.current_count, area.capacity, area.amber_percent),
                    today[Place(area_id=area.pk)],
                    corrected.get(area.pk),
                )
                for area in areas
                if area.site_id == site.pk
            ],
            zones=[one for one in zones if one.zone.camera.site_id == site.pk],
            cameras=[
                CameraNow(one, counts.get(one.pk, 0), today[Place(camera_id=one.pk)])
                for one in cameras
                if one.site_id == site.pk
            ],
            vehicles=[one for one in vehicles if one.camera.site_id == site.pk],
        )
        for site in sites
    ]


def _cameras_of_no_area(sites: Sequence[Site]) -> QuerySet[Camera]:
    """Return the cameras with a line in use that is no door of an area in use."""
    doors = AreaLine.objects.filter(line=OuterRef("pk"), area__enabled=True)
    lines = CountingLine.objects.enabled().filter(~Exists(doors), camera=OuterRef("pk"))
    cameras = Camera.objects.filter(Exists(lines), site__in=sites)
    return cameras.order_by("name", "code")


def _last_corrections(areas: Sequence[Area]) -> QuerySet[AreaCorrection]:
    rows = AreaCorrection.objects.filter(area__in=areas).select_related("corrected_by")
    return rows.order_by("area_id", "-occurred_at", "-id").distinct("area_id")


def _today(
    areas: Sequence[Area],
    cameras: Sequence[Camera],
    *,
    sites: Sequence[Site],
    now: datetime,
) -> Mapping[Place, Today]:
    clocks = {site.pk: site.time_zone for site in sites}
    places = {Place(area_id=one.pk): clocks[one.site_id] for one in areas}
    places |= {Place(camera_id=one.pk): clocks[one.site_id] for one in cameras}
    found: dict[Place, Today] = {}
    for name in sorted(set(places.values())):
        here = [place for place, clock in places.items() if clock == name]
        found |= _today_of(here, zone=ZoneInfo(name), now=now)
    return found


def _today_of(
    places: Sequence[Place], *, zone: ZoneInfo, now: datetime
) -> Mapping[Place, Today]:
    today = history.today(places, zone=zone, now=now)
    before = history.week_before(places, zone=zone, now=now)
    starts = [start for start, _ in periods.hours(now.astimezone(zone).date(), zone)]
    found = {}
    for place, told in today.items():
        by_start = {hour.start: hour for hour in told}
        found[place] = Today(
            entries=sum(hour.entries or 0 for hour in told),
            exits=sum(hour.exits or 0 for hour in told),
            hours=[
                Hour(
                    at, by_start.get(at), before.get((place, at.astimezone(zone).hour))
                )
                for at in starts
            ],
        )
    return found


def _zones(sites: Sequence[Site], now: datetime) -> Iterator[ZoneNow]:
    zones = Zone.objects.enabled().filter(camera__site__in=sites)
    for zone in zones.select_related("camera__site").order_by("name", "pk"):
        room = Room(zone.live_count, zone.capacity, zone.amber_percent)
        yield ZoneNow(zone, room, _why_unknown(zone, now))


def _why_unknown(zone: Zone, now: datetime) -> str:
    camera = zone.camera
    if not camera.enabled:
        return "The camera is switched off."
    if camera.state != Camera.State.ONLINE or camera.stands_still(now=now):
        return "The camera gives no picture."
    if zone.counted_at is None:
        return "Nobody has been counted here yet."
    if now - zone.counted_at > TOLD_WITHIN:
        return "It is not watched any more. Does its camera count people?"
    return ""


def _vehicles(sites: Sequence[Site], now: datetime) -> Iterator[Vehicles]:
    """Count today's vehicles by camera and class; buckets know no classes."""
    by_clock = attrgetter("time_zone")
    for name, group in groupby(sorted(sites, key=by_clock), key=by_clock):
        zone, here = ZoneInfo(name), list(group)
        start, end = periods.day(now.astimezone(zone).date(), zone)
        logs = OccupancyLog.objects.filter(kind=Kind.VEHICLES, camera__site__in=here)
        sums = logs.between(start, end).order_by().values_list("camera_id", "label")
        yield from _named(sums.annotate(Sum("entries"), Sum("exits")))


def _named(sums: Iterable[tuple[int, str, int, int]]) -> Iterator[Vehicles]:
    rows = list(sums)
    cameras = Camera.objects.in_bulk({row[0] for row in rows}) if rows else {}
    found = [
        Vehicles(cameras[camera], label, came, went)
        for camera, label, came, went in rows
    ]
    yield from sorted(found, key=lambda one: (one.camera.name, one.label))
