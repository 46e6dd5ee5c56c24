"""RapidOCR, whose models are inside its package."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from rapidocr import RapidOCR

from streaming.vision.types import Box
from vehicles.formats import normalise
from vehicles.plates import FoundPlate, ReadText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.vision.types import Image

NAME: Final = "rapidocr"
SHORTEST: Final = 5
"""Letters and digits from which a text may be a plate."""


class RapidReader:
    """Implements `PlateReader` and, where there is no better one, `PlateFinder`."""

    name = NAME

    @cached_property
    def _engine(self) -> RapidOCR:
        return RapidOCR(
            params={
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        """Return what each cut-out of a plate says, taken as one line."""
        return [self._read(cut) for cut in cuts]

    def find(self, image: Image) -> list[FoundPlate]:
        """Return every text that is long enough for a plate, the surest first."""
        found: Any = self._engine(image, use_det=True, use_cls=False, use_rec=True)
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        height, width = image.shape[:2]
        plates = [
            FoundPlate(_around(corners, width, height), float(score))
            for corners, text, score in zip(
                found.boxes, found.txts, found.scores, strict=True
            )
            if len(normalise(text)) >= SHORTEST
        ]
        return sorted(plates, key=lambda each: -each.confidence)

    def _read(self, cut: Image) -> ReadText:
        found: Any = self._engine(
            cut, use_det=False, use_cls=False, use_rec=True, return_word_box=True
        )
        if not found.txts or not found.txts[0]:
            return ReadText("", ())
        text = found.txts[0]
        confidences = tuple(float(each) for each in found.word_results[0].confs)
        # Spaces and text from right to left may have other figures: nothing is sure.
        is_told = len(confidences) == len(text)
        return ReadText(text, confidences if is_told else (0.0,) * len(text))


def _around(corners: Any, width: int, height: int) -> Box:
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return Box(
        max(0.0, min(xs)) / width,
        max(0.0, min(ys)) / height,
        min(float(width), max(xs)) / width,
        min(float(height), max(ys)) / height,
    )
