"""The plant that pages are tried with, as fixtures for a conftest.py to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import make_camera, make_site

if TYPE_CHECKING:
    from streaming.models import Camera, Site


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")


@pytest.fixture
def gate(site: Site) -> Camera:
    return make_camera(site=site, code="CAM-GATE", name="Gate 1")
