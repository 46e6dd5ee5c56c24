"""Who may drive in: values in, values out, and a reason with every decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from .voting import Consensus

CONFIDENCE: Final = 0.85
"""What every single character of a plate must reach."""
SAME_VISIT: Final = timedelta(seconds=60)
"""The same plate at the same gate so soon again is still the same visit."""


class Status(StrEnum):
    """What a vehicle is at a gate."""

    AUTHORIZED = "authorized"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    """Its plate was not read well enough to say."""


class Reason(StrEnum):
    """Why that was decided."""

    LISTED = "listed"
    VISITOR = "visitor"
    BLOCKED = "blocked"
    UNLISTED = "unlisted"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    DRIVER_INACTIVE = "driver_inactive"
    DRIVER_REFUSED = "driver_refused"
    """Who drives it works here, and may not enter."""
    LOW_CONFIDENCE = "low_confidence"
    BAD_FORMAT = "bad_format"
    NO_CONSENSUS = "no_consensus"
    NO_PLATE = "no_plate"
    """Nothing could be read at all."""


class Standing(StrEnum):
    """What the register says of a vehicle."""

    AUTHORIZED = "authorized"
    BLOCKED = "blocked"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Registered:
    """A vehicle of the register, valid in [valid_from, valid_until); None is open."""

    plate: str
    standing: Standing
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    kept_out: Reason | None = None
    """Why who drives it may not enter; None where they may, or nobody is named."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What a gate does by itself."""

    confidence: float = CONFIDENCE
    opens_for_unknown: bool = False
    opens_for_visitors: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of one vehicle."""

    status: Status
    reason: Reason
    opens: bool

    def __post_init__(self) -> None:
        if self.opens and self.status in {Status.BLOCKED, Status.REJECTED}:
            raise ValueError(f"A gate never opens for {self.status}.")


def decide_gate(
    plate: Consensus | None,
    registered: Registered | None,
    policy: GatePolicy,
    *,
    at: datetime,
) -> Decision:
    """Decide on a vehicle at a gate; `registered` is what bears exactly this plate.

    `plate` is None where nothing was read. In this order: every character is sure, a
    format fits, reads agree, then the lists, of which the blocked one beats everything.
    """
    refused = refusal(plate, policy)
    if refused is not None:
        return Decision(Status.REJECTED, refused, opens=False)
    return by_register(registered, policy, at=at)


def refusal(plate: Consensus | None, policy: GatePolicy) -> Reason | None:
    """Return why a plate cannot be relied on; None where it can."""
    if plate is None:
        return Reason.NO_PLATE
    if plate.deciding is None:
        return Reason.NO_CONSENSUS
    if plate.confidence < policy.confidence:
        return Reason.LOW_CONFIDENCE
    if plate.format is None:
        return Reason.BAD_FORMAT
    return None if plate.is_agreed else Reason.NO_CONSENSUS


def by_register(
    registered: Registered | None, policy: GatePolicy, *, at: datetime
) -> Decision:
    """Decide on a plate that is sure.

    Where who drives it may not enter, no policy for unknown vehicles opens: that one is
    known.
    """
    unknown = policy.opens_for_unknown
    if registered is None:
        return Decision(Status.UNKNOWN, Reason.UNLISTED, opens=unknown)
    if registered.standing is Standing.BLOCKED:
        return Decision(Status.BLOCKED, Reason.BLOCKED, opens=False)
    if registered.kept_out is not None:
        return Decision(Status.UNKNOWN, registered.kept_out, opens=False)
    if registered.valid_from is not None and at < registered.valid_from:
        return Decision(Status.UNKNOWN, Reason.NOT_YET_VALID, opens=unknown)
    if registered.valid_until is not None and at >= registered.valid_until:
        return Decision(Status.UNKNOWN, Reason.EXPIRED, opens=unknown)
    if registered.standing is Standing.VISITOR:
        opens = policy.opens_for_visitors
        return Decision(Status.AUTHORIZED, Reason.VISITOR, opens=opens)
    return Decision(Status.AUTHORIZED, Reason.LISTED, opens=True)
