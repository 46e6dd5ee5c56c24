"""Four weeks of people over the demo's counting lines, ending with this minute.

They are crossings like any others, so that hours and days are summed up of them.
"""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction

from occupancy import aggregation
from occupancy.models import Area, AreaLine, CountingLine, Kind, OccupancyLog
from occupancy.rules import Direction, next_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from streaming.models import Site

NAMESPACE: Final = UUID("2f0d2c43-7e2c-5f7e-8a39-0b8f5c1f4e55")
AREA: Final = "Whole site"
CAPACITY: Final = 120
DAYS: Final = 28
PEOPLE, AT_WEEKENDS = 48, 9
SATURDAY: Final = 5
COME, LEAVE = time(9), time(17, 45)
SPREAD_MINUTES: Final = 55
LUNCH: Final = time(13)
LUNCH_SHARE: Final = 0.4
Passage = tuple[datetime, Direction]


@transaction.atomic
def seed(site: Site, *, at: datetime) -> int:
    """Make an area of the site's lines and its crossings; return how many.

    Nothing where something was counted before, or there is no line.
    """
    lines = list(CountingLine.objects.filter(camera__site=site).order_by("pk"))
    logs = OccupancyLog.objects.filter(camera__site=site)
    if not lines or site.areas.exists() or logs.exists():
        return 0
    area = Area.objects.create(site=site, name=AREA, capacity=CAPACITY)
    doors = [AreaLine(area=area, line=line) for line in lines]
    AreaLine.objects.bulk_create(doors)
    passages = _passages(lines, site=site, at=at)
    rows = [row for line, going in passages.items() for row in _rows(line, going)]
    rows.sort(key=lambda row: row.occurred_at)
    OccupancyLog.objects.bulk_create(rows)
    area.current_count = sum(row.entries - row.exits for row in rows)
    area.save(update_fields=["current_count"])
    for line, going in passages.items():
        aggregation.set_back(
            site=site,
            camera_id=line.camera_id,
            line_id=line.pk,
            kind=Kind.PEOPLE,
            at=going[0][0],
        )
    return len(rows)


def _passages(
    lines: Sequence[CountingLine], *, site: Site, at: datetime
) -> dict[CountingLine, list[Passage]]:
    """Return who passed each line until now; everybody leaves by where they came."""
    chance = random.Random(AREA)  # noqa: S311 - no secret
    zone, today = ZoneInfo(site.time_zone), site.local(at).date()
    found: dict[CountingLine, list[Passage]] = {line: [] for line in lines}
    for number in range(DAYS, -1, -1):
        on = today - timedelta(days=number)
        for _ in range(AT_WEEKENDS if on.weekday() >= SATURDAY else PEOPLE):
            stay = _stay(on, zone, chance)
            found[chance.choice(lines)] += [one for one in stay if one[0] <= at]
    return {line: sorted(going) for line, going in found.items()}


def _stay(on: date, zone: ZoneInfo, chance: random.Random) -> Iterator[Passage]:
    """Give when somebody came and went on a day."""

    def about(hour: time) -> datetime:
        minutes = max(-150.0, min(150.0, chance.gauss(0, SPREAD_MINUTES)))
        return datetime.combine(on, hour, zone) + timedelta(minutes=minutes)

    yield about(COME), Direction.IN
    if chance.random() < LUNCH_SHARE:
        out = datetime.combine(on, LUNCH, zone)
        out += timedelta(minutes=chance.uniform(0, 20))
        yield out, Direction.OUT
        yield out + timedelta(minutes=chance.uniform(20, 50)), Direction.IN
    yield about(LEAVE), Direction.OUT


def _rows(line: CountingLine, going: Sequence[Passage]) -> Iterator[OccupancyLog]:
    count = 0
    for number, (at, direction) in enumerate(going):
        count, is_drift = next_count(count, direction)
        yield OccupancyLog(
            event_id=uuid5(NAMESPACE, f"{line.pk} {number}"),
            camera_id=line.camera_id,
            line=line,
            entries=int(direction is Direction.IN),
            exits=int(direction is Direction.OUT),
            current_count=count,
            is_drift=is_drift,
            occurred_at=at,
        )
