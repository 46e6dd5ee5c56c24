"""What a person must look at, the rules that say so, and where it is sent."""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import TYPE_CHECKING, Self, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from streaming.fields import EncryptedTextField, Unreadable
from streaming.models import Camera, Site

from .rules import SECRET_PREFIX, Hours, shown_address
from .rules import Kind as PlainKind
from .rules import Severity as PlainSeverity

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


def new_secret() -> str:
    """Make a webhook's secret: 32 random bytes as Standard Webhooks writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_days(days: object) -> None:
    """Refuse what is no list of weekdays."""
    weekdays = range(1, 8)
    if not isinstance(days, list) or any(day not in weekdays for day in days):
        raise ValidationError("Give weekdays as numbers from 1, Monday, to 7, Sunday.")


class Kind(models.TextChoices):
    CAMERA_OFFLINE = PlainKind.CAMERA_OFFLINE.value, "Camera offline"
    WORKER_LOST = PlainKind.WORKER_LOST.value, "Vision worker lost"
    DISK_FULL = PlainKind.DISK_FULL.value, "Disk nearly full"


class Severity(models.TextChoices):
    INFO = PlainSeverity.INFO.value, "Info"
    WARNING = PlainSeverity.WARNING.value, "Warning"
    CRITICAL = PlainSeverity.CRITICAL.value, "Critical"


RowT = TypeVar("RowT", bound=models.Model)


class OfSiteOrWhole(models.QuerySet[RowT]):
    """Rows of one site, or, where the site is empty, of the whole system."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep those of the user's sites and those of the whole system."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        of_whole = models.Q(site=None)
        return self.filter(of_whole | models.Q(site__in=Site.objects.visible_to(user)))


class AlertChannelQuerySet(OfSiteOrWhole["AlertChannel"]):
    pass


class AlertChannel(models.Model):
    """Where alerts are sent."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook (signed HTTP request)"
        APPRISE = "apprise", "Message (mail, Teams, Slack, Telegram, MQTT ...)"

    site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="alert_channels",
        help_text="Empty: for the whole system.",
    )
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.APPRISE)
    address = EncryptedTextField(
        help_text="Of a webhook: https://erp.example.com/hooks/factory. Of a message: "
        "an Apprise address, such as mailtos://user:password@example.com?to=guard@"
        "example.com. Stored encrypted."
    )
    secret = EncryptedTextField(default=new_secret, editable=False)
    """Signs a webhook, so that its receiver knows it is ours."""
    enabled = models.BooleanField(default=True)

    objects = AlertChannelQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def shown_address(self) -> str:
        """The address without what may be a secret; empty when it is unreadable."""
        is_unreadable = isinstance(self.address, Unreadable)
        return "" if is_unreadable else shown_address(self.address)


class AlertRuleQuerySet(OfSiteOrWhole["AlertRule"]):
    def about(self, *, kind: str, site: Site | None, camera: Camera | None) -> Self:
        """Keep the enabled ones that speak of such an alert, at whatever time."""
        of_camera = models.Q(camera=camera) if camera else models.Q(pk__in=[])
        of_site = models.Q(camera=None, site=site) if site else models.Q(pk__in=[])
        of_all = models.Q(camera=None, site=None)
        return self.filter(of_camera | of_site | of_all, kind=kind, enabled=True)


class AlertRule(models.Model):
    """What becomes an alert, when, and who is told."""

    site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="alert_rules",
        help_text="Empty: every site, and what belongs to none, such as a disk.",
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
        help_text="How long it must last before it becomes an alert. A full disk is "
        "told at once.",
    )
    threshold_percent = models.PositiveSmallIntegerField(
        "threshold, in per cent",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text="For 'Disk nearly full': how full the disk must be. Empty: 90.",
    )
    days = models.JSONField(
        default=list,
        blank=True,
        validators=[check_days],
        help_text="Weekdays on which the rule holds; none: every day. A night belongs "
        "to the day on which it starts.",
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
        help_text="In quiet hours alerts are shown, and sent when the quiet is over, "
        "unless they are resolved by then.",
    )
    quiet_to = models.TimeField(null=True, blank=True)
    channels = models.ManyToManyField(
        AlertChannel, blank=True, related_name="alert_rules"
    )
    enabled = models.BooleanField(default=True)

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(from_time=None, to_time=None)
                | (
                    models.Q(from_time__isnull=False, to_time__isnull=False)
                    & ~models.Q(from_time=models.F("to_time"))
                ),
                name="alert_rule_whole_hours",
                violation_error_message="Give two different times as the hours, or "
                "none for the whole day.",
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_to=None)
                | (
                    models.Q(quiet_from__isnull=False, quiet_to__isnull=False)
                    & ~models.Q(quiet_from=models.F("quiet_to"))
                ),
                name="alert_rule_whole_quiet_hours",
                violation_error_message="Give two different times as the quiet hours, "
                "or none.",
            ),
            models.CheckConstraint(
                condition=models.Q(camera=None) | models.Q(site__isnull=False),
                name="alert_rule_camera_with_site",
                violation_error_message="Choose the camera's site too.",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="camera_offline")
                | models.Q(site=None, camera=None),
                name="alert_rule_of_whole_system",
                violation_error_message="Vision workers and disks belong to no site: "
                "leave site and camera empty.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Give it its camera's site, and refuse a camera of another one."""
        if self.camera and self.site is None:
            self.site = self.camera.site
        if self.camera and self.site_id != self.camera.site_id:
            raise ValidationError({"camera": "This camera belongs to another site."})

    def is_active(self, *, local: datetime) -> bool:
        """Whether it holds at an instant, given in the site's time."""
        days = frozenset(self.days)
        return Hours(self.from_time, self.to_time, days).hold(local)

    def sends_at(self, *, local: datetime) -> datetime:
        """Return when to send what happens at `local`: then, or after the quiet."""
        quiet = Hours(self.quiet_from, self.quiet_to)
        is_quiet = self.quiet_from is not None and quiet.hold(local)
        return quiet.end_after(local) if is_quiet else local


