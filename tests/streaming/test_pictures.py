from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async

from streaming import pictures
from streaming.frames import Feed
from streaming.models import Camera, Site
from streaming.pictures import Loss, follow, loss
from tests.factories import make_camera

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW - timedelta(hours=1)
YESTERDAY = NOW - timedelta(days=1)
State = Camera.State
ONLINE, OFFLINE = State.ONLINE, State.OFFLINE
SENDS_NONE = "The vision worker sends none"


class TestLoss:
    @pytest.mark.parametrize(
        ("values", "title", "reason"),
        [
            ({}, "No picture yet", SENDS_NONE),
            (
                {
                    "state": OFFLINE,
                    "state_since": TODAY,
                    "state_cause": "refused",
                },
                "No picture since 16:30",
                "connection refused",
            ),
            (
                {"state": OFFLINE, "state_since": YESTERDAY, "state_reason": "-"},
                "No picture since 28 Feb 17:30",
                "-",
            ),
            (
                {"state": State.UNUSABLE, "state_since": TODAY, "state_cause": "black"},
                "No usable picture since 16:30",
                "picture black",
            ),
            (
                {
                    "state": ONLINE,
                    "state_since": YESTERDAY,
                    "last_frame_at": TODAY,
                },
                "No picture since 16:30",
                SENDS_NONE,
            ),
            (
                {"state": State.ENDED, "state_since": TODAY},
                "Recording ended",
                "It is not played again",
            ),
            (
                {"enabled": False, "state": OFFLINE, "state_since": TODAY},
                "Switched off",
                "It is not enabled in the admin",
            ),
        ],
    )
    def test_is_told_by_the_sites_clock(
        self, values: dict[str, Any], title: str, reason: str
    ) -> None:
        camera = Camera(site=Site(time_zone="Asia/Kolkata"), **values)

        assert loss(camera, now=NOW) == Loss(title, reason)


@pytest.mark.django_db(transaction=True)
class TestFollow:
    @pytest.fixture(autouse=True)
    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pictures, "LOOK_AFTER_S", 0.02)

    async def test_hands_on_pictures(self, camera: Camera) -> None:
        feed = Feed()
        async with following(camera, feed) as shown:
            for picture in (b"one", b"two"):
                feed.hear(picture)
                assert await anext(shown) == picture

    async def test_tells_at_once_of_a_camera_that_is_out(self, camera: Camera) -> None:
        await store(camera, state=OFFLINE, state_cause="refused")
        async with following(camera, Feed()) as shown:
            assert await anext(shown) == Loss("No picture yet", "connection refused")

    async def test_tells_at_once_of_a_camera_that_is_said_to_be_online(
        self, camera: Camera
    ) -> None:
        """Its worker may have ended without a word."""
        now = datetime.now(UTC)
        await store(camera, state=ONLINE, state_since=now, last_frame_at=now)
        async with following(camera, Feed()) as shown:
            told = await anext(shown)

        assert isinstance(told, Loss)
        assert told.reason == SENDS_NONE

    async def test_tells_once_and_again_when_it_turns_out_otherwise(
        self, camera: Camera
    ) -> None:
        await store(camera, state=OFFLINE, state_cause="stalled")
        async with following(camera, Feed()) as shown:
            told = [await anext(shown) for _ in range(2)]
            await store(camera, state=OFFLINE, state_cause="refused")
            told += [await anext(shown) for _ in range(2)]

        assert told == [
            Loss("No picture yet", "picture stopped"),
            None,
            Loss("No picture yet", "connection refused"),
            None,
        ]

    async def test_tells_anew_of_the_next_loss(self, camera: Camera) -> None:
        await store(camera, state=OFFLINE, state_cause="refused")
        feed = Feed()
        async with following(camera, feed) as shown:
            first = await anext(shown)
            feed.hear(b"jpeg")
            assert await anext(shown) == b"jpeg"
            assert await anext(shown) == first

    async def test_tells_of_a_camera_that_was_deleted(self, camera: Camera) -> None:
        await sync_to_async(Camera.objects.all().delete)()
        async with following(camera, Feed()) as shown:
            assert await anext(shown) == pictures.REMOVED

    @pytest.fixture
    def camera(self) -> Camera:
        return make_camera()


def following(camera: Camera, feed: Feed) -> Any:
    shown: AsyncIterator[bytes | Loss | None] = follow(camera, feed)
    return aclosing(shown)


async def store(camera: Camera, **values: Any) -> None:
    await sync_to_async(Camera.objects.filter(pk=camera.pk).update)(**values)
