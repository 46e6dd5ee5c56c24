"""The people who log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from streaming.models import Site

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the logins that share a site with the user; a superuser sees all."""
        if user.is_active and getattr(user, "is_superuser", False):
            return self
        return self.filter(sites__in=Site.objects.visible_to(user)).distinct()


class LoginManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Django's user manager with our queryset; named, because migrations name it."""


class User(AbstractUser):
    """A login, with the sites it may see. Its groups are its roles."""

    sites = models.ManyToManyField(
        Site,
        blank=True,
        related_name="users",
        help_text="Only these sites are shown. Superusers see all.",
    )

    objects: ClassVar[LoginManager] = LoginManager()
