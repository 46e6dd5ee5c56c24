"""What becomes of texts by a site's formats, and why, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .formats import fits, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .formats import Fitted, Format

TEXTS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Tried:
    """A text, the plate that becomes of it, and why."""

    text: str
    plate: str
    """Empty where it is none."""
    why: str


def try_texts(texts: str, formats: Sequence[Format]) -> Sequence[Tried]:
    """Try texts, one a line, at most TEXTS_MAX; raises BadFormat."""
    lines = [line.strip() for line in texts.splitlines() if line.strip()]
    return [_try(line, formats) for line in lines[:TEXTS_MAX]]


def _try(text: str, formats: Sequence[Format]) -> Tried:
    plain = normalise(text)
    if not plain:
        return Tried(text, "", "There is no letter A to Z and no digit in it.")
    best = fits(plain, formats)
    plates = sorted({each.text for each in best})
    if not plates:
        return Tried(text, "", _why_none(plain, formats))
    if len(plates) > 1:
        choice = " or ".join(plates)
        return Tried(text, "", f"It could be {choice}, so it is neither.")
    return Tried(text, plates[0], _why(plain, best))


def _why(plain: str, best: Sequence[Fitted]) -> str:
    fitted = best[0]
    names = _names(each.format for each in best)
    if not fitted.repaired:
        return f"It is a plate of {names} as it stands."
    changes = ", ".join(
        f"{now} for {was} at place {place}"
        for place, (was, now) in enumerate(zip(plain, fitted.text, strict=True), 1)
        if was != now
    )
    return f"{names} leaves no other choice: {changes}."


def _why_none(plain: str, formats: Sequence[Format]) -> str:
    names = _names(formats)
    lengths = sorted({len(shape) for each in formats for shape in each.shapes})
    if len(plain) not in lengths:
        known = " or ".join(map(str, lengths))
        return f"It has {len(plain)} letters and digits; {names} has {known}."
    return (
        f"Its letters and digits stand where {names} has none of them, and what looks "
        "like them does not fit there either."
    )


def _names(formats: Iterable[Format]) -> str:
    return " or ".join(dict.fromkeys(each.name for each in formats))
