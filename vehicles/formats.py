"""What a number plate may look like, and the letters that stand for digits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from string import ascii_uppercase, digits
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LETTERS: Final = "OIBSZG"
DIGITS: Final = "018526"
"""Which digit readers take for which of these letters, and the other way."""
OTHER: Final = dict(zip(LETTERS + DIGITS, DIGITS + LETTERS, strict=True))
AS_DIGITS: Final = str.maketrans(LETTERS, DIGITS)
ALPHABET: Final = frozenset(ascii_uppercase + digits)
LENGTH_MAX: Final = 12
SHAPES_MAX: Final = 64
"""Of one format: more would be a pattern that says hardly anything."""
_TOKEN: Final = re.compile(
    r"(?P<one>[A-Z0-9])|\[(?P<set>(?:[A-Z0-9](?:-[A-Z0-9])?)+)\]"
)
_COUNT: Final = re.compile(r"\{(?P<least>\d+)(?:,(?P<most>\d+))?\}|(?P<maybe>\?)")

Slot = frozenset[str]
"""The characters that one place of a plate may have."""


class BadFormat(ValueError):
    """A format that cannot be used; the message says what to write instead."""


class NeverRead(ValueError):
    """A plate that no camera would ever read; the message says what to write."""


WRITE_LATIN: Final = "Write the plate with the letters A to Z and the digits 0 to 9."


def has_foreign(text: str) -> bool:
    """Whether letters or digits of it would be lost: of other alphabets."""
    return any(each.isalnum() and not normalise(each) for each in text)


def normalise(text: str) -> str:
    """Return the letters and digits of a plate, in capitals."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in plain if each in ALPHABET)


def confusion_key(text: str) -> str:
    """Return what all normalised plates share that readers may take for one another."""
    return text.translate(AS_DIGITS)


@dataclass(frozen=True)
class Format:
    """A pattern of plates: letters, digits, [sets] of them, and {counts}.

    Such as `^[A-Z]{2}[0-9]{2}[A-Z]{1,2}[0-9]{4}$`, which matches MH12AB1234. `^` and
    `$` may be left out: a plate always matches as a whole.
    """

    name: str
    pattern: str

    @cached_property
    def shapes(self) -> Sequence[tuple[Slot, ...]]:
        """Every sequence of slots that it allows; raises BadFormat."""
        choices = [[[slot] * n for n in counts] for slot, counts in self._parts()]
        if not choices:
            raise BadFormat("The pattern is empty. Example: [A-Z]{2}[0-9]{4}.")
        found: list[tuple[Slot, ...]] = []
        for chosen in product(*choices):
            if len(found) == SHAPES_MAX:
                raise BadFormat(
                    f"The pattern allows more than {SHAPES_MAX} shapes. Split it."
                )
            found.append(tuple(slot for run in chosen for slot in run))
        if not all(1 <= len(shape) <= LENGTH_MAX for shape in found):
            raise BadFormat(f"A plate has 1 to {LENGTH_MAX} letters and digits.")
        return found

    def matches(self, text: str) -> bool:
        """Whether a normalised text is such a plate."""
        return any(_repairs(text, shape) == 0 for shape in self.shapes)

    def _parts(self) -> Iterator[tuple[Slot, range]]:
        text = self.pattern.strip().removeprefix("^").removesuffix("$")
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise BadFormat(
                    f"'{text[at:]}' is not understood. Use letters, digits, [A-Z], "
                    "[0-9] and counts such as {2} or {1,2}."
                )
            counted = _COUNT.match(text, token.end())
            yield _slot(token), _counts(counted)
            at = (counted or token).end()


def _slot(token: re.Match[str]) -> Slot:
    if token["one"]:
        return frozenset(token["one"])
    found: set[str] = set()
    for first, last in re.findall(r"(.)(?:-(.))?", token["set"]):
        found.update(chr(code) for code in range(ord(first), ord(last or first) + 1))
    if not found or not found <= ALPHABET:
        raise BadFormat(f"[{token['set']}] is no set of letters or of digits.")
    return frozenset(found)


def _counts(counted: re.Match[str] | None) -> range:
    if counted is None:
        return range(1, 2)
    if counted["maybe"]:
        return range(2)
    least = int(counted["least"])
    most = int(counted["most"] or least)
    if not least <= most <= LENGTH_MAX:
        raise BadFormat(
            f"'{counted[0]}' is no count: write {{2}} or {{1,2}}, at most {LENGTH_MAX}."
        )
    return range(least, most + 1)


INDIA: Final = (
    Format("India", "^[A-Z]{2}[0-9]{2}[A-Z]{1,2}[0-9]{4}$"),
    Format("India, BH series", "^[0-9]{2}BH[0-9]{4}[A-HJ-NP-Z]{1,2}$"),
)
"""The BH series has no I and no O after its number (Central Motor Vehicles Rules, rule
51B of 2021)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text after the formats: itself, or with confusable characters put right."""

    text: str
    format: Format
    repaired: int
    """How many characters were changed."""


def fit(text: str, formats: Iterable[Format]) -> Fitted | None:
    """Return a normalised text as the formats have it; None where it is no such plate.

    A letter becomes the digit that looks like it, or the other way, only where a
    format has no place for what was read. The fewest changes count; where two formats
    would make different plates of it with as few, it is neither.
    """
    best = fits(text, formats)
    return best[0] if len({each.text for each in best}) == 1 else None


def check_as_read(plate: str, formats: Iterable[Format]) -> None:
    """Refuse a normalised plate of which cameras make another one; raises NeverRead.

    What fits no format is none of theirs: a plate from abroad, say.
    """
    found = fit(plate, formats)
    if found is not None and found.repaired:
        raise NeverRead(
            f"A camera reads {plate} as {found.text}, by this site's formats. Write "
            "that."
        )


def fits(text: str, formats: Iterable[Format]) -> Sequence[Fitted]:
    """Return all that a normalised text may be with the fewest changes."""
    found = [
        Fitted(_repaired(text, shape), each, cost)
        for each in formats
        for shape in each.shapes
        if (cost := _repairs(text, shape)) is not None
    ]
    least = min((each.repaired for each in found), default=0)
    return [each for each in found if each.repaired == least]


def _repairs(text: str, shape: Sequence[Slot]) -> int | None:
    """Return how many characters have to be put right; None where that is no help."""
    if len(text) != len(shape):
        return None
    wrong = [
        (each, slot) for each, slot in zip(text, shape, strict=True) if each not in slot
    ]
    is_help = all(OTHER.get(each) in slot for each, slot in wrong)
    return len(wrong) if is_help else None


def _repaired(text: str, shape: Sequence[Slot]) -> str:
    return "".join(
        each if each in slot else OTHER[each]
        for each, slot in zip(text, shape, strict=True)
    )
