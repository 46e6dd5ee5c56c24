"""The vehicles that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q, Value
from simple_history.models import HistoricalRecords

from identity.models import Employee
from identity.models.people import OfSite
from streaming.models import Site
from vehicles.formats import DIGITS, LENGTH_MAX, LETTERS, confusion_key, normalise
from vehicles.rules import Reason, Registered, Status
from vehicles.rules import Standing as PlainStanding

if TYPE_CHECKING:
    from datetime import datetime


BLOCK_FIELDS: Final = ("site", "plate_number", "status", "reason")
"""What a block is made of: of a blocked vehicle it is changed by unblocking alone."""


def check_plate(text: str) -> None:
    """Refuse what is no plate as the register writes them."""
    if not text or normalise(text) != text or len(text) > LENGTH_MAX:
        raise ValidationError(
            f"Write 1 to {LENGTH_MAX} capitals and digits without spaces: MH12AB1234."
        )


class VehicleQuerySet(OfSite["Vehicle"]):
    def blocked(self) -> Self:
        return self.filter(status=Vehicle.Status.BLOCKED)

    def blocked_like(self, plate: str, *, is_sure: bool) -> Self:
        """Keep the blocked ones that a plate may be, misread, by plate.

        The one of exactly this plate is among them only where the plate is not sure.
        """
        alike = self.blocked().filter(confusion_key=confusion_key(plate))
        if is_sure:
            alike = alike.exclude(plate_number=plate)
        return alike.order_by("plate_number")

    def bearing(self, plate: str, *, site_id: int) -> Vehicle | None:
        """Return the one of exactly this plate, with who drives it."""
        rows = self.select_related("employee", "site")
        return rows.filter(site=site_id, plate_number=plate).first()

    def possible_match(
        self, plate: str, *, site_id: int, status: str
    ) -> Vehicle | None:
        """Return the blocked one that it may be: misread, or read but not surely.

        `status` is what was decided of it.
        """
        if not plate or status == Status.BLOCKED:
            return None
        is_sure = status != Status.REJECTED
        return self.filter(site=site_id).blocked_like(plate, is_sure=is_sure).first()

    def valid_at(self, at: datetime) -> Self:
        """Keep those whose dates have begun and are not over."""
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=at),
            Q(valid_until=None) | Q(valid_until__gt=at),
        )


class Vehicle(models.Model):
    """A vehicle that may drive in, or may not."""

    class Status(models.TextChoices):
        AUTHORIZED = PlainStanding.AUTHORIZED.value, "Authorized"
        BLOCKED = PlainStanding.BLOCKED.value, "Blocked"
        VISITOR = PlainStanding.VISITOR.value, "Visitor"

    class Type(models.TextChoices):
        CAR = "car", "Car"
        MOTORCYCLE = "motorcycle", "Motorcycle"
        BUS = "bus", "Bus"
        TRUCK = "truck", "Truck"
        OTHER = "other", "Other"

    site = models.ForeignKey(Site, models.PROTECT, related_name="vehicles")
    plate_number = models.CharField(
        "plate",
        max_length=LENGTH_MAX,
        validators=[check_plate],
        help_text="Capitals and digits without spaces, such as MH12AB1234.",
    )
    confusion_key = models.GeneratedField(
        expression=Func(
            F("plate_number"), Value(LETTERS), Value(DIGITS), function="translate"
        ),
        output_field=models.CharField(max_length=LENGTH_MAX),
        db_persist=True,
    )
    """What plates share that readers may take for one another."""
    vehicle_type = models.CharField(
        "type", max_length=10, choices=Type, default=Type.CAR
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.AUTHORIZED)
    reason = models.TextField(
        blank=True, help_text="Why it is blocked, or whom a visitor comes to see."
    )
    owner = models.CharField(
        max_length=150, blank=True, help_text="A name or a firm, for those not of here."
    )
    employee = models.ForeignKey(
        Employee,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="vehicles",
        help_text="Who drives it, if they work here.",
    )
    valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Empty: at once."
    )
    valid_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The first moment at which it may no longer drive in. Empty: until "
        "further notice. A blocked vehicle is blocked whatever its dates.",
    )
    notes = models.TextField(blank=True)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VehicleQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["confusion_key"])

    class Meta:
        permissions = [("block_vehicle", "Can block and unblock a vehicle")]
        indexes = [
            # A plate that may be a blocked one, misread.
            models.Index(
                fields=["site", "confusion_key"],
                name="vehicle_blocked_like",
                condition=Q(status="blocked"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "plate_number"],
                name="vehicle_plate_once",
                violation_error_message="This site has a vehicle of that plate.",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gt=F("valid_from")),
                name="vehicle_validity_order",
                violation_error_message="It is valid until before it is valid.",
            ),
            models.CheckConstraint(
                condition=~Q(status="blocked") | ~Q(reason=""),
                name="vehicle_blocked_why",
                violation_error_message="Say why it is blocked.",
            ),
        ]

    def __str__(self) -> str:
        return self.plate_number

    def clean(self) -> None:
        """Refuse an employee of another site, and a visitor without an end."""
        if self.employee and self.employee.site_id != self.site_id:
            sentence = f"{self.employee.code} works at another site."
            raise ValidationError({"employee": sentence})
        if self.status == Vehicle.Status.VISITOR and self.valid_until is None:
            sentence = "A visitor's pass ends: say until when it may drive in."
            raise ValidationError({"valid_until": sentence})

    @property
    def registered(self) -> Registered:
        """The vehicle as the rules take it; of a row with `employee`."""
        return Registered(
            plate=self.plate_number,
            standing=PlainStanding(self.status),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            kept_out=_kept_out(self.employee),
        )


def _kept_out(driver: Employee | None) -> Reason | None:
    """Return why somebody may not enter; None where they may."""
    if driver is None or driver.may_enter:
        return None
    is_inactive = driver.status == Employee.Status.INACTIVE
    return Reason.DRIVER_INACTIVE if is_inactive else Reason.DRIVER_REFUSED
