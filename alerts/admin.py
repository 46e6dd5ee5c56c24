"""Rules, channels, alerts and what was sent of them, in the admin."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from streaming.admin_base import HidesSecrets, ReadOnly, ScopedAdmin

from . import delivery, services, tasks
from .admin_forms import AlertChannelForm, AlertRuleForm
from .channels import NotSent
from .models import Alert, AlertChannel, AlertDelivery, AlertRule, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

SHOWN_ONCE = (
    "The secret of {}: {} - give it to whoever runs the receiver now; it is not shown "
    "again."
)


class WholeOrSiteAdmin(ScopedAdmin):
    """Rows of one site; those of the whole system are for superusers to change."""

    def has_change_permission(
        self, request: HttpRequest, obj: AlertRule | AlertChannel | None = None
    ) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and may_touch(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: AlertRule | AlertChannel | None = None
    ) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and may_touch(request, obj)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "site":
            field.required = not is_superuser(request)
        return field


def may_touch(request: HttpRequest, row: AlertRule | AlertChannel | None) -> bool:
    return row is None or row.site_id is not None or is_superuser(request)


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(AlertRule)
class AlertRuleAdmin(WholeOrSiteAdmin):
    form = AlertRuleForm
    list_display = ["name", "kind", "severity", "site", "camera", "after", "enabled"]
    list_filter = ["kind", "severity", "site", "enabled"]
    list_select_related = ["site", "camera"]
    search_fields = ["name", "camera__code", "camera__name"]
    ordering = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "enabled"]}),
        (
            "What",
            {
                "fields": [
                    "kind",
                    "severity",
                    "site",
                    "camera",
                    "after_s",
                    "threshold_percent",
                    "times",
                ]
            },
        ),
        (
            "When",
            {
                "fields": [
                    "days",
                    ("from_time", "to_time"),
                    ("quiet_from", "quiet_to"),
                ],
                "description": "By the site's clock.",
            },
        ),
        (
            "Who is told",
            {
                "fields": ["channels"],
                "description": "Every alert is in the inbox; choose where it is sent "
                "besides. Several rules about the same thing make one alert, as urgent "
                "as the most urgent of them.",
            },
        ),
    ]

    @admin.display(description="after", ordering="after_s")
    def after(self, rule: AlertRule) -> str:
        return f"{rule.after_s} s" if rule.waits else "at once"

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["queryset"] = AlertChannel.objects.visible_to(request.user).order_by(
            "name"
        )
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(AlertChannel)
class AlertChannelAdmin(HidesSecrets, WholeOrSiteAdmin):
    form = AlertChannelForm
    safe: ClassVar = {"address": "address_shown"}
    list_display = ["name", "kind", "site", "address_shown", "enabled"]
    list_filter = ["kind", "site", "enabled"]
    list_select_related = ["site"]
    search_fields = ["name"]
    ordering = ["name"]
    actions = ["send_test", "make_new_secret"]
    fieldsets = [
        (
            None,
            {
                "fields": ["name", "site", "kind", "address", "enabled"],
                "description": "Of a stored address only the part without secrets is "
                "shown; left as it is, it is kept. A webhook's secret is shown once, "
                "when it is made. 'Send a test message' in the list tries a channel.",
            },
        )
    ]

    @admin.display(description="address")
    def address_shown(self, channel: AlertChannel) -> str:
        return channel.shown_address or "encrypted with another key"

    def save_model(
        self, request: HttpRequest, obj: AlertChannel, *args: Any, **kwargs: Any
    ) -> None:
        is_new = obj.pk is None
        super().save_model(request, obj, *args, **kwargs)
        if is_new and obj.kind == AlertChannel.Kind.WEBHOOK:
            self.message_user(request, SHOWN_ONCE.format(obj.name, obj.secret))

    @admin.action(description="Send a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, rows: QuerySet[AlertChannel]) -> None:
        for channel in self._own(request, rows):
            try:
                answer = delivery.send_test(channel=channel, now=timezone.now())
            except NotSent as error:
                self.message_user(request, f"{channel}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{channel}: {answer}", messages.SUCCESS)

    @admin.action(description="Make a new webhook secret", permissions=["change"])
    def make_new_secret(
        self, request: HttpRequest, rows: QuerySet[AlertChannel]
    ) -> None:
        webhooks = rows.filter(kind=AlertChannel.Kind.WEBHOOK)
        for channel in self._own(request, webhooks):
            channel.secret = new_secret()
            channel.save(update_fields=["secret"])
            self.log_change(request, channel, "Made a new secret.")
            self.message_user(request, SHOWN_ONCE.format(channel, channel.secret))

    def _own(
        self, request: HttpRequest, rows: QuerySet[AlertChannel]
    ) -> list[AlertChannel]:
        """Return those that the user may change, and name those left out."""
        chosen = list(rows.order_by("name"))
        own = [channel for channel in chosen if may_touch(request, channel)]
        for channel in chosen:
            if channel not in own:
                self.message_user(
                    request,
                    f"{channel}: of the whole system, for a superuser.",
                    messages.WARNING,
                )
        return own


def site_time(alert: Alert, at: datetime | None) -> str:
    """Show an instant in its site's time; without a site in UTC."""
    local = at and (alert.site.local(at) if alert.site else at.astimezone(UTC))
    return f"{local:%Y-%m-%d %H:%M:%S %Z}" if local else "-"


