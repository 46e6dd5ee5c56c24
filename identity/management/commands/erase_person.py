"""Erase a person for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from identity import erasure
from identity.models import Employee

if TYPE_CHECKING:
    from argparse import ArgumentParser

QUESTION = (
    "This removes every photo, picture, face vector and text of {person}, here and at "
    "the remote engine, and cannot be undone. The visits stay as those of an erased "
    "person. Type the code to go on: "
)


def answer(question: str) -> str:
    """Return what somebody types; nothing where nobody is there."""
    try:
        return input(question).strip()
    except EOFError:
        return ""


class Command(BaseCommand):
    help = (
        "Erase a person: photos, face vectors, remote faces, pictures, history and the "
        "texts that name them. Their visits stay, without a name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the payroll number, such as E-104")
        parser.add_argument("--yes", action="store_true", help="do not ask first")

    def handle(self, *, code: str, yes: bool, **_: Any) -> str:
        employee = Employee.objects.filter(code=code).first()
        if employee is None:
            raise CommandError(f"Nobody has the code {code}.")
        if not yes and answer(QUESTION.format(person=employee)) != code:
            raise CommandError("Nothing was erased.")
        try:
            done = erasure.erase(employee=employee, by=None, at=timezone.now())
        except erasure.AlreadyErased as error:
            raise CommandError(str(error)) from error
        done.refresh_from_db()
        if not done.is_complete:
            self.stderr.write(
                "Some files or remote faces could not be removed yet; the background "
                "worker tries again every hour."
            )
        counts = [
            f"{kind.replace('_', ' ')}: {count}" for kind, count in done.removed.items()
        ]
        return f"Erased. {', '.join(counts)}."
