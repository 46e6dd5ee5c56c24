"""Who may not be recognised, and why: photos that HR should look after.

All but the look-alikes is asked of the database at once. Those are found every night by
comparing everybody with everybody, in identity/look_alikes.py.
"""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - msgspec reads it
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Max, Q

from streaming import weights

from .models import Employee

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streaming.models import Site

OLD: Final = timedelta(days=2 * 365)
"""Faces change; passports are renewed every five to ten years, badges more often."""
POOR: Final = 0.5
"""Quality that no photo is below which was taken at a desk; see quality.py."""
RECENT: Final = 10
"""So many of the newest visits are compared with those before them,"""
BEFORE: Final = 50
"""up to this one."""
FALLEN: Final = 0.08
"""Of the scale: as much as lies between the best match and the next (the margin)."""
WITHIN: Final = timedelta(days=180)
KEPT_S: Final = 8 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Falling:
    """Somebody whom cameras recognise less well than before."""

    employee: Employee
    before: float
    """Median similarity, on the engine's own scale."""
    now: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who look alike, or one who is enrolled twice."""

    one: Employee
    other: Employee
    similarity: float


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """What the nightly comparison found at a site."""

    at: datetime
    pairs: Sequence[tuple[int, int, float]]
    """Keys of employees, and how alike their most similar photos are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What is to be looked after at some sites; people by code."""

    without_photo: Sequence[Employee]
    other_model: Sequence[Employee]
    """With photos, but none that the present face model has described."""
    old: Sequence[Employee]
    poor: Sequence[Employee]
    falling: Sequence[Falling]
    alike: Sequence[Pair]
    alike_at: datetime | None
    """When people were last compared; None if not in the last days."""

    @property
    def counts(self) -> Mapping[str, int]:
        return {
            "without_photo": len(self.without_photo),
            "other_model": len(self.other_model),
            "old": len(self.old),
            "poor": len(self.poor),
            "alike": len(self.alike),
            "falling": len(self.falling),
        }

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def audit(*, sites: Sequence[Site], now: datetime) -> Audit:
    """Look through the active employees of the sites."""
    model = present_model()
    people = (
        Employee.objects.active()
        .filter(site__in=sites)
        .select_related("site", "department")
        .annotate(
            photos=Count("faces"),
            usable=Count("faces", filter=Q(faces__face_model=model)),
            newest_at=Max("faces__created_at"),
            best=Max("faces__quality"),
        )
        .order_by("code")
    )
    pairs, alike_at = _pairs(sites)
    return Audit(
        without_photo=list(people.filter(photos=0)),
        other_model=list(people.filter(photos__gt=0, usable=0)),
        old=list(people.filter(newest_at__lt=now - OLD)),
        poor=list(people.filter(best__lt=POOR)),
        falling=_falling(sites, now=now),
        alike=pairs,
        alike_at=alike_at,
    )


def present_model() -> str:
    """Return the face model that a process started now would use."""
    return weights.face_model_name(settings.MODELS_DIR, wanted=settings.FACE_MODEL)


def in_words(counts: Mapping[str, int]) -> str:
    """Say in one sentence what is to be looked after; empty when nothing is."""
    phrases = {
        "without_photo": ("{} has no photo", "{} have no photo"),
        "other_model": (
            "{} has only photos of an earlier face model",
            "{} have only photos of an earlier face model",
        ),
        "old": ("{} has only old photos", "{} have only old photos"),
        "poor": ("{} has only poor photos", "{} have only poor photos"),
        "alike": ("{} pair looks alike", "{} pairs look alike"),
        "falling": (
            "{} is recognised less well than before",
            "{} are recognised less well than before",
        ),
    }
    said = [
        phrases[name][count != 1].format(count)
        for name, count in counts.items()
        if count
    ]
    return f"{', '.join(said)}." if said else ""


def keep_look_alikes(*, site_id: int, found: LookAlikes) -> None:
    """Keep what the nightly comparison found until the audit shows it."""
    cache.set(_key(site_id), msgspec.json.encode(found), KEPT_S)


def _pairs(sites: Sequence[Site]) -> tuple[list[Pair], datetime | None]:
    kept = cache.get_many([_key(site.pk) for site in sites])
    found = [msgspec.json.decode(said, type=LookAlikes) for said in kept.values()]
    keys = {key for each in found for pair in each.pairs for key in pair[:2]}
    people = Employee.objects.active().filter(site__in=sites).in_bulk(keys)
    pairs = [
        Pair(people[one], people[other], similarity)
        for each in found
        for one, other, similarity in each.pairs
        if one in people and other in people
    ]
    pairs.sort(key=lambda pair: (-pair.similarity, pair.one.code, pair.other.code))
    return pairs, min((each.at for each in found), default=None)


def _key(site_id: int) -> str:
    return f"identity:look_alikes:{site_id}"


def _falling(sites: Sequence[Site], *, now: datetime) -> list[Falling]:
    """Compare medians of the similarity of authorised visits, newest and before.

    Of one engine: the one that answered last, whose scale is 0..1 or per cent.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            FALLING,
            {
                "sites": [site.pk for site in sites],
                "since": now - WITHIN,
                "recent": RECENT,
                "before": BEFORE,
                "fallen": FALLEN,
            },
        )
        rows = cursor.fetchall()
    people = Employee.objects.select_related("site").in_bulk([row[0] for row in rows])
    return [Falling(people[pk], before, recent) for pk, before, recent in rows]


FALLING: Final = """
SELECT person.id, medians.before, medians.recent
FROM identity_employee person
CROSS JOIN LATERAL (
    SELECT
        percentile_cont(0.5) WITHIN GROUP (ORDER BY similarity)
            FILTER (WHERE place <= %(recent)s) AS recent,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY similarity)
            FILTER (WHERE place > %(recent)s) AS before,
        count(*) FILTER (WHERE place > %(recent)s) AS compared,
        max(scale) AS scale
    FROM (
        SELECT
            similarity,
            CASE WHEN threshold > 1 THEN 100 ELSE 1 END AS scale,
            row_number() OVER (ORDER BY occurred_at DESC, id DESC) AS place,
            engine,
            first_value(engine) OVER (ORDER BY occurred_at DESC, id DESC) AS last_engine
        FROM (
            SELECT id, similarity, threshold, engine, occurred_at
            FROM identity_accesslog
            WHERE employee_id = person.id AND decision = 'authorized'
                AND similarity IS NOT NULL AND occurred_at >= %(since)s
            ORDER BY occurred_at DESC, id DESC
            LIMIT %(before)s
        ) visits
    ) placed
    WHERE engine = last_engine
) medians
WHERE person.site_id = ANY(%(sites)s) AND person.status = 'active'
    AND medians.compared >= %(recent)s
    AND medians.before - medians.recent > %(fallen)s * medians.scale
ORDER BY person.code
"""
