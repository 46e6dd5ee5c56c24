"""When people were seen or stamped: what every day is worked out from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from attendance.rules import Sighting
from attendance.rules import Way as PlainWay
from identity.models import AccessLog, Employee
from streaming.models import Camera, OfCamera, SeenByCamera

from .base import OfEmployee

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class Way(models.TextChoices):
    """Which way somebody went, as far as that is known."""

    IN = PlainWay.IN.value, "In"
    OUT = PlainWay.OUT.value, "Out"
    EITHER = PlainWay.EITHER.value, "Either way"


class PresenceEventQuerySet(OfEmployee["PresenceEvent"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Keep what lies at least partly in [start, end)."""
        return self.filter(occurred_at__lt=end, last_seen_at__gte=start)

    def of_track(self, camera: int, session: str, track_id: int) -> Self:
        return self.filter(camera=camera, session=session, track_id=track_id)


class PresenceEvent(models.Model):
    """An employee was seen at a camera, or stamped at a clock; kept as it was."""

    class Source(models.TextChoices):
        FACE = "face", "Recognised at a camera"
        LINE = "line", "Crossed a line"
        LINKED = "linked", "Named by a person"
        API = "api", "Stamped over the API"

    event_id = models.UUIDField(unique=True)
    employee = models.ForeignKey(
        Employee, models.PROTECT, related_name="presence_events"
    )
    source = models.CharField(max_length=6, choices=Source)
    way = models.CharField(max_length=6, choices=Way)
    """As the line that was crossed tells, else the camera's direction."""
    occurred_at = models.DateTimeField()
    """When they came into view, crossed the line or stamped."""
    last_seen_at = models.DateTimeField()
    """When they were still in view."""
    camera = models.ForeignKey(
        Camera, models.PROTECT, null=True, related_name="presence_events"
    )
    session = models.CharField(max_length=64, blank=True)
    track_id = models.PositiveBigIntegerField(null=True)
    access_log = models.ForeignKey(
        AccessLog, models.SET_NULL, null=True, related_name="presence_events"
    )
    """The visit with its picture, for as long as it is kept."""
    similarity = models.FloatField(null=True)
    threshold = models.FloatField(null=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Who stamped over the API, or said who it was."""
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = PresenceEventQuerySet.as_manager()

    class Meta:
        indexes = [
            # What the days of an employee are worked out from.
            models.Index(fields=["employee", "occurred_at"], name="presence_of_person"),
            # A crossing finds who crossed.
            models.Index(
                fields=["camera", "session", "track_id"], name="presence_of_track"
            ),
            # Retention.
            models.Index(fields=["occurred_at"], name="presence_oldest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=models.F("occurred_at")),
                name="presence_ends_after_start",
                violation_error_message="Somebody is seen last after they came.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.way} {self.occurred_at:%Y-%m-%d %H:%M:%S}"

    def sightings(self) -> Iterator[Sighting]:
        """Give it as the rules take it: who comes is counted from when they came into
        view, who goes until they were seen last."""
        way = PlainWay(self.way)
        if way is not PlainWay.OUT:
            yield Sighting(self.occurred_at, str(self.event_id), way)
        if way is PlainWay.OUT or (
            way is PlainWay.EITHER and self.last_seen_at > self.occurred_at
        ):
            yield Sighting(self.last_seen_at, str(self.event_id), way)


class PassageQuerySet(OfCamera["Passage"]):
    def of_track(self, camera: int, session: str, track_id: int) -> Self:
        return self.filter(camera=camera, session=session, track_id=track_id)


class Passage(models.Model):
    """Somebody crossed a line at an attendance camera; who, their face tells."""

    event_id = models.UUIDField(unique=True)
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="passages")
    session = models.CharField(max_length=64)
    track_id = models.PositiveBigIntegerField()
    way = models.CharField(max_length=6, choices=Way)
    occurred_at = models.DateTimeField()

    objects = PassageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["camera", "session", "track_id"], name="passage_of_track"
            ),
            models.Index(fields=["occurred_at"], name="passage_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.way} {self.occurred_at:%Y-%m-%d %H:%M:%S}"


class UnknownAttendanceQuerySet(SeenByCamera["UnknownAttendance"]):
    def open(self) -> Self:
        return self.filter(state=UnknownAttendance.State.OPEN)

    def with_names(self) -> Self:
        """Load what a list shows; no vector, no secret."""
        named = self.select_related(
            "camera__site", "employee", "access_log__unknown_person__employee"
        )
        return named.defer(
            "access_log__embedding",
            "access_log__unknown_person__embedding",
            "camera__source_url",
            "camera__sub_stream_url",
        )


class UnknownAttendance(models.Model):
    """A face at an attendance camera of which nobody could say whose it is."""

    class State(models.TextChoices):
        OPEN = "open", "To link"
        LINKED = "linked", "Linked"
        RECOGNISED = "recognised", "Recognised later"
        DISMISSED = "dismissed", "No employee"

    event_id = models.UUIDField(unique=True)
    camera = models.ForeignKey(
        Camera, models.PROTECT, related_name="unknown_attendances"
    )
    session = models.CharField(max_length=64)
    track_id = models.PositiveBigIntegerField()
    access_log = models.ForeignKey(
        AccessLog, models.SET_NULL, null=True, related_name="unknown_attendances"
    )
    occurred_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    employee = models.ForeignKey(
        Employee,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="unknown_attendances",
    )
    """Who it was."""
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Who said so; empty where the system found out by itself."""

    objects = UnknownAttendanceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["camera", "-occurred_at", "-id"], name="unknown_att_camera"
            ),
            # Those that somebody must look at.
            models.Index(
                fields=["-occurred_at", "-id"],
                name="unknown_att_open",
                condition=models.Q(state="open"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "session", "track_id"],
                name="unknown_att_track_once",
                violation_error_message="This track is listed already.",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["open", "dismissed"], employee__isnull=True
                )
                | models.Q(state__in=["linked", "recognised"], employee__isnull=False),
                name="unknown_att_linked_is_somebody",
                violation_error_message="Say who it was, or that it is no employee.",
            ),
        ]

    def __str__(self) -> str:
        return f"Unknown face {self.pk}"
