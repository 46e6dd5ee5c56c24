"""Who it is, and just as surely who it is not: values in, values out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Outcome(StrEnum):
    """What the faces of one visit say."""

    MATCH = "match"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    """Two people fit about equally well: no name is given."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """How alike a face is to one person, by the best of their photos."""

    person: int
    """Primary key of the employee."""
    similarity: float
    """On the engine's own scale; more is more alike."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an engine needs to give a name; on its own scale."""

    threshold: float
    margin: float
    """By how much the best person must beat the next."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision over all faces of a visit, and what it rests on."""

    outcome: Outcome
    person: int | None
    """Given only for a match."""
    similarity: float | None
    """Of the best person; None where nobody was compared."""
    runner_up: float | None
    """Of the next best person."""
    votes: int
    """How many faces were compared."""


class Standing(StrEnum):
    """What a visit is recorded as; the words of AccessLog.decision."""

    AUTHORIZED = "authorized"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


NAMED: Final = frozenset({Standing.AUTHORIZED, Standing.UNAUTHORIZED})
"""What a visit of somebody who was recognised is recorded as."""


class _Vote:
    """What one face says: how alike it is to each person that was compared."""

    def __init__(self, ranked: Sequence[Ranked], *, threshold: float) -> None:
        self.listed: dict[int, float] = {}
        for each in ranked:
            known = self.listed.get(each.person, each.similarity)
            self.listed[each.person] = max(known, each.similarity)
        best = max(self.listed.values(), default=-math.inf)
        self.is_somebody = best >= threshold
        tops = [person for person, each in self.listed.items() if each == best]
        self.named = tops[0] if self.is_somebody and len(tops) == 1 else None
        """Whose face it is, taken alone; a tie names nobody."""
        self._rest = min(self.listed.values(), default=0.0)

    def of(self, person: int) -> float:
        """Return the similarity; who is not listed is at most as alike as the last."""
        return self.listed.get(person, self._rest)

    def lead(self, person: int, other: int) -> float:
        """Return by how much it speaks for one person rather than for another.

        A face that does not name a person may speak against them but never for them:
        else a poor one, which is like nobody, could tip the balance between two.
        """
        lead = self.of(person) - self.of(other)
        return lead if self.named == person else min(lead, 0.0)


def decide(votes: Sequence[Sequence[Ranked]], policy: Policy) -> Verdict:
    """Say whose the faces of one visit are; see "Who it is" in docs/rules.md.

    `votes` has a list for each face: the people whom it resembles most, of whom two
    are enough. Thresholds are above 0 and margins not below.
    """
    faces = [_Vote(ranked, threshold=policy.threshold) for ranked in votes]
    people = {person for face in faces for person in face.listed}
    scores = sorted((_mean(faces, person) for person in people), reverse=True)
    outcome, person = _judge(faces, people, policy)
    return Verdict(
        outcome=outcome,
        person=person,
        similarity=scores[0] if scores else None,
        runner_up=scores[1] if len(scores) > 1 else None,
        votes=len(faces),
    )


def _mean(faces: Sequence[_Vote], person: int) -> float:
    return math.fsum(face.of(person) for face in faces) / len(faces)


def _judge(
    faces: Sequence[_Vote], people: Collection[int], policy: Policy
) -> tuple[Outcome, int | None]:
    if not _is_majority(sum(face.is_somebody for face in faces), faces):
        return Outcome.UNKNOWN, None
    named = [face.named for face in faces]
    person = next((p for p in people if _is_majority(named.count(p), faces)), None)
    if person is None:
        return Outcome.AMBIGUOUS, None
    # Sums of differences, not means: rounding then never turns a refusal into a match.
    if math.fsum(face.of(person) - policy.threshold for face in faces) < 0:
        return Outcome.UNKNOWN, None
    for other in people:
        leads = (face.lead(person, other) - policy.margin for face in faces)
        if other != person and math.fsum(leads) < 0:
            return Outcome.AMBIGUOUS, None
    return Outcome.MATCH, person


def _is_majority(count: int, faces: Sequence[_Vote]) -> bool:
    return 2 * count > len(faces)


def standing(verdict: Verdict, *, may_enter: bool) -> Standing:
    """Return what a visit is recorded as; `may_enter` is of the person named."""
    if verdict.outcome is Outcome.UNKNOWN:
        return Standing.UNKNOWN
    if verdict.outcome is Outcome.AMBIGUOUS:
        return Standing.AMBIGUOUS
    return Standing.AUTHORIZED if may_enter else Standing.UNAUTHORIZED


def kept_s(decision: str, *, known_s: int, unknown_s: int) -> int:
    """Return for how long a decision stands before the track is looked at again."""
    return known_s if decision in NAMED else unknown_s
