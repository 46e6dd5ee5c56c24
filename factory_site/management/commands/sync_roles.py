"""Bring the role groups in line with factory_site/roles.py."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from factory_site import roles


class Command(BaseCommand):
    help = "Create the role groups and give each exactly its permissions."

    def handle(self, **_: Any) -> None:
        roles.sync()
        self.stdout.write(f"Roles: {', '.join(roles.ROLES)}.")
