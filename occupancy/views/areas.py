"""The areas: which there are, what their doors are, and how they are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from identity.views.filters import storable
from occupancy.areas import AreaStays, remove_area
from occupancy.forms import AreaForm
from occupancy.models import Area, AreaLine
from streaming.models import Site

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from occupancy.models.lines import AreaQuerySet

REFUSED: Final = 422
DOORS: Final = Prefetch(
    "doors",
    AreaLine.objects.select_related("line__camera").order_by("line__name", "line_id"),
)


@require_GET
@permission_required("occupancy.view_area", raise_exception=True)
def areas(request: HttpRequest) -> HttpResponse:
    """List the areas of the user's sites with their doors."""
    rows = visible(request).prefetch_related(DOORS).order_by("site__name", "name")
    return render(
        request,
        "occupancy/areas.html",
        {
            "areas": rows,
            "sites": Site.objects.visible_to(request.user).order_by("name"),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("occupancy.add_area", raise_exception=True)
def new_area(request: HttpRequest) -> HttpResponse:
    """Make an area of the site that `site` names, or of the only one."""
    sites = Site.objects.visible_to(request.user).order_by("name")
    slug = storable(request.GET.get("site", ""))
    site = sites.filter(slug=slug).first() if slug else sites.first()
    if site is None:
        raise Http404
    return area_page(request, Area(site=site), said="{} is counted from now on.")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("occupancy.change_area", raise_exception=True)
def area(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an area to be changed, or change it."""
    chosen = get_object_or_404(visible(request), pk=pk)
    return area_page(request, chosen, said="{} is saved.")


@require_POST
@permission_required("occupancy.delete_area", raise_exception=True)
def delete_area(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete an area that was never counted."""
    chosen = get_object_or_404(visible(request), pk=pk)
    try:
        remove_area(area=chosen)
    except AreaStays as error:
        messages.error(request, str(error))
        return redirect("area", pk=pk)
    messages.success(request, f"{chosen} is deleted.")
    return redirect("areas")


def visible(request: HttpRequest) -> AreaQuerySet:
    return Area.objects.visible_to(request.user).select_related("site")


def area_page(request: HttpRequest, chosen: Area, *, said: str) -> HttpResponse:
    """Show the form of an area, or store what was sent and go back to the list."""
    site, title = chosen.site, chosen.name or "New area"
    is_sent = request.method == "POST"
    form = AreaForm(
        request.POST if is_sent else None, instance=chosen, site=site, label_suffix=""
    )
    if is_sent and form.is_valid():
        messages.success(request, said.format(form.store()))
        return redirect("areas")
    return render(
        request,
        "occupancy/area.html",
        {"form": form, "site": site, "area": chosen, "title": title},
        status=REFUSED if is_sent else 200,
    )
