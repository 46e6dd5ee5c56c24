from __future__ import annotations

import io
import json
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from factory_site.vision import painter as painters
from factory_site.vision.names import Names
from factory_site.vision.painter import Painter
from occupancy.zone_stage import ZoneCounted
from streaming import frames, workers
from streaming.frames import FramePublisher, Kind
from streaming.vision.annotate import annotate
from streaming.vision.pipeline import Analysis
from streaming.vision.plans import CameraPlan, ZonePlan
from streaming.vision.stats import CameraStats
from streaming.vision.types import Box, Frame, Label, Point, Track
from streaming.workers import WorkerStatus
from tests.offers import make_offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis
    from pytest_django import Settings

    Published = tuple[Kind, bytes]

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
def names() -> Names:
    return Names()


@pytest.fixture
def painter(redis_client: redis.Redis, names: Names) -> Painter:
    painter = Painter(FramePublisher(), lambda: STATUS, names)
    painter.look_after(frozenset({"CAM-1", "CAM-2"}))
    return painter


@pytest.fixture
def published(redis_client: redis.Redis) -> Iterator[Callable[[], list[Published]]]:
    """Give what was published of CAM-1 since asked last, with its kind."""
    pubsub: Any = redis_client.pubsub
    with pubsub(ignore_subscribe_messages=True) as subscription:
        kinds = {frames.channel("CAM-1", kind).encode(): kind for kind in Kind}
        subscription.subscribe(*kinds)
        for _ in kinds:
            subscription.get_message(timeout=1)

        def since() -> list[Published]:
            return [
                (kinds[message["channel"]], message["data"])
                for message in iter(lambda: subscription.get_message(timeout=0.2), None)
            ]

        yield since


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Give the sizes of the pictures drawn on, as they come."""
    sizes: list[tuple[int, int]] = []

    def counted(image: Any, *rest: Any, **named: Any) -> Any:
        sizes.append((image.shape[1], image.shape[0]))
        return annotate(image, *rest, **named)

    monkeypatch.setattr(painters, "annotate", counted)
    return sizes


def watch(redis_client: redis.Redis, *kinds: Kind, code: str = "CAM-1") -> None:
    for kind in kinds:
        redis_client.set(frames.watch_key(code, kind), 1)


def analysis(shade: int = 90, *tracks: Track) -> Analysis[Any]:
    image = np.full((1080, 1920, 3), shade, np.uint8)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    frame = Frame("CAM-1", "s", 0, at, 0.0, image)
    return Analysis(frame, tracks, (), analysed=True)


def track(number: int, *, confirmed: bool) -> Track:
    box = Box(0.1, 0.2, 0.3, 0.6)
    return Track(number, box, Label.PERSON, 0.87654, confirmed=confirmed)


def count_of(zone: int, number: int) -> ZoneCounted:
    return ZoneCounted(
        event_id=uuid4(),
        camera="CAM-1",
        session="s",
        zone_id=zone,
        zone="",
        frame_index=0,
        at=datetime(2026, 3, 1, tzinfo=UTC),
        count=number,
    )


def size_of(jpeg: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(jpeg)).size


class TestPainter:
    def test_draws_nothing_while_nobody_watches(
        self, painter: Painter, published: Any, drawn: list[Any]
    ) -> None:
        painter.step(now_s=0)
        painter.show(PLAN, analysis())
        painter.step(now_s=10)

        assert published() == []
        assert drawn == []

    def test_publishes_the_newest_picture_of_a_watched_camera_once(
        self,
        painter: Painter,
        published: Any,
        drawn: list[Any],
        redis_client: redis.Redis,
    ) -> None:
        watch(redis_client, Kind.FULL)
        painter.step(now_s=0)
        for shade in (10, 200):
            painter.show(PLAN, analysis(shade))

        painter.step(now_s=0.1)
        painter.step(now_s=0.2)

        ((kind, jpeg),) = published()
        assert kind is Kind.FULL
        pixel: Any = Image.open(io.BytesIO(jpeg)).getpixel((640, 600))
        assert min(pixel) > 190
        assert len(drawn) == 1

    def test_does_not_show_the_last_picture_of_a_dead_camera_to_who_comes_later(
        self, painter: Painter, published: Any, redis_client: redis.Redis
    ) -> None:
        watch(redis_client, Kind.FULL)
        painter.step(now_s=0)
        painter.show(PLAN, analysis())
        painter.step(now_s=0.1)
        assert len(published()) == 1

        painter.forget(PLAN.code)
        watch(redis_client, Kind.TILE)
        painter.step(now_s=2)
        painter.step(now_s=2.1)

        assert published() == []

    def test_leaves_out_a_picture_of_which_there_is_a_larger_one(
        self, painter: Painter, published: Any, redis_client: redis.Redis
    ) -> None:
        watch(redis_client, Kind.FULL)
        painter.step(now_s=0)
        painter.show(PLAN, replace(analysis(), shown=False))
        painter.step(now_s=0.1)

        assert published() == []

    def test_draws_each_kind_that_is_watched_at_its_own_size(
        self,
        painter: Painter,
        published: Any,
        drawn: list[Any],
        redis_client: redis.Redis,
    ) -> None:
        watch(redis_client, Kind.FULL, Kind.TILE)
        painter.step(now_s=0)
        painter.show(PLAN, analysis())
        painter.step(now_s=0.1)

        sizes = {kind: size_of(jpeg) for kind, jpeg in published()}
        assert sizes == {Kind.FULL: (1280, 720), Kind.TILE: (480, 270)}
        assert sorted(drawn) == [(480, 270), (1280, 720)]

    @pytest.mark.parametrize(
        ("kind", "a_second"), [(Kind.FULL, 30), (Kind.TILE, 5), (Kind.DETECTIONS, 10)]
    )
    def test_keeps_to_the_pace_of_each_kind(
        self,
        painter: Painter,
        published: Any,
        redis_client: redis.Redis,
        kind: Kind,
        a_second: int,
    ) -> None:
        watch(redis_client, kind)
        painter.step(now_s=0)
        for tick in range(30):
            painter.show(PLAN, analysis())
            painter.step(now_s=1 + tick * painters.TICK_S)

        assert len(published()) == a_second

    def test_wants_every_frame_only_for_large_pictures(
        self, painter: Painter, redis_client: redis.Redis
    ) -> None:
        watch(redis_client, Kind.TILE, Kind.DETECTIONS)
        watch(redis_client, Kind.FULL, code="CAM-2")

        painter.step(now_s=0)

        assert painter.watched == {"CAM-2"}

    def test_writes_who_it_is_beside_the_box(
        self,
        painter: Painter,
        names: Names,
        published: Any,
        redis_client: redis.Redis,
    ) -> None:
        watch(redis_client, Kind.TILE)
        painter.step(now_s=0)
        pictures = []
        for number in range(2):
            painter.show(PLAN, analysis(90, track(7, confirmed=True)))
            painter.step(now_s=0.3 * (number + 1))
            pictures += [message for _, message in published()]
            names.note(make_offer(session="s", track_id=7), "E-104")

        without, with_name = (np.asarray(Image.open(io.BytesIO(p))) for p in pictures)
        differs = np.abs(without.astype(int) - with_name).max(axis=2) > 60
        rows = np.nonzero(differs[30:])[0] / len(differs)
        # Only in the label, which stands on the upper edge of the box.
        assert 0.02 < rows.min() < rows.max() < 0.15

    def test_writes_how_many_stand_in_a_zone(
        self, painter: Painter, published: Any, redis_client: redis.Redis
    ) -> None:
        watch(redis_client, Kind.TILE)
        painter.step(now_s=0)
        corners = (Point(0.4, 0.4), Point(0.9, 0.4), Point(0.9, 0.9))
        plan = replace(PLAN, zones=(ZonePlan(id=7, name="Queue", corners=corners),))
        pictures = []
        for number in range(3):
            shown = analysis()
            if number == 1:
                shown = replace(shown, events=(count_of(7, 3), count_of(8, 99)))
            painter.show(plan, shown)
            painter.step(now_s=0.3 * (number + 1))
            pictures += [np.asarray(Image.open(io.BytesIO(p))) for _, p in published()]

        # Below the panel, which says how many pictures a second there are.
        without, told, later = (each[60:].astype(int) for each in pictures)
        assert np.abs(without - told).max() > 60
        assert np.abs(told - later).max() == 0

    def test_tells_what_is_seen_and_who_it_is(
        self,
        painter: Painter,
        names: Names,
        published: Any,
        redis_client: redis.Redis,
    ) -> None:
        names.note(make_offer(session="s", track_id=7), "E-104")
        watch(redis_client, Kind.DETECTIONS)
        painter.step(now_s=0)
        painter.show(
            PLAN,
            analysis(
                90,
                track(7, confirmed=True),
                track(8, confirmed=False),
                track(9, confirmed=True),
            ),
        )
        painter.step(now_s=0.2)

        ((_, message),) = published()
        assert json.loads(message) == {
            "camera": "CAM-1",
            "at": "2026-03-01T00:00:00Z",
            "frame": {"width": 1920, "height": 1080},
            "tracks": [
                {
                    "id": number,
                    "label": "person",
                    "confidence": 0.877,
                    "box": [0.1, 0.2, 0.3, 0.6],
                    "person": person,
                    "plate": None,
                }
                for number, person in [(7, "E-104"), (9, None)]
            ],
        }

    def test_tells_a_vehicles_plate_and_no_person(self) -> None:
        truck = replace(track(8, confirmed=True), label=Label.TRUCK)

        told = painters.detections(PLAN, analysis(90, truck), {8: "KA01AB1234"})

        (shown,) = json.loads(told)["tracks"]
        assert (shown["plate"], shown["person"]) == ("KA01AB1234", None)

    def test_keeps_no_frame_that_nobody_watches_any_more(
        self, painter: Painter, published: Any, redis_client: redis.Redis
    ) -> None:
        watch(redis_client, Kind.FULL)
        painter.step(now_s=0)
        frame = analysis()
        painter.show(PLAN, frame)
        left = weakref.ref(frame.frame.image)
        redis_client.flushdb()

        painter.step(now_s=2)
        del frame

        assert left() is None

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
        cut_off = Painter(FramePublisher(), lambda: STATUS, Names())
        cut_off.watched = frozenset({"CAM-1"})
        cut_off.show(PLAN, analysis())

        cut_off.step(now_s=0)

        assert cut_off.watched == frozenset()
