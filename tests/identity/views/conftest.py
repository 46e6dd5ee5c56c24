"""A plant with people, and a folder of its own for their pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from factory_site.roles import HR, SECURITY
from tests.factories import make_employee, make_user
from tests.plant import gate, site

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import Settings

    from identity.models import Employee, User
    from streaming.models import Site


__all__ = ["gate", "site"]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def asha(site: Site) -> Employee:
    return make_employee(site=site, code="E-104", name="Asha Rao")


@pytest.fixture
def sam(site: Site) -> User:
    return make_user("sam", role=SECURITY, sites=[site])


@pytest.fixture
def security(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def hr(client: Client, site: Site) -> Client:
    client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))
    return client


@pytest.fixture
def stored(media: Path) -> str:
    """Store a picture and return its name."""
    return default_storage.save("snapshots/unknown/x.jpg", ContentFile(jpeg()))


def jpeg(colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "JPEG")
    return file.getvalue()
