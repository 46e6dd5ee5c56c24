"""Says who was seen: takes the faces of a visit to its row.

Runs where the face model is loaded, in the vision worker.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from streaming.event_queue import TryAgainLater
from streaming.models import Camera

from . import grouping, usage
from .cache import Visits
from .engines import Answer, EngineUnavailable, SeenFace, policy_of
from .faces import NotAPicture, decode, main_face
from .models import AccessLog
from .pipeline import PersonSeen
from .rules import Standing, decide, kept_s
from .services import extend_visit, record_access

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import redis

    from .engines import Engine
    from .faces import FaceModel
    from .pipeline import FaceCrop, FaceOffered
    from .rules import Verdict

logger = logging.getLogger(__name__)
Decision = AccessLog.Decision


@dataclass(frozen=True, slots=True)
class _Compared:
    """A face of a visit that can be compared."""

    seen: SeenFace
    quality: float


class Recogniser:
    """Records whose the offered faces are, with one search for each visit.

    Several threads may use it.
    """

    def __init__(self, model: FaceModel, engine: Engine, client: redis.Redis) -> None:
        self._model = model
        self._engine = engine
        self._visits = Visits(client)

    def identify(self, offer: FaceOffered) -> PersonSeen | None:
        """Record a visit, or that it goes on; say who was seen.

        None when the camera is gone. Harmless when repeated, with the same answer.
        Raises TryAgainLater when the engine cannot answer now, and Django's database
        errors.
        """
        log = self._recorded(offer)
        if log is None:
            camera = Camera.objects.filter(code=offer.camera).first()
            if camera is None:
                logger.warning("A face was dropped: no camera is %s.", offer.camera)
                return None
            log = self._record(offer, site_id=camera.site_id)
            self._remember(offer, log)
        return _told(offer, log)

    def judge(self, crops: Sequence[FaceCrop], *, site_id: int) -> Verdict:
        """Say whose the faces of a visit are and record nothing.

        Raises TryAgainLater and Django's database errors.
        """
        answer = self._search(self._compared(crops), site_id=site_id)
        return decide(answer.votes, answer.policy)

    def _recorded(self, offer: FaceOffered) -> AccessLog | None:
        """Return the row of the event, or of the visit while its decision stands."""
        logs = AccessLog.objects.with_names()
        log = logs.filter(event_id=offer.event_id).first()
        if log is not None:
            return log
        log_id = self._visits.find(offer)
        log = extend_visit(log_id=log_id, at=offer.at) if log_id else None
        usage.count("misses" if log is None else "hits")
        return log

    def _record(self, offer: FaceOffered, *, site_id: int) -> AccessLog:
        compared = self._compared(offer.faces)
        answer = self._search(compared, site_id=site_id)
        best = compared[0] if compared else None
        embedder = self._model.embedder
        return record_access(
            offer=offer,
            verdict=decide(answer.votes, answer.policy),
            engine=answer.engine,
            policy=answer.policy,
            vector=best.seen.vector if best else None,
            face_model=embedder.name,
            quality=best.quality if best else 0.0,
            alike_from=grouping.alike_from(policy_of(embedder)),
        )

    def _search(self, compared: Sequence[_Compared], *, site_id: int) -> Answer:
        if not compared:
            # Nobody is asked, least of all for money: no two faces are told apart.
            return Answer(self._engine.name, self._engine.policy, ())
        try:
            faces = [each.seen for each in compared]
            return self._engine.search(faces, site_id=site_id)
        except EngineUnavailable as error:
            raise TryAgainLater(str(error)) from error

    def _compared(self, crops: Sequence[FaceCrop]) -> list[_Compared]:
        """Describe the faces, best first; a crop without any has no vote."""
        return [found for crop in crops if (found := self._described(crop))]

    def _described(self, crop: FaceCrop) -> _Compared | None:
        try:
            image = decode(crop.jpeg)
        except NotAPicture:
            return None
        face = main_face(self._model.finder.find(image))
        if face is None:
            return None
        vector = self._model.embedder.embed(image, face)
        seen = SeenFace(crop.jpeg, [float(each) for each in vector])
        return _Compared(seen, crop.quality)

    def _remember(self, offer: FaceOffered, log: AccessLog) -> None:
        ttl_s = kept_s(
            log.decision,
            known_s=settings.CACHE_TTL_SECONDS,
            unknown_s=settings.UNKNOWN_COOLDOWN,
        )
        self._visits.keep(offer, log_id=log.pk, ttl_s=ttl_s)


def _told(offer: FaceOffered, log: AccessLog) -> PersonSeen:
    # Who was named by a person since then is on the row of a stranger too.
    is_known = log.decision in {Standing.AUTHORIZED, Standing.UNAUTHORIZED}
    return PersonSeen(
        event_id=log.event_id,
        camera=offer.camera,
        session=offer.session,
        track_id=offer.track_id,
        employee_id=log.employee_id if is_known else None,
        decision=Standing(log.decision),
        first_seen_at=_came_at(offer, log),
        # Of a recording that is played again the visit ended when it did.
        at=min(offer.at, log.last_seen_at),
        access_log_id=log.pk,
        similarity=log.similarity,
        threshold=log.threshold,
        words=words(log),
    )


def _came_at(offer: FaceOffered, log: AccessLog) -> datetime:
    """Return when the person came into view.

    Two who cross each other may swap tracks: who takes over the track of somebody else
    came no earlier than their own face was seen.
    """
    track = AccessLog.objects.filter(
        camera=log.camera_id, session=offer.session, track_id=offer.track_id
    )
    others = track.exclude(employee=None).exclude(employee=log.employee_id)
    if others.filter(occurred_at__lt=log.occurred_at).exists():
        return log.occurred_at
    return min(offer.came_at, log.occurred_at)


def words(log: AccessLog) -> str:
    """Return what the live picture says of a visit: the code, not the name."""
    if log.decision == Decision.AUTHORIZED and log.employee:
        return log.employee.code
    if log.decision == Decision.UNAUTHORIZED and log.employee:
        return f"{log.employee.code} refused"
    return str(log.decision)
