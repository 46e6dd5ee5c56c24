"""A visit in words: what was read, how surely, and which rule decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vehicles.models import PlateFormat, VehicleLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Reason = VehicleLog.Reason
RULES: Final[Mapping[str, str]] = {
    Reason.LISTED: "The plate is registered and was valid then: it may drive in.",
    Reason.VISITOR: "The plate is registered as a visitor's and was valid then.",
    Reason.BLOCKED: "The vehicle is blocked, which beats everything else.",
    Reason.UNLISTED: "The plate is sure, but nobody has registered it.",
    Reason.EXPIRED: "The plate is registered, but its time was over.",
    Reason.NOT_YET_VALID: "The plate is registered, but its time had not begun.",
    Reason.DRIVER_INACTIVE: "The plate is registered, but its driver is inactive.",
    Reason.DRIVER_REFUSED: "The plate is registered, but its driver may not enter.",
    Reason.BAD_FORMAT: "What was read is no plate of a format known here, even with "
    "look-alike characters put right.",
    Reason.NO_CONSENSUS: "No two pictures gave the same plate, so none is believed.",
    Reason.NO_PLATE: "A vehicle was there, but no plate could be read on it.",
}


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a read, and how sure the reader was, 0..1."""

    text: str
    confidence: float
    is_low: bool


@dataclass(frozen=True, slots=True)
class Read:
    """What one picture gave."""

    frame: int
    text: str
    characters: Sequence[Character]
    is_deciding: bool

    @property
    def least(self) -> float:
        return min((each.confidence for each in self.characters), default=0.0)

    @property
    def most(self) -> float:
        return max((each.confidence for each in self.characters), default=0.0)


@dataclass(frozen=True, slots=True)
class Repair:
    """A character that was taken for another, because of the format."""

    place: int
    """From 1, on the plate."""
    read: str
    meant: str


def rule(log: VehicleLog) -> str:
    """Say which rule decided."""
    if log.reason == Reason.LOW_CONFIDENCE:
        return (
            f"The least sure character reached {log.ocr_confidence:.2f}. Every single "
            f"one has to reach {log.threshold:.2f}."
        )
    return RULES[log.reason]


def reads(log: VehicleLog) -> Sequence[Read]:
    """Return what each picture gave, in their order; one of them decided."""
    found = [_read(each, threshold=log.threshold) for each in log.reads]
    alike = [each for each in found if each.text == log.as_read]
    # Rounded as it is stored: the one that decided is as sure as the visit.
    best = min(alike, key=lambda one: abs(one.least - log.ocr_confidence), default=None)
    return [
        Read(each.frame, each.text, each.characters, is_deciding=each is best)
        for each in found
    ]


def deciding(log: VehicleLog) -> Read | None:
    return next((each for each in reads(log) if each.is_deciding), None)


def repairs(log: VehicleLog) -> Sequence[Repair]:
    """Return the characters that the format put right; none where a person said it."""
    if log.named_at or len(log.as_read) != len(log.plate_number):
        return []
    pairs = zip(log.as_read, log.plate_number, strict=True)
    return [
        Repair(place, read, meant)
        for place, (read, meant) in enumerate(pairs, start=1)
        if read != meant
    ]


def format_name(log: VehicleLog) -> str:
    """Return the name of the site's format that a plate has; empty for none."""
    formats = PlateFormat.objects.of_site(log.camera.site_id)
    fitting = (each.name for each in formats if each.matches(log.plate_number))
    return next(fitting, "")


def guess(log: VehicleLog) -> str:
    """Return what a person may only have to confirm: the best of what was read."""
    texts = [str(each["text"]) for each in log.reads]
    return log.plate_number or log.as_read or (texts[-1] if texts else "")


def _read(row: Mapping[str, Any], *, threshold: float) -> Read:
    characters = [
        Character(each, sure, is_low=sure < threshold)
        for each, sure in zip(row["text"], row["confidences"], strict=False)
    ]
    return Read(row["frame"], row["text"], characters, is_deciding=False)