@admin.register(Alert)
class AlertAdmin(ReadOnly, ScopedAdmin):
    list_display = ["severity", "text", "site", "state", "opened", "acknowledged_by"]
    list_display_links = ["text"]
    list_filter = ["state", "severity", "kind", "site"]
    list_select_related = ["site", "acknowledged_by"]
    search_fields = ["text", "subject", "note"]
    date_hierarchy = "opened_at"
    ordering = ["-opened_at", "-id"]
    actions = ["acknowledge", "resolve"]
    fields = [
        "severity",
        "kind",
        "text",
        "subject",
        "site",
        "camera",
        "rule",
        "state",
        "opened",
        "acknowledged_by",
        "acknowledged",
        "note",
        "resolved_by",
        "resolved",
    ]

    @admin.display(description="opened, site time", ordering="opened_at")
    def opened(self, alert: Alert) -> str:
        return site_time(alert, alert.opened_at)

    @admin.display(description="acknowledged, site time")
    def acknowledged(self, alert: Alert) -> str:
        return site_time(alert, alert.acknowledged_at)

    @admin.display(description="resolved, site time")
    def resolved(self, alert: Alert) -> str:
        return site_time(alert, alert.resolved_at)

    def view_on_site(self, obj: Alert) -> str:
        return reverse("alert", args=[obj.pk])

    def has_handle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.handle_alert")

    @admin.action(description="Acknowledge", permissions=["handle"])
    def acknowledge(self, request: HttpRequest, rows: QuerySet[Alert]) -> None:
        self._handle(request, rows, services.acknowledge)

    @admin.action(description="Resolve", permissions=["handle"])
    def resolve(self, request: HttpRequest, rows: QuerySet[Alert]) -> None:
        self._handle(request, rows, services.resolve)

    def _handle(
        self,
        request: HttpRequest,
        rows: QuerySet[Alert],
        change: Callable[..., Alert],
    ) -> None:
        done = 0
        for alert in rows.order_by("pk"):
            try:
                change(alert=alert, by=request.user, at=timezone.now())
                done += 1
            except services.AlreadyHandled as error:
                self.message_user(request, f"{alert} {error}", messages.WARNING)
        tasks.send_soon()
        self.message_user(request, f"Alerts changed: {done}.")


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnly, ScopedAdmin):
    list_display = ["created", "event", "alert", "channel", "state", "tries", "answer"]
    list_filter = ["state", "event", "channel"]
    list_select_related = ["alert__site", "channel"]
    search_fields = ["alert__text", "channel__name", "answer", "event_id"]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-id"]
    actions = ["send_again"]
    fields = [
        "created",
        "event",
        "alert",
        "channel",
        "state",
        "tries",
        "next_attempt",
        "answer",
        "event_id",
        "body",
    ]

    @admin.display(description="created, site time", ordering="created_at")
    def created(self, row: AlertDelivery) -> str:
        return site_time(row.alert, row.created_at)

    @admin.display(description="next attempt, site time")
    def next_attempt(self, row: AlertDelivery) -> str:
        return site_time(row.alert, row.next_attempt_at)

    @admin.display(description="attempts", ordering="attempts")
    def tries(self, row: AlertDelivery) -> int:
        return row.attempts

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_alertchannel")

    @admin.action(description="Send again", permissions=["resend"])
    def send_again(self, request: HttpRequest, rows: QuerySet[AlertDelivery]) -> None:
        chosen = list(rows)
        for row in chosen:
            delivery.resend(delivery=row, now=timezone.now())
        tasks.send_soon()
        self.message_user(request, f"To be sent again: {len(chosen)}.")
