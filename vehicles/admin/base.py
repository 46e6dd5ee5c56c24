"""What the pages of vehicles and gates share: rows of a site, and its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from identity.admin.base import HistoryAdmin, choose_only_site
from streaming.models import Site

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class OfSiteAdmin(HistoryAdmin):
    """Rows of one site each, which they keep; times are by its clock."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Choose the site for those who have one alone."""
        return choose_only_site(request, super().get_changeform_initial_data(request))

    def get_form(
        self, request: HttpRequest, obj: Any = None, *, change: Any = False, **kw: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kw)
        if obj and "site" in form.base_fields:
            # Not read-only: then nothing would check that it has one of a name.
            form.base_fields["site"].disabled = True
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponseBase:
        site = self._site(request, object_id)
        with timezone.override(ZoneInfo(site.time_zone) if site else None):
            page: Any = super().changeform_view(
                request, object_id, form_url, extra_context
            )
            # Rendered here, where its times are the site's.
            return page.render() if hasattr(page, "render") else page  # type: ignore[no-any-return]

    def _site(self, request: HttpRequest, object_id: str | None) -> Site | None:
        """Return the site of the row, chosen or only one; None before it is known."""
        if object_id:
            row = self.get_object(request, object_id)
            return self.site_of(row) if row else None
        own = Site.objects.visible_to(request.user)
        chosen = request.POST.get("site", "")
        if chosen.isdecimal():
            return own.filter(pk=chosen).first()
        found = list(own[:2])
        return found[0] if len(found) == 1 else None
