"""What the gate would make of plates in single pictures, without a register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .rules import GatePolicy, refusal
from .voting import vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.vision.types import Image

    from .formats import Format
    from .plates import FoundPlate, PlateModel
    from .rules import Reason
    from .voting import Consensus, PlateRead


@dataclass(frozen=True, slots=True)
class PlateTrial:
    """One plate of a picture; its cuts count as reads, of which two have to agree."""

    found: FoundPlate
    reads: Sequence[PlateRead]
    plate: Consensus | None
    """None where nothing could be read."""
    refusal: Reason | None
    """Why the gate would not rely on it."""

    @property
    def is_sure(self) -> bool:
        return self.refusal is None

    @property
    def as_read(self) -> str:
        """The text of the clearest read, before any format."""
        clearest = self.plate.deciding if self.plate else None
        return (clearest or max(self.reads, key=lambda each: each.lowest)).text

    def as_json(self) -> dict[str, Any]:
        plate, box = self.plate, self.found.box
        deciding = plate.deciding if plate else None
        return {
            "box": [round(each, 4) for each in (box.x1, box.y1, box.x2, box.y2)],
            "is_plate": round(self.found.confidence, 4),
            "as_read": self.as_read if self.reads else "",
            "plate": plate.text if plate else "",
            "format": plate.format.name if plate and plate.format else None,
            "confidences": [round(each, 4) for each in deciding.confidences]
            if deciding
            else [],
            "agreeing": plate.agreeing if plate else 0,
            "reads": [each.text for each in self.reads],
            "verdict": "accepted" if self.is_sure else "rejected",
            "reason": self.refusal,
        }


def try_plates(
    image: Image,
    model: PlateModel,
    *,
    formats: Sequence[Format],
    policy: GatePolicy,
) -> list[PlateTrial]:
    """Read every plate of a picture, the surest plate first."""
    return [
        _trial(found, model.reads(image, found), formats, policy)
        for found in model.finder.find(image)
    ]


def _trial(
    found: FoundPlate,
    reads: Sequence[PlateRead],
    formats: Sequence[Format],
    policy: GatePolicy,
) -> PlateTrial:
    plate = vote(reads, formats)
    return PlateTrial(found, reads, plate, refusal(plate, policy))
