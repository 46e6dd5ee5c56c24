"""What was counted: crossings of lines, and corrections of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Sum

from streaming.models import Camera, SeenByCamera
from streaming.vision.types import Label

from .lines import Area, CountingLine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class Kind(models.TextChoices):
    """What is counted; people and vehicles are never added up."""

    PEOPLE = "people", "People"
    VEHICLES = "vehicles", "Vehicles"

    @classmethod
    def of(cls, label: Label) -> Kind:
        return cls.PEOPLE if label is Label.PERSON else cls.VEHICLES


class OccupancyLogQuerySet(SeenByCamera["OccupancyLog"]):
    def totals_per_camera(self) -> dict[int, tuple[int, int]]:
        """Return (entries, exits) by camera id."""
        rows = self.values("camera_id").annotate(
            n_in=Sum("entries"), n_out=Sum("exits")
        )
        return {row["camera_id"]: (row["n_in"], row["n_out"]) for row in rows}

    def of_people(self) -> Self:
        return self.filter(kind=Kind.PEOPLE)

    def current_counts(self, cameras: Iterable[Camera]) -> dict[int, int]:
        """Return the count after the last record, by camera id.

        A look at the index for each camera, however long the log is.
        """
        latest = self.filter(camera=OuterRef("pk")).order_by("-id")
        last = Subquery(latest.values("current_count")[:1])
        rows = Camera.objects.filter(pk__in=[camera.pk for camera in cameras])
        counts = rows.annotate(inside=last).values_list("pk", "inside")
        return {pk: inside or 0 for pk, inside in counts}


class OccupancyLog(models.Model):
    """One crossing of a line, or one correction. Written once, never changed."""

    class Cause(models.TextChoices):
        CROSSING = "crossing", "Crossing"
        CORRECTION = "correction", "Correction"

    event_id = models.UUIDField(unique=True)
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="occupancy_logs")
    line = models.ForeignKey(
        CountingLine, models.PROTECT, null=True, related_name="occupancy_logs"
    )
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.CROSSING)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PEOPLE)
    label = models.CharField(
        "class",
        max_length=10,
        choices=[(each.value, each.value.capitalize()) for each in Label],
        default=Label.PERSON.value,
    )
    track_id = models.PositiveBigIntegerField(null=True)
    frame_index = models.PositiveBigIntegerField(null=True)
    entries = models.PositiveSmallIntegerField(default=0)
    exits = models.PositiveSmallIntegerField(default=0)
    current_count = models.PositiveIntegerField(
        help_text="How many were inside after it."
    )
    is_drift = models.BooleanField(
        "drift",
        default=False,
        help_text="Somebody left an empty place: an entry was missed before.",
    )
    reason = models.CharField(max_length=200, blank=True)
    """Of a correction."""
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Who said so; nobody where it was the daily one."""
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = OccupancyLogQuerySet.as_manager()

    class Meta:
        indexes = [
            # The camera page's last crossings, the list and the day's totals.
            models.Index(
                fields=["camera", "-occurred_at", "-id"], name="occupancy_log_recent"
            ),
            # The count before the next crossing.
            models.Index(fields=["camera", "kind", "-id"], name="occupancy_log_latest"),
            # The doors of an area.
            models.Index(fields=["line", "occurred_at"], name="occupancy_log_door"),
            # The list over several cameras.
            models.Index(fields=["-occurred_at", "-id"], name="occupancy_log_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(cause="correction")
                | Q(cause="crossing", line__isnull=False)
                & (Q(entries=1, exits=0) | Q(entries=0, exits=1)),
                name="occupancy_log_crossing_is_one",
                violation_error_message="A crossing is one entry or one exit over a "
                "line.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.direction} {self.occurred_at:%Y-%m-%d %H:%M:%S}"

    @property
    def direction(self) -> str:
        """`in`, `out`, or `` for a correction."""
        return "in" if self.entries else "out" if self.exits else ""


class AreaCorrectionQuerySet(models.QuerySet["AreaCorrection"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep those of areas of the sites that the user sees."""
        return self.filter(area__in=Area.objects.visible_to(user))

    def newest_first(self) -> Self:
        return self.order_by("-occurred_at", "-id")


class AreaCorrection(models.Model):
    """From here on an area's count is what was said. Written once, never changed."""

    event_id = models.UUIDField(unique=True)
    area = models.ForeignKey(Area, models.PROTECT, related_name="corrections")
    before = models.PositiveIntegerField()
    current_count = models.PositiveIntegerField()
    drift = models.PositiveIntegerField()
    """How many had left, since the one before, who had not been seen to enter."""
    reason = models.CharField(max_length=200)
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Who said so; nobody where it was the daily one."""
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = AreaCorrectionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["area", "occurred_at"], name="area_correction_at")
        ]

    def __str__(self) -> str:
        return f"{self.area_id} {self.before} to {self.current_count}"
