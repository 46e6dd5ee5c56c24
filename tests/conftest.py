"""Real Postgres and Redis for the tests that ask for them, in a folder of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import redis
from django.conf import settings
from django.utils.module_loading import import_string

from factory_site import embedded, roles
from streaming import desk
from tests.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from identity.faces import FaceModel


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    # A machine that does much else at once is slow, and nothing is wrong.
    hypothesis.settings.register_profile("busy", deadline=None)
    hypothesis.settings.load_profile("busy")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: else one process ends far after the others."""
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """Run the embedded servers while the tests need them."""
    with embedded.servers(
        settings.VAR_DIR,
        database=settings.EMBEDDED_DATABASE,
        redis=settings.EMBEDDED_REDIS,
    ):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: None) -> None:
    """Start Postgres before the test database is made (a hook of pytest-django)."""


@pytest.fixture
def redis_client(servers: None) -> Iterator[redis.Redis]:
    """Give an empty Redis."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


@pytest.fixture
def card_faces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take tests/cards.py for the face model of this process."""
    from tests import cards

    yield from _with_model(cards.card_model(), monkeypatch)


def _with_model(model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from identity import engines, face_model, face_work

    for module in (face_model, face_work):
        monkeypatch.setattr(module, "the_face_model", lambda: model)
    engines.the_engine.cache_clear()
    yield
    engines.the_engine.cache_clear()


@pytest.fixture
def photo_worker(
    redis_client: redis.Redis, card_faces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answer what is asked at the desk, in this thread: it sees the test's own rows.

    Questions and answers go through Redis as ever. Faces are cards (tests/cards.py).
    """

    def work(task: str, question: str, payload: Mapping[str, Any], **_: object) -> None:
        import_string(task).apply(kwargs={**payload, "question": question})

    monkeypatch.setattr(desk, "_send", work)


@pytest.fixture
def real_faces(
    photo_worker: None, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Have the desk look at photos with the real face model; give those of people."""
    from identity.face_model import load_face_model

    model = load_face_model(shared / "models")
    for _ in _with_model(model, monkeypatch):
        yield shared / "samples" / "faces"


@pytest.fixture
def role_groups(db: None) -> None:
    """Make the groups of factory_site/roles.py."""
    roles.sync()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real clips and weights, or skip."""
    folder = Path(os.environ.get("FACTORY_SHARED", ROOT.parent / "shared"))
    if not (folder / "samples").is_dir():
        pytest.skip(f"real clips and weights are not in {folder} (FACTORY_SHARED)")
    return folder
