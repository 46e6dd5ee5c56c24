"""A plant with a gate, and a folder of its own for pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from factory_site.roles import SECURITY, SITE_ADMIN
from tests.factories import make_employee, make_user, make_vehicle, make_vehicle_log
from tests.plant import gate as gate_camera
from tests.plant import site
from vehicles.models import Gate, GateCamera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.test import Client
    from pytest_django import Settings

    from identity.models import Employee, User
    from streaming.models import Camera, Site
    from vehicles.models import Vehicle, VehicleLog

    Visit = Callable[..., VehicleLog]

__all__ = ["gate_camera", "site"]

PLATE = "MH12AB1234"
CONFIDENCES = [0.99, 0.98, 0.99, 0.97, 0.96, 0.91, 0.99, 0.98, 0.97, 0.99]


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def camera(gate_camera: Camera) -> Camera:
    return gate_camera


@pytest.fixture
def north(site: Site, camera: Camera) -> Gate:
    gate = Gate.objects.create(site=site, name="North gate")
    GateCamera.objects.create(gate=gate, camera=camera)
    return gate


@pytest.fixture
def asha(site: Site) -> Employee:
    return make_employee(site=site, code="E-104", name="Asha Rao")


@pytest.fixture
def car(site: Site, asha: Employee) -> Vehicle:
    return make_vehicle(site=site, plate_number=PLATE, employee=asha)


@pytest.fixture
def visit(camera: Camera, north: Gate) -> Visit:
    """Make visits to the north gate, read twice unless told otherwise."""

    def make(**values: Any) -> VehicleLog:
        reads = [
            {"frame": frame, "text": PLATE, "confidences": CONFIDENCES}
            for frame in (6, 12)
        ]
        defaults = {"camera": camera, "gate": north, "reads": reads}
        defaults["ocr_confidence"] = min(CONFIDENCES)
        return make_vehicle_log(**defaults | values)

    return make


@pytest.fixture
def sam(site: Site) -> User:
    return make_user("sam", role=SECURITY, sites=[site])


@pytest.fixture
def security(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def site_admin(client: Client, site: Site) -> Client:
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[site], is_staff=True))
    return client
