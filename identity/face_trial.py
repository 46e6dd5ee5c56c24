"""Faces tried against a folder of photos, without a database: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from .quality import is_usable
from .rules import Outcome, Policy, Ranked, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from streaming.vision.types import Box

    from .faces import Vector
    from .quality import FaceQuality


class Gallery:
    """People by name, each known by the vectors of their photos."""

    def __init__(self, vectors: Mapping[str, Sequence[Vector]]) -> None:
        self.people = sorted(name for name, known in vectors.items() if known)
        known = [vector for name in self.people for vector in vectors[name]]
        self._matrix: NDArray[np.float32] = np.array(known, np.float32)
        counts = [len(vectors[name]) for name in self.people]
        self._starts = np.cumsum([0, *counts])[:-1]

    def nearest(self, vector: Vector) -> list[Ranked]:
        """Rank the people by the best of their photos; `person` indexes `people`."""
        if not self.people:
            return []
        best = np.maximum.reduceat(self._matrix @ vector, self._starts)
        return [
            Ranked(int(i), float(best[i])) for i in np.argsort(-best, kind="stable")
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is said of one face, and what it rests on."""

    box: Box
    quality: FaceQuality
    policy: Policy
    outcome: Outcome
    best: str | None
    """Who of the gallery is most alike, named or not; None with nobody in it."""
    similarity: float | None
    second: str | None
    runner_up: float | None

    @classmethod
    def of(
        cls,
        vector: Vector,
        gallery: Gallery,
        policy: Policy,
        *,
        box: Box,
        quality: FaceQuality,
    ) -> Self:
        """Decide as for a visit of which this is the only face."""
        ranked = gallery.nearest(vector)[:2]
        verdict = decide([ranked], policy)
        names = [*(gallery.people[each.person] for each in ranked), None, None]
        return cls(
            box=box,
            quality=quality,
            policy=policy,
            outcome=verdict.outcome,
            best=names[0],
            similarity=verdict.similarity,
            second=names[1],
            runner_up=verdict.runner_up,
        )

    @property
    def person(self) -> str | None:
        """Who it is; None where no name is given."""
        return self.best if self.outcome is Outcome.MATCH else None

    @property
    def words(self) -> str:
        """The decision and its reason as a sentence."""
        said = self._decision()
        if is_usable(self.quality):
            return said
        return f"{said} A camera would not offer so small, blurred or turned a face."

    def _decision(self) -> str:
        if self.best is None or self.similarity is None:
            return "Unknown: the gallery is empty."
        needed, margin = self.policy.threshold, self.policy.margin
        reached = f"{self.best} reaches {self.similarity:.2f}"
        if self.outcome is Outcome.UNKNOWN:
            return f"Unknown: {reached}, {needed:.2f} is needed."
        if self.runner_up is None:
            return f"{self.best}: {self.similarity:.2f}, {needed:.2f} is needed."
        lead = self.similarity - self.runner_up
        if self.outcome is Outcome.AMBIGUOUS:
            return (
                f"Ambiguous: {reached}, only {lead:.2f} more than {self.second}; "
                f"{margin:.2f} more is needed."
            )
        return (
            f"{self.best}: {self.similarity:.2f}, {needed:.2f} is needed; "
            f"{lead:.2f} more than {self.second}, {margin:.2f} is needed."
        )

    def as_json(self) -> dict[str, object]:
        box = self.box
        return {
            "box": [round(value, 4) for value in (box.x1, box.y1, box.x2, box.y2)],
            "height_px": round(self.quality.height_px),
            "quality": round(self.quality.score, 3),
            "usable": is_usable(self.quality),
            "decision": self.outcome.value,
            "person": self.person,
            "best": self.best,
            "similarity": _rounded(self.similarity),
            "runner_up": self.second,
            "runner_up_similarity": _rounded(self.runner_up),
            "threshold": self.policy.threshold,
            "margin": self.policy.margin,
            "words": self.words,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
