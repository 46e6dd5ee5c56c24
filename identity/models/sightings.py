"""Who was seen at a camera, known or not."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from pgvector.django import VectorField
from simple_history.models import HistoricalRecords

from streaming.models import Camera, SeenByCamera, Site

from .people import Employee, OfSite
from .vectors import DIMENSIONS, unit_index


class UnknownPersonQuerySet(OfSite["UnknownPerson"]):
    def strangers(self) -> Self:
        """Keep those of whom nobody said who they are."""
        return self.filter(employee=None)


class UnknownPerson(models.Model):
    """A stranger who was seen once or more: sightings alike enough to be one person."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="unknown_persons")
    embedding = VectorField(dimensions=DIMENSIONS)
    """Mean of the sightings' vectors, of unit length."""
    face_model = models.CharField(max_length=80)
    sightings = models.PositiveIntegerField(default=1)
    """Visits so far, of which `access_logs` may no longer have all."""
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    notes = models.TextField(blank=True)
    employee = models.ForeignKey(
        Employee, models.PROTECT, null=True, blank=True, related_name="once_unknown"
    )
    """Who it turned out to be."""
    promoted_at = models.DateTimeField(null=True, editable=False)
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    objects = UnknownPersonQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["embedding", "sightings", "last_seen_at"]
    )

    class Meta:
        indexes = [
            unit_index("embedding", name="unknown_person_nearest"),
            # The register, those seen last first.
            models.Index(
                fields=["site", "-last_seen_at", "-id"], name="unknown_person_recent"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(employee=None, promoted_at=None)
                | models.Q(employee__isnull=False, promoted_at__isnull=False),
                name="unknown_person_promoted_when",
                violation_error_message="Use 'this is ...' to say who it is.",
            )
        ]

    def __str__(self) -> str:
        return f"Stranger {self.pk}"


class AccessLogQuerySet(SeenByCamera["AccessLog"]):
    def with_names(self) -> Self:
        """Load with each row what its public shape names; no vector, no secret."""
        named = self.select_related("camera__site", "employee", "unknown_person")
        vectors = ("embedding", "unknown_person__embedding")
        # Decrypting them takes longer than all the rest.
        addresses = ("camera__source_url", "camera__sub_stream_url")
        return named.defer(*vectors, *addresses)

    def with_snapshot(self) -> Self:
        return self.exclude(snapshot="")


class AccessLog(models.Model):
    """One visit of one person to one camera, recognised or not."""

    class Decision(models.TextChoices):
        AUTHORIZED = "authorized", "Authorized"
        UNAUTHORIZED = "unauthorized", "Refused"
        UNKNOWN = "unknown", "Unknown"
        AMBIGUOUS = "ambiguous", "Ambiguous"

    event_id = models.UUIDField(unique=True)
    camera = models.ForeignKey(Camera, models.PROTECT, related_name="access_logs")
    employee = models.ForeignKey(
        Employee, models.PROTECT, null=True, related_name="access_logs"
    )
    unknown_person = models.ForeignKey(
        UnknownPerson, models.SET_NULL, null=True, related_name="access_logs"
    )
    decision = models.CharField(max_length=12, choices=Decision)
    """What was decided at the time, whoever it turned out to be later."""
    similarity = models.FloatField(null=True)
    """To the best match, on the scale of `engine`; empty where nobody was enrolled."""
    runner_up = models.FloatField(null=True)
    """Similarity to the next best person."""
    threshold = models.FloatField()
    margin = models.FloatField()
    engine = models.CharField(max_length=100)
    """Which engine answered: `local`, by `face_model`, or `rekognition`."""
    votes = models.PositiveSmallIntegerField(default=1)
    """How many faces of the visit were compared."""
    session = models.CharField(max_length=64)
    track_id = models.PositiveBigIntegerField()
    direction = models.CharField(
        max_length=5, choices=Camera.Direction, default=Camera.Direction.NONE
    )
    x = models.FloatField()
    y = models.FloatField()
    """Where in the picture the person stood, 0..1 from the upper left."""
    embedding = VectorField(dimensions=DIMENSIONS, null=True)
    """Of the visit's best face; emptied when the person is erased."""
    face_model = models.CharField(max_length=80)
    quality = models.FloatField()
    """Of the visit's best face, 0..1."""
    snapshot = models.FileField(max_length=200, blank=True)
    snapshot_bytes = models.PositiveIntegerField(default=0)
    flagged = models.BooleanField(default=False)
    notes = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    """When the same person was still seen on the same track."""
    recorded_at = models.DateTimeField(auto_now_add=True)
    linked_at = models.DateTimeField(null=True)
    """When a person said who it was; the decision stays as it was."""
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = AccessLogQuerySet.as_manager()

    class Meta:
        indexes = [
            unit_index("embedding", name="access_log_nearest"),
            models.Index(
                fields=["camera", "-occurred_at", "-id"], name="access_log_camera"
            ),
            models.Index(
                fields=["employee", "-occurred_at", "-id"], name="access_log_employee"
            ),
            models.Index(
                fields=["unknown_person", "-occurred_at", "-id"],
                name="access_log_unknown",
            ),
            models.Index(fields=["-occurred_at", "-id"], name="access_log_newest"),
            # The visit that a later face of the same track belongs to.
            models.Index(fields=["session", "track_id"], name="access_log_track"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decision__in=["unknown", "ambiguous"])
                | models.Q(employee__isnull=False),
                name="access_log_recognised_is_somebody",
                violation_error_message="A person who was recognised has a name.",
            ),
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=models.F("occurred_at")),
                name="access_log_ends_after_start",
                violation_error_message="A visit ends after it began.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.decision} {self.occurred_at:%Y-%m-%d %H:%M:%S}"