class AlertQuerySet(OfSiteOrWhole["Alert"]):
    def unresolved(self) -> Self:
        return self.exclude(state=Alert.State.RESOLVED)

    def open(self) -> Self:
        """Keep those that nobody has acknowledged yet."""
        return self.filter(state=Alert.State.OPEN)

    def with_names(self) -> Self:
        """Fetch along what the public shape tells of site, camera and people."""
        return self.select_related("site", "camera", "acknowledged_by", "resolved_by")

    def dismissed(self, *, since: datetime) -> Self:
        """Keep those that a person, not the end of it, resolved since then."""
        by_hand = self.filter(state=Alert.State.RESOLVED, resolved_by__isnull=False)
        return by_hand.filter(resolved_at__gte=since)

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

    def due(self, *, now: datetime) -> Self:
        """Keep those to send now; of one alert to one channel, the first alone."""
        earlier = AlertDelivery.objects.filter(
            alert=models.OuterRef("alert"),
            channel=models.OuterRef("channel"),
            state=AlertDelivery.State.PENDING,
            pk__lt=models.OuterRef("pk"),
        )
        waiting = self.filter(state=AlertDelivery.State.PENDING)
        return waiting.filter(~models.Exists(earlier), next_attempt_at__lte=now)

    def held_back(self, *, at: datetime) -> Self:
        """Keep those that wait for the end of quiet hours."""
        waiting = self.filter(state=AlertDelivery.State.PENDING, attempts=0)
        return waiting.filter(next_attempt_at__gt=at)


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
        SKIPPED = "skipped", "Not sent"

    event_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    """The same in every attempt: by it the receiver knows a repetition."""
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, models.PROTECT, related_name="deliveries")
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
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "event"], name="alert_told_once"
            )
        ]

    def __str__(self) -> str:
        return self.get_event_display()
