"""Create the alert rules that every site should have."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from alerts import default_rules


class Command(BaseCommand):
    help = "Create missing alert rules; rules that exist are left as they are."

    def handle(self, **_: Any) -> None:
        created = default_rules.sync()
        self.stdout.write(f"Alert rules: {', '.join(created) or 'nothing new'}.")
