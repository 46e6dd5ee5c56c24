"""What was sent of an alert, and what came of it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.db import models

from .channels import AlertChannel
from .inbox import Alert

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


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
