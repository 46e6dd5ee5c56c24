"""The forms in which rules and channels are edited in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from . import channels
from .models import AlertChannel, AlertRule
from .rules import HIDDEN

HIDDEN_PART = (
    f"Type the whole address: what {HIDDEN} stands for is kept only while nothing of "
    "the address is changed."
)
WEEKDAYS = [
    (1, "Monday"),
    (2, "Tuesday"),
    (3, "Wednesday"),
    (4, "Thursday"),
    (5, "Friday"),
    (6, "Saturday"),
    (7, "Sunday"),
]


class AlertChannelForm(forms.ModelForm[AlertChannel]):
    """Shows the address without its secrets, and keeps it while it is untouched."""

    address = AlertChannel._meta.get_field("address").formfield(
        widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = AlertChannel
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["address"] = self.instance.shown_address

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "address" in found and "kind" in found:
            found["address"] = self._whole(found["address"])
            self._check(found["kind"], found["address"])
        return found

    def _whole(self, typed: str) -> str:
        """Return the address as typed, or the stored one if that is what was shown."""
        is_kept = self.instance.pk and typed == self.instance.shown_address
        return self.instance.address if is_kept else typed

    def _check(self, kind: str, address: str) -> None:
        is_webhook = kind == AlertChannel.Kind.WEBHOOK
        check = channels.check_webhook if is_webhook else channels.check_message_address
        if HIDDEN in address:
            self.add_error("address", HIDDEN_PART)
            return
        try:
            check(address)
        except channels.UnusableAddress as error:
            self.add_error("address", str(error))


class AlertRuleForm(forms.ModelForm[AlertRule]):
    """Has a box to tick for each weekday, and refuses channels of another site."""

    days = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=AlertRule._meta.get_field("days").help_text,
    )

    class Meta:
        model = AlertRule
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        camera = found.get("camera")
        site = found.get("site") or (camera and camera.site)
        chosen = found.get("channels", AlertChannel.objects.none())
        strangers = [each.name for each in chosen if each.site not in {None, site}]
        if strangers:
            self.add_error(
                "channels",
                f"{', '.join(strangers)}: of another site. A rule for every site takes "
                "channels of the whole system, one of a site its own ones too.",
            )
        return found
