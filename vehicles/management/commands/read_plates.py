"""Try what the plates in pictures say, and what a gate would make of them."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.markup import escape
from rich.table import Table

from identity.photo_files import upright
from identity.photo_rules import Limits, PhotoRefused
from streaming.command_line import console, new_file_argument
from vehicles.formats import INDIA, BadFormat, Format
from vehicles.plate_model import READERS, ReaderMissing, the_plate_model
from vehicles.plate_trial import try_plates
from vehicles.rules import CONFIDENCE, GatePolicy, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser

    from streaming.vision.types import Image
    from vehicles.plate_trial import PlateTrial
    from vehicles.plates import PlateModel

ANY: Final = Format("any", "[A-Z0-9]{4,10}")
WORDS: Final = {
    Reason.LOW_CONFIDENCE: "a character is not sure",
    Reason.BAD_FORMAT: "no plate of this format",
    Reason.NO_CONSENSUS: "no two reads agree",
    Reason.NO_PLATE: "nothing could be read",
}


class Command(BaseCommand):
    help = (
        "Say for every plate in the pictures what it says and whether a gate would "
        "rely on that, and why. Needs no database, and stores nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pictures", nargs="+", type=Path, metavar="IMAGE")
        parser.add_argument(
            "--reader",
            default="",
            metavar="NAME",
            help=f"One of {', '.join(READERS)}. Without it, the first that can be had.",
        )
        parser.add_argument(
            "--format",
            default=list(INDIA),
            type=formats_argument,
            metavar="NAME",
            help="india (the default), any, or a pattern: [A-Z]{2}[0-9]{2}[A-Z]{3}.",
        )
        parser.add_argument("--report", type=new_file_argument, metavar="OUT.json")

    def handle(
        self,
        *,
        pictures: Sequence[Path],
        reader: str,
        format: Sequence[Format],
        report: Path | None,
        **_: Any,
    ) -> None:
        try:
            model = the_plate_model(reader)
        except ReaderMissing as error:
            raise CommandError(str(error)) from error
        found, remarks = look_at(pictures, model, formats=format)
        if report:
            told = as_json(found, remarks, model)
            report.write_text(json.dumps(told, indent=1) + "\n")
        show(found, remarks, model)
        if not found:
            raise CommandError("None of the pictures could be read.")


def look_at(
    pictures: Sequence[Path], model: PlateModel, *, formats: Sequence[Format]
) -> tuple[dict[Path, list[PlateTrial]], list[tuple[Path, str]]]:
    """Return the plates of each picture that could be opened, and what was wrong."""
    found: dict[Path, list[PlateTrial]] = {}
    remarks: list[tuple[Path, str]] = []
    for path in pictures:
        try:
            image = pixels(path)
        except PhotoRefused as refused:
            remarks.append((path, f"Skipped: {refused}"))
        except OSError as error:
            remarks.append((path, f"Skipped: it cannot be read ({error.strerror})."))
        else:
            policy = GatePolicy()
            found[path] = try_plates(image, model, formats=formats, policy=policy)
            if not found[path]:
                remarks.append((path, "No plate was found in it."))
    return found, remarks


def pixels(path: Path) -> Image:
    """Return a picture upright, BGR; raise PhotoRefused or OSError."""
    limits = Limits(settings.PHOTO_MAX_MIB, settings.PHOTO_MAX_MEGAPIXELS)
    rgb = np.asarray(upright(path.read_bytes(), limits=limits))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def as_json(
    found: dict[Path, list[PlateTrial]],
    remarks: Sequence[tuple[Path, str]],
    model: PlateModel,
) -> dict[str, Any]:
    return {
        "finder": model.finder.name,
        "reader": model.reader.name,
        "threshold": CONFIDENCE,
        "pictures": [
            {"picture": str(path), "plates": [trial.as_json() for trial in trials]}
            for path, trials in found.items()
        ],
        "remarks": [{"picture": str(path), "words": words} for path, words in remarks],
    }


def show(
    found: dict[Path, list[PlateTrial]],
    remarks: Sequence[tuple[Path, str]],
    model: PlateModel,
) -> None:
    """Print the plates, and what was wrong to the error stream."""
    out, errors = console(), console(stderr=True)
    out.print(
        f"{model.finder.name}, {model.reader.name}; every character needs "
        f"{CONFIDENCE:.2f}",
        highlight=False,
    )
    table = Table("Picture", "Plate", "As read", "Worst character", "Gate")
    for path, trials in found.items():
        for trial in trials:
            table.add_row(escape(path.name), *map(escape, cells(trial)))
    if table.row_count:
        out.print(table)
    for path, words in remarks:
        errors.print(f"{path}: {words}", highlight=False, markup=False, soft_wrap=True)


def cells(trial: PlateTrial) -> list[str]:
    why = trial.refusal
    verdict = "accepted" if why is None else f"rejected: {WORDS[why]}"
    if trial.plate is None:
        return ["-", "nothing", "-", verdict]
    return [trial.plate.text, trial.as_read, f"{trial.plate.confidence:.2f}", verdict]


def formats_argument(text: str) -> list[Format]:
    """Parse a format's name or pattern; raise ArgumentTypeError."""
    named = {"india": list(INDIA), "any": [ANY]}
    if text.lower() in named:
        return named[text.lower()]
    own = Format("own", text)
    try:
        _ = own.shapes
    except BadFormat as error:
        raise ArgumentTypeError(str(error)) from error
    return [own]
