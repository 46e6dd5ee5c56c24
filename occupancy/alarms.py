"""Tells of places that are too full, and of people where nobody may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from alerts.models import Kind
from alerts.services import raise_alert, resolve_subject
from alerts.tasks import send_soon

from .capacity import Fullness, next_fullness
from .models import Area

if TYPE_CHECKING:
    from datetime import datetime

    from streaming.models import Camera, Site

    from .models import Zone


def note_entered(*, zone: Zone, at: datetime) -> None:
    """Raise the alert about somebody who is in a zone while nobody may be."""
    text = f"Somebody is in {zone.name}, where nobody may be: {_where(zone, at)}."
    _raise_of_zone(zone, Kind.ZONE_RESTRICTED, text, at=at)


def note_loitered(*, zone: Zone, seconds: int, at: datetime) -> None:
    """Raise the alert about somebody who stays in a zone."""
    text = f"Somebody has been in {zone.name} for {_spoken(seconds)}: "
    _raise_of_zone(zone, Kind.ZONE_LOITERING, text + f"{_where(zone, at)}.", at=at)


def note_fullness(
    *, zone: Zone, count: int, capacity: int, now_is: Fullness, at: datetime
) -> None:
    """Raise the alert about a zone that is too full; resolve it when that is over."""
    if now_is is not Fullness.RED:
        _resolve(Kind.ZONE_CAPACITY, _subject(zone), site=zone.camera.site, at=at)
        return
    text = f"{_too_many(count, zone.name, capacity)}: {_where(zone, at)}."
    _raise_of_zone(zone, Kind.ZONE_CAPACITY, text, at=at)


@transaction.atomic
def note_area(*, area: Area, at: datetime) -> None:
    """Raise the alert about an area that is too full; resolve it when that is over.

    The row is locked meanwhile, and read anew: of two counts at once the newer one is
    what is told last.
    """
    rows = Area.objects.select_for_update(of=("self",), no_key=True)
    now = rows.select_related("site").filter(pk=area.pk).first()
    if now is None:
        return
    capacity = now.capacity if now.enabled else None
    if capacity is not None and now.current_count > capacity:
        _raise_of_area(now, capacity, at=at)
    elif _is_relieved(now.current_count, capacity):
        _resolve(Kind.AREA_CAPACITY, now.name, site=now.site, at=at)


def _is_relieved(count: int, capacity: int | None) -> bool:
    """Whether what was too full is not any more, and nearly so neither."""
    after = next_fullness(Fullness.RED, count, capacity=capacity, amber_percent=100)
    return after is not Fullness.RED


def _raise_of_area(area: Area, capacity: int, *, at: datetime) -> None:
    clock = f"{area.site.local(at):%Y-%m-%d %H:%M %Z}"
    text = f"{_too_many(area.current_count, area.name, capacity)}, {clock}."
    _raise(Kind.AREA_CAPACITY, area.name, text, site=area.site, at=at)


def _raise_of_zone(zone: Zone, kind: Kind, text: str, *, at: datetime) -> None:
    camera = zone.camera
    _raise(kind, _subject(zone), text, site=camera.site, camera=camera, at=at)


def _raise(
    kind: Kind,
    subject: str,
    text: str,
    *,
    site: Site,
    at: datetime,
    camera: Camera | None = None,
) -> None:
    """Raise it where a rule asks for it, and have it sent."""
    if raise_alert(
        kind=kind, subject=subject, text=text, at=at, site=site, camera=camera
    ):
        send_soon()


def _resolve(kind: Kind, subject: str, *, site: Site, at: datetime) -> None:
    if resolve_subject(kind=kind, subject=subject, at=at, site=site):
        send_soon()


def _subject(zone: Zone) -> str:
    """Return what the alert is about: two cameras may have zones of one name."""
    return f"{zone.name} ({zone.camera.code})"


def _where(zone: Zone, at: datetime) -> str:
    camera = zone.camera
    return f"{camera.name} ({camera.code}), {camera.site.local(at):%Y-%m-%d %H:%M %Z}"


def _too_many(count: int, name: str, capacity: int) -> str:
    return f"{count} people are in {name}, where {capacity} may be"


def _spoken(seconds: int) -> str:
    """Return a time in the words of people: 45 s, 2 min, 1 min 30 s."""
    minutes, rest = divmod(seconds, 60)
    parts = [f"{minutes} min" if minutes else "", f"{rest} s" if rest else ""]
    return " ".join(filter(None, parts)) or "0 s"
