"""Counts by the hour, the day and the month, which outlive what they were made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Q

from identity.models.people import OfSite
from streaming.models import Camera, Site

from .lines import Area
from .logs import Kind

if TYPE_CHECKING:
    from datetime import datetime

RowT = TypeVar("RowT", bound=models.Model)
OF_ONE = Q(camera=None) ^ Q(area=None)


class BucketQuerySet(OfSite[RowT]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Keep those that begin in [start, end)."""
        return self.filter(start__gte=start, start__lt=end)


class Bucket(models.Model):
    """What was counted of a camera or an area in [start, end), both local to its site.

    It always equals a recount from the log, as long as that is kept.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    camera = models.ForeignKey(Camera, models.CASCADE, null=True, related_name="+")
    area = models.ForeignKey(Area, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PEOPLE)
    start = models.DateTimeField()
    end = models.DateTimeField()
    avg_occupancy = models.FloatField(help_text="Weighted by time.")
    max_occupancy = models.PositiveIntegerField()
    min_occupancy = models.PositiveIntegerField()
    total_entries = models.PositiveIntegerField()
    total_exits = models.PositiveIntegerField()
    closing_count = models.PositiveIntegerField(help_text="How many at the end of it.")

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "area", "kind", "start"],
                name="%(class)s_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=OF_ONE, name="%(class)s_of_one"),
        ]
        indexes = [models.Index(fields=["site", "-start"], name="%(class)s_newest")]

    def __str__(self) -> str:
        return f"{self.area or self.camera} {self.kind} {self.start:%Y-%m-%d %H:%M}"


class HourlyOccupancy(Bucket):
    objects = BucketQuerySet["HourlyOccupancy"].as_manager()

    class Meta(Bucket.Meta):
        verbose_name_plural = "hourly occupancy"


class DailyOccupancy(Bucket):
    objects = BucketQuerySet["DailyOccupancy"].as_manager()

    class Meta(Bucket.Meta):
        verbose_name_plural = "daily occupancy"


class MonthlyOccupancy(Bucket):
    objects = BucketQuerySet["MonthlyOccupancy"].as_manager()

    class Meta(Bucket.Meta):
        verbose_name_plural = "monthly occupancy"


class Aggregation(models.Model):
    """How far a camera's or an area's log is summed up; what comes later than that but
    happened before sets it back."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    camera = models.ForeignKey(Camera, models.CASCADE, null=True, related_name="+")
    area = models.ForeignKey(Area, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PEOPLE)
    until = models.DateTimeField()
    """The end of the last hour that is summed up."""
    kept_from = models.DateTimeField(null=True)
    """The log before is deleted: nothing can be summed up there any more."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "area", "kind"],
                name="aggregation_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=OF_ONE, name="aggregation_of_one"),
        ]

    def __str__(self) -> str:
        return f"{self.area or self.camera} {self.kind} until {self.until}"
