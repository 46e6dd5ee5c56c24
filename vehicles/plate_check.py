"""What a gate would make of a plate that is given as text; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .models import PlateFormat, Vehicle
from .rules import GatePolicy, Reason, Status, decide_gate
from .voting import AGREEING, PlateRead, vote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .models import Gate
    from .rules import Decision
    from .voting import Consensus

WORDS: Final = {
    Reason.LISTED: "{plate} is registered.",
    Reason.VISITOR: "{plate} is registered as a visitor.",
    Reason.BLOCKED: "{plate} is blocked.",
    Reason.UNLISTED: "{plate} is not registered.",
    Reason.EXPIRED: "{plate} is registered, and no longer valid.",
    Reason.NOT_YET_VALID: "{plate} is registered, and not valid yet.",
    Reason.DRIVER_INACTIVE: "{plate} is registered, and its driver is inactive.",
    Reason.DRIVER_REFUSED: "{plate} is registered, and its driver may not enter.",
    Reason.LOW_CONFIDENCE: "The worst character has {confidence:.2f}, and each must "
    "reach {threshold:.2f}.",
    Reason.BAD_FORMAT: "{plate} is no plate of a format that the site knows.",
    Reason.NO_CONSENSUS: "No two reads agree.",
    Reason.NO_PLATE: "Nothing was read.",
}
GIVEN: Final = "That two pictures agree is taken as given."


@dataclass(frozen=True, slots=True)
class Checked:
    """What a gate would make of a plate, and why."""

    plate: str
    """As the formats have it."""
    confidence: float
    """Of the worst character."""
    threshold: float
    format: str | None
    decision: Decision
    opens: bool
    vehicle: Vehicle | None
    """The registered one of exactly this plate; None where the plate is not sure."""
    possible_match: str | None
    """Plate of a blocked vehicle that it may be, misread."""

    @property
    def valid(self) -> bool:
        """Whether the plate is sure enough to look it up."""
        return self.decision.status is not Status.REJECTED

    @property
    def detail(self) -> str:
        """The decision in sentences."""
        words = [
            WORDS[self.decision.reason].format(
                plate=self.plate, confidence=self.confidence, threshold=self.threshold
            )
        ]
        if self.valid:
            words += [self._barrier, GIVEN]
        if self.possible_match:
            words.append(f"It may be {self.possible_match}, which is blocked.")
        return " ".join(words)

    @property
    def _barrier(self) -> str:
        if self.opens:
            return "The gate opens."
        if self.decision.opens:
            return "The gate is set to open for nobody by itself."
        return "The gate stays closed."


def check_plate(
    *,
    text: str,
    confidences: Sequence[float],
    site_id: int,
    gate: Gate | None,
    at: datetime,
) -> Checked:
    """Decide on a normalised plate, with one confidence 0..1 for each character.

    Without a gate it is decided as at one with the usual settings. The given text
    counts for the reads that have to agree.
    """
    policy = gate.policy if gate else GatePolicy()
    reads = [PlateRead(each, text, tuple(confidences)) for each in range(AGREEING)]
    plate = vote(reads, PlateFormat.objects.of_site(site_id))
    name = plate.text if plate else ""
    vehicle = Vehicle.objects.bearing(name, site_id=site_id)
    registered = vehicle.registered if vehicle else None
    decision = decide_gate(plate, registered, policy, at=at)
    is_sure = decision.status is not Status.REJECTED
    alike = Vehicle.objects.possible_match(
        name, site_id=site_id, status=decision.status
    )
    return Checked(
        plate=name,
        confidence=plate.confidence if plate else 0.0,
        threshold=policy.confidence,
        format=_format(plate),
        decision=decision,
        opens=decision.opens and (gate is None or gate.enabled),
        vehicle=vehicle if is_sure else None,
        possible_match=alike.plate_number if alike else None,
    )


def _format(plate: Consensus | None) -> str | None:
    return plate.format.name if plate and plate.format else None
