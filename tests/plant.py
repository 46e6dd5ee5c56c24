"""The plant that pages are tried with, and logins of its roles.

Fixtures for a conftest.py to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from factory_site.roles import HR, SECURITY
from tests.factories import make_camera, make_employee, make_site, make_user

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import Settings

    from identity.models import Employee, User
    from streaming.models import Camera, Site


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")


@pytest.fixture
def gate(site: Site) -> Camera:
    return make_camera(site=site, code="CAM-GATE", name="Gate 1")


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


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """Give pictures a folder of their own, wherever it is imported."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path
