"""What a person must look at."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from streaming.models import Camera, Site

from .kinds import Kind, OfSiteOrWhole, Severity
from .watching import AlertRule

if TYPE_CHECKING:
    from datetime import datetime


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
    kind = models.CharField(max_length=30, choices=Kind)
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
