"""Where alerts are sent."""

from __future__ import annotations

import base64
import secrets

from django.db import models

from alerts.rules import SECRET_PREFIX, shown_address
from streaming.fields import EncryptedTextField, Unreadable
from streaming.models import Site

from .kinds import OfSiteOrWhole


def new_secret() -> str:
    """Make a webhook's secret: 32 random bytes as Standard Webhooks writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


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
