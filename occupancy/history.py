"""What was counted, by the hour, the day and the month: rows of the buckets as values.

Hours that are over come from the buckets. Of today what is not summed up yet, as a rule
the hour that goes on, is counted from the log.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Avg, Case, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay

from . import periods
from .models import (
    Aggregation,
    Area,
    AreaLine,
    CountingLine,
    DailyOccupancy,
    HourlyOccupancy,
    Kind,
    MonthlyOccupancy,
    OccupancyLog,
)

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from datetime import date

    from streaming.models import Site

    from .models import Bucket
    from .models.buckets import BucketQuerySet
    from .periods import Period

    Earlier = Callable[[datetime, ZoneInfo], datetime | None]

PlacesToday = dict["Place", list["Counted"]]
A_WEEK: Final = timedelta(days=7)
USUAL_WEEKS: Final = 4
"""So many weeks make a usual one: each day of the week counts alike."""
PLACE: Final = ("area_id", "camera_id", "kind")
FIGURES: Final = (
    "total_entries",
    "total_exits",
    "avg_occupancy",
    "max_occupancy",
    "min_occupancy",
)


@dataclass(frozen=True, slots=True)
class Place:
    """An area or a camera, and what is counted there."""

    area_id: int | None = None
    camera_id: int | None = None
    kind: str = Kind.PEOPLE

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(area=self.area_id, camera=self.camera_id, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in [start, end); None is what is not known."""

    start: datetime
    end: datetime
    entries: int | None = None
    exits: int | None = None
    average: float | None = None
    most: int | None = None
    least: int | None = None
    is_over: bool = True

    @property
    def is_known(self) -> bool:
        return self.entries is not None


@dataclass(frozen=True, slots=True)
class Compared:
    """A period, and what it is compared with: the same a week or a year before."""

    now: Counted
    before: Counted | None


def by_hour(
    place: Place, *, site: Site, first: date, last: date, now: datetime
) -> list[Compared]:
    """Return the hours of local days, each with the same hour a week before."""
    zone = ZoneInfo(site.time_zone)
    wanted = [hour for on in _days(first, last) for hour in periods.hours(on, zone)]
    told = _told(HourlyOccupancy, place, wanted, earlier=a_week_before, zone=zone)
    if first <= now.astimezone(zone).date() <= last:
        told |= {hour.start: hour for hour in _today(place, site=site, now=now)}
    return list(_compared(wanted, told, earlier=a_week_before, zone=zone, now=now))


def by_day(
    place: Place, *, site: Site, first: date, last: date, now: datetime
) -> list[Compared]:
    """Return local days, each with the same day of the week before."""
    zone = ZoneInfo(site.time_zone)
    wanted = [periods.day(on, zone) for on in _days(first, last)]
    told = _told(DailyOccupancy, place, wanted, earlier=a_week_before, zone=zone)
    on = now.astimezone(zone).date()
    if first <= on <= last:
        open_day = periods.day(on, zone)
        hours = _today(place, site=site, now=now)
        told[open_day[0]] = together(hours, open_day)
    return list(_compared(wanted, told, earlier=a_week_before, zone=zone, now=now))


def by_month(
    place: Place, *, site: Site, first: date, last: date, now: datetime
) -> list[Compared]:
    """Return local months, each with the same month of the year before."""
    zone = ZoneInfo(site.time_zone)
    wanted = [periods.month(on, zone) for on in _months(first, last)]
    told = _told(MonthlyOccupancy, place, wanted, earlier=a_year_before, zone=zone)
    open_month = periods.month(now.astimezone(zone).date(), zone)
    if open_month in wanted:
        days = place.of(DailyOccupancy.objects.between(open_month[0], now))
        today = _today(place, site=site, now=now)
        parts = [_of_row(row) for row in _values(days.filter(end__lte=now))]
        told[open_month[0]] = together([*parts, *today], open_month)
    return list(_compared(wanted, told, earlier=a_year_before, zone=zone, now=now))


def usual_week(
    place: Place, *, site: Site, last: date
) -> Mapping[tuple[int, int], float]:
    """Return how many are inside on average by (hour, day of the week, Monday being 1),
    over the weeks that end with a day."""
    zone = ZoneInfo(site.time_zone)
    _, end = periods.day(last, zone)
    start, _ = periods.day(usual_since(last), zone)
    rows = place.of(HourlyOccupancy.objects.between(start, end))
    grouped = rows.order_by().values_list(
        ExtractHour("start", tzinfo=zone), ExtractIsoWeekDay("start", tzinfo=zone)
    )
    return {(hour, day): mean for hour, day, mean in grouped.annotate(Avg(FIGURES[2]))}


