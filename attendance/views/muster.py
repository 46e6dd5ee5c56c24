"""The muster list: who is inside now, on a screen, on paper and as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from attendance.muster import (
    PAST_THE_EXIT,
    SEEN_WITHIN,
    SEES_VEHICLES,
    STRANGERS_WITHIN,
    Standing,
    inside,
)
from attendance.rules import MINUTE
from identity.sheets import harmless
from identity.views.filters import storable
from streaming.models import Site

from .downloads import CSV, csv_file, send

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from attendance.muster import Muster, OnSite, Person, SiteMuster

COLUMNS = (
    "site",
    "standing",
    "code",
    "name",
    "department",
    "came",
    "last seen",
    "minutes ago",
    "camera",
    "vehicle",
)
WORDS = {Standing.INSIDE: "inside", Standing.PERHAPS: "perhaps left"}


@require_GET
@permission_required("attendance.view_muster", raise_exception=True)
def muster(request: HttpRequest) -> HttpResponseBase:
    """Show who is inside, to be counted at a muster point."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    chosen = storable(request.GET.get("site", ""))
    return render(
        request,
        "attendance/muster.html",
        {
            "sites": sites,
            "chosen": chosen,
            "muster": told_to(request, of_choice(sites, chosen)),
            "past_the_exit": PAST_THE_EXIT // MINUTE,
            "seen_within": SEEN_WITHIN // (60 * MINUTE),
            "strangers_within": STRANGERS_WITHIN // (60 * MINUTE),
        },
    )


@require_GET
@permission_required("attendance.view_muster", raise_exception=True)
def muster_csv(request: HttpRequest) -> HttpResponseBase:
    """Return the list as a file that Excel and others open."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    chosen = of_choice(sites, storable(request.GET.get("site", "")))
    told = told_to(request, chosen)
    at = chosen[0].local(told.at) if chosen else told.at
    name = f"muster-{at:%Y-%m-%d-%H%M}.csv"
    return send(csv_file(table(told)), name=name, content_type=CSV)


def told_to(request: HttpRequest, sites: Sequence[Site]) -> Muster:
    sees_vehicles = request.user.has_perm(SEES_VEHICLES)
    return inside(sites=sites, now=timezone.now(), with_vehicles=sees_vehicles)


def of_choice(sites: Sequence[Site], slug: str) -> Sequence[Site]:
    """Return the site that was chosen; all of them where none was, or none of ours."""
    return [site for site in sites if site.slug == slug] or sites


def table(found: Muster) -> Iterator[Sequence[object]]:
    """Yield the heading, a line per head, and one per vehicle at each site's end."""
    yield COLUMNS
    for each in found.sites:
        for person in (*each.inside, *each.perhaps):
            yield line(each, person, found)
        if each.strangers:
            words = "unknown face" if each.strangers == 1 else "unknown faces"
            yield (harmless(each.site.name), f"{each.strangers} {words}")
        for vehicle in each.vehicles:
            yield vehicle_line(each, vehicle, found)


def line(each: SiteMuster, person: Person, found: Muster) -> Sequence[object]:
    site = each.site
    came = person.since and site.local(person.since).isoformat(timespec="seconds")
    return (
        harmless(site.name),
        WORDS[person.standing],
        person.code,
        harmless(person.name),
        harmless(person.department),
        came or "",
        site.local(person.seen_at).isoformat(timespec="seconds"),
        max((found.at - person.seen_at) // MINUTE, 0),
        harmless(person.camera),
        " ".join(person.plates),
    )


def vehicle_line(each: SiteMuster, one: OnSite, found: Muster) -> Sequence[object]:
    """Return a vehicle in a person's place: its driver, type and gate."""
    site = each.site
    came = one.since and site.local(one.since).isoformat(timespec="seconds")
    return (
        harmless(site.name),
        "vehicle on site" if one.since else "vehicle, way not known",
        one.employee_code,
        harmless(one.employee_name or one.owner),
        one.vehicle_type,
        came or "",
        site.local(one.seen_at).isoformat(timespec="seconds"),
        max((found.at - one.seen_at) // MINUTE, 0),
        harmless(one.gate),
        harmless(one.plate_number),
    )
