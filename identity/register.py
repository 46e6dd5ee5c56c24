"""The register of strangers: who was seen again, and who it turned out to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least

from streaming import locks

from . import alarms, gallery, grouping
from .models import AccessLog, Employee, UnknownPerson

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from .models import User

RowT = TypeVar("RowT", bound=models.Model)


class NotPromoted(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a promotion changed, or its undoing."""

    rows: int
    """Visits that bear the employee's name from now on, or no longer."""


@dataclass(frozen=True, slots=True)
class Resembling:
    """Who resembles a face, most alike first: (row, similarity)."""

    strangers: Sequence[tuple[UnknownPerson, float]]
    sightings: Sequence[tuple[AccessLog, float]]


def attach(
    *,
    log_vector: Sequence[float],
    face_model: str,
    quality: float,
    site_id: int,
    at: datetime,
    alike_from: float,
) -> UnknownPerson | None:
    """Group an unknown sighting; None where the face is too poor to found a stranger.

    Whoever it is like from `alike_from` on (see grouping.py) came again. A poor face
    joins a stranger and moves nobody's mean.

    Call it inside the transaction that stores the sighting, after whatever rows that
    locks: from here to its end nobody else groups at this site, so that one face in
    front of two cameras founds one stranger.
    """
    alone(site_id)
    is_good = quality >= grouping.GOOD_FROM
    nearest = gallery.nearest_unknown(
        log_vector, site_id=site_id, face_model=face_model
    )
    if nearest and nearest.similarity >= alike_from:
        vector = log_vector if is_good else None
        if known := _seen_again(nearest.pk, at=at, vector=vector):
            return known
    if not is_good:
        return None
    return UnknownPerson.objects.create(
        site_id=site_id,
        embedding=list(log_vector),
        face_model=face_model,
        first_seen_at=at,
        last_seen_at=at,
    )


def alone(site_id: int) -> None:
    """Let one transaction at a time change a site's strangers."""
    locks.hold(f"strangers:{site_id}")


def _seen_again(
    pk: int, *, at: datetime, vector: Sequence[float] | None
) -> UnknownPerson | None:
    """Return the stranger with this sighting; None when they were erased meanwhile."""
    known = UnknownPerson.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if known is None:
        return None
    mean = known.embedding
    if vector is not None:
        mean = grouping.moved_mean(mean, vector, sightings=known.sightings)
    # Not save(): who comes by is no edit that the row's history should tell of.
    UnknownPerson.objects.filter(pk=pk).update(
        embedding=mean,
        sightings=F("sightings") + 1,
        first_seen_at=Least("first_seen_at", at),
        last_seen_at=Greatest("last_seen_at", at),
    )
    known.refresh_from_db()
    return known


@transaction.atomic
def promote(
    *, unknown: UnknownPerson, employee: Employee, by: User, at: datetime
) -> Backfilled:
    """Say who a stranger is: all their visits bear the name; raises NotPromoted.

    What was decided at the time stays in each visit, with who named it and when.
    """
    current, person = _locked(unknown), _locked_employee(employee)
    if current.employee is not None:
        raise NotPromoted(f"{current} is {current.employee.code} already.")
    if person.site_id != current.site_id:
        raise NotPromoted(
            f"{person.code} works at another site. Add them at {current.site} first."
        )
    if person.erased_at is not None:
        raise NotPromoted(f"{person.code} was erased, and nothing is kept of them.")
    _name(current, person, by=by, at=at)
    nameless = AccessLog.objects.filter(unknown_person=current, employee=None)
    rows = nameless.update(employee=person, linked_at=at, linked_by=by)
    seen_at = current.last_seen_at
    Employee.objects.filter(pk=person.pk).update(
        last_seen_at=Greatest("last_seen_at", seen_at)
    )
    alarms.note_named(stranger=current, at=at)
    return Backfilled(rows)


@transaction.atomic
def undo_promotion(*, unknown: UnknownPerson, by: User) -> Backfilled:
    """Take a name back that was given by mistake; raises NotPromoted.

    Visits that were named on their own keep their name.
    """
    current = _locked(unknown)
    if current.employee is None:
        raise NotPromoted(f"Nobody said who {current} is.")
    named = AccessLog.objects.filter(
        unknown_person=current,
        employee=current.employee,
        linked_at=current.promoted_at,
        decision__in=[AccessLog.Decision.UNKNOWN, AccessLog.Decision.AMBIGUOUS],
    )
    rows = named.update(employee=None, linked_at=None, linked_by=None)
    _name(current, None, by=by, at=None)
    return Backfilled(rows)


def _name(
    stranger: UnknownPerson, employee: Employee | None, *, by: User, at: datetime | None
) -> None:
    stranger.employee = employee
    stranger.promoted_at = at
    stranger.promoted_by = by if employee else None
    # Whom simple_history names, also outside of a request.
    stranger._history_user = by  # type: ignore[attr-defined]
    stranger.save(update_fields=["employee", "promoted_at", "promoted_by"])


def _locked(unknown: UnknownPerson) -> UnknownPerson:
    """Return the stranger as it is now, and nobody changes it until the commit."""
    alone(unknown.site_id)
    rows = UnknownPerson.objects.select_for_update(no_key=True, of=("self",))
    current = rows.select_related("site", "employee").filter(pk=unknown.pk).first()
    if current is None:
        raise NotPromoted(f"{unknown} is not in the register any more.")
    return current


def _locked_employee(employee: Employee) -> Employee:
    return Employee.objects.select_for_update(no_key=True).get(pk=employee.pk)


def search(
    *,
    vector: Sequence[float],
    face_model: str,
    site_ids: Collection[int],
    at_least: float,
) -> Resembling:
    """Say whether a face was here before, at these sites: as whom, and when.

    Of the strangers it names the nearest one of each site.
    """
    found = [
        gallery.nearest_unknown(vector, site_id=site_id, face_model=face_model)
        for site_id in site_ids
    ]
    near = [each for each in found if each and each.similarity >= at_least]
    near.sort(key=lambda each: (-each.similarity, each.pk))
    strangers = UnknownPerson.objects.select_related("site", "employee").defer(
        "embedding"
    )
    seen = gallery.similar_sightings(
        vector, site_ids=site_ids, face_model=face_model, at_least=at_least
    )
    visits = AccessLog.objects.with_names()
    return Resembling(strangers=_rows(strangers, near), sightings=_rows(visits, seen))


def _rows(
    rows: models.QuerySet[RowT], found: Sequence[gallery.Alike]
) -> list[tuple[RowT, float]]:
    """Return what was found as rows, but for those deleted meanwhile."""
    by_pk = rows.in_bulk([each.pk for each in found])
    return [(by_pk[each.pk], each.similarity) for each in found if each.pk in by_pk]
