"""What a person must look at, the rules that say so, and where it is sent."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models

from streaming.fields import EncryptedTextField
from streaming.models import Camera, Site

from .rules import Kind as PlainKind
from .rules import Severity as PlainSeverity

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class Kind(models.TextChoices):
    CAMERA_OFFLINE = PlainKind.CAMERA_OFFLINE.value, "Camera offline"
    WORKER_LOST = PlainKind.WORKER_LOST.value, "Vision worker lost"
    DISK_FULL = PlainKind.DISK_FULL.value, "Disk nearly full"


class Severity(models.TextChoices):
    INFO = PlainSeverity.INFO.value, "Info"
    WARNING = PlainSeverity.WARNING.value, "Warning"
    CRITICAL = PlainSeverity.CRITICAL.value, "Critical"


class OfSiteOrWhole(models.QuerySet[models.Model]):
    """Rows of one site, or, where the site is empty, of the whole system."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep those of the user's sites and those of the whole system."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        of_whole = models.Q(site=None)
        return self.filter(of_whole | models.Q(site__in=Site.objects.visible_to(user)))


class AlertChannel(models.Model):
    """Where alerts are sent."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook (signed HTTP request)"
        APPRISE = "apprise", "Message (mail, Teams, Slack, Telegram, MQTT ...)"

    site = models.ForeignKey(
        Site, models.PROTECT, null=True, blank=True, related_name="alert_channels"
    )
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.APPRISE)
    address = EncryptedTextField(
        help_text="Of a webhook: https://erp.example.com/hooks/factory. Of a message: "
        "an Apprise address, such as mailtos://user:password@example.com?to=guard@"
        "example.com. Stored encrypted."
    )
    secret = EncryptedTextField(
        blank=True,
        help_text="Signs a webhook, so that its receiver knows it is ours. Made by "
        "itself when left empty. Stored encrypted.",
    )
    enabled = models.BooleanField(default=True)

    objects = OfSiteOrWhole.as_manager()

    def __str__(self) -> str:
        return self.name


class AlertRule(models.Model):
    """What becomes an alert, when, and who is told."""

    site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="alert_rules",
        help_text="Empty: every site.",
    )
    camera = models.ForeignKey(
        Camera,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="alert_rules",
        help_text="Empty: every camera of the site.",
    )
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    severity = models.CharField(
        max_length=8, choices=Severity, default=Severity.WARNING
    )
    after_s = models.PositiveIntegerField(
        "after, in seconds",
        default=60,
        help_text="How long it must last before it becomes an alert.",
    )
    threshold_percent = models.PositiveSmallIntegerField(
        "threshold, in per cent",
        null=True,
        blank=True,
        validators=[MaxValueValidator(99)],
        help_text="For 'Disk nearly full': how full the disk must be. Empty: 90.",
    )
    days = models.JSONField(
        default=list,
        blank=True,
        help_text="Weekdays on which the rule holds, 1 Monday to 7 Sunday, such as "
        "[6, 7]. Empty: every day. A night belongs to the day on which it starts.",
    )
    from_time = models.TimeField(
        null=True,
        blank=True,
        help_text="Holds from this time of the site's day; empty: the whole day.",
    )
    to_time = models.TimeField(
        null=True, blank=True, help_text="Until this time; 22:00 to 06:00 is a night."
    )
    quiet_from = models.TimeField(
        null=True,
        blank=True,
        help_text="In quiet hours alerts are shown, and sent only when the quiet is "
        "over and they are still open.",
    )
    quiet_to = models.TimeField(null=True, blank=True)
    channels = models.ManyToManyField(
        AlertChannel, blank=True, related_name="alert_rules"
    )
    enabled = models.BooleanField(default=True)

    objects = OfSiteOrWhole.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(from_time=None, to_time=None)
                | models.Q(from_time__isnull=False, to_time__isnull=False),
                name="alert_rule_whole_hours",
                violation_error_message="Give both times of the hours, or neither.",
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_to=None)
                | models.Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="alert_rule_whole_quiet_hours",
                violation_error_message="Give both times of the quiet, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlertQuerySet(OfSiteOrWhole):
    def unresolved(self) -> Self:
        return self.exclude(state=Alert.State.RESOLVED)

    def open(self) -> Self:
        """Keep those that nobody has acknowledged yet."""
        return self.filter(state=Alert.State.OPEN)

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-id")


class Alert(models.Model):
    """Something a person must look at: open, then acknowledged, then resolved."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    event_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, models.PROTECT, null=True, related_name="alerts")
    camera = models.ForeignKey(
        Camera, models.SET_NULL, null=True, related_name="alerts"
    )
    rule = models.ForeignKey(
        AlertRule, models.SET_NULL, null=True, related_name="alerts"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    severity = models.CharField(max_length=8, choices=Severity)
    subject = models.CharField(max_length=100)
    """What it is about, for programs: a camera's code, a worker's name, a path."""
    text = models.TextField()
    """What is wrong, as a sentence."""
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    note = models.TextField(blank=True)
    """What was done about it, by whoever acknowledged or resolved it."""
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Empty where it resolved itself."""

    objects = AlertQuerySet.as_manager()

    class Meta:
        permissions = [("handle_alert", "Can acknowledge and resolve alerts")]
        indexes = [models.Index(fields=["-opened_at", "-id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "site", "subject"],
                condition=~models.Q(state="resolved"),
                nulls_distinct=False,
                name="alert_once_while_unresolved",
                violation_error_message="There is such an alert already.",
            ),
            models.CheckConstraint(
                condition=models.Q(state="resolved", resolved_at__isnull=False)
                | (~models.Q(state="resolved") & models.Q(resolved_at=None)),
                name="alert_resolved_at_with_state",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class AlertDeliveryQuerySet(models.QuerySet["AlertDelivery"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        return self.filter(alert__in=Alert.objects.visible_to(user))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class AlertDelivery(models.Model):
    """One message about an alert to one channel, and what came of it."""

    class Event(models.TextChoices):
        OPENED = "alert.opened", "Opened"
        ACKNOWLEDGED = "alert.acknowledged", "Acknowledged"
        RESOLVED = "alert.resolved", "Resolved"

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Not sent: it was over before the quiet hours were"

    event_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    """The same in every attempt: by it the receiver knows a repetition."""
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=20, choices=Event)
    body = models.TextField()
    """What is sent, as it was when the event happened: JSON."""
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    """What the last attempt brought: a status or a sentence, without any secret."""
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = AlertDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "alert deliveries"
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state="pending"),
                name="alert_delivery_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel_id}"
