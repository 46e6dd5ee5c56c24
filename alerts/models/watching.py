"""The rules that say what becomes an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from alerts.rules import Hours
from alerts.rules import Kind as PlainKind
from streaming.models import Camera, Site

from .channels import AlertChannel
from .kinds import Kind, OfSiteOrWhole, Severity

if TYPE_CHECKING:
    from datetime import datetime


def check_days(days: object) -> None:
    """Refuse what is no list of weekdays."""
    weekdays = range(1, 8)
    if not isinstance(days, list) or any(day not in weekdays for day in days):
        raise ValidationError("Give weekdays as numbers from 1, Monday, to 7, Sunday.")


def both_or_neither(
    start: str, end: str, *, name: str, error: str
) -> models.CheckConstraint:
    """Return the constraint that two different times are given, or none."""
    given = {f"{start}__isnull": False, f"{end}__isnull": False}
    return models.CheckConstraint(
        condition=models.Q(**{start: None, end: None})
        | (models.Q(**given) & ~models.Q(**{start: models.F(end)})),
        name=name,
        violation_error_message=error,
    )


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
    kind = models.CharField(max_length=30, choices=Kind)
    severity = models.CharField(
        max_length=8, choices=Severity, default=Severity.WARNING
    )
    after_s = models.PositiveIntegerField(
        "after, in seconds",
        default=60,
        help_text="How long a camera or worker must be out before that becomes an "
        "alert. Everything else is told at once.",
    )
    threshold_percent = models.PositiveSmallIntegerField(
        "threshold, in per cent",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text="For 'Disk nearly full': how full the disk must be. Empty: 90.",
    )
    times = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(2)],
        help_text="For 'Same stranger again': from which visit on. Empty: 3.",
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
            both_or_neither(
                "from_time",
                "to_time",
                name="alert_rule_whole_hours",
                error="Give two different times as the hours, or none for the whole "
                "day.",
            ),
            both_or_neither(
                "quiet_from",
                "quiet_to",
                name="alert_rule_whole_quiet_hours",
                error="Give two different times as the quiet hours, or none.",
            ),
            models.CheckConstraint(
                condition=models.Q(camera=None) | models.Q(site__isnull=False),
                name="alert_rule_camera_with_site",
                violation_error_message="Choose the camera's site too.",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind__in=["worker_lost", "disk_full"])
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

    @property
    def waits(self) -> bool:
        """Whether `after_s` says anything, for its kind."""
        return PlainKind(self.kind).lasts

    def is_active(self, *, local: datetime) -> bool:
        """Whether it holds at an instant, given in the site's time."""
        days = frozenset(self.days)
        return Hours(self.from_time, self.to_time, days).hold(local)

    def sends_at(self, *, local: datetime) -> datetime:
        """Return when to send what happens at `local`: then, or after the quiet."""
        quiet = Hours(self.quiet_from, self.quiet_to)
        is_quiet = self.quiet_from is not None and quiet.hold(local)
        return quiet.end_after(local) if is_quiet else local