def usual_since(last: date) -> date:
    return last - USUAL_WEEKS * A_WEEK + timedelta(days=1)


def today(places: Collection[Place], *, zone: ZoneInfo, now: datetime) -> PlacesToday:
    """Return the hours of today up to now, of places whose clocks show the same time.

    The last is the one that goes on. However many places there are, it takes five
    queries: how far each is summed up, the buckets, the lines, the doors and the log.
    """
    on = now.astimezone(zone).date()
    hours = [hour for hour in periods.hours(on, zone) if hour[0] <= now]
    until = _marks(places)
    summed = _buckets(places, hours, until=until)
    fresh = _from_log(places, hours, until=until)
    return {
        place: [
            summed.get((place, start))
            or Counted(
                start, end, *fresh.get((place, start), (0, 0)), is_over=end <= now
            )
            for start, end in hours
        ]
        for place in places
    }


def inside_now(place: Place) -> int | None:
    """Return how many are inside now; of vehicles in an area nobody keeps that."""
    if place.camera_id:
        logs = OccupancyLog.objects.filter(camera=place.camera_id, kind=place.kind)
        counts = logs.order_by("-id").values_list("current_count", flat=True)
        return counts.first() or 0
    if place.area_id is None or place.kind != Kind.PEOPLE:
        return None
    return Area.objects.values_list("current_count", flat=True).get(pk=place.area_id)


def week_before(
    places: Collection[Place], *, zone: ZoneInfo, now: datetime
) -> dict[tuple[Place, int], Counted]:
    """Return the hours of the same day last week, by place and hour of the clock."""
    start, end = periods.day(now.astimezone(zone).date() - A_WEEK, zone)
    rows = _of_places(HourlyOccupancy.objects.between(start, end), places)
    return {
        (_place(row), row["start"].astimezone(zone).hour): _of_row(row)
        for row in _values(rows)
    }


def together(parts: Iterable[Counted], period: Period) -> Counted:
    """Return what a longer period, which is not over, has come to so far."""
    known = [part for part in parts if part.is_known]
    whole = [part for part in known if part.average is not None]
    return Counted(
        *period,
        entries=sum(part.entries or 0 for part in known),
        exits=sum(part.exits or 0 for part in known),
        average=_mean(whole),
        most=max((part.most or 0 for part in whole), default=None),
        least=min((part.least or 0 for part in whole), default=None),
        is_over=False,
    )


def _mean(parts: Sequence[Counted]) -> float | None:
    """Return how many were inside on average, longer parts counting for more."""
    lasted = [(part.end - part.start).total_seconds() for part in parts]
    weighted = sum(
        (part.average or 0) * s for part, s in zip(parts, lasted, strict=True)
    )
    return weighted / sum(lasted) if parts else None


def _today(place: Place, *, site: Site, now: datetime) -> list[Counted]:
    return today([place], zone=ZoneInfo(site.time_zone), now=now)[place]


def _marks(places: Collection[Place]) -> Mapping[Place, datetime]:
    """Return up to when each place is summed up; those never counted have no mark."""
    rows = _of_places(Aggregation.objects.all(), places)
    return {_place(row): row["until"] for row in rows.values(*PLACE, "until")}


def _buckets(
    places: Collection[Place],
    hours: Sequence[Period],
    *,
    until: Mapping[Place, datetime],
) -> Mapping[tuple[Place, datetime], Counted]:
    """Return the hours that are summed up for good, by place and start."""
    found = HourlyOccupancy.objects.between(hours[0][0], hours[-1][0])
    rows = _values(_of_places(found, places))
    told = {(_place(row), row["start"]): _of_row(row) for row in rows}
    return {
        (place, start): hour
        for (place, start), hour in told.items()
        if place in until and hour.end <= until[place]
    }


