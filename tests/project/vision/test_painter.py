from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from factory_site.vision.painter import Painter
from streaming import frames, workers
from streaming.frames import FramePublisher
from streaming.vision.pipeline import Analysis
from streaming.vision.runner import CameraPlan
from streaming.vision.stats import CameraStats
from streaming.vision.types import Frame
from streaming.workers import WorkerStatus

if TYPE_CHECKING:
    import redis
    from pytest_django import Settings

STATUS = WorkerStatus(
    "vision-1",
    "bright",
    fallback=False,
    cameras={"CAM-1": CameraStats()},
    queued=0,
    failed=0,
)
PLAN = CameraPlan(
    code="CAM-1",
    name="Gate",
    source_url="usb:0",
    loop=False,
    detect_fps=10,
    time_zone="Asia/Kolkata",
    lines=(),
)


@pytest.fixture
def painter(redis_client: redis.Redis) -> Painter:
    painter = Painter(FramePublisher(), lambda: STATUS)
    painter.look_after(frozenset({"CAM-1", "CAM-2"}))
    return painter


@pytest.fixture
def pictures(redis_client: redis.Redis) -> Any:
    pubsub: Any = redis_client.pubsub
    with pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(frames.channel("CAM-1"))
        subscription.get_message(timeout=1)
        yield lambda: subscription.get_message(timeout=0.2)


def analysis(shade: int = 90) -> Analysis[Any]:
    image = np.full((90, 160, 3), shade, np.uint8)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Analysis(Frame("CAM-1", "s", 0, at, 0.0, image), (), (), analysed=True)


class TestPainter:
    def test_draws_nothing_while_nobody_watches(
        self, painter: Painter, pictures: Any
    ) -> None:
        painter.step(now_s=0)
        painter.show(PLAN, analysis())
        painter.step(now_s=10)

        assert pictures() is None

    def test_publishes_the_newest_picture_of_a_watched_camera_once(
        self, painter: Painter, pictures: Any, redis_client: redis.Redis
    ) -> None:
        redis_client.set(frames.watch_key("CAM-1"), 1)
        painter.step(now_s=0)
        for shade in (10, 200):
            painter.show(PLAN, analysis(shade))

        painter.step(now_s=0.1)
        painter.step(now_s=0.2)

        assert painter.watched == {"CAM-1"}
        assert pictures()["data"].startswith(b"\xff\xd8")
        assert pictures() is None

    def test_tells_redis_that_the_worker_lives(
        self, painter: Painter, redis_client: redis.Redis
    ) -> None:
        painter.step(now_s=0)

        assert workers.running() == [STATUS]
        assert 0 < redis_client.ttl("vision_worker:vision-1") <= workers.EXPIRY_S

    def test_goes_on_without_redis(
        self, painter: Painter, settings: Settings, tmp_path: Any
    ) -> None:
        settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
        cut_off = Painter(FramePublisher(), lambda: STATUS)
        cut_off.watched = frozenset({"CAM-1"})
        cut_off.show(PLAN, analysis())

        cut_off.step(now_s=0)

        assert cut_off.watched == frozenset()
