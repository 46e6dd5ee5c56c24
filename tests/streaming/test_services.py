from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from streaming.live import group_name
from streaming.models import Camera
from streaming.services import report_frames, report_state
from tests.factories import make_camera

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def offline(camera: Camera, *, at: datetime = NOW) -> bool:
    return report_state(
        code=camera.code, state=Camera.State.OFFLINE, reason="It is away.", at=at
    )


class TestReportState:
    def test_stores_the_state_its_reason_and_since_when(self) -> None:
        camera = make_camera()

        assert offline(camera)

        camera.refresh_from_db()
        assert (camera.state, camera.state_reason) == ("offline", "It is away.")
        assert camera.state_since == NOW

    def test_keeps_since_when_while_it_is_no_news(self) -> None:
        camera = make_camera()
        offline(camera)

        assert not offline(camera, at=NOW.replace(hour=13))

        camera.refresh_from_db()
        assert camera.state_since == NOW

    def test_counts_anew_from_each_time_that_it_comes_online(self) -> None:
        camera = make_camera()
        later = NOW.replace(hour=13)

        for at in (NOW, later):
            report_state(code=camera.code, state=Camera.State.ONLINE, reason="", at=at)

        camera.refresh_from_db()
        assert camera.state_since == later

    def test_passes_over_a_camera_that_was_deleted(self) -> None:
        camera = make_camera()
        Camera.objects.all().delete()

        assert not offline(camera)

    @pytest.mark.django_db(transaction=True)
    async def test_tells_the_pages_of_its_site_and_never_the_source(
        self, redis_client: redis.Redis
    ) -> None:
        camera = await sync_to_async(make_camera)()
        layer = get_channel_layer()
        channel = await layer.new_channel()
        group = group_name(topic="streaming.camera", site_id=camera.site_id)
        await layer.group_add(group, channel)

        await sync_to_async(offline)(camera)

        async with asyncio.timeout(5):
            message = await layer.receive(channel)
        assert message["topic"] == "streaming.camera"
        assert message["data"]["code"] == camera.code
        assert message["data"]["state"] == "offline"
        assert message["data"]["state_reason"] == "It is away."
        assert "source_url" not in message["data"]


class TestReportFrames:
    def test_stores_when_each_camera_gave_its_last_picture(self) -> None:
        here, there = make_camera(), make_camera()

        report_frames(last_frame_at={here.code: NOW, "CAM-GONE": NOW})

        assert Camera.objects.get(pk=here.pk).last_frame_at == NOW
        assert Camera.objects.get(pk=there.pk).last_frame_at is None
