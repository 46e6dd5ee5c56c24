"""The engine that has Rekognition recognise, and the local one where that cannot.

A site has a collection of its own: strangers to it never stand among the best matches.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from django.conf import settings

from identity import usage
from identity.engines import Answer, EngineUnavailable, FaceNotTaken
from identity.models import Employee, FaceSample
from identity.models.people import PHOTOS_MAX
from identity.rules import Policy, Ranked
from streaming import workers

from .calls import NotAnswered, RemoteCalls
from .client import BadImage, NoCollection, Rekognition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from identity.engines import LocalEngine, SeenFace

    from .client import RemoteMatch

logger = logging.getLogger(__name__)
MARGIN: Final = 3.0
"""Points of similarity. Rekognition's similarity is a confidence: of one person it is
mostly above 99, of two mostly below 20, so two people who are both above the threshold
and this close look alike to it, or are one person enrolled twice."""
MAX_FACES: Final = PHOTOS_MAX + 1
"""All photos of the best person, and one of the runner-up."""


class RekognitionEngine:
    """Implements `Engine`. Ids of faces are `<collection>/<face id>`."""

    name = "rekognition"

    def __init__(
        self,
        local: LocalEngine,
        *,
        client: Rekognition | None = None,
        calls: RemoteCalls | None = None,
    ) -> None:
        self._local = local
        self._client = client or Rekognition(
            region=settings.REKOGNITION_REGION,
            endpoint_url=settings.REKOGNITION_ENDPOINT_URL,
        )
        self._calls = calls or RemoteCalls(
            workers.connect(), per_second=settings.MAX_REKOGNITION_CALLS_PER_SECOND
        )
        self._is_replaced = False
        """Whether the local engine answered the last search."""

    @property
    def policy(self) -> Policy:
        return Policy(threshold=settings.FACE_MATCH_THRESHOLD, margin=MARGIN)

    def search(self, faces: Sequence[SeenFace], *, site_id: int) -> Answer:
        """Compare the best face with the people of a site, by one paid call.

        The local engine compares all of them when Rekognition has no answer.
        """
        if not FaceSample.objects.remote().filter(employee__site=site_id).exists():
            return self._replaced(
                faces, site_id, "Nobody of the site is in its collection."
            )
        self._client.prepare()
        try:
            matches = self._matches(faces[0].jpeg, collection_of(site_id))
        except (NotAnswered, NoCollection) as error:
            return self._replaced(faces, site_id, str(error))
        self._note(is_replaced=False)
        votes = () if matches is None else (self._ranked(matches, site_id),)
        return Answer(self.name, self.policy, votes)

    def enrol(self, *, jpeg: bytes, employee_id: int) -> str:
        """Add a face to the collection of the person's site; return its id.

        The same photo of the same person is never added twice. Raises FaceNotTaken,
        EngineUnavailable.
        """
        collection = collection_of(_site_of(employee_id))
        external_id = f"{employee_id}-{hashlib.sha256(jpeg).hexdigest()[:32]}"

        def index() -> str:
            return self._client.index_face(
                collection, jpeg=jpeg, external_id=external_id
            )

        try:
            try:
                face_id = self._calls.run(index, is_paid=True)
            except NoCollection:
                self._calls.run(lambda: self._client.create_collection(collection))
                face_id = self._calls.run(index, is_paid=True)
        except BadImage as error:
            raise FaceNotTaken(str(error)) from error
        except (NotAnswered, NoCollection) as error:
            raise EngineUnavailable(str(error)) from error
        return f"{collection}/{face_id}"

    def forget(self, *, external_ids: Sequence[str]) -> None:
        """Remove faces for good; those that are gone already are passed over."""
        of_collection = defaultdict(list)
        for external_id in external_ids:
            collection, _, face_id = external_id.rpartition("/")
            of_collection[collection].append(face_id)
        for collection, face_ids in of_collection.items():
            self._delete(collection, face_ids)

    def remote_ids(self, *, site_id: int) -> list[str]:
        """Return the ids of all faces in a site's collection, rows or not.

        Raises EngineUnavailable.
        """
        collection = collection_of(site_id)
        try:
            faces = self._calls.run(lambda: self._client.list_faces(collection))
        except NoCollection:
            return []
        except (NotAnswered, BadImage) as error:
            raise EngineUnavailable(str(error)) from error
        return [f"{collection}/{face.face_id}" for face in faces]

    def _matches(self, jpeg: bytes, collection: str) -> list[RemoteMatch] | None:
        """Return the nearest faces; None when Rekognition finds no face to compare."""
        try:
            return self._calls.run(
                lambda: self._client.search_face(
                    collection, jpeg=jpeg, max_faces=MAX_FACES
                ),
                is_paid=True,
            )
        except BadImage as error:
            logger.info("A face has no vote: %s", error)
            return None

    def _ranked(self, matches: Sequence[RemoteMatch], site_id: int) -> list[Ranked]:
        """Return the people behind the matches; faces of nobody we know are ignored."""
        collection = collection_of(site_id)
        ids = {f"{collection}/{match.face_id}": match for match in matches}
        rows = FaceSample.objects.filter(
            external_face_id__in=ids,
            employee__site=site_id,
            employee__erased_at=None,
        )
        best: dict[int, float] = {}
        for external_id, person in rows.values_list("external_face_id", "employee"):
            similarity = ids[external_id].similarity
            best[person] = max(similarity, best.get(person, 0.0))
        ranked = [Ranked(person, similarity) for person, similarity in best.items()]
        return sorted(ranked, key=lambda one: (-one.similarity, one.person))

    def _replaced(self, faces: Sequence[SeenFace], site_id: int, why: str) -> Answer:
        usage.count("fallbacks")
        self._note(is_replaced=True, why=why)
        return self._local.search(faces, site_id=site_id)

    def _note(self, *, is_replaced: bool, why: str = "") -> None:
        """Log who recognises, when that changes."""
        if is_replaced and not self._is_replaced:
            logger.warning("The local engine recognises for Rekognition. %s", why)
        elif self._is_replaced and not is_replaced:
            logger.warning("Rekognition recognises again.")
        self._is_replaced = is_replaced

    def _delete(self, collection: str, face_ids: Sequence[str]) -> None:
        try:
            self._calls.run(
                lambda: self._client.delete_faces(collection, face_ids=face_ids)
            )
        except NoCollection:
            return
        except (NotAnswered, BadImage) as error:
            raise EngineUnavailable(str(error)) from error


def collection_of(site_id: int) -> str:
    """Return the name of a site's collection: by its id, for slugs may change."""
    return f"{settings.REKOGNITION_COLLECTION}-{site_id}"


def _site_of(employee_id: int) -> int:
    site_id = Employee.objects.values_list("site_id", flat=True).get(pk=employee_id)
    return int(site_id)
