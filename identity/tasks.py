"""Photos looked at for the web process, and the care of who is enrolled."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec
from celery import shared_task
from django.utils import timezone

from streaming.desk import answering
from streaming.models import Site

from . import digest, enrolment_audit, enrolment_care, erasure
from .photo_rules import PhotoRefused

if TYPE_CHECKING:
    from collections.abc import Mapping


@shared_task(time_limit=60)
@answering(refusal=PhotoRefused)
def look(*, blob: bytes, vectors: bool) -> Mapping[str, Any]:
    """Find the faces in a photo."""
    # Beat reads this file too, and needs no vision library.
    from . import face_work

    found: Mapping[str, Any] = msgspec.to_builtins(
        face_work.look(blob, vectors=vectors), builtin_types=(bytes,)
    )
    return found


@shared_task(time_limit=60)
@answering(refusal=PhotoRefused)
def recognise(*, blob: bytes, site_id: int) -> Mapping[str, Any]:
    """Recognise everybody in a picture."""
    from . import face_work

    seen = face_work.recognise(blob, site_id=site_id)
    return {"faces": msgspec.to_builtins(seen, builtin_types=(bytes,))}


@shared_task(time_limit=600, ignore_result=False)
def finish_erasures(**_: Any) -> dict[str, int]:
    """Remove what is left of erased people: files and remote faces."""
    return {"unfinished": erasure.finish_all()}


@shared_task(time_limit=600, ignore_result=False)
def tidy_enrolments(**_: Any) -> dict[str, int]:
    """Remove photos and remote faces that no row knows of."""
    return asdict(enrolment_care.tidy(now=timezone.now()))


@shared_task(time_limit=600, ignore_result=False)
def compare_people(**_: Any) -> dict[str, int]:
    """Find the people of each site who look alike, for the enrolment audit."""
    from . import look_alikes
    from .engines import policy_of
    from .face_model import the_face_model

    embedder = the_face_model().embedder
    pairs = 0
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        found = look_alikes.find(
            site_id=site_id,
            face_model=embedder.name,
            at_least=policy_of(embedder).threshold,
        )
        enrolment_audit.keep_look_alikes(
            site_id=site_id,
            found=enrolment_audit.LookAlikes(at=timezone.now(), pairs=found),
        )
        pairs += len(found)
    return {"pairs": pairs}


@shared_task(time_limit=600, ignore_result=False)
def tell_of_photos(**_: Any) -> dict[str, int]:
    """Raise an alert for each site that has photos to look after."""
    return {"sites": digest.tell(now=timezone.now())}
