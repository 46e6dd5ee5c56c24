"""A site, and clients logged in as each role of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from factory_site.roles import HR, INTEGRATOR, SECURITY
from tests.factories import make_employee, make_site, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from identity.models import Employee
    from streaming.models import Site


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Own plant", slug="own-plant", time_zone="Asia/Kolkata")


@pytest.fixture
def asha(site: Site) -> Employee:
    return make_employee(site=site, code="E-104", name="Asha Rao")


@pytest.fixture
def client_of(site: Site) -> Callable[[str], APIClient]:
    """Give clients by role, of the site."""

    def make(role: str) -> APIClient:
        client = APIClient()
        name = role.replace(" ", "").lower()
        client.force_authenticate(make_user(name, role=role, sites=[site]))
        return client

    return make


@pytest.fixture
def hr(client_of: Callable[[str], APIClient]) -> APIClient:
    return client_of(HR)


@pytest.fixture
def reader(client_of: Callable[[str], APIClient]) -> APIClient:
    return client_of(INTEGRATOR)


@pytest.fixture
def security(client_of: Callable[[str], APIClient]) -> APIClient:
    return client_of(SECURITY)


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """Give the function that reads the first page of a list."""

    def read(client: APIClient, route: str, **query: Any) -> list[dict[str, Any]]:
        response = client.get(f"/api/v1/{route}", query)
        assert response.status_code == 200, response.json()
        found: list[dict[str, Any]] = response.json()["results"]
        return found

    return read
