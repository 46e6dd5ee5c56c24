"""Users of the API at one site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.test import APIClient

from tests.factories import make_user

if TYPE_CHECKING:
    from streaming.models import Site

API = "/api/v1/"


def client_of(role: str, site: Site, **values: Any) -> APIClient:
    """Return a client logged in with a role at a site, under the role's name."""
    client = APIClient()
    name = role.replace(" ", "").lower()
    client.force_authenticate(make_user(name, role=role, sites=[site], **values))
    return client


def rows(client: APIClient, route: str, **query: str | int) -> list[dict[str, Any]]:
    response = client.get(f"{API}{route}", query)
    assert response.status_code == 200, response.json()
    found: list[dict[str, Any]] = response.json()["results"]
    return found
