"""Counting lines and what crossed them."""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Sum

from streaming.models import Camera, OfCamera, SeenByCamera


def coordinate(name: str) -> models.FloatField[float, float]:
    return models.FloatField(
        name,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="0 is the left or upper edge of the picture, 1 the right or lower.",
    )


class CountingLineQuerySet(OfCamera["CountingLine"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True)


class CountingLine(models.Model):
    """A line drawn on a camera's picture; who crosses it goes in or out.

    Walking from (x1, y1) to (x2, y2) as seen on the screen, `in` is a crossing from
    the right-hand side to the left-hand side.
    """

    camera = models.ForeignKey(Camera, models.PROTECT, related_name="lines")
    name = models.CharField(max_length=60, help_text="What it guards: Main door.")
    x1 = coordinate("start x")
    y1 = coordinate("start y")
    x2 = coordinate("end x")
    y2 = coordinate("end y")
    enabled = models.BooleanField(default=True)

    objects = CountingLineQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "name"],
                name="counting_line_name_once",
                violation_error_message="This camera has a line of that name.",
            ),
            models.CheckConstraint(
                condition=~Q(x1=F("x2"), y1=F("y2")),
                name="counting_line_has_length",
                violation_error_message="The line has no length: start and end are "
                "the same point.",
            ),
            models.CheckConstraint(
                condition=Q(x1__range=(0, 1), y1__range=(0, 1))
                & Q(x2__range=(0, 1), y2__range=(0, 1)),
                name="counting_line_in_picture",
                violation_error_message="Coordinates lie between 0 and 1.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OccupancyLogQuerySet(SeenByCamera["OccupancyLog"]):
    def totals_per_camera(self) -> dict[int, tuple[int, int]]:
        """Return (entries, exits) by camera id."""
        rows = self.values("camera_id").annotate(
            n_in=Sum("entries"), n_out=Sum("exits")
        )
        return {row["camera_id"]: (row["n_in"], row["n_out"]) for row in rows}

    def latest_per_camera(self) -> Self:
        """Keep the last record of each camera."""
        return self.order_by("camera_id", "-id").distinct("camera_id")


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
            models.Index(fields=["camera", "-id"], name="occupancy_log_latest"),
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
