"""Which models find and read plates in this process."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from django.conf import settings

from streaming import weights

from .plates import PlateModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .plates import PlateFinder, PlateReader
    from .readers.rapid import RapidReader

logger = logging.getLogger(__name__)
SPECIALISED: Final = "fast-plate-ocr"
RAPID: Final = "rapidocr"
EASY: Final = "easyocr"
READERS: Final[Sequence[str]] = (SPECIALISED, RAPID, EASY)
"""The first whose weights are there is the default; see docs/vehicles.md."""
EASY_WEIGHTS: Final = "english_g2.pth"
FINDER, READER, CONFIG = "plate-finder", "plate-reader", "plate-reader-config"
BLANK: Final = np.zeros((64, 192, 3), np.uint8)
WITHOUT_FINDER: Final = (
    "Plates are looked for as any text, which takes ten times as long and finds fewer. "
    "Put a plate finder of streaming/weights.toml into MODELS_DIR."
)


class ReaderMissing(Exception):
    """The reader asked for cannot be had; the message says what to do."""


@cache
def the_plate_model(reader: str = "") -> PlateModel:
    """Load the finder and a reader, by name or the first that can be had.

    They are loaded once a process and serve all its threads. Raises ReaderMissing.
    """
    return PlateModel(
        the_finder(settings.MODELS_DIR),
        load_reader(settings.MODELS_DIR, reader),
        line_reader=_rapid(),
    )


@cache
def the_working_plate_model(wanted: str) -> PlateModel | None:
    """Load the reader asked for, else loudly the next one: the camera goes on.

    Empty asks for the best. Finder and reader have shown that they work, and the first
    vehicle finds them ready. None where no reader at all works.
    """
    reader = _working_reader(settings.MODELS_DIR, wanted or SPECIALISED)
    if reader is None:
        return None
    finder = _working_finder(settings.MODELS_DIR)
    return PlateModel(finder, reader, line_reader=_working_line_reader())


def makes_do(model: PlateModel | None, *, wanted: str) -> bool:
    """Whether plates are found or read with less than they should be."""
    if model is None:
        return True
    return model.finder.name == RAPID or model.reader.name != (wanted or SPECIALISED)


def _working_finder(folder: Path) -> PlateFinder:
    try:
        finder = the_finder(folder)
        finder.find(BLANK)
    except Exception:  # Each library has errors of its own for a damaged file.
        logger.exception("The plate finder in %s fails. %s", folder, WITHOUT_FINDER)
        return _rapid()
    return finder


def _working_reader(folder: Path, wanted: str) -> PlateReader | None:
    for name in dict.fromkeys([wanted, *READERS]):
        try:
            reader = load_reader(folder, name)
            reader.read([BLANK])
        except ReaderMissing as error:
            logger.warning("%s Until then plates are read by the next reader.", error)
        except Exception:
            logger.exception("%s fails; plates are read by the next reader.", name)
        else:
            return reader
    logger.error("No plate reader works: no plate is read.")
    return None


def _working_line_reader() -> PlateReader | None:
    """Return who reads plates of two lines, ready for the first one."""
    try:
        reader = _rapid()
        reader.read([BLANK])
    except Exception:
        logger.exception("%s fails; plates of two lines are read as one.", RAPID)
        return None
    return reader


@cache
def the_finder(folder: Path) -> PlateFinder:
    """Load the plate finder of the manifest; loudly make do without."""
    row = weights.first_there(folder, purpose=FINDER)
    if row is None:
        logger.warning("No plate finder is in %s. %s", folder, WITHOUT_FINDER)
        return _rapid()
    from .readers.onnx import YoloPlateFinder

    return YoloPlateFinder(row.path(folder), name=row.name)


def load_reader(folder: Path, name: str = "") -> PlateReader:
    """Load a reader by its name, else the default; raises ReaderMissing."""
    if name and name not in READERS:
        raise ReaderMissing(
            f"There is no plate reader '{name}'. Known: {', '.join(READERS)}."
        )
    if name == EASY:
        return _easy(folder)
    if name != RAPID and (found := _specialised(folder)):
        return found
    if name == SPECIALISED:
        raise ReaderMissing(
            f"The weights of {SPECIALISED} are not in {folder}. Run manage.py "
            "fetch_models."
        )
    return _rapid()


def _specialised(folder: Path) -> PlateReader | None:
    reader = weights.first_there(folder, purpose=READER)
    config = weights.first_there(folder, purpose=CONFIG)
    if reader is None or config is None:
        return None
    from .readers.onnx import CctReader

    return CctReader(reader.path(folder), config.path(folder), name=SPECIALISED)


@cache
def _rapid() -> RapidReader:
    from .readers.rapid import RapidReader

    return RapidReader()


def _easy(folder: Path) -> PlateReader:
    if not (folder / EASY_WEIGHTS).is_file():
        raise ReaderMissing(
            f"The weights of {EASY}, {EASY_WEIGHTS}, are not in {folder}. Copy them "
            "there; nothing is downloaded while cameras run."
        )
    from .readers.easy import EasyReader

    return EasyReader(folder)
