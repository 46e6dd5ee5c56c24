"""Every vehicle that came to a gate, and every time a barrier was told to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from streaming.models import Camera, SeenByCamera, Site
from vehicles.rules import Reason as PlainReason
from vehicles.rules import Status as PlainStatus

from .gates import Gate
from .register import Vehicle

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class VehicleLogQuerySet(SeenByCamera["VehicleLog"]):
    def rejected(self) -> Self:
        return self.filter(status=VehicleLog.Status.REJECTED)

    def with_names(self) -> Self:
        """Load with each row what its public shape names; no secret."""
        named = self.select_related(
            "camera__site",
            "gate",
            "vehicle__employee",
            "possible_match",
            "named_by",
            "denied_by",
        )
        return named.defer(
            "camera__source_url", "camera__sub_stream_url", "gate__address"
        )

    def with_calls(self) -> Self:
        """Load with each row how often its barrier was told, the newest call first."""
        calls = BarrierCall.objects.newest_first().select_related("asked_by")
        return self.prefetch_related(models.Prefetch("barrier_calls", calls))


class VehicleLog(models.Model):
    """One visit of one vehicle to one gate."""

    class Status(models.TextChoices):
        AUTHORIZED = PlainStatus.AUTHORIZED.value, "Authorized"
        BLOCKED = PlainStatus.BLOCKED.value, "Blocked"
        UNKNOWN = PlainStatus.UNKNOWN.value, "Unknown"
        REJECTED = PlainStatus.REJECTED.value, "Not read"

    class Reason(models.TextChoices):
        LISTED = PlainReason.LISTED.value, "Registered"
        VISITOR = PlainReason.VISITOR.value, "Visitor"
        BLOCKED = PlainReason.BLOCKED.value, "Blocked"
        UNLISTED = PlainReason.UNLISTED.value, "Not registered"
        EXPIRED = PlainReason.EXPIRED.value, "No longer valid"
        NOT_YET_VALID = PlainReason.NOT_YET_VALID.value, "Not valid yet"
        LOW_CONFIDENCE = PlainReason.LOW_CONFIDENCE.value, "A character is not sure"
        BAD_FORMAT = PlainReason.BAD_FORMAT.value, "No plate of a known format"
        NO_CONSENSUS = PlainReason.NO_CONSENSUS.value, "No two reads agree"
        NO_PLATE = PlainReason.NO_PLATE.value, "No plate was read"
        DRIVER_INACTIVE = PlainReason.DRIVER_INACTIVE.value, "Driver is inactive"
        DRIVER_REFUSED = PlainReason.DRIVER_REFUSED.value, "Driver may not enter"

    class Progress(models.TextChoices):
        STORED = "stored", "Stored"
        TOLD = "told", "Alerts raised"
        DONE = "done", "Alerts raised and pictures stored"

    event_id = models.UUIDField(unique=True)
    """Of the first event of the visit."""
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="vehicle_logs")
    gate = models.ForeignKey(
        Gate, models.SET_NULL, null=True, related_name="vehicle_logs"
    )
    vehicle = models.ForeignKey(
        Vehicle, models.SET_NULL, null=True, related_name="vehicle_logs"
    )
    """The registered one of exactly this plate."""
    plate_number = models.CharField("plate", max_length=20, blank=True)
    """After the format; empty where nothing was read."""
    as_read = models.CharField(max_length=20, blank=True)
    """What the deciding read said before the format."""
    reads = models.JSONField(default=list)
    """[{"frame": 12, "text": "MH12AB1234", "confidences": [0.98, ...]}, ...]"""
    agreeing = models.PositiveSmallIntegerField(default=0)
    ocr_confidence = models.FloatField(default=0)
    """Of the worst character of the deciding read, 0..1."""
    threshold = models.FloatField()
    reader = models.CharField(max_length=40, blank=True)
    vehicle_type = models.CharField(max_length=10, choices=Vehicle.Type)
    status = models.CharField(max_length=10, choices=Status)
    reason = models.CharField(max_length=20, choices=Reason)
    opens = models.BooleanField(default=False)
    """Whether the gate was to open by itself."""
    possible_match = models.ForeignKey(
        Vehicle, models.SET_NULL, null=True, related_name="+"
    )
    """A blocked vehicle that it may be, misread."""
    session = models.CharField(max_length=64)
    track_id = models.PositiveBigIntegerField()
    direction = models.CharField(
        max_length=5, choices=Camera.Direction, default=Camera.Direction.NONE
    )
    x = models.FloatField()
    y = models.FloatField()
    """Where in the picture the vehicle stood, 0..1 from the upper left."""
    snapshot = models.FileField(max_length=200, blank=True)
    plate_snapshot = models.FileField(max_length=200, blank=True)
    snapshot_bytes = models.PositiveIntegerField(default=0)
    occurred_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Who said which plate it was where the gate could not tell."""
    named_at = models.DateTimeField(null=True)
    denied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Who refused it: no rule opens for it any more."""
    denied_at = models.DateTimeField(null=True)
    denied_reason = models.TextField(blank=True)
    progress = models.CharField(
        max_length=6, choices=Progress, default=Progress.DONE, editable=False
    )
    """How far a worker came with what follows from it."""
    notes = models.TextField(blank=True)

    objects = VehicleLogQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["camera", "-occurred_at", "-id"], name="vehicle_log_camera"
            ),
            models.Index(
                fields=["gate", "-occurred_at", "-id"], name="vehicle_log_gate"
            ),
            models.Index(
                fields=["vehicle", "-occurred_at", "-id"], name="vehicle_log_vehicle"
            ),
            models.Index(fields=["-occurred_at", "-id"], name="vehicle_log_newest"),
            # The visit that a plate goes on with.
            models.Index(
                fields=["gate", "plate_number", "-last_seen_at"],
                name="vehicle_log_visit",
            ),
            # The visit that a later event of the same track belongs to.
            models.Index(
                fields=["camera", "session", "track_id"], name="vehicle_log_track"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # It may have been let in as unknown before somebody named it.
                condition=models.Q(opens=False)
                | ~models.Q(status__in=["blocked", "rejected"])
                | models.Q(named_at__isnull=False),
                name="vehicle_log_never_opens_for",
                violation_error_message="A gate never opens for a vehicle that is "
                "blocked or was not read.",
            ),
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=models.F("occurred_at")),
                name="vehicle_log_ends_after_start",
                violation_error_message="A visit ends after it began.",
            ),
            models.CheckConstraint(
                condition=models.Q(denied_at=None) | ~models.Q(denied_reason=""),
                name="vehicle_log_denied_why",
                violation_error_message="Say why it is refused.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plate_number or 'no plate'} {self.status}"


class BarrierCallQuerySet(models.QuerySet["BarrierCall"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep those of gates that the user sees."""
        return self.filter(gate__site__in=Site.objects.visible_to(user))

    def newest_first(self) -> Self:
        return self.order_by("-asked_at", "-id")


class BarrierCall(models.Model):
    """A barrier was told to open, by the rules or by a person."""

    class Result(models.TextChoices):
        OPENED = "opened", "Opened"
        FAILED = "failed", "Failed"

    gate = models.ForeignKey(Gate, models.PROTECT, related_name="barrier_calls")
    log = models.ForeignKey(
        VehicleLog, models.SET_NULL, null=True, related_name="barrier_calls"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    """Empty where the rules opened it, and where the login is gone."""
    reason = models.TextField(blank=True)
    """Why a person opened it; empty where the rules did."""
    asked_at = models.DateTimeField()
    result = models.CharField(max_length=6, choices=Result)
    answer = models.CharField(max_length=200, blank=True)
    took_ms = models.PositiveIntegerField(default=0)

    objects = BarrierCallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["gate", "-asked_at", "-id"], name="barrier_call_recent"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["log"],
                condition=models.Q(reason=""),
                name="barrier_call_once_by_rules",
                violation_error_message="The gate was told to open for this visit.",
            ),
            models.CheckConstraint(
                condition=models.Q(asked_by=None) | ~models.Q(reason=""),
                name="barrier_call_by_hand_why",
                violation_error_message="Say why the gate is opened.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gate} {self.result}"
