"""easyocr's recogniser, limited to the characters of plates."""

from __future__ import annotations

from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import cv2
import easyocr

from vehicles.formats import ALPHABET
from vehicles.plates import ReadText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from streaming.vision.types import Image

NAME: Final = "easyocr"
ALLOWED: Final = "".join(sorted(ALPHABET))


class EasyReader:
    """Implements `PlateReader`; it takes no weights but those of a folder."""

    name = NAME

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _engine(self) -> Any:
        return easyocr.Reader(
            ["en"],
            gpu=False,
            model_storage_directory=str(self._folder),
            download_enabled=False,
            detector=False,
            verbose=False,
        )

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        """Return what each cut-out of a plate says, taken as one line."""
        return [self._read(cut) for cut in cuts]

    def _read(self, cut: Image) -> ReadText:
        grey = cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY)
        found = self._engine.recognize(grey, allowlist=ALLOWED, reformat=False)
        if not found or not found[0][1]:
            return ReadText("", ())
        _, text, confidence = found[0]
        return ReadText(text, (at_least(float(confidence), len(text)),) * len(text))


def at_least(confidence: float, length: int) -> float:
    """Return what every character of a text has at the least.

    easyocr tells one figure for all of a text: the product of its characters' to the
    power 2 / sqrt(length) (easyocr/recognition.py, custom_mean). None of them is below
    that product.
    """
    return float(confidence ** (sqrt(length) / 2))
