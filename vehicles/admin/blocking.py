"""Blocking and unblocking of vehicles in the admin, which asks why first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from identity.admin.base import by
from vehicles import services
from vehicles.models import Vehicle

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest

    ModelAdmin = Any
else:
    ModelAdmin = object

AT_ONCE: Final = 200


class WhyForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It is kept with the vehicle and in its history.",
        error_messages={"required": "Say why."},
    )


class Blocking(ModelAdmin):  # type: ignore[misc]
    """Adds both to the list of vehicles."""

    actions = ["block", "unblock"]

    def has_block_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("vehicles.block_vehicle")

    @admin.action(description="Block", permissions=["block"])
    def block(
        self, request: HttpRequest, rows: QuerySet[Vehicle]
    ) -> TemplateResponse | None:
        others = rows.exclude(status=Vehicle.Status.BLOCKED)
        return self._change(request, others, services.block, "block")

    @admin.action(description="Unblock", permissions=["block"])
    def unblock(
        self, request: HttpRequest, rows: QuerySet[Vehicle]
    ) -> TemplateResponse | None:
        blocked = rows.filter(status=Vehicle.Status.BLOCKED)
        return self._change(request, blocked, services.unblock, "unblock")

    def _change(
        self,
        request: HttpRequest,
        rows: QuerySet[Vehicle],
        change: Callable[..., Vehicle],
        action: str,
    ) -> TemplateResponse | None:
        """Ask why, naming which; then change each."""
        chosen = list(rows.order_by("plate_number", "id")[: AT_ONCE + 1])
        if not chosen or len(chosen) > AT_ONCE:
            sentence = f"Choose 1 to {AT_ONCE} vehicles to {action}."
            self.message_user(request, sentence, messages.ERROR)
            return None
        form = WhyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, chosen, form, action)
        why = form.cleaned_data["reason"]
        done = 0
        for vehicle in chosen:
            try:
                change(vehicle=vehicle, reason=why, by=by(request))
            except services.NotChanged as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                done += 1
        self.message_user(request, f"Vehicles {action}ed: {done}.")
        return None

    def _ask(
        self, request: HttpRequest, chosen: list[Vehicle], form: WhyForm, action: str
    ) -> TemplateResponse:
        doing = f"{action.capitalize()} {_vehicles(len(chosen))}"
        told = {
            **self.admin_site.each_context(request),
            "title": f"{doing}?",
            "doing": doing,
            "opts": self.opts,
            "vehicles": chosen,
            "form": form,
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/vehicles/blocking.html", told)


def _vehicles(count: int) -> str:
    return f"{count} vehicle" if count == 1 else f"{count} vehicles"
