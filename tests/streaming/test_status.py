"""How a camera does at one moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from streaming.models import Camera, CameraOutage
from streaming.status import Outages, statuses
from streaming.vision.stats import CameraStats
from streaming.workers import WorkerStatus
from tests.factories import make_camera, make_site

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from streaming.status import CameraStatus

pytestmark = pytest.mark.django_db


def running(code: str, **figures: Any) -> WorkerStatus:
    cameras = {code: CameraStats(**figures)}
    return WorkerStatus(
        "vision-1", "x", fallback=False, cameras=cameras, queued=0, failed=0
    )


def of(camera: Camera, *reports: WorkerStatus) -> CameraStatus:
    viewers = {camera.code: 2}
    (status,) = statuses([camera], running=reports, viewers=viewers, now=timezone.now())
    return status


class TestStatus:
    def test_takes_the_figures_from_the_worker_that_runs_the_camera(self) -> None:
        camera = make_camera()

        status = of(camera, running("OTHER", fps=9), running(camera.code, fps=25))

        assert status.stats == CameraStats(fps=25)
        assert (status.worker, status.viewers) == ("vision-1", 2)
        assert status.connected

    def test_names_who_holds_the_camera_while_no_figures_come(self) -> None:
        until = timezone.now() + timedelta(seconds=5)
        camera = make_camera(lease_holder="vision-2", lease_until=until)

        status = of(camera)

        assert (status.worker, status.stats) == ("vision-2", None)
        assert not status.connected

    def test_names_nobody_once_the_lease_is_over(self) -> None:
        past = timezone.now() - timedelta(seconds=5)

        assert of(make_camera(lease_holder="vision-2", lease_until=past)).worker == ""

    def test_counts_the_outages_of_a_day(self) -> None:
        camera, now = make_camera(), timezone.now()
        for start_h, end_h in [(50, 40), (25, 23), (2, 1)]:
            CameraOutage.objects.create(
                camera=camera,
                cause="refused",
                started_at=now - timedelta(hours=start_h),
                ended_at=now - timedelta(hours=end_h),
            )

        outages = of(camera).outages

        assert outages.count == 2
        assert outages.seconds == pytest.approx(2 * 3600, abs=5)

    @pytest.mark.parametrize(
        ("values", "is_up"),
        [
            ({"state": Camera.State.ONLINE}, True),
            ({"state": Camera.State.OFFLINE}, False),
            ({"state": Camera.State.UNUSABLE}, False),
            ({"state": Camera.State.UNKNOWN}, False),
            ({"state": Camera.State.ONLINE, "enabled": False}, False),
        ],
    )
    def test_is_up_while_pictures_come_that_should(
        self,
        values: dict[str, Any],
        is_up: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        camera = make_camera(last_frame_at=timezone.now(), **values)

        assert of(camera).is_up is is_up

    def test_is_not_up_once_its_pictures_stopped(self) -> None:
        last = timezone.now() - timedelta(minutes=5)
        camera = make_camera(state=Camera.State.ONLINE, last_frame_at=last)

        assert not of(camera).is_up
        assert of(camera).is_out


class TestStatuses:
    def test_need_one_query_however_many_cameras(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        site = make_site()
        cameras = [make_camera(site=site) for _ in range(5)]

        with django_assert_num_queries(1):
            found = statuses(cameras, running=[], viewers={}, now=timezone.now())

        assert [one.camera for one in found] == cameras
        assert {one.outages for one in found} == {Outages()}
