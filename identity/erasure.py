"""Erasing a person: all that tells of them goes, the statistics stay.

The database forgets in one transaction, which also notes the files and remote faces
that are to go; these follow at once, and what does not is tried again by a job. The row
of the employee stays as "Erased person", so that every visit still counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction
from pgvector.django import MaxInnerProduct

from streaming import weights

from . import enrolment, erased_words, register
from .models import AccessLog, Employee, Erasure, FaceSample, UnknownPerson
from .models.people import PHOTOS_MAX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from django.db.models import QuerySet

    from .erased_words import Words
    from .models import User

logger = logging.getLogger(__name__)
NAME: Final = "Erased person"
OTHER_THRESHOLD: Final = 0.55
"""Of dlib, and of face models that are no longer in the manifest."""


Forget = Callable[[Employee, "Words", datetime], Mapping[str, int]]
"""Removes, in the transaction, what an app above keeps of a person: given who they are,
what tells of them in texts, and when; returns counts for `Erasure.removed`. It may give
their name to visits that bear none: those are emptied next."""
ELSEWHERE: Final[list[Forget]] = []
"""Filled by the composition root; this app knows none of those above it."""


class AlreadyErased(Exception):
    """There is nothing left to erase."""

    def __init__(self, employee: Employee) -> None:
        super().__init__(f"{employee.code} was erased already.")


def erase(*, employee: Employee, by: User | None, at: datetime) -> Erasure:
    """Erase a person for good; raise AlreadyErased.

    `remaining` of the result is what could not be removed yet: read it after the
    commit.
    """
    with transaction.atomic():
        # In the order in which a promotion locks: the register, then the person.
        sites = _sites_of(employee)
        for site_id in sorted(sites):
            register.alone(site_id)
        person = Employee.objects.select_for_update().get(pk=employee.pk)
        if person.erased_at is not None:
            raise AlreadyErased(person)
        code = f"ERASED-{person.pk}"
        words = erased_words.of(person, code=code, name=NAME)
        samples = list(person.faces.all())
        removed = _forgotten_elsewhere(person, words, at=at)
        counts, files = _forget_sightings(person, samples, sites=sites)
        removed |= counts | _forget_photos(samples)
        _forget_row(person, code=code, by=by, at=at)
        removed |= _forget_history(person)
        removed["texts"] = erased_words.replace(words, person=person)
        erasure = Erasure.objects.create(
            employee=person,
            erased_at=at,
            erased_by=by,
            removed=removed,
            remaining=_without_empty(
                files=[*files, *(sample.image.name for sample in samples)],
                remote_faces=[sample.external_face_id for sample in samples],
            ),
        )
        # Whatever happens there, the person is erased, and the job tries again.
        transaction.on_commit(lambda: finish(erasure), robust=True)
    logger.info("Employee %s was erased.", person.pk)
    return erasure


def finish(erasure: Erasure) -> bool:
    """Remove the files and remote faces that are still there; say whether all are gone.

    Doing so twice, or in two processes at once, does no harm.
    """
    files = erasure.remaining.get("files", [])
    remote = erasure.remaining.get("remote_faces", [])
    erasure.remaining = _without_empty(
        files=[name for name in files if not enrolment.discard_file(name)],
        remote_faces=[] if enrolment.discard_remote(remote) else remote,
    )
    erasure.save(update_fields=["remaining"])
    return erasure.is_complete


def finish_all() -> int:
    """Try again what erasures left; return how many of them still leave something."""
    late = AccessLog.objects.filter(employee__erased_at__isnull=False)
    # A visit that was decided just before, and stored just after.
    for name in _emptied(late.exclude(embedding=None, snapshot="")):
        enrolment.discard_file(name)
    unfinished = Erasure.objects.unfinished().order_by("pk")
    return sum(not finish(erasure) for erasure in unfinished)


def _without_empty(**names: Iterable[str | None]) -> dict[str, list[str]]:
    kept = {kind: [name for name in found if name] for kind, found in names.items()}
    return {kind: found for kind, found in kept.items() if found}


def _forgotten_elsewhere(
    person: Employee, words: Words, *, at: datetime
) -> dict[str, int]:
    removed: dict[str, int] = {}
    for forget in ELSEWHERE:
        removed |= forget(person, words, at)
    return removed


def _forget_photos(samples: Sequence[FaceSample]) -> dict[str, int]:
    FaceSample.objects.filter(pk__in=[sample.pk for sample in samples]).delete()
    remote = [sample for sample in samples if sample.external_face_id]
    return {"photos": len(samples), "remote_faces": len(remote)}


def _sites_of(employee: Employee) -> set[int]:
    """Return where they work and worked: there cameras may have seen them."""
    return {employee.site_id, *employee.history.values_list("site_id", flat=True)}


def _forget_sightings(
    person: Employee, samples: Sequence[FaceSample], *, sites: Collection[int]
) -> tuple[dict[str, int], list[str]]:
    """Empty the person's visits of face and picture; return counts and file names.

    Register entries that are or resemble the person, their visits, and other strangers'
    visits go the same way where the face is theirs by the threshold that would name
    them: else a search by photo would still find them.
    """
    own = AccessLog.objects.filter(employee=person)
    promoted = list(UnknownPerson.objects.filter(employee=person))
    faces = [*promoted, *(samples or _best_visits(own))]
    strangers = UnknownPerson.objects.strangers().filter(site__in=sites)
    entries = {*(entry.pk for entry in promoted), *_alike(strangers, faces)}
    unnamed = AccessLog.objects.filter(employee=None)
    theirs = {
        *unnamed.filter(unknown_person__in=entries).values_list("pk", flat=True),
        *_alike(unnamed.filter(camera__site__in=sites), faces),
    }
    files = _emptied(own | AccessLog.objects.filter(pk__in=theirs))
    UnknownPerson.objects.filter(pk__in=entries).delete()
    UnknownPerson.history.filter(id__in=entries).delete()
    counts = {
        "visits_kept_without_face": own.count(),
        "snapshots": len(files),
        "unnamed_visits_alike": len(theirs),
        "register_entries": len(entries),
    }
    return counts, files


def _best_visits(own: QuerySet[AccessLog]) -> QuerySet[AccessLog]:
    """Return what tells how somebody looks of whom no photo is left."""
    recognised = own.filter(embedding__isnull=False, flagged=False)
    return recognised.order_by("-quality", "pk")[:PHOTOS_MAX]


def _emptied(logs: QuerySet[AccessLog]) -> list[str]:
    """Take face, picture and notes from visits; return the pictures' names."""
    names = list(logs.exclude(snapshot="").values_list("snapshot", flat=True))
    logs.update(embedding=None, snapshot="", snapshot_bytes=0, notes="")
    return names


