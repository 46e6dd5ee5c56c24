"""A plant in India, and logins of its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from factory_site.roles import HR, INTEGRATOR, SECURITY
from tests.factories import make_camera, make_employee, make_site, make_user

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import Employee
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
def hr(client: Client, site: Site) -> Client:
    client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))
    return client


@pytest.fixture
def security(client: Client, site: Site) -> Client:
    client.force_login(make_user("sam", role=SECURITY, sites=[site]))
    return client


@pytest.fixture
def integrator(client: Client, site: Site) -> Client:
    client.force_login(make_user("iris", role=INTEGRATOR, sites=[site]))
    return client
