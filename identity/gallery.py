"""Searches among the stored vectors of faces.

Similarity is the inner product of vectors of unit length: their cosine.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction
from django.db.models import IntegerField, QuerySet, Value
from pgvector.django import MaxInnerProduct

from .models import AccessLog, FaceSample, UnknownPerson
from .models.people import PHOTOS_MAX
from .rules import Ranked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

EF_SEARCH: Final = 200
"""How widely the index is searched: among 50,000 vectors 100 missed the best person in
one of 60 searches and 200 in none; see bench/gallery.py."""


@dataclass(frozen=True, slots=True)
class Alike:
    """A row and how alike its face is."""

    pk: int
    similarity: float


def nearest(
    vector: Sequence[float], *, site_id: int, face_model: str, limit: int = 2
) -> list[Ranked]:
    """Return the people of a site whom a face resembles most, the best first.

    Each is ranked by the best of their photos, whether they may enter or not.
    """
    found = nearest_of_each(
        [vector], site_id=site_id, face_model=face_model, limit=limit
    )
    return found[0]


def nearest_of_each(
    vectors: Sequence[Sequence[float]],
    *,
    site_id: int,
    face_model: str,
    limit: int = 2,
) -> list[list[Ranked]]:
    """Return for each face what `nearest` does; all faces make one query."""
    here = FaceSample.objects.of_model(face_model).filter(
        employee__site=site_id, employee__erased_at=None
    )
    probes = [
        _by_likeness(here, vector)
        .annotate(probe=Value(number, IntegerField()))
        .values_list("probe", "employee_id", "distance")[: limit * PHOTOS_MAX]
        for number, vector in enumerate(vectors)
    ]
    if not probes:
        return []
    best: list[dict[int, float]] = [{} for _ in vectors]
    with _searching():
        for number, person, distance in probes[0].union(*probes[1:], all=True):
            known = best[number].get(person, -distance)
            best[number][person] = max(known, -distance)
    return [_ranked(people)[:limit] for people in best]


def _ranked(people: dict[int, float]) -> list[Ranked]:
    ranked = [Ranked(person, similarity) for person, similarity in people.items()]
    return sorted(ranked, key=lambda each: (-each.similarity, each.person))


def nearest_unknown(
    vector: Sequence[float], *, site_id: int, face_model: str
) -> Alike | None:
    """Return the stranger of a site whom a face resembles most, if there is any.

    Also one who was named since: until their photo is taken they stay unknown to us.
    """
    strangers = UnknownPerson.objects.filter(site=site_id, face_model=face_model)
    # The first that the index gives need not be the nearest.
    return next(iter(_alike(strangers, vector, limit=PHOTOS_MAX)), None)


def similar_sightings(
    vector: Sequence[float],
    *,
    site_ids: Collection[int],
    face_model: str,
    at_least: float,
    limit: int = 100,
) -> list[Alike]:
    """Return the visits at these sites whose face is that alike, the most alike first.

    Strangers' and employees': whoever was seen.
    """
    seen = AccessLog.objects.filter(
        camera__site__in=site_ids, face_model=face_model, embedding__isnull=False
    )
    found = _alike(seen, vector, limit=limit)
    return [each for each in found if each.similarity >= at_least]


def _alike(rows: QuerySet[Any], vector: Sequence[float], *, limit: int) -> list[Alike]:
    nearest_first = _by_likeness(rows, vector).values_list("pk", "distance")
    with _searching():
        found = [Alike(pk, -distance) for pk, distance in nearest_first[:limit]]
    return sorted(found, key=lambda each: (-each.similarity, each.pk))


def _by_likeness(rows: QuerySet[Any], vector: Sequence[float]) -> QuerySet[Any]:
    """Order rows by the negative inner product of their vector and this one."""
    distance = MaxInnerProduct("embedding", [float(each) for each in vector])
    nearest_first: QuerySet[Any] = rows.annotate(distance=distance)
    return nearest_first.order_by("distance")


@contextmanager
def _searching() -> Iterator[None]:
    """Let the index be searched on until enough rows pass the filters.

    Sites and face models are filtered after the index, which else stops too early. In
    strict order it would leave out what it meets late, however near.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
            " set_config('hnsw.ef_search', %s, true)",
            [str(EF_SEARCH)],
        )
        yield
