"""The people who log in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from streaming.models import Site


class User(AbstractUser):
    """A login, with the sites it may see. Its groups are its roles."""

    sites = models.ManyToManyField(
        Site,
        blank=True,
        related_name="users",
        help_text="Only these sites are shown. Superusers see all.",
    )
