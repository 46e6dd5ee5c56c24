"""A plant with a hall that has two doors, at twenty to eleven of a Wednesday."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import time_machine

from factory_site.roles import INTEGRATOR, SECURITY, SITE_ADMIN
from occupancy.models import AreaLine
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.models import Camera
from tests.factories import (
    make_area,
    make_camera,
    make_crossing,
    make_line,
    make_user,
)
from tests.plant import site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client

    from identity.models import User
    from occupancy.models import Area, CountingLine
    from streaming.models import Site

    Cross = Callable[..., None]

__all__ = ["site"]

NOW = datetime(2026, 3, 11, 10, 40, tzinfo=ZoneInfo("Asia/Kolkata"))


@pytest.fixture
def clock() -> Iterator[datetime]:
    """Have it be NOW."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


def line_of(site: Site, code: str, name: str) -> CountingLine:
    camera = make_camera(
        site=site,
        code=code,
        name=name,
        state=Camera.State.ONLINE,
        last_frame_at=NOW,
    )
    return make_line(camera=camera)


@pytest.fixture
def front(site: Site) -> CountingLine:
    return line_of(site, "CAM-FRONT", "Front door")


@pytest.fixture
def back(site: Site) -> CountingLine:
    return line_of(site, "CAM-BACK", "Back door")


@pytest.fixture
def hall(site: Site, front: CountingLine, back: CountingLine) -> Area:
    area = make_area(site=site, name="Hall A", capacity=4)
    AreaLine.objects.create(area=area, line=front)
    AreaLine.objects.create(area=area, line=back, inverted=True)
    return area


@pytest.fixture
def cross() -> Cross:
    """Have people cross a line, so many minutes ago."""

    def crossed(
        line: CountingLine,
        way: str = "in",
        *,
        ago: int = 5,
        times: int = 1,
        **rest: object,
    ) -> None:
        at = NOW - timedelta(minutes=ago)
        for _ in range(times):
            event = make_crossing(line, Direction(way), at=at, **rest)
            record_crossing(event=event)

    return crossed


@pytest.fixture
def sam(site: Site) -> User:
    return make_user("sam", role=SECURITY, sites=[site])


@pytest.fixture
def security(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def integrator(client: Client, site: Site) -> Client:
    client.force_login(make_user("iris", role=INTEGRATOR, sites=[site]))
    return client


@pytest.fixture
def site_admin(client: Client, site: Site) -> Client:
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[site], is_staff=True))
    return client
