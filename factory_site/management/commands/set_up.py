"""Bring the database up to date; run at each deploy, before the processes start."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate, create missing scheduled jobs, bring the role groups in line."

    def handle(self, **_: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
        call_command("sync_roles", stdout=self.stdout)
        call_command("sync_schedules", stdout=self.stdout)
