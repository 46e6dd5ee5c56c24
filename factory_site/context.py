"""What the frame of every page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from streaming.models import Site

from .views import worker_problems

if TYPE_CHECKING:
    from django.http import HttpRequest


def admin_badge(_request: HttpRequest) -> list[str] | None:
    """Give the admin's header a badge while something is wrong: its text and colour."""
    problems = worker_problems()
    return [problems[0].partition(":")[0], "danger"] if problems else None


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """Give every page what its frame shows, looked up only where it is shown."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    sites = Site.objects.visible_to(user).order_by("name")
    return {
        "problems": SimpleLazyObject(worker_problems),
        "now": timezone.now(),
        "site": SimpleLazyObject(sites.first),
        "roles": user.groups.order_by("name"),
    }
