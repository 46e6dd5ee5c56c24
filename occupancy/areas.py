"""Areas: what their doors are, and when they may be removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from .models import (
    Aggregation,
    Area,
    AreaLine,
    CountingLine,
    DailyOccupancy,
    HourlyOccupancy,
    MonthlyOccupancy,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from streaming.models import Site

COUNTED = (Aggregation, HourlyOccupancy, DailyOccupancy, MonthlyOccupancy)


class BadDoors(Exception):
    """These lines cannot be the doors of that area; the message says why."""


class AreaStays(Exception):
    """The area has a history, which would be forgotten with it."""


@dataclass(frozen=True, slots=True)
class Door:
    """A line that leads into an area, or with `inverted` out of it."""

    line: CountingLine
    inverted: bool = False


def check_doors(*, site: Site, doors: Sequence[Door]) -> None:
    """Raise BadDoors where lines are of another site or named twice."""
    for door in doors:
        if door.line.camera.site_id != site.pk:
            raise BadDoors(f"The line '{door.line}' is at another site than the area.")
    if len({door.line.pk for door in doors}) < len(doors):
        raise BadDoors("A line is a door of an area once.")


@transaction.atomic
def save_area(
    *, area: Area, fields: Collection[str] = (), doors: Sequence[Door] | None = None
) -> Area:
    """Store an area, and exactly these doors if any are given; raises BadDoors.

    Of one that is stored only `fields` are written: crossings count it meanwhile.
    """
    if doors is not None:
        check_doors(site=area.site, doors=doors)
    area.save(update_fields=None if area.pk is None else fields)
    if doors is not None:
        _keep_doors(area, doors)
    return area


def _keep_doors(area: Area, doors: Sequence[Door]) -> None:
    area.doors.exclude(line__in=[door.line for door in doors]).delete()
    AreaLine.objects.bulk_create(
        [AreaLine(area=area, line=each.line, inverted=each.inverted) for each in doors],
        update_conflicts=True,
        unique_fields=["area", "line"],
        update_fields=["inverted"],
    )


@transaction.atomic
def remove_area(*, area: Area) -> None:
    """Delete an area that nothing was counted of; raises AreaStays."""
    held = Area.objects.select_for_update().get(pk=area.pk)
    if has_history(held):
        raise AreaStays(
            "It has been counted, and its history would be lost. Switch it off instead."
        )
    held.delete()


def has_history(area: Area) -> bool:
    """Whether there is anything that would be forgotten with the area."""
    if area.corrections.exists():
        return True
    return any(rows.objects.filter(area=area).exists() for rows in COUNTED)
