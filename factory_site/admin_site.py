"""The admin: our login page in front, and the one looser content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils.decorators import method_decorator
from unfold.sites import UnfoldAdminSite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase


APPS_FIRST = (
    "identity",
    "attendance",
    "vehicles",
    "streaming",
    "occupancy",
    "alerts",
)
MODELS_FIRST = (
    "Employee",
    "Department",
    "FaceSample",
    "AccessLog",
    "UnknownPerson",
    "AttendanceRecord",
    "ShiftAssignment",
    "Shift",
    "Leave",
    "Holiday",
    "Vehicle",
    "VehicleLog",
    "Gate",
)


def place(name: str, first: Sequence[str]) -> int:
    """Return where a name stands among the first; behind them if it is not there."""
    return first.index(name) if name in first else len(first)


class FactoryAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """django-unfold's admin under ADMIN_CONTENT_SECURITY_POLICY."""

    def admin_view(
        self,
        view: Callable[..., HttpResponseBase],
        cacheable: bool = False,  # noqa: FBT001, FBT002 - Django's signature
    ) -> Callable[..., HttpResponseBase]:
        policy = csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY)
        return policy(super().admin_view(view, cacheable))

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """List first what is opened every day, the rest by name."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=lambda row: place(row["object_name"], MODELS_FIRST))
        return sorted(apps, key=lambda app: place(app["app_label"], APPS_FIRST))

    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the login page; refuse those who may not open the admin."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        index = reverse("admin:index")
        return redirect_to_login(request.GET.get("next", index))
