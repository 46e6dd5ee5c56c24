"""Bring the database up to date; run at each deploy, before the processes start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Migrate, create missing scheduled jobs and alert rules, bring the role groups "
        "in line; in production collect the static files."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--skip-static",
            action="store_true",
            help="The static files are collected already, as in the image.",
        )

    def handle(self, *, skip_static: bool, **_: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
        call_command("sync_roles", stdout=self.stdout)
        call_command("sync_schedules", stdout=self.stdout)
        call_command("sync_alert_rules", stdout=self.stdout)
        if settings.PRODUCTION and not skip_static:
            call_command("collectstatic", interactive=False, stdout=self.stdout)
