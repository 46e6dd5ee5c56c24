"""What the pages of people share: history of own sites only, times, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from streaming.admin_base import ScopedAdmin
from streaming.models import Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.utils.safestring import SafeString

    from identity.models import User


class HistoryAdmin(SimpleHistoryAdmin, ScopedAdmin):  # type: ignore[misc]
    """Shows who changed what, of rows that the user sees; an old state is only shown.

    The library looks for history by key alone, whoever asks.
    """

    object_history_form_template = "admin/identity/old_state.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponseBase:
        site = self.site_of(self._check_seen(request, object_id))
        with timezone.override(ZoneInfo(site.time_zone)):
            page: HttpResponseBase = super().history_view(
                request, object_id, extra_context
            )
        return page

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: Any = None,
    ) -> HttpResponseBase:
        self._check_seen(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        page: HttpResponseBase = super().history_form_view(
            request, object_id, version_id, extra_context
        )
        return page

    def site_of(self, row: Any) -> Site:
        """Return the site by whose clock a row's history is told."""
        return cast("Site", row.site)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> Sequence[str]:
        if not is_old_state(request):
            return super().get_readonly_fields(request, obj)  # type: ignore[no-any-return]
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def _check_seen(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row


def is_old_state(request: HttpRequest) -> bool:
    """Whether the page shows how a row once was."""
    shown = request.resolver_match
    return bool(shown and str(shown.url_name).endswith("_simple_history"))


def by(request: HttpRequest) -> User:
    """Return who works here; the admin's pages ask for a login first."""
    return cast("User", request.user)


def site_time(site: Site, at: datetime | None) -> str:
    return f"{site.local(at):%Y-%m-%d %H:%M:%S %Z}" if at else "-"


def picture(url: str, *, of: str, height: int = 64) -> SafeString:
    """Show a private picture, which the page's own login opens."""
    return format_html(
        '<img src="{}" alt="{}" height="{}" loading="lazy">', url, of, height
    )


def link(address: str, text: object) -> SafeString:
    return format_html(
        '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>',
        address,
        text,
    )


def choose_only_site(request: HttpRequest, chosen: dict[str, Any]) -> dict[str, Any]:
    """Choose the site for those who have one alone."""
    own = list(Site.objects.visible_to(request.user)[:2])
    return {"site": own[0].pk, **chosen} if len(own) == 1 else chosen
