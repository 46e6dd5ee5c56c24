"""What the pages of occupancy share: rows that keep their place, and links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.urls import reverse
from django.utils.html import format_html

from streaming.admin_base import ScopedAdmin

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from streaming.models import Camera


class KeepsItsPlace(ScopedAdmin):
    """Of rows that belong to one camera or site for good; writes what was edited."""

    place: ClassVar[str]
    """The field that says where it is."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, *, change: Any = False, **kw: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kw)
        if obj and self.place in form.base_fields:
            # Not read-only: then nothing would check that it has one of a name.
            form.base_fields[self.place].disabled = True
        return form

    def save_model(
        self, request: HttpRequest, obj: Model, form: Any, change: Any
    ) -> None:
        """Write what was edited and nothing else: it is counted meanwhile."""
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)


def link(address: str, text: object) -> SafeString:
    return format_html(
        '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>',
        address,
        text,
    )


def draw_link(camera: Camera) -> SafeString:
    return link(reverse("draw", args=[camera.code]), "Draw on the picture")
