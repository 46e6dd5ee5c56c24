from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from streaming.models import Camera, Site
from tests.factories import make_camera, make_site

pytestmark = pytest.mark.django_db


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
