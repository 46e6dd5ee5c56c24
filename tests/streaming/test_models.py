from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from streaming.models import Camera, CameraOutage, Site
from tests.factories import make_camera, make_outage, make_site

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class TestSite:
    def test_takes_a_time_zone_by_its_name(self) -> None:
        make_site(time_zone="Europe/Berlin").full_clean()

    @pytest.mark.parametrize("name", ["IST+5", "Asia/Nowhere", "../etc/passwd", "/"])
    def test_refuses_what_is_no_time_zone(self, name: str) -> None:
        site = Site(name="Plant", slug="plant", time_zone=name)

        with pytest.raises(ValidationError, match="Use one like Asia/Kolkata") as error:
            site.full_clean()

        assert set(error.value.message_dict) == {"time_zone"}


class TestCamera:
    @pytest.mark.parametrize("detect_fps", [0.9, 60.1])
    def test_is_analysed_1_to_60_times_a_second(self, detect_fps: float) -> None:
        with pytest.raises(IntegrityError, match="camera_detect_fps_range"):
            make_camera(detect_fps=detect_fps)

    def test_takes_a_reason_of_any_length(self) -> None:
        make_camera(state_reason="long " * 1000)

        assert len(Camera.objects.get().state_reason) == 5000

    def test_names_its_worker_as_long_as_the_lease_lasts(self) -> None:
        camera = Camera(lease_holder="vision-1", lease_until=NOON)

        assert camera.holder(now=NOON - timedelta(seconds=1)) == "vision-1"
        assert camera.holder(now=NOON) == ""


class TestCameraOutages:
    def test_add_up_within_a_period(self) -> None:
        camera, other, well = make_camera(), make_camera(), make_camera()
        for start, end in ((-5, -4), (-2, 1), (2, 3), (3, None)):
            make_outage(camera=camera, started_at=at(start), ended_at=at(end))
        make_outage(camera=other, started_at=at(-9), ended_at=at(99))
        make_outage(camera=well, started_at=at(10), ended_at=at(11))

        totals = CameraOutage.objects.all().totals_per_camera(NOON, at(10))

        assert totals == {
            camera.pk: (3, timedelta(hours=1 + 1 + 7)),
            other.pk: (1, timedelta(hours=10)),
        }

    @pytest.mark.parametrize(
        ("start", "end", "is_between"),
        [(-2, 0, False), (-2, 1, True), (9, None, True), (10, None, False)],
    )
    def test_between_two_instants_lie_at_least_partly_there(
        self, *, start: int, end: int | None, is_between: bool
    ) -> None:
        make_outage(started_at=at(start), ended_at=at(end))

        assert CameraOutage.objects.between(NOON, at(10)).exists() is is_between


def at(hours: int | None) -> Any:
    return None if hours is None else NOON + timedelta(hours=hours)
