"""A site, and clients logged in as each role of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from factory_site.roles import HR, INTEGRATOR, SECURITY
from tests.clients import client_of
from tests.factories import make_employee, make_site

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from identity.models import Employee
    from streaming.models import Site


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Own plant", slug="own-plant", time_zone="Asia/Kolkata")


@pytest.fixture
def asha(site: Site) -> Employee:
    return make_employee(site=site, code="E-104", name="Asha Rao")


@pytest.fixture
def hr(site: Site) -> APIClient:
    return client_of(HR, site)


@pytest.fixture
def reader(site: Site) -> APIClient:
    return client_of(INTEGRATOR, site)


@pytest.fixture
def security(site: Site) -> APIClient:
    return client_of(SECURITY, site)
