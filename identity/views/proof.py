"""A decision in words: what was measured, what was needed, and which rule decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from identity.engines import LocalEngine
from identity.models import AccessLog

if TYPE_CHECKING:
    from collections.abc import Sequence

QUALITY_WORDS: Final[Sequence[tuple[float, str]]] = (
    (0.6, "good"),
    (0.35, "fair"),
    (0.0, "poor"),
)
"""From which score on a face is called so; see identity/quality.py for the score."""
NO_FACE: Final = "No face of this visit could be compared, so no name was given."
NOBODY: Final = (
    "There was nobody to compare with: no photo was enrolled here, or none for the "
    "face model then in use."
)
UNLIKE: Final = "The engine found nobody at all like this face, so no name was given."


def figure(value: float | None, *, threshold: float) -> str:
    """Write a similarity on its engine's own scale: 0..1, or per cent."""
    if value is None:
        return "none"
    return f"{value:.2f}" if threshold <= 1 else f"{value:.1f} %"


def measured(log: AccessLog) -> str:
    """Return what was measured beside what was needed."""
    needed = figure(log.threshold, threshold=log.threshold)
    if log.similarity is None:
        return f"similarity none, needed {needed}"
    best = figure(log.similarity, threshold=log.threshold)
    return f"similarity {best}, needed {needed}"


def distance(log: AccessLog) -> str:
    """Return how far the next best person was, beside how far it had to be."""
    margin = figure(log.margin, threshold=log.threshold)
    if log.runner_up is None:
        return "no other person was near enough to be named by the engine"
    next_best = figure(log.runner_up, threshold=log.threshold)
    return f"next best {next_best}, had to be {margin} lower"


def rule(log: AccessLog) -> str:
    """Say which rule decided."""
    decided = AccessLog.Decision(log.decision)
    if decided is AccessLog.Decision.AUTHORIZED:
        return (
            "One enrolled person was similar enough, no other came near, and this "
            "person may enter."
        )
    if decided is AccessLog.Decision.UNAUTHORIZED:
        return (
            "One enrolled person was similar enough and no other came near, but this "
            "person was inactive or not allowed to enter."
        )
    if decided is AccessLog.Decision.AMBIGUOUS:
        return (
            "Two enrolled people fit about equally well, so no name was given. "
            "A better photo of each usually tells them apart."
        )
    return why_unknown(log)


def why_unknown(log: AccessLog) -> str:
    if log.votes == 0:
        return NO_FACE
    if log.similarity is None:
        return NOBODY if log.engine == LocalEngine.name else UNLIKE
    if log.similarity < log.threshold:
        return "Nobody who is enrolled here was similar enough, so no name was given."
    return (
        "Somebody was similar enough in some of the faces compared, but not in most "
        "of them, so no name was given."
    )


def quality_word(score: float) -> str:
    """Return how good a face is for recognition, in one word."""
    return next(word for least, word in QUALITY_WORDS if score >= least)
