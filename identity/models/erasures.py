"""What was removed when a person was erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from .people import Employee

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        return self.filter(employee__in=Employee.objects.visible_to(user))

    def unfinished(self) -> Self:
        return self.exclude(remaining={})


class Erasure(models.Model):
    """The certificate of an erasure: counts, and nothing that names the person."""

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="erasures")
    erased_at = models.DateTimeField()
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    removed = models.JSONField()
    """What was removed: kind to number, such as {"photos": 3}."""
    remaining = models.JSONField(default=dict, editable=False)
    """What could not be removed yet, by name: {"files": [...], "remote_faces": [...]}.

    A job tries again until this is empty.
    """

    objects = ErasureQuerySet.as_manager()

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def is_complete(self) -> bool:
        return not self.remaining
