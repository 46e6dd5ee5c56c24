"""Say how well faces tell people apart, from what is stored."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from identity.matches.chart import write_chart
from identity.matches.labels import Answer, Question, look
from identity.matches.quality import FPR_BELOW, TooFewPeople, best_threshold, rates
from streaming.models import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser

THRESHOLDS = (0.70, 0.65, 0.60, 0.55)


class Command(BaseCommand):
    help = (
        "Compare the stored faces of visits with the photos of the people they were: "
        "how alike people are to themselves and to others, and what a threshold would "
        "do. Reads only, and names nobody."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--thresholds",
            type=thresholds_argument,
            default=THRESHOLDS,
            metavar="0.70,0.65",
            help="what to print rates for; without it 0.70,0.65,0.60,0.55",
        )
        parser.add_argument(
            "--output", type=output_argument, metavar="OUT.png", help="draw it"
        )
        parser.add_argument("--site", metavar="SLUG", help="without it, every site")
        for name, words in (("from", "first"), ("to", "last")):
            parser.add_argument(
                f"--{name}",
                dest=f"{name}_date",
                type=date_argument,
                metavar="2026-03-01",
                help=f"{words} day of the visits, by the site's clock, else by UTC",
            )
        parser.add_argument(
            "--face-model", help="without it, the one of the most visits"
        )

    def handle(
        self,
        *,
        thresholds: Sequence[float],
        output: Path | None,
        site: str | None,
        from_date: date | None,
        to_date: date | None,
        face_model: str | None,
        **_: Any,
    ) -> None:
        where = site_of(site) if site else None
        zone = ZoneInfo(where.time_zone) if where else UTC
        question = Question(
            site=where,
            start_at=midnight(from_date, zone) if from_date else None,
            end_at=midnight(to_date + timedelta(days=1), zone) if to_date else None,
            face_model=face_model,
        )
        try:
            answer = look(question)
        except TooFewPeople as error:
            raise CommandError(str(error)) from error
        show(answer, thresholds)
        if output:
            draw(answer, thresholds, output)


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def site_of(slug: str) -> Site:
    try:
        return Site.objects.get(slug=slug)
    except Site.DoesNotExist:
        raise CommandError(f"There is no site {slug}.") from None


def show(answer: Answer, thresholds: Sequence[float]) -> None:
    """Print the figures for people."""
    console = Console()
    found = answer.similarities
    best = best_threshold(found)
    console.print(
        f"{answer.seen} seen faces of {answer.people} people with {answer.photos} "
        f"photos, by {answer.face_model}."
    )
    console.print(basis(answer))
    table = Table("Threshold", "Got a name", "Right", "Wrong", "False positives", "")
    in_force = answer.thresholds_in_force
    for threshold in sorted({*thresholds, *in_force, best}, reverse=True):
        row = rates(found, threshold)
        shares = (row.assigned, row.right, row.wrong, row.false_positive)
        words = [
            word
            for word, is_so in (
                ("best", threshold == best),
                ("in force", threshold in in_force),
            )
            if is_so
        ]
        cells = [f"{share:.1%}" for share in shares]
        table.add_row(f"{threshold:.3f}", *cells, ", ".join(words))
    console.print(table)
    console.print(
        "False positives: faces that would get somebody's name if their own person "
        f"had no photo.\nBest threshold for fewer than {FPR_BELOW:.0%} of these: "
        f"{best:.3f}."
    )


def basis(answer: Answer) -> str:
    """Say on whose word it rests whose a face is."""
    decided = max(answer.seen - answer.by_hand, 0)
    said = min(answer.by_hand, answer.seen)
    text = f"Whose they are was said by people for {said}, decided for {decided}."
    if decided > said:
        text += (
            " What was decided passed the threshold of its time, so below that the "
            "figures say too little: link unknown visits to the people they were."
        )
    return text


def draw(answer: Answer, thresholds: Sequence[float], output: Path) -> None:
    title = f"{answer.seen:,} seen faces, {answer.people:,} people, {answer.face_model}"
    best = best_threshold(answer.similarities)
    try:
        write_chart(
            output, answer.similarities, thresholds=thresholds, best=best, title=title
        )
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
    Console().print(f"Drawn: {output}", soft_wrap=True)


def thresholds_argument(text: str) -> Sequence[float]:
    """Parse cosines between commas; raise ArgumentTypeError."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(
            f"'{text}' is no list of numbers like 0.70,0.65."
        ) from None
    if not all(0 < threshold < 1 for threshold in found):
        raise ArgumentTypeError(f"'{text}': each must lie between 0 and 1.")
    return found


def date_argument(text: str) -> date:
    """Parse an ISO 8601 date; raise ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no day like 2026-03-01.") from None


def output_argument(text: str) -> Path:
    """Parse the path of a PNG to write; raise ArgumentTypeError."""
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise ArgumentTypeError(f"'{text}' must end in .png.")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"there is no folder {path.parent} to write into.")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"{path} cannot be written.")
    return path
