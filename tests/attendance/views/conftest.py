"""A plant in India, and logins of its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from factory_site.roles import INTEGRATOR
from tests.factories import make_user
from tests.plant import asha, gate, hr, sam, security, site

if TYPE_CHECKING:
    from django.test import Client

    from streaming.models import Site

__all__ = ["asha", "gate", "hr", "sam", "security", "site"]


@pytest.fixture
def integrator(client: Client, site: Site) -> Client:
    client.force_login(make_user("iris", role=INTEGRATOR, sites=[site]))
    return client
