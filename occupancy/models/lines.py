"""Lines drawn on cameras' pictures, and the areas whose doors they are."""

from __future__ import annotations

from typing import Final, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from identity.models.people import OfSite
from streaming.models import Camera, OfCamera, Site

AMBER_PERCENT: Final = 80
"""Of the capacity, from which on a place is getting full."""


class Colour(models.TextChoices):
    """Of a line or a zone on the picture; its name is shown beside it."""

    BLUE = "blue", "Blue"
    GREEN = "green", "Green"
    ORANGE = "orange", "Orange"
    PURPLE = "purple", "Purple"
    RED = "red", "Red"


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
    colour = models.CharField(max_length=6, choices=Colour, default=Colour.BLUE)
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


class AreaQuerySet(OfSite["Area"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True)


class Area(models.Model):
    """A hall, a floor or a whole site: how many are inside follows from the lines at
    its doors, of however many cameras."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="areas")
    name = models.CharField(max_length=60, help_text="Such as Hall A, or Whole site.")
    capacity = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How many people may be inside; empty: no limit.",
    )
    amber_percent = models.PositiveSmallIntegerField(
        "amber from, per cent",
        default=AMBER_PERCENT,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Of the capacity, from which on it is getting full.",
    )
    enabled = models.BooleanField(default=True)
    current_count = models.PositiveIntegerField(default=0, editable=False)
    drift = models.PositiveIntegerField(default=0, editable=False)
    """How many left since the last correction whose entry nobody saw."""

    objects = AreaQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["current_count", "drift"])

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="area_name_once",
                violation_error_message="This site has an area of that name.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AreaLine(models.Model):
    """A line at a door of an area."""

    area = models.ForeignKey(Area, models.CASCADE, related_name="doors")
    line = models.ForeignKey(CountingLine, models.CASCADE, related_name="doors")
    inverted = models.BooleanField(
        default=False,
        help_text="Who crosses the line 'in' leaves this area: the door between two.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["area", "line"],
                name="area_line_once",
                violation_error_message="The area has this line already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.line} of {self.area}"
