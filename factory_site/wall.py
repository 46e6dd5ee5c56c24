"""What the wall shows: which cameras, in which order, and what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse

from alerts.models import Alert
from occupancy.models import OccupancyLog
from occupancy.services import LiveOccupancy, live_occupancy
from streaming.models import Camera, Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.http import HttpRequest

PLACES = {
    Camera.Place.GATE: "Gates",
    Camera.Place.HALL: "Halls",
    Camera.Place.YARD: "Yards",
}
EVENTS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class CameraCard:
    """What is shown of one camera."""

    camera: Camera
    counts: LiveOccupancy | None
    """None for those who may not see counts."""
    now: datetime

    @property
    def stands_still(self) -> bool:
        return self.camera.stands_still(now=self.now)

    @property
    def is_out(self) -> bool:
        return self.camera.is_out(now=self.now)


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter of the wall, as a link."""

    label: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """Which cameras are shown: of one place, of one site, or all."""

    sites: Sequence[Site]
    place: Camera.Place | None
    site: Site | None

    @classmethod
    def of(cls, request: HttpRequest, sites: Sequence[Site]) -> Filters:
        """Read them from the address; raise Http404 for what the user cannot have."""
        place, slug = request.GET.get("place"), request.GET.get("site")
        by_slug = {site.slug: site for site in sites}
        if (place and place not in Camera.Place.values) or (
            slug and slug not in by_slug
        ):
            raise Http404
        return cls(
            sites=sites,
            place=Camera.Place(place) if place else None,
            site=by_slug[slug] if slug else None,
        )

    def keep(self, camera: Camera) -> bool:
        return self.place in {None, camera.place} and self.site in {None, camera.site}

    def place_chips(self) -> list[Chip]:
        chips = [self._chip("All", place=None, site=self.site)]
        for place, label in PLACES.items():
            chips.append(self._chip(label, place=place, site=self.site))
        return chips

    def site_chips(self) -> list[Chip]:
        """Return none where there is one site: there is nothing to choose."""
        if len(self.sites) < 2:
            return []
        chips = [self._chip("All sites", place=self.place, site=None)]
        for site in self.sites:
            chips.append(self._chip(site.name, place=self.place, site=site))
        return chips

    def _chip(
        self, label: str, *, place: Camera.Place | None, site: Site | None
    ) -> Chip:
        chosen = {"place": place and place.value, "site": site and site.slug}
        query = urlencode({name: value for name, value in chosen.items() if value})
        is_current = (place, site) == (self.place, self.site)
        address = reverse("wall") + (f"?{query}" if query else "")
        return Chip(label, address, is_current)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the ticker: a crossing or an alert."""

    at: datetime
    crossing: OccupancyLog | None = None
    alert: Alert | None = None


def camera_cards(
    cameras: Sequence[Camera], *, with_counts: bool, now: datetime
) -> list[CameraCard]:
    """Return one card per camera, in the order given."""
    counts = live_occupancy(cameras=cameras, now=now) if with_counts else []
    of_camera = {row.camera.pk: row for row in counts}
    return [
        CameraCard(camera=camera, counts=of_camera.get(camera.pk), now=now)
        for camera in cameras
    ]


def wall_order(cards: Sequence[CameraCard]) -> list[CameraCard]:
    """Put cameras that give no picture though they should first, switched off last."""
    return sorted(cards, key=lambda card: (not card.is_out, not card.camera.enabled))


def last_events(request: HttpRequest, cameras: Sequence[Camera]) -> list[Event]:
    """Return the newest crossings and alerts that the user may see, newest first."""
    events: list[Event] = []
    if request.user.has_perm("occupancy.view_occupancylog"):
        logs = OccupancyLog.objects.of_people().filter(camera__in=cameras)
        logs = logs.newest_first().select_related("line", "camera__site")[:EVENTS_SHOWN]
        events += [Event(at=log.occurred_at, crossing=log) for log in logs]
    if request.user.has_perm("alerts.view_alert"):
        alerts = Alert.objects.visible_to(request.user).newest_first()
        alerts = alerts.select_related("site")[:EVENTS_SHOWN]
        events += [Event(at=alert.opened_at, alert=alert) for alert in alerts]
    return sorted(events, key=lambda event: event.at, reverse=True)[:EVENTS_SHOWN]


def shown_cameras(request: HttpRequest, filters: Filters) -> list[Camera]:
    """Return the user's cameras that pass the filters, with their sites and lines."""
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    every = cameras.prefetch_related("lines").order_by("site__name", "code")
    return [camera for camera in every if filters.keep(camera)]
