"""Who works at a site, and the photos by which each is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from pgvector.django import VectorField
from simple_history.models import HistoricalRecords

from streaming.models import Site

from .vectors import DIMENSIONS, unit_index

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

PHOTOS_MAX: Final = 10
"""Photos of one person; a search for the best two people asks for more than these."""


ModelT = TypeVar("ModelT", bound=models.Model)


class OfSite(models.QuerySet[ModelT]):
    """Rows that belong to a site directly."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the rows of the sites that the user sees."""
        return self.filter(site__in=Site.objects.visible_to(user))


class DepartmentQuerySet(OfSite["Department"]):
    pass


class Department(models.Model):
    """A part of a site's staff."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="departments")
    name = models.CharField(max_length=100)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="department_name_once",
                violation_error_message="This site has a department of that name.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class EmployeeQuerySet(OfSite["Employee"]):
    def active(self) -> Self:
        return self.filter(status=Employee.Status.ACTIVE)

    def present(self) -> Self:
        """Leave out those that were erased."""
        return self.filter(erased_at=None)

    def with_photo_count(self) -> Self:
        """Give each row `photo_count`."""
        return self.annotate(photo_count=models.Count("faces"))


class Employee(models.Model):
    """Somebody who works at a site."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"

    site = models.ForeignKey(
        Site,
        models.PROTECT,
        related_name="employees",
        help_text="Where they work. They are recognised at this site's cameras only.",
    )
    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Z0-9][A-Z0-9-]*$", "Use capitals, digits and dashes: E-104."
            )
        ],
        help_text="The payroll number, such as E-104. Never given to anybody else.",
    )
    name = models.CharField(max_length=150)
    email = models.EmailField(unique=True, null=True, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="employees"
    )
    status = models.CharField(
        max_length=8,
        choices=Status,
        default=Status.ACTIVE,
        help_text="Somebody who left is inactive: their history stays, and at a camera "
        "they are refused.",
    )
    is_authorized = models.BooleanField(
        "may enter",
        default=True,
        help_text="Untick to refuse somebody who still works here.",
    )
    notes = models.TextField(blank=True)
    enrolled_at = models.DateTimeField(null=True, editable=False)
    """When the first photo was taken; empty while there is none."""
    last_seen_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, editable=False)
    """Since then this row stands for a person of whom nothing is known any more."""

    objects = EmployeeQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["last_seen_at", "enrolled_at"])

    class Meta:
        permissions = [("erase_employee", "Can erase a person for good")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(erased_at=None) | models.Q(status="inactive"),
                name="employee_erased_is_inactive",
                violation_error_message="Somebody who was erased stays inactive.",
            )
        ]
        indexes = [
            # The list of people by site, and who is still known.
            models.Index(fields=["site", "code"], name="employee_site_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def clean(self) -> None:
        """Refuse a department of another site, and a move that takes photos along.

        Photos were compared with the people of their site, and a remote engine has them
        in the collection of that site.
        """
        if self.department and self.department.site_id != self.site_id:
            sentence = f"{self.department} is a department of another site."
            raise ValidationError({"department": sentence})
        if self.pk and self.faces.exclude(employee__site=self.site_id).exists():
            sentence = (
                "There are photos of them, which are of the site where they work now. "
                "Remove these, move the person, then take new ones."
            )
            raise ValidationError({"site": sentence})

    @property
    def may_enter(self) -> bool:
        """Whether a camera that recognises them lets them pass."""
        return self.status == self.Status.ACTIVE and self.is_authorized


class FaceSampleQuerySet(models.QuerySet["FaceSample"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the photos of employees that the user sees."""
        return self.filter(employee__in=Employee.objects.visible_to(user))

    def of_model(self, name: str) -> Self:
        """Keep those whose vector the face model of this name made."""
        return self.filter(face_model=name)

    def remote(self) -> Self:
        """Keep those that are in a remote collection too."""
        return self.exclude(external_face_id="")


class FaceSample(models.Model):
    """One photo by which an employee is known, with its vector."""

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="faces")
    image = models.FileField(max_length=200)
    """The face and what is around it, as JPEG; its name tells of nobody."""
    embedding = VectorField(dimensions=DIMENSIONS)
    """Unit length, made by `face_model`."""
    face_model = models.CharField(max_length=80)
    """Name and version of the face model; vectors of two models never meet."""
    quality = models.FloatField()
    """0..1, see identity/quality.py."""
    height_px = models.PositiveIntegerField()
    external_face_id = models.CharField(max_length=100, blank=True)
    """The face's id in the remote collection; empty while it is not there."""
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = FaceSampleQuerySet.as_manager()

    class Meta:
        verbose_name = "photo"
        indexes = [
            unit_index("embedding", name="face_sample_nearest"),
            # A remote match is told by its id.
            models.Index(fields=["external_face_id"], name="face_sample_external"),
        ]

    def __str__(self) -> str:
        return f"photo {self.pk}"
