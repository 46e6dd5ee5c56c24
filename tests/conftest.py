"""Real Postgres and Redis for the tests that ask for them, in a folder of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from django.conf import settings

from factory_site import embedded, roles
from tests.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)


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