def _from_log(
    places: Collection[Place],
    hours: Sequence[Period],
    *,
    until: Mapping[Place, datetime],
) -> Mapping[tuple[Place, datetime], tuple[int, int]]:
    """Count (entries, exits) of the hours not summed up yet, by place and start."""
    found: dict[tuple[Place, datetime], tuple[int, int]] = defaultdict(lambda: (0, 0))
    if not until:
        return found
    ways = _ways(places)
    since = max(min(until.values()), hours[0][0])
    logs = OccupancyLog.objects.filter(line__in=ways).between(since, hours[-1][1])
    sums = logs.values_list("line_id", "kind", _hour_of(hours)).order_by()
    for line, kind, hour, came, went in sums.annotate(Sum("entries"), Sum("exits")):
        for place, is_inverted in ways[line]:
            if place.kind == kind:
                key = place, hours[hour][0]
                more = (went, came) if is_inverted else (came, went)
                found[key] = found[key][0] + more[0], found[key][1] + more[1]
    return found


def _hour_of(hours: Sequence[Period]) -> Case:
    """Number the hours by their place in the day: a clock may show one twice."""
    ends = [
        When(occurred_at__lt=end, then=Value(number))
        for number, (_, end) in enumerate(hours)
    ]
    return Case(*ends, output_field=IntegerField())


def _ways(places: Collection[Place]) -> Mapping[int, Sequence[tuple[Place, bool]]]:
    """Return, by line, the places that a crossing of it counts for, and whether its
    `in` leads out of them."""
    of_camera, of_area = defaultdict(list), defaultdict(list)
    for place in places:
        of_camera[place.camera_id].append(place)
        of_area[place.area_id].append(place)
    ways: dict[int, list[tuple[Place, bool]]] = defaultdict(list)
    lines = CountingLine.objects.filter(camera__in=[one for one in of_camera if one])
    for line, camera in lines.values_list("pk", "camera_id"):
        ways[line] += [(place, False) for place in of_camera[camera]]
    doors = AreaLine.objects.filter(area__in=[one for one in of_area if one])
    for line, area, is_inverted in doors.values_list("line_id", "area_id", "inverted"):
        ways[line] += [(place, is_inverted) for place in of_area[area]]
    return ways


def _told(
    model: type[Bucket],
    place: Place,
    wanted: Sequence[Period],
    *,
    earlier: Earlier,
    zone: ZoneInfo,
) -> dict[datetime, Counted]:
    """Return the buckets of the periods and of those before them, by start."""
    rows: BucketQuerySet[Any] = model._default_manager.all()  # type: ignore[assignment]
    starts = [start for start, _ in wanted]
    before = [at for start in starts if (at := earlier(start, zone))]
    asked = Q(start__range=(starts[0], starts[-1]))
    if before:
        asked |= Q(start__range=(min(before), max(before)))
    return {row["start"]: _of_row(row) for row in _values(place.of(rows.filter(asked)))}


def _compared(
    wanted: Sequence[Period],
    told: Mapping[datetime, Counted],
    *,
    earlier: Earlier,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[Compared]:
    for start, end in wanted:
        before = earlier(start, zone)
        nothing = Counted(start, end, is_over=end <= now)
        yield Compared(told.get(start, nothing), told.get(before) if before else None)


def a_week_before(at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the clock showed the same a week before; None where it leapt over."""
    then = at.astimezone(zone) - A_WEEK
    was = then.astimezone(UTC)
    shown = was.astimezone(zone)
    return was if shown.replace(fold=0) == then.replace(fold=0) else None


def a_year_before(at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the same month began a year before."""
    local = at.astimezone(zone)
    return local.replace(year=local.year - 1).astimezone(UTC)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _months(first: date, last: date) -> Iterator[date]:
    on = first.replace(day=1)
    while on <= last:
        yield on
        on = (on + timedelta(days=31)).replace(day=1)


def _of_places(rows: QuerySet[Any], places: Collection[Place]) -> QuerySet[Any]:
    areas = [place.area_id for place in places if place.area_id]
    cameras = [place.camera_id for place in places if place.camera_id]
    return rows.filter(Q(area__in=areas) | Q(camera__in=cameras))


def _values(rows: QuerySet[Any]) -> Iterable[dict[str, Any]]:
    return rows.values(*PLACE, "start", "end", *FIGURES)


def _place(row: Mapping[str, Any]) -> Place:
    return Place(*(row[name] for name in PLACE))


def _of_row(row: Mapping[str, Any]) -> Counted:
    return Counted(row["start"], row["end"], *(row[name] for name in FIGURES))
