"""A plant with a gate, and a folder of its own for pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from factory_site.roles import SITE_ADMIN
from tests.factories import make_user, make_vehicle, make_vehicle_log
from tests.plant import asha, media, sam, security, site
from tests.plant import gate as gate_camera
from vehicles.models import Gate, GateCamera

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from identity.models import Employee
    from streaming.models import Camera, Site
    from vehicles.models import Vehicle, VehicleLog

    Visit = Callable[..., VehicleLog]

__all__ = ["asha", "gate_camera", "media", "sam", "security", "site"]

PLATE = "MH12AB1234"
CONFIDENCES = [0.99, 0.98, 0.99, 0.97, 0.96, 0.91, 0.99, 0.98, 0.97, 0.99]


@pytest.fixture
def camera(gate_camera: Camera) -> Camera:
    return gate_camera


@pytest.fixture
def north(site: Site, camera: Camera) -> Gate:
    gate = Gate.objects.create(site=site, name="North gate")
    GateCamera.objects.create(gate=gate, camera=camera)
    return gate


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
def site_admin(client: Client, site: Site) -> Client:
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[site], is_staff=True))
    return client
