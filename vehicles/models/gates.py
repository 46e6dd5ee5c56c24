"""Gates, the cameras at them, and which plates a site knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from identity.models.people import OfSite
from streaming.fields import EncryptedTextField, Unreadable
from streaming.models import Camera, OfCamera, Site
from vehicles import formats
from vehicles.drivers import BadAddress, parse_address
from vehicles.formats import INDIA, BadFormat
from vehicles.rules import CONFIDENCE, GatePolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def check_pattern(pattern: str) -> None:
    try:
        _ = formats.Format("", pattern).shapes
    except BadFormat as error:
        raise ValidationError(str(error)) from error


def formats_in_force(of_site: Iterable[PlateFormat]) -> Sequence[formats.Format]:
    """Return those of a site's formats that are enabled, by name, else India's."""
    enabled = [row for row in of_site if row.enabled]
    return [row.format for row in sorted(enabled, key=lambda row: row.name)] or INDIA


class PlateFormatQuerySet(OfSite["PlateFormat"]):
    def of_site(self, site_id: int) -> Sequence[formats.Format]:
        """Return the formats in force at a site: its own, else India's."""
        return formats_in_force(self.filter(site=site_id))


class PlateFormat(models.Model):
    """What plates may look like at a site; without any they are India's."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="plate_formats")
    name = models.CharField(max_length=100, help_text="Such as India, or Dealer plate.")
    pattern = models.CharField(
        max_length=200,
        validators=[check_pattern],
        help_text="Letters, digits, sets and counts, such as [A-Z]{2}[0-9]{2}[A-Z]{1,2}"
        "[0-9]{4}. Where a site has one, only its own count: add India's if wanted.",
    )
    enabled = models.BooleanField(default=True)

    objects = PlateFormatQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="plate_format_name_once",
                violation_error_message="This site has a format of that name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def format(self) -> formats.Format:
        return formats.Format(self.name, self.pattern)


class GateQuerySet(OfSite["Gate"]):
    pass


class Gate(models.Model):
    """Where vehicles drive in or out, with the barrier there."""

    class Driver(models.TextChoices):
        NONE = "none", "No barrier"
        HTTP = "http", "HTTP"
        MQTT = "mqtt", "MQTT"

    site = models.ForeignKey(Site, models.PROTECT, related_name="gates")
    name = models.CharField(max_length=100, help_text="What people call it: Gate 1.")
    driver = models.CharField(
        "barrier", max_length=4, choices=Driver, default=Driver.NONE
    )
    address = EncryptedTextField(
        blank=True,
        help_text="http://user:password@10.0.0.9/open, or mqtt://user:password@10.0.0.9"
        "/gate-1/open: the path is the topic. Stored encrypted.",
    )
    payload = models.CharField(
        max_length=200,
        default="open",
        blank=True,
        help_text="What is sent to the barrier.",
    )
    confidence = models.FloatField(
        default=CONFIDENCE,
        validators=[MinValueValidator(0.5), MaxValueValidator(1)],
        help_text="What every single character of a plate must reach, 0.5 to 1.",
    )
    opens_for_unknown = models.BooleanField(
        default=False, help_text="Open for vehicles that nobody registered."
    )
    opens_for_visitors = models.BooleanField(default=True)
    enabled = models.BooleanField(
        default=True, help_text="Untick to log vehicles and never open by itself."
    )

    objects = GateQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["address"])

    class Meta:
        permissions = [("open_gate", "Can open a gate by hand")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="gate_name_once",
                violation_error_message="This site has a gate of that name.",
            ),
            models.CheckConstraint(
                condition=models.Q(driver="none") | ~models.Q(address=""),
                name="gate_barrier_has_address",
                violation_error_message="Say where the barrier is.",
            ),
            models.CheckConstraint(
                condition=models.Q(confidence__gte=0.5, confidence__lte=1),
                name="gate_confidence_range",
                violation_error_message="Confidence is between 0.5 and 1.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse an address at which no barrier can be told."""
        if not self.address or self.driver == Gate.Driver.NONE:
            return
        if isinstance(self.address, Unreadable):
            return
        try:
            parse_address(self.address, driver=self.driver)
        except BadAddress as error:
            raise ValidationError({"address": str(error)}) from error

    @property
    def policy(self) -> GatePolicy:
        return GatePolicy(
            confidence=self.confidence,
            opens_for_unknown=self.opens_for_unknown,
            opens_for_visitors=self.opens_for_visitors,
        )


class GateCameraQuerySet(OfCamera["GateCamera"]):
    pass


class GateCamera(models.Model):
    """A camera that reads plates at a gate."""

    class Reader(models.TextChoices):
        BEST = "", "The best that can be had"
        SPECIALISED = "fast-plate-ocr", "fast-plate-ocr"
        RAPID = "rapidocr", "rapidocr"
        EASY = "easyocr", "easyocr"

    gate = models.ForeignKey(Gate, models.CASCADE, related_name="gate_cameras")
    camera = models.OneToOneField(Camera, models.CASCADE, related_name="gate_camera")
    reader = models.CharField(
        max_length=20, choices=Reader, default=Reader.BEST, blank=True
    )

    objects = GateCameraQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.gate_id} {self.camera_id}"

    def clean(self) -> None:
        """Refuse a camera of another site, and one that does not read plates."""
        # A gate that is being added with its cameras has no key yet.
        if not (self.camera_id and hasattr(self, "gate")):
            return
        if self.camera.site_id != self.gate.site_id:
            raise ValidationError(
                {"camera": f"{self.camera.code} is a camera of another site."}
            )
        if Camera.Task.PLATES not in self.camera.tasks:
            raise ValidationError(
                {
                    "camera": f"{self.camera.code} does not read plates. Give it the "
                    "task 'Read number plates' first."
                }
            )
