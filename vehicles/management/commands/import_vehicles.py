"""Import vehicles from a CSV file of any length."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tablib import Dataset

from identity.bulk_import import BATCH
from identity.models import User
from identity.sheets import delimiter_of
from vehicles.resources import VehicleResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.core.management.base import CommandParser

    from identity.sheets import SheetResult

SHOWN_MAX: Final = 20


class Command(BaseCommand):
    help = (
        "Import vehicles from a CSV file with the columns of the admin's export. It is "
        "read a thousand rows at a time, so its length does not matter. Nothing is "
        "written unless every row is right."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV in UTF-8, with , or ;")
        parser.add_argument(
            "--by",
            required=True,
            metavar="LOGIN",
            help="whose sites it may be about, and whose name the history bears",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would happen"
        )

    def handle(self, *, file: Path, by: str, dry_run: bool, **_: Any) -> str:
        resource = VehicleResource(user=_login(by))
        new = updated = wrong = 0
        with _opened(file) as lines, transaction.atomic():
            for result in _imported(lines, resource, name=file.name):
                new += result.totals["new"]
                updated += result.totals["update"]
                wrong += self._tell(
                    result, shown=wrong, rows_before=resource.rows_before
                )
            transaction.set_rollback(dry_run or bool(wrong))
        if wrong:
            raise CommandError(f"Nothing was imported: {wrong} rows are wrong.")
        verb = "Would import" if dry_run else "Imported"
        return f"{verb} {new} new vehicles, {updated} changed."

    def _tell(self, result: SheetResult, *, shown: int, rows_before: int) -> int:
        """Print what is wrong with rows, the first ones of all; return how many."""
        if result.base_errors:
            raise CommandError(str(result.base_errors[0].error))
        sentences = [
            f"Row {rows_before + number}: {line[-1]}"
            for number, line in enumerate(result.with_errors[1:], 1)
            if line[-1]
        ]
        for sentence in sentences[: max(SHOWN_MAX - shown, 0)]:
            self.stderr.write(sentence)
        return len(sentences)


def _login(name: str) -> User:
    user: User | None = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active login '{name}'.")
    if not user.has_perms(["vehicles.add_vehicle", "vehicles.change_vehicle"]):
        raise CommandError(f"{name} may not add and change vehicles.")
    return user


@contextmanager
def _opened(file: Path) -> Iterator[Iterator[list[str]]]:
    """Open a CSV with commas or semicolons; raises CommandError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            delimiter = delimiter_of(text.readline())
            text.seek(0)
            yield csv.reader(text, delimiter=delimiter)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is no CSV in UTF-8.") from error
    except csv.Error as error:
        raise CommandError(f"{file} is no CSV: {error}.") from error


def _imported(
    lines: Iterator[list[str]], resource: VehicleResource, *, name: str
) -> Iterator[SheetResult]:
    """Import the rows by batches; inside a transaction."""
    headers = next(lines, [])
    rows = (line for line in lines if any(cell.strip() for cell in line))
    while batch := list(islice(rows, BATCH)):
        table = Dataset(*_padded(batch, len(headers)), headers=headers)
        yield resource.import_data(
            table,
            use_transactions=True,
            rollback_on_validation_errors=False,
            file_name=name,
        )
        resource.rows_before += len(batch)


def _padded(rows: Iterable[Sequence[str]], width: int) -> Iterator[Sequence[str]]:
    """Give rows as long as the first one: spreadsheets leave out empty cells."""
    for row in rows:
        yield (*row, *[""] * width)[:width]
