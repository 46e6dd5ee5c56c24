"""Create the scheduled jobs that are missing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from factory_site import schedules


class Command(BaseCommand):
    help = "Create missing scheduled jobs; jobs that exist are left as they are."

    def handle(self, **_: Any) -> None:
        created = schedules.sync()
        self.stdout.write(f"Scheduled: {', '.join(created) or 'nothing new'}.")
