"""Sites and their cameras."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self, TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce, Greatest, Least, Now
from django.utils.timezone import localtime

from .fields import EncryptedTextField, Unreadable
from .vision.addresses import UnsupportedSource, parse_source, redact
from .vision.trouble import PHRASES, Cause

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

RowT = TypeVar("RowT", bound=models.Model)
STILL_AFTER = timedelta(seconds=20)
CAUSES = [(cause.value, phrase) for cause, phrase in PHRASES.items()]


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


def people_only() -> list[str]:
    return [Camera.Task.PEOPLE.value]


def check_tasks(tasks: object) -> None:
    known = Camera.Task.values
    if not isinstance(tasks, list) or any(task not in known for task in tasks):
        raise ValidationError(f"Tasks are a list of some of: {', '.join(known)}.")
    if Camera.Task.ATTENDANCE in tasks and Camera.Task.FACES not in tasks:
        raise ValidationError(
            "Attendance is kept by faces: have people recognised by their faces "
            "(faces) too."
        )


def check_source_url(url: str) -> None:
    try:
        parse_source(url)
    except UnsupportedSource as error:
        raise ValidationError(str(error)) from error


def shown(url: str) -> str:
    """Return an address without its password; empty when it cannot be decrypted."""
    return "" if isinstance(url, Unreadable) else redact(url)


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
        UNUSABLE = "unusable", "No usable picture"
        ENDED = "ended", "Recording ended"

    class Task(models.TextChoices):
        """What is looked for in its pictures."""

        PEOPLE = "people", "Count people over lines"
        FACES = "faces", "Recognise people by their faces"
        ATTENDANCE = "attendance", "Keep attendance by the faces"
        PLATES = "plates", "Read number plates"

    class Place(models.TextChoices):
        """Where it looks, most important first: a busy worker sheds from the end."""

        GATE = "gate", "Gate or door"
        HALL = "hall", "Hall or room"
        YARD = "yard", "Yard or fence"

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
    sub_stream_url = EncryptedTextField(
        "sub-stream",
        blank=True,
        validators=[check_source_url],
        help_text="A smaller stream of the same camera, such as "
        "rtsp://user:password@10.0.0.5/stream2. Where it is given people are looked "
        "for in it, and the main one is read only while somebody watches. Stored "
        "encrypted.",
    )
    loop = models.BooleanField(
        default=False, help_text="Play a recording again and again."
    )
    direction = models.CharField(
        max_length=5, choices=Direction, default=Direction.NONE
    )
    place = models.CharField(
        max_length=4,
        choices=Place,
        default=Place.HALL,
        help_text="When a vision worker has too much to do, yards are looked at less "
        "often first, gates last.",
    )
    tasks = models.JSONField(
        default=people_only,
        blank=True,
        validators=[check_tasks],
        help_text="Faces are looked for in the main stream, whose pictures are large "
        "enough, also where a sub-stream is given.",
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
    state_cause = models.CharField(
        max_length=20, choices=CAUSES, blank=True, editable=False
    )
    state_reason = models.TextField(blank=True, editable=False)
    last_frame_at = models.DateTimeField(null=True, editable=False)

    lease_holder = models.CharField(max_length=100, blank=True, editable=False)
    """Name of the vision worker that runs it, as long as `lease_until` is to come."""
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_term = models.PositiveBigIntegerField(default=0, editable=False)
    """Counts the holders: an event born under an earlier term may be a double."""

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
        is_out = self.state in {self.State.OFFLINE, self.State.UNUSABLE}
        return self.enabled and (is_out or self.stands_still(now=now))

    def holder(self, *, now: datetime) -> str:
        """Return the name of the vision worker that runs it; empty when none does."""
        is_held = self.lease_until is not None and self.lease_until > now
        return self.lease_holder if is_held else ""

    @property
    def shown_source(self) -> str:
        """The source without its password; empty when it cannot be decrypted."""
        return shown(self.source_url)


class OfCamera(models.QuerySet[RowT]):
    """Rows that belong to a camera."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the rows of cameras that the user sees."""
        return self.filter(camera__in=Camera.objects.visible_to(user))


class SeenByCamera(OfCamera[RowT]):
    """Rows of what a camera saw, at `occurred_at`."""

    def newest_first(self) -> Self:
        return self.order_by("-occurred_at", "-id")

    def between(self, start: datetime, end: datetime) -> Self:
        """Keep what happened, or began, in [start, end)."""
        return self.filter(occurred_at__gte=start, occurred_at__lt=end)


class CameraOutageQuerySet(OfCamera["CameraOutage"]):
    def open(self) -> Self:
        return self.filter(ended_at=None)

    def between(self, start: datetime, end: datetime) -> Self:
        """Keep those that lie at least partly in [start, end)."""
        is_over = models.Q(ended_at__lte=start)
        return self.filter(started_at__lt=end).exclude(is_over)

    def newest_first(self) -> Self:
        return self.order_by("-started_at", "-id")

    def totals_per_camera(
        self, start: datetime, end: datetime
    ) -> dict[int, tuple[int, timedelta]]:
        """Return how many lie in [start, end), and for how long, by camera id.

        One that is not over lasts until `end`, so `end` is at most now.
        """
        until = Least(Coalesce("ended_at", Value(end)), Value(end))
        total = models.Sum(until - Greatest("started_at", Value(start)))
        rows = self.between(start, end).values("camera_id").order_by()
        found = rows.annotate(count=models.Count("id"), total=total)
        return {row["camera_id"]: (row["count"], row["total"]) for row in found}


class CameraOutage(models.Model):
    """A period [started_at, ended_at) in which a camera gave no usable picture."""

    # Of a camera that may be deleted nothing was recorded: an outage proves nothing.
    camera = models.ForeignKey(Camera, models.CASCADE, related_name="outages")
    cause = models.CharField(max_length=20, choices=CAUSES)
    """The first one; what it turned into is in the log."""
    reason = models.TextField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = CameraOutageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["camera", "-started_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["camera"],
                condition=models.Q(ended_at=None),
                name="camera_one_open_outage",
                violation_error_message="The camera's last outage is not over yet.",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__gte=models.F("started_at")),
                name="outage_ends_after_start",
                violation_error_message="An outage ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {Cause(self.cause).phrase}"

    def lasted(self, *, now: datetime) -> timedelta:
        """Return how long it lasted, up to `now` when it is not over."""
        return (self.ended_at or now) - self.started_at


class VisionWorkerQuerySet(models.QuerySet["VisionWorker"]):
    def alive(self, *, lease: timedelta) -> Self:
        """Keep those that renewed within `lease`, by Postgres' own clock."""
        return self.filter(seen_at__gt=Now() - lease)


class VisionWorker(models.Model):
    """A vision worker that takes cameras; all instants are by Postgres' clock."""

    name = models.CharField(max_length=100, unique=True)
    queue_id = models.CharField(max_length=32)
    """Tells it from another of its name: of its event queue, which one process has."""
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    pinned = models.JSONField(default=list)
    """Codes of the only cameras it runs; empty: any."""

    objects = VisionWorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
