"""The stored faces of which it is known whose they are.

Whose a seen face is was decided at the time, or said by a person since. What was
flagged and never confirmed is left out.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Q

from identity.models import AccessLog, FaceSample
from identity.models.vectors import DIMENSIONS

from .quality import Faces, Similarities, TooFewPeople, compare, together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from streaming.models import Site

CHUNK = 2000
BY_HAND = Q(linked_at__isnull=False)
RECOGNISED = Q(
    decision__in=[AccessLog.Decision.AUTHORIZED, AccessLog.Decision.UNAUTHORIZED],
    flagged=False,
)


@dataclass(frozen=True, slots=True)
class Question:
    """Which seen faces to look at; an empty field leaves nothing out."""

    site: Site | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    """Visits that began in [start_at, end_at)."""
    face_model: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and on how much it rests."""

    similarities: Similarities
    face_model: str
    people: int
    photos: int
    seen: int
    """Faces that were compared."""
    by_hand: int
    """Of these, how many a person said whose they are; of the rest it was decided by
    the very similarity that is looked at here."""
    thresholds_in_force: tuple[float, ...]
    """Under which the local engine decided, the least first."""


def look(question: Question) -> Answer:
    """Compare the stored faces with the photos, writing nothing; raises TooFewPeople.

    Each is compared with the people of its own site, as cameras do.
    """
    with _reading_only():
        face_model = question.face_model or _fullest_model(question)
        seen = _seen(question).filter(face_model=face_model)
        photos = FaceSample.objects.of_model(face_model).filter(
            employee__erased_at=None
        )
        found = list(_at_each_site(seen, photos))
        if not found:
            raise TooFewPeople(
                "At no site are there two people with photos, and visits of theirs."
            )
        similarities = together(found)
        local = seen.filter(engine__startswith="local")
        return Answer(
            similarities=similarities,
            face_model=face_model,
            people=photos.values("employee").distinct().count(),
            photos=photos.count(),
            seen=len(similarities.genuine),
            by_hand=seen.filter(
                BY_HAND, employee__in=photos.values("employee")
            ).count(),
            thresholds_in_force=tuple(
                local.order_by("threshold")
                .values_list("threshold", flat=True)
                .distinct()
            ),
        )


@contextmanager
def _reading_only() -> Iterator[None]:
    """Have Postgres refuse whatever would write."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        yield


def _seen(question: Question) -> QuerySet[AccessLog]:
    known = AccessLog.objects.filter(BY_HAND | RECOGNISED)
    found = known.filter(employee__isnull=False, embedding__isnull=False)
    if question.site:
        found = found.filter(camera__site=question.site)
    if question.start_at:
        found = found.filter(occurred_at__gte=question.start_at)
    if question.end_at:
        found = found.filter(occurred_at__lt=question.end_at)
    return found


def _fullest_model(question: Question) -> str:
    """Return the face model that made the most of the vectors."""
    counts = _seen(question).values("face_model").annotate(n=Count("pk"))
    fullest = counts.order_by("-n", "face_model").first()
    if fullest is None:
        raise TooFewPeople(
            "There is no visit of a recognised person in this period. Enrol people, "
            "let cameras see them, and link unknown visits to the people they were."
        )
    name: str = fullest["face_model"]
    return name


def _at_each_site(
    seen: QuerySet[AccessLog], photos: QuerySet[FaceSample]
) -> Iterator[Similarities]:
    of_seen = seen.order_by("employee__site").values_list("employee__site", flat=True)
    for site in list(of_seen.distinct()):
        here = _faces(seen.filter(employee__site=site))
        enrolled = _faces(photos.filter(employee__site=site))
        with suppress(TooFewPeople):
            yield compare(here, enrolled)


def _faces(rows: QuerySet[Any]) -> Faces:
    """Load vectors some rows at a time: as lists they would take eight times more."""
    pairs = rows.order_by("pk").values_list("employee_id", "embedding")
    people, vectors = [], []
    for person, vector in pairs.iterator(chunk_size=CHUNK):
        people.append(person)
        vectors.append(np.asarray(vector, np.float32))
    none = np.empty((0, DIMENSIONS), np.float32)
    return Faces(np.stack(vectors) if vectors else none, np.array(people, np.int64))
