"""One plate out of several reads of the same vehicle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import fsum
from typing import TYPE_CHECKING, Final, TypeVar

from .formats import fit, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .formats import Format

_T = TypeVar("_T", int, str)
AGREEING: Final = 2
"""From so many equal reads on the vehicle has one plate."""


@dataclass(frozen=True, slots=True, order=True)
class PlateRead:
    """One reading of a plate in one picture."""

    frame_index: int
    text: str
    confidences: tuple[float, ...]
    """One for each character of `text`, 0..1."""

    @property
    def lowest(self) -> float:
        """The confidence of its worst character; of no text 0."""
        return min(self.confidences, default=0.0)

    def normalised(self) -> PlateRead:
        """Return it without the characters that no plate has."""
        kept = [
            (letter, confidence)
            for each, confidence in zip(self.text, self.confidences, strict=True)
            for letter in normalise(each)
        ]
        text = "".join(letter for letter, _ in kept)
        return replace(self, text=text, confidences=tuple(each for _, each in kept))


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the reads of one vehicle come to."""

    text: str
    """As the site's formats have it where one fits, else as most reads have it."""
    format: Format | None
    """Which format fits; None where none does."""
    agreeing: int
    """How many reads say exactly this."""
    total: int
    """How many reads there were."""
    deciding: PlateRead | None
    """The clearest of the agreeing reads: its picture is the evidence, its confidences
    are the plate's. None where no single read says what the vote came to."""

    @property
    def is_agreed(self) -> bool:
        return self.agreeing >= AGREEING

    @property
    def confidence(self) -> float:
        """Of the worst character, 0..1."""
        return self.deciding.lowest if self.deciding else 0.0


def vote(reads: Iterable[PlateRead], formats: Sequence[Format]) -> Consensus | None:
    """Return what the reads come to, in whatever order; None of no text at all.

    Reads are put right by the formats first, so that O and 0 agree where only a digit
    can stand. The number of characters is that of the reads with most confidence in
    all, and each character the one with most confidence at its place.
    """
    plain = [each for read in reads if (each := read.normalised()).text]
    if not plain:
        return None
    fitted = [_fitted(read, formats) for read in plain]
    text = _winner(fitted)
    same = [
        read for read, other in zip(plain, fitted, strict=True) if other.text == text
    ]
    found = fit(text, formats)
    return Consensus(
        text=text,
        format=found.format if found and found.text == text else None,
        agreeing=len(same),
        total=len(plain),
        deciding=max(same, key=_clearest, default=None),
    )


def fused(reads: Iterable[PlateRead], formats: Sequence[Format]) -> PlateRead | None:
    """Return what several looks at one and the same picture come to, as one read.

    None where nothing was read. Looks at one picture are no proof of each other, so
    they count once among the pictures of a vehicle.
    """
    known = [each for each in reads if each.text]
    found = vote(known, formats)
    if found is None:
        return None
    return found.deciding or max((read.normalised() for read in known), key=_clearest)


def _fitted(read: PlateRead, formats: Sequence[Format]) -> PlateRead:
    found = fit(read.text, formats)
    return replace(read, text=found.text) if found else read


def _clearest(read: PlateRead) -> tuple[float, float, int]:
    """Rank reads by their worst character, then by all, then the earlier one."""
    return read.lowest, fsum(read.confidences), -read.frame_index


def _winner(reads: Sequence[PlateRead]) -> str:
    length = _heaviest(
        (len(read.text), fsum(read.confidences) / len(read.text)) for read in reads
    )
    places: list[list[tuple[str, float]]] = [[] for _ in range(length)]
    for read in reads:
        if len(read.text) == length:
            for place, each in zip(
                places, zip(read.text, read.confidences, strict=True), strict=True
            ):
                place.append(each)
    return "".join(_heaviest(place) for place in places)


def _heaviest(votes: Iterable[tuple[_T, float]]) -> _T:
    """Return what has most weight in all; of equals the one voted for more often, then
    the first in order, so that the order of votes never matters."""
    weights: defaultdict[_T, list[float]] = defaultdict(list)
    for each, weight in votes:
        weights[each].append(weight)
    ranked = sorted(
        weights, key=lambda each: (-fsum(weights[each]), -len(weights[each]), each)
    )
    return ranked[0]
