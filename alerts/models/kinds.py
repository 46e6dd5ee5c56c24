"""What may be wrong, how urgent it is, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

from alerts.rules import Kind as PlainKind
from alerts.rules import Severity as PlainSeverity
from streaming.models import Site

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class Kind(models.TextChoices):
    CAMERA_OFFLINE = PlainKind.CAMERA_OFFLINE.value, "Camera offline"
    WORKER_LOST = PlainKind.WORKER_LOST.value, "Vision worker lost"
    DISK_FULL = PlainKind.DISK_FULL.value, "Disk nearly full"
    UNKNOWN_PERSON = PlainKind.UNKNOWN_PERSON.value, "Unknown person at a camera"
    REPEATED_STRANGER = PlainKind.REPEATED_STRANGER.value, "Same stranger again"
    REFUSED_PERSON = PlainKind.REFUSED_PERSON.value, "Person who may not enter"
    ENROLMENT_DIGEST = PlainKind.ENROLMENT_DIGEST.value, "Photos to look after"
    ATTENDANCE_DIGEST = PlainKind.ATTENDANCE_DIGEST.value, "Attendance of the day"
    BLOCKED_VEHICLE = PlainKind.BLOCKED_VEHICLE.value, "Blocked vehicle"
    POSSIBLE_BLOCKED_VEHICLE = (
        PlainKind.POSSIBLE_BLOCKED_VEHICLE.value,
        "Possibly a blocked vehicle",
    )
    UNKNOWN_VEHICLE = PlainKind.UNKNOWN_VEHICLE.value, "Unknown vehicle at a gate"
    BARRIER_FAILED = PlainKind.BARRIER_FAILED.value, "Barrier did not open"
    ZONE_RESTRICTED = PlainKind.ZONE_RESTRICTED.value, "Somebody where nobody may be"
    ZONE_LOITERING = PlainKind.ZONE_LOITERING.value, "Somebody stays too long"
    ZONE_CAPACITY = PlainKind.ZONE_CAPACITY.value, "Too many people in a zone"
    AREA_CAPACITY = PlainKind.AREA_CAPACITY.value, "Too many people in an area"


class Severity(models.TextChoices):
    INFO = PlainSeverity.INFO.value, "Info"
    WARNING = PlainSeverity.WARNING.value, "Warning"
    CRITICAL = PlainSeverity.CRITICAL.value, "Critical"


RowT = TypeVar("RowT", bound=models.Model)


class OfSiteOrWhole(models.QuerySet[RowT]):
    """Rows of one site, or, where the site is empty, of the whole system."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep those of the user's sites and those of the whole system."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        of_whole = models.Q(site=None)
        return self.filter(of_whole | models.Q(site__in=Site.objects.visible_to(user)))
