"""The inbox of alerts: what is open, what was done about it, and each one's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Case, Q, Value, When
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from streaming.models import Site

from . import services, tasks
from .models import Alert, AlertDelivery, AlertQuerySet, Kind, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

RESOLVED_PER_PAGE = 25
NOTE_MAX = 1000
URGENCY = Case(
    When(severity=Severity.CRITICAL, then=Value(0)),
    When(severity=Severity.WARNING, then=Value(1)),
    default=Value(2),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the inbox is narrowed to; an empty field narrows nothing."""

    site: str
    kind: str
    state: str
    text: str

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Filters:
        return cls(
            site=storable(values.get("site", "")),
            kind=storable(values.get("kind", "")),
            state=storable(values.get("state", "")),
            text=storable(values.get("q", "")).strip(),
        )

    def __bool__(self) -> bool:
        return any((self.site, self.kind, self.state, self.text))

    def apply(self, alerts: AlertQuerySet) -> AlertQuerySet:
        exact = {"site__slug": self.site, "kind": self.kind, "state": self.state}
        found = alerts.filter(**{name: value for name, value in exact.items() if value})
        said = (
            Q(text__icontains=self.text)
            | Q(subject__icontains=self.text)
            | Q(camera__name__icontains=self.text)
            | Q(note__icontains=self.text)
        )
        return found.filter(said) if self.text else found

    def query(self) -> str:
        """Return them as they stand in the address, for links to further pages."""
        values = {"site": self.site, "kind": self.kind, "state": self.state}
        chosen = values | {"q": self.text}
        return urlencode({name: value for name, value in chosen.items() if value})


@require_GET
@permission_required("alerts.view_alert", raise_exception=True)
def inbox(request: HttpRequest) -> HttpResponse:
    """Show what is unresolved, most urgent first, and below it what was resolved."""
    filters = Filters.of(request.GET)
    every = visible_alerts(request)
    found = filters.apply(every)
    resolved = found.filter(state=Alert.State.RESOLVED).order_by("-resolved_at", "-id")
    pages = Paginator(resolved, RESOLVED_PER_PAGE)
    return render(
        request,
        "alerts/inbox.html",
        {
            "filters": filters,
            "sites": Site.objects.visible_to(request.user).order_by("name"),
            "kinds": Kind,
            "states": Alert.State,
            "unresolved": in_order_of_urgency(found.unresolved()),
            "resolved": pages.get_page(request.GET.get("page")),
            "acknowledged": every.filter(state=Alert.State.ACKNOWLEDGED).count(),
        },
    )


@require_GET
@permission_required("alerts.view_alert", raise_exception=True)
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one alert with its rule, its history and where it was sent."""
    shown = get_object_or_404(visible_alerts(request), pk=pk)
    sees_deliveries = request.user.has_perm("alerts.view_alertdelivery")
    return render(
        request,
        "alerts/alert.html",
        {
            "alert": shown,
            "site": shown.site or Site.objects.visible_to(request.user).first(),
            "deliveries": deliveries_of(shown) if sees_deliveries else None,
        },
    )


@require_POST
@permission_required("alerts.handle_alert", raise_exception=True)
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that the user looks after an alert, and show again where it was."""
    return handle(request, pk, services.acknowledge)


@require_POST
@permission_required("alerts.handle_alert", raise_exception=True)
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an alert, and show again where it was."""
    return handle(request, pk, services.resolve)


def handle(
    request: HttpRequest, pk: int, service: Callable[..., Alert]
) -> HttpResponse:
    shown = get_object_or_404(Alert.objects.visible_to(request.user), pk=pk)
    try:
        service(alert=shown, by=request.user, at=timezone.now(), note=note_of(request))
    except services.AlreadyHandled as error:
        messages.warning(request, f"{shown.text} {error}")
    else:
        tasks.send_soon()
    return redirect(way_back(request))


def visible_alerts(request: HttpRequest) -> AlertQuerySet:
    """Return the user's alerts with what a row shows of each."""
    alerts = Alert.objects.visible_to(request.user)
    return alerts.select_related(
        "site", "camera", "rule", "acknowledged_by", "resolved_by"
    )


def in_order_of_urgency(alerts: AlertQuerySet) -> AlertQuerySet:
    """Put open ones before acknowledged ones, then the most urgent, then the newest."""
    is_taken = Case(When(state=Alert.State.OPEN, then=Value(0)), default=Value(1))
    return alerts.order_by(is_taken, URGENCY, "-opened_at", "-id")


def deliveries_of(shown: Alert) -> QuerySet[AlertDelivery]:
    return shown.deliveries.select_related("channel").order_by("created_at", "id")


def note_of(request: HttpRequest) -> str:
    return storable(request.POST.get("note", "")).strip()[:NOTE_MAX]


def storable(text: str) -> str:
    """Leave out the one character that Postgres has no place for."""
    return text.replace("\0", "")


def way_back(request: HttpRequest) -> str:
    """Return the page to show next: where the form was, if that is one of ours."""
    wanted = request.POST.get("next", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=hosts, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("alerts")
