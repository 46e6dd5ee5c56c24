"""Sites and their cameras."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.timezone import localtime

from .fields import EncryptedTextField, Unreadable
from .vision.addresses import UnsupportedSource, parse_source, redact

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

STILL_AFTER = timedelta(seconds=60)


def check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError("Not a time zone. Use one like Asia/Kolkata.") from None


class SiteQuerySet(models.QuerySet["Site"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the sites that the user is assigned to; a superuser sees all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if getattr(user, "is_superuser", False):
            return self
        return self.filter(users=user.pk)


class Site(models.Model):
    """One plant."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(
        unique=True, help_text="Short and unique, for other systems: main-plant."
    )
    time_zone = models.CharField(
        max_length=50,
        default="Asia/Kolkata",
        validators=[check_time_zone],
        help_text="IANA name, such as Asia/Kolkata. Days and hours are counted in it.",
    )

    objects = SiteQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def local(self, at: datetime) -> datetime:
        """Return the instant in the site's own time."""
        return localtime(at, ZoneInfo(self.time_zone))


def check_source_url(url: str) -> None:
    try:
        parse_source(url)
    except UnsupportedSource as error:
        raise ValidationError(str(error)) from error


class CameraQuerySet(models.QuerySet["Camera"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the cameras of the sites that the user sees."""
        return self.filter(site__in=Site.objects.visible_to(user))

    def enabled(self) -> Self:
        return self.filter(enabled=True)


class Camera(models.Model):
    """One camera of a site, or a recording played as one."""

    class Direction(models.TextChoices):
        ENTRY = "entry", "Entry"
        EXIT = "exit", "Exit"
        BOTH = "both", "Both ways"
        NONE = "none", "Neither"

    class State(models.TextChoices):
        UNKNOWN = "unknown", "Not started"
        ONLINE = "online", "Online"
        OFFLINE = "offline", "Offline"
        ENDED = "ended", "Recording ended"

    site = models.ForeignKey(Site, models.PROTECT, related_name="cameras")
    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Z0-9][A-Z0-9-]*$", "Use capitals, digits and dashes: CAM-MAIN."
            )
        ],
        help_text="Short and unique, such as CAM-MAIN. Commands and the API use it.",
    )
    name = models.CharField(max_length=100, help_text="What people call it: Gate 1.")
    source_url = EncryptedTextField(
        "source",
        validators=[check_source_url],
        help_text="rtsp://user:password@10.0.0.5/stream1, an http:// MJPEG address, "
        "the path of a recording, or usb:0. Stored encrypted.",
    )
    loop = models.BooleanField(
        default=False, help_text="Play a recording again and again."
    )
    direction = models.CharField(
        max_length=5, choices=Direction, default=Direction.NONE
    )
    detect_fps = models.FloatField(
        "pictures analysed per second",
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text="10 suits people walking. Below 7, crossings are missed.",
    )
    enabled = models.BooleanField(default=True)

    state = models.CharField(
        max_length=8, choices=State, default=State.UNKNOWN, editable=False
    )
    state_since = models.DateTimeField(null=True, editable=False)
    state_reason = models.TextField(blank=True, editable=False)
    last_frame_at = models.DateTimeField(null=True, editable=False)

    objects = CameraQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(detect_fps__gte=1, detect_fps__lte=60),
                name="camera_detect_fps_range",
                violation_error_message="Analyse between 1 and 60 pictures a second.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def stands_still(self, *, now: datetime) -> bool:
        """Whether it is said to be online but its pictures, and so its worker, stopped.

        The worker tells of pictures several times a minute.
        """
        last = self.last_frame_at
        is_online = self.state == self.State.ONLINE
        return is_online and last is not None and now - last > STILL_AFTER

    def is_out(self, *, now: datetime) -> bool:
        """Whether it gives no picture though it should."""
        is_offline = self.state == self.State.OFFLINE
        return self.enabled and (is_offline or self.stands_still(now=now))

    @property
    def shown_source(self) -> str:
        """The source without its password; empty when it cannot be decrypted."""
        source = self.source_url
        return "" if isinstance(source, Unreadable) else redact(source)
