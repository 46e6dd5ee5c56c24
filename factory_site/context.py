"""What the frame of every page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from alerts.models import Alert, Severity
from streaming.models import Site

from .views import worker_problems

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_URGENT_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class AlertBadge:
    """How many alerts nobody has acknowledged, and how urgent the worst one is."""

    count: int
    critical: int
    severity: Severity


def admin_badge(request: HttpRequest) -> list[str] | None:
    """Give the admin's header a badge while something is wrong: its text and colour."""
    badge = alert_badge(request)
    if badge and badge.critical:
        return [f"Critical alerts: {badge.critical}", "danger"]
    problems = worker_problems()
    return [problems[0].partition(":")[0], "danger"] if problems else None


def alert_badge(request: HttpRequest) -> AlertBadge | None:
    """Count the open alerts that the user sees; None when there are none to see."""
    if not request.user.has_perm("alerts.view_alert"):
        return None
    alerts = Alert.objects.visible_to(request.user).open()
    found = dict(alerts.values_list("severity").annotate(Count("pk")))
    worst = next(
        (severity for severity in MOST_URGENT_FIRST if severity in found), None
    )
    if worst is None:
        return None
    return AlertBadge(sum(found.values()), found.get(Severity.CRITICAL, 0), worst)


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """Give every page what its frame shows, looked up only where it is shown."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    sites = Site.objects.visible_to(user).order_by("name")
    return {
        "problems": SimpleLazyObject(worker_problems),
        "open_alerts": SimpleLazyObject(lambda: alert_badge(request)),
        "now": timezone.now(),
        "site": SimpleLazyObject(sites.first),
        "roles": user.groups.order_by("name"),
    }