def _alike(
    rows: QuerySet[Any], faces: Iterable[FaceSample | UnknownPerson | AccessLog]
) -> set[int]:
    """Return the keys of rows whose face is one of these.

    All rows are compared, without the index, which may miss some.
    """
    found: set[int] = set()
    for face in faces:
        distance = MaxInnerProduct("embedding", face.embedding)
        near = rows.filter(face_model=face.face_model).annotate(distance=distance)
        at_most = -_threshold(face.face_model)
        found.update(near.filter(distance__lte=at_most).values_list("pk", flat=True))
    return found


def _threshold(face_model: str) -> float:
    """Return from which cosine on a face would be given the person's name."""
    rows = (row for row in weights.manifest() if row.name == face_model)
    of_model = next((row.embedding.threshold for row in rows if row.embedding), None)
    return settings.FACE_THRESHOLD or of_model or OTHER_THRESHOLD


def _forget_row(person: Employee, *, code: str, by: User | None, at: datetime) -> None:
    person.code = code
    person.name = NAME
    person.email = None
    person.department = None
    person.notes = ""
    person.status = Employee.Status.INACTIVE
    person.is_authorized = False
    person.enrolled_at = person.last_seen_at = None
    person.erased_at = at
    # Whom simple_history names, also outside of a request.
    person._history_user = by  # type: ignore[attr-defined]
    person.save()


def _forget_history(person: Employee) -> dict[str, int]:
    """Delete what the row was before; that it was erased stays."""
    newest = person.history.order_by("-history_date", "-history_id").first()
    before = person.history.exclude(pk=newest and newest.pk)
    return {"history_rows": before.delete()[0]}
