"""Say how a day of an employee came about."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from attendance.explanations import explain_day
from identity.models import Employee

if TYPE_CHECKING:
    from argparse import ArgumentParser


def date_argument(text: str) -> date:
    """Return a date that has some before and after it."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1900 <= found.year <= 9000:
        raise ArgumentTypeError(f"{text} is no date. Use one like 2026-03-02.")
    return found


class Command(BaseCommand):
    help = (
        "Say how a day of an employee came about: what was planned, all that was seen "
        "and what it was counted as, and the rule that decided. Stores nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--employee", required=True, metavar="CODE", help="such as E-104"
        )
        parser.add_argument(
            "--date",
            required=True,
            type=date_argument,
            metavar="YYYY-MM-DD",
            help="the site's date; a night belongs to the one on which it starts",
        )

    def handle(self, *, employee: str, date: date, **_: Any) -> str:
        rows = Employee.objects.select_related("site")
        person = rows.filter(code=employee).first()
        if person is None:
            raise CommandError(f"Nobody has the code {employee}.")
        told = explain_day(employee=person, on=date, now=timezone.now())
        title = f"{person}, {date:%A} {date}, times of {person.site.time_zone}"
        return "\n".join([title, *told.lines])
