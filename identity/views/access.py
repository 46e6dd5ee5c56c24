"""Who was seen at the cameras: the live list, each sighting's proof, and the CSV."""

from __future__ import annotations

import csv
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from identity.models import AccessLog
from identity.sheets import harmless
from identity.summary import Counts
from streaming.models import Camera, Site

from . import proof
from .filters import Cursor, Filters, on_day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from identity.models.sightings import AccessLogQuerySet

ROWS_SHOWN: Final = 50
HISTORY_SHOWN: Final = 10
CSV_ROWS_MAX: Final = 50_000
TOO_MANY: Final = (
    f"That is more than {CSV_ROWS_MAX:,} rows. Choose a shorter period, then CSV again."
)
Decision = AccessLog.Decision


class FlagForm(forms.ModelForm[AccessLog]):
    """What a person says about a sighting; what was decided stays as it is."""

    notes = forms.CharField(max_length=1000, required=False)

    class Meta:
        model = AccessLog
        fields = ["flagged", "notes"]


@require_GET
@permission_required("identity.view_accesslog", raise_exception=True)
def access(request: HttpRequest) -> HttpResponse:
    """Show who was seen, newest first, and how many today."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    filters = Filters.of(request.GET, sites=sites)
    cursor = Cursor.of(request.GET.get("older", ""))
    found = filters.apply(visible(request))
    page = cursor.older(found) if cursor else found
    rows = list(page.newest_first()[: ROWS_SHOWN + 1])
    shown = rows[:ROWS_SHOWN]
    return render(
        request,
        "identity/access.html",
        {
            "sites": sites,
            "cameras": cameras_of(request),
            "decisions": Decision,
            "filters": filters,
            "today": seen_today(request, sites),
            "logs": shown,
            "is_first": cursor is None,
            "older": Cursor.behind(shown[-1]) if len(rows) > len(shown) else None,
        },
    )


@require_GET
@permission_required("identity.view_accesslog", raise_exception=True)
def access_csv(request: HttpRequest) -> HttpResponse:
    """Return the filtered list as a file that Excel and others open."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    filters = Filters.of(request.GET, sites=sites)
    rows = filters.apply(visible(request)).newest_first()
    if rows[CSV_ROWS_MAX:].exists():
        messages.error(request, TOO_MANY)
        return redirect(f"{reverse('access')}?{filters.query()}")
    name = f"access-{timezone.now().astimezone(filters.zone):%Y-%m-%d-%H%M}.csv"
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    response.write("\ufeff")  # Without it Excel takes UTF-8 for something else.
    csv.writer(response).writerows(table(rows[:CSV_ROWS_MAX].iterator()))
    return response


@require_GET
@permission_required("identity.view_accesslog", raise_exception=True)
def sighting(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the proof of one sighting: picture, figures, rule, and what came before."""
    log = get_object_or_404(visible(request), pk=pk)
    return render(request, "identity/sighting.html", told_of(request, log))


@require_POST
@permission_required("identity.change_accesslog", raise_exception=True)
def flag(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what a person says about a sighting."""
    log = get_object_or_404(visible(request), pk=pk)
    form = FlagForm(request.POST, instance=log)
    if not form.is_valid():
        told = told_of(request, visible(request).get(pk=pk), form)
        return render(request, "identity/sighting.html", told, status=422)
    log.save(update_fields=["flagged", "notes"])
    messages.success(request, "Saved.")
    return redirect("sighting", pk)


def told_of(
    request: HttpRequest, log: AccessLog, form: FlagForm | None = None
) -> dict[str, object]:
    return {
        "log": log,
        "site": log.camera.site,
        "measured": proof.measured(log),
        "distance": proof.distance(log),
        "rule": proof.rule(log),
        "quality": proof.quality_word(log.quality),
        "form": form or FlagForm(instance=log),
        "history": visits_of_the_same(request, log)[:HISTORY_SHOWN],
    }


def visible(request: HttpRequest) -> AccessLogQuerySet:
    """Return the sightings that the user sees, with the names a row shows."""
    return AccessLog.objects.visible_to(request.user).with_names()


def visits_of_the_same(request: HttpRequest, log: AccessLog) -> AccessLogQuerySet:
    """Return the other visits of the same person, or of the same stranger."""
    others = visible(request).exclude(pk=log.pk).newest_first()
    if log.employee_id:
        return others.filter(employee=log.employee_id)
    if log.unknown_person_id:
        return others.filter(unknown_person=log.unknown_person_id)
    return others.none()


def cameras_of(request: HttpRequest) -> QuerySet[Camera]:
    return Camera.objects.visible_to(request.user).order_by("name", "code")


def seen_today(request: HttpRequest, sites: Sequence[Site]) -> Counts:
    now = timezone.now()
    if not sites:
        return Counts.of({})
    days = reduce(or_, (on_day_of(site, now=now) for site in sites), Q())
    logs = AccessLog.objects.filter(days).order_by()
    return Counts.of(dict(logs.values_list("decision").annotate(Count("pk"))))


COLUMNS: Final = (
    "time",
    "site",
    "camera",
    "camera name",
    "decision",
    "employee",
    "name",
    "unknown person",
    "similarity",
    "next best",
    "needed",
    "margin",
    "engine",
    "direction",
    "seen until",
    "flagged",
    "notes",
    "event id",
)


def table(logs: Iterable[AccessLog]) -> Iterator[Sequence[object]]:
    """Yield the heading and a line per sighting, times as the site's own."""
    yield COLUMNS
    for log in logs:
        site, person = log.camera.site, log.employee
        yield (
            site.local(log.occurred_at).isoformat(timespec="seconds"),
            harmless(site.name),
            log.camera.code,
            harmless(log.camera.name),
            log.decision,
            person.code if person else "",
            harmless(person.name) if person else "",
            log.unknown_person_id or "",
            log.similarity,
            log.runner_up,
            log.threshold,
            log.margin,
            log.engine,
            log.direction,
            site.local(log.last_seen_at).isoformat(timespec="seconds"),
            "yes" if log.flagged else "",
            harmless(log.notes),
            log.event_id,
        )
