"""Remove the old pictures of visits."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from identity import snapshots

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Remove the pictures of visits that are older than SNAPSHOT_DAYS, and pictures "
        "that no visit has. The visits themselves stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than-days",
            type=days_argument,
            default=settings.SNAPSHOT_DAYS,
            metavar="DAYS",
            help="instead of SNAPSHOT_DAYS",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be removed"
        )

    def handle(self, *, older_than_days: int, dry_run: bool, **_: Any) -> str:
        freed = snapshots.clean_up(
            older_than=timedelta(days=older_than_days),
            now=timezone.now(),
            dry_run=dry_run,
        )
        verb = "Would remove" if dry_run else "Removed"
        return (
            f"{verb} {freed.files} pictures, {filesizeformat(freed.bytes)}, of "
            f"{freed.rows} visits; {freed.missing} were gone already, {freed.orphans} "
            f"belonged to no visit, {freed.failed} could not be removed."
        )


def days_argument(text: str) -> int:
    """Parse a number of whole days; raise ArgumentTypeError."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"'{text}' is no number of days from 1.")
    return int(text)
