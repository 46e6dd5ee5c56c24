"""Zones drawn on cameras' pictures."""

from __future__ import annotations

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from occupancy.capacity import Fullness, fullness
from occupancy.polygons import BadPolygon, parse_polygon
from streaming.models import Camera, OfCamera

from .lines import AMBER_PERCENT, Colour


def check_points(points: object) -> None:
    try:
        parse_polygon(points)
    except BadPolygon as error:
        raise ValidationError(str(error)) from error


class ZoneQuerySet(OfCamera["Zone"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True)


class Zone(models.Model):
    """A part of a camera's picture in which people are counted as they stand there."""

    camera = models.ForeignKey(Camera, models.PROTECT, related_name="zones")
    name = models.CharField(max_length=60, help_text="Such as Press 4, or Queue.")
    points = models.JSONField(
        validators=[check_points],
        help_text="Three or more corners [x, y], each 0..1 of the picture.",
    )
    colour = models.CharField(max_length=6, choices=Colour, default=Colour.ORANGE)
    enabled = models.BooleanField(default=True)
    capacity = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How many people may be in it; empty: no limit.",
    )
    amber_percent = models.PositiveSmallIntegerField(
        "amber from, per cent",
        default=AMBER_PERCENT,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Of the capacity, from which on it is getting full.",
    )
    restricted = models.BooleanField(
        default=False, help_text="Nobody may be in it, at the times named below."
    )
    restricted_from = models.TimeField(
        null=True, blank=True, help_text="Site time; empty: at all times."
    )
    restricted_until = models.TimeField(null=True, blank=True)
    loitering_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Who stays longer is told of; empty: nobody is.",
    )
    live_count = models.PositiveIntegerField(default=0, editable=False)
    counted_at = models.DateTimeField(null=True, editable=False)

    objects = ZoneQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["live_count", "counted_at"])

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "name"],
                name="zone_name_once",
                violation_error_message="This camera has a zone of that name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> Fullness:
        """How full it is, by its last count."""
        return fullness(
            self.live_count, capacity=self.capacity, amber_percent=self.amber_percent
        )

    def clean(self) -> None:
        if (self.restricted_from is None) != (self.restricted_until is None):
            raise ValidationError("Give both times of the restriction, or neither.")
