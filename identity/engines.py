"""The port behind which faces are compared with those of the people who work here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from . import gallery
from .rules import Policy, Ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .faces import Embedder

ENGINES: Final = {
    "local": "identity.engines.LocalEngine",
    "rekognition": "identity.rekognition.engine.RekognitionEngine",
}
"""By name, so that a process loads only what it uses."""


class EngineUnavailable(Exception):
    """The engine cannot answer now; it can later."""


class FaceNotTaken(Exception):
    """A remote engine does not take the picture, or finds no face in it."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """One face to be compared."""

    jpeg: bytes
    """The face with what is around it."""
    vector: Sequence[float]
    """Unit length, by the local face model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine says of the faces of one visit."""

    engine: str
    """Which one answered in the end."""
    policy: Policy
    """On the scale of that engine."""
    votes: Sequence[Sequence[Ranked]]
    """One list for each face that was compared, the best person first."""


class Engine(Protocol):
    name: str

    @property
    def policy(self) -> Policy:
        """What it needs to give a name, on its own scale."""
        ...

    def search(self, faces: Sequence[SeenFace], *, site_id: int) -> Answer:
        """Compare the faces of one visit, best first, with the people of a site.

        A remote engine is asked once, with the first. Raises EngineUnavailable.
        """
        ...

    def enrol(self, *, jpeg: bytes, employee_id: int) -> str:
        """Make a face known; return its id there, or nothing where it has none.

        Raises FaceNotTaken, EngineUnavailable.
        """
        ...

    def forget(self, *, external_ids: Sequence[str]) -> None:
        """Remove faces for good; raise EngineUnavailable."""
        ...

    def remote_ids(self, *, site_id: int) -> Sequence[str]:
        """Return the ids of all faces it holds of a site; raise EngineUnavailable."""
        ...


class LocalEngine:
    """Implements `Engine` over the vectors in the database."""

    name = "local"

    def __init__(self, load: Callable[[], Embedder] | None = None) -> None:
        """Take what loads the embedder, at the first search."""
        self._load = load or _the_embedder

    @cached_property
    def _embedder(self) -> Embedder:
        return self._load()

    @property
    def policy(self) -> Policy:
        return policy_of(self._embedder)

    def search(self, faces: Sequence[SeenFace], *, site_id: int) -> Answer:
        votes = gallery.nearest_of_each(
            [face.vector for face in faces],
            site_id=site_id,
            face_model=self._embedder.name,
        )
        return Answer(self.name, self.policy, votes)

    def enrol(self, *, jpeg: bytes, employee_id: int) -> str:
        """Return nothing: the photo's row with its vector is what makes it known."""
        return ""

    def forget(self, *, external_ids: Sequence[str]) -> None:
        """Do nothing: with the photo's row its vector is gone."""

    def remote_ids(self, *, site_id: int) -> Sequence[str]:
        """Return nothing: the rows are all there is."""
        return ()


def policy_of(embedder: Embedder) -> Policy:
    """Return what a face model needs to give a name; settings may ask otherwise."""
    return Policy(
        threshold=settings.FACE_THRESHOLD or embedder.threshold,
        margin=settings.FACE_MARGIN or embedder.margin,
    )


def _the_embedder() -> Embedder:
    """Load the site's face model, by name: the web process has no vision library."""
    embedder: Embedder = import_string("identity.face_model.the_face_model")().embedder
    return embedder


@cache
def the_engine() -> Engine:
    """Return the engine that settings choose; nothing is loaded before it is used."""
    local = LocalEngine()
    if local.name == settings.FACE_ENGINE:
        return local
    engine: Engine = import_string(ENGINES[settings.FACE_ENGINE])(local)
    return engine
