from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from factory_site.roles import SECURITY
from identity.models import User
from streaming import frames, pictures, views, workers
from streaming.frames import FramePublisher, Kind
from streaming.models import Camera
from streaming.vision.stats import CameraStats
from streaming.workers import WorkerStatus
from tests.factories import make_camera, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from django.test import AsyncClient, Client
    from pytest_django import Settings

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("role_groups"),
]
JPEG = b"\xff\xd8 a picture \xff\xd9"


@pytest.fixture
def camera(role_groups: None, redis_client: redis.Redis) -> Camera:
    return make_camera()


def log_out() -> None:
    Session.objects.all().delete()


def deactivate() -> None:
    User.objects.update(is_active=False)


def take_the_role() -> None:
    User.objects.get().groups.clear()


def take_the_site() -> None:
    User.objects.get().sites.clear()


@sync_to_async
def log_in(client: AsyncClient, camera: Camera, role: str | None = SECURITY) -> None:
    client.force_login(make_user("sam", role=role, sites=[camera.site]))


async def feed(client: AsyncClient, camera: Camera) -> Any:
    response: Any = await client.get("/api/video_feed", {"camera": camera.code})
    return response, aiter(response)


async def next_part(parts: Any) -> bytes:
    return bytes(await asyncio.wait_for(anext(parts), 5))


async def until_watched(code: str, kind: Kind = Kind.FULL) -> FramePublisher:
    publisher, channel = FramePublisher(), frames.channel(code, kind)
    for _ in range(100):
        watched = await asyncio.to_thread(publisher.watched, [code])
        counts: Any = await asyncio.to_thread(publisher.redis.pubsub_numsub, channel)
        if (code, kind) in watched and counts[0][1]:
            return publisher
        await asyncio.sleep(0.02)
    raise AssertionError("the worker is not asked for pictures")


async def viewers(code: str) -> int:
    counts = await asyncio.to_thread(frames.viewers_by_code)
    return counts.get(code, 0)


class TestVideoFeed:
    async def test_hands_on_what_the_worker_publishes(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await log_in(async_client, camera)
        response, parts = await feed(async_client, camera)
        assert response["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
        assert await next_part(parts) == b"--frame\r\n"
        await next_part(parts)
        waiting = asyncio.create_task(next_part(parts))
        publisher = await until_watched(camera.code)

        await asyncio.to_thread(publisher.publish, camera.code, Kind.FULL, JPEG)

        part = await waiting
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(JPEG)}\r\n\r\n"
        assert part == head.encode() + JPEG + b"\r\n--frame\r\n"
        await parts.aclose()

    async def test_asks_for_no_pictures_once_nobody_watches(
        self, async_client: AsyncClient, camera: Camera, redis_client: redis.Redis
    ) -> None:
        await log_in(async_client, camera)
        _, parts = await feed(async_client, camera)
        for _ in range(2):
            await next_part(parts)
        waiting = asyncio.create_task(next_part(parts))
        await until_watched(camera.code)
        assert await viewers(camera.code) == 1

        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await parts.aclose()

        await asyncio.sleep(0.2)
        assert await viewers(camera.code) == 0
        channel = frames.channel(camera.code, Kind.FULL)
        (subscribers,) = redis_client.pubsub_numsub(channel)
        assert subscribers[1] == 0

    async def test_never_leaves_a_stale_picture(
        self,
        async_client: AsyncClient,
        camera: Camera,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(pictures, "LOOK_AFTER_S", 0.1)
        await sync_to_async(Camera.objects.filter(pk=camera.pk).update)(
            state="offline", state_since=timezone.now(), state_reason="It is away."
        )
        shown: list[tuple[str, str]] = []

        def placeholder(title: str, detail: str) -> bytes:
            shown.append((title, detail))
            return b"placeholder"

        monkeypatch.setattr(views, "placeholder", placeholder)
        await log_in(async_client, camera)
        _, parts = await feed(async_client, camera)
        for _ in range(3):
            part = await next_part(parts)

        assert b"placeholder" in part
        assert shown[-1][0].startswith("No picture since ")
        assert shown[-1][1] == "It is away."
        await parts.aclose()

    async def test_is_not_found_for_a_camera_of_another_site(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        elsewhere = await sync_to_async(make_camera)()
        await log_in(async_client, camera)

        response = await async_client.get("/api/video_feed", {"camera": elsewhere.code})

        assert response.status_code == 404

    async def test_is_not_found_for_what_can_be_no_code(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await log_in(async_client, camera)

        response = await async_client.get("/api/video_feed", {"camera": "CAM\0"})

        assert response.status_code == 404

    async def test_is_not_found_without_the_permission(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await log_in(async_client, camera, role=None)

        response = await async_client.get("/api/video_feed", {"camera": camera.code})

        assert response.status_code == 404

    @pytest.mark.parametrize(
        "headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer a b"}]
    )
    def test_asks_for_a_login(
        self, client: Client, camera: Camera, headers: dict[str, str]
    ) -> None:
        response = client.get(
            "/api/video_feed", {"camera": camera.code}, headers=headers
        )

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert set(response.json()) == {"detail", "code"}

    async def test_takes_a_token(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        sam = await sync_to_async(make_user)("sam", role=SECURITY, sites=[camera.site])
        headers = {"Authorization": f"Bearer {AccessToken.for_user(sam)}"}

        response: Any = await async_client.get(
            "/api/video_feed", {"camera": camera.code}, headers=headers
        )

        assert response.status_code == 200
        parts = aiter(response)
        assert await next_part(parts) == b"--frame\r\n"
        await parts.aclose()

    @pytest.mark.parametrize("end", [log_out, deactivate, take_the_role, take_the_site])
    async def test_ends_when_the_user_may_no_longer_watch(
        self,
        async_client: AsyncClient,
        camera: Camera,
        monkeypatch: pytest.MonkeyPatch,
        end: Callable[[], None],
    ) -> None:
        monkeypatch.setattr(views, "RECHECK_S", 0)
        monkeypatch.setattr(pictures, "LOOK_AFTER_S", 0.1)
        monkeypatch.setattr(views, "placeholder", lambda *words: words[1].encode())
        await log_in(async_client, camera)
        _, parts = await feed(async_client, camera)
        for _ in range(3):
            part = await next_part(parts)
        assert b"The vision worker sends none" in part

        await sync_to_async(end)()

        assert b"may not watch it any more" in await next_part(parts)
        with pytest.raises(StopAsyncIteration):
            await next_part(parts)


class TestSize:
    async def test_is_chosen_by_the_viewer(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await log_in(async_client, camera)
        response: Any = await async_client.get(
            "/api/video_feed", {"camera": camera.code, "size": "tile"}
        )
        parts = aiter(response)
        for _ in range(2):
            await next_part(parts)
        waiting = asyncio.create_task(next_part(parts))
        publisher = await until_watched(camera.code, Kind.TILE)

        await asyncio.to_thread(publisher.publish, camera.code, Kind.TILE, JPEG)

        assert JPEG in await waiting
        await parts.aclose()

    @pytest.mark.parametrize("address", ["/api/video_feed", "/api/video_feed/picture"])
    def test_is_refused_when_there_is_no_such_size(
        self, client: Client, camera: Camera, address: str
    ) -> None:
        response = client.get(address, {"camera": camera.code, "size": "detections"})

        assert response.status_code == 400
        assert "'full' or 'tile'" in response.json()["detail"]


class TestPicture:
    async def test_is_the_one_of_now(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await log_in(async_client, camera)
        asked: Any = async_client.get(
            "/api/video_feed/picture", {"camera": camera.code}
        )
        asking = asyncio.create_task(asked)
        publisher = await until_watched(camera.code)
        await asyncio.to_thread(publisher.publish, camera.code, Kind.FULL, JPEG)

        response = await asking

        assert response.status_code == 200
        assert response["Content-Type"] == "image/jpeg"
        assert response["Cache-Control"] == "no-store"
        assert response.content == JPEG

    async def test_says_why_there_is_none(
        self,
        async_client: AsyncClient,
        camera: Camera,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(views, "PICTURE_WITHIN_S", 0.05)
        monkeypatch.setattr(views, "placeholder", lambda *words: str(words).encode())
        await log_in(async_client, camera)

        response = await async_client.get(
            "/api/video_feed/picture", {"camera": camera.code}
        )

        assert response.status_code == 503
        assert response["Content-Type"] == "image/jpeg"
        assert b"No picture yet" in response.content


class TestFeedStatus:
    ADDRESS = "/api/video_feed/status"

    def report(self, camera: Camera, redis_client: redis.Redis) -> None:
        stats = CameraStats(frames_read=1200, fps=24.96)
        status = WorkerStatus(
            "vision-1",
            "yolo",
            fallback=False,
            cameras={camera.code: stats},
            queued=0,
            failed=0,
        )
        workers.report(redis_client, status)

    async def test_tells_what_the_worker_reads_and_how_many_watch(
        self, async_client: AsyncClient, camera: Camera, redis_client: redis.Redis
    ) -> None:
        await log_in(async_client, camera)
        await sync_to_async(self.report)(camera, redis_client)
        async with frames.watch(camera.code, Kind.TILE):
            while not await viewers(camera.code):
                await asyncio.sleep(0.01)
            response = await async_client.get(self.ADDRESS, {"camera": camera.code})

        assert response.status_code == 200
        assert response.json() == {
            "camera": camera.code,
            "connected": True,
            "frames_read": 1200,
            "fps": 25.0,
            "viewers": 1,
        }

    async def test_lists_the_cameras_of_the_users_own_sites(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await sync_to_async(make_camera)()
        await log_in(async_client, camera)

        response = await async_client.get(self.ADDRESS)

        assert response.json() == [
            {
                "camera": camera.code,
                "connected": False,
                "frames_read": 0,
                "fps": 0.0,
                "viewers": 0,
            }
        ]

    async def test_is_not_found_without_the_permission(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        await log_in(async_client, camera, role=None)

        for query in ({}, {"camera": camera.code}):
            response = await async_client.get(self.ADDRESS, query)
            assert response.status_code == 404

    def test_asks_for_a_login(self, client: Client, camera: Camera) -> None:
        assert client.get(self.ADDRESS).status_code == 401

    async def test_says_that_redis_is_away(
        self, async_client: AsyncClient, camera: Camera, settings: Settings
    ) -> None:
        await log_in(async_client, camera)
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        response = await async_client.get(self.ADDRESS, {"camera": camera.code})

        assert response.status_code == 503
        assert response.json()["code"] == "unavailable"


class TestFeedLink:
    @pytest.fixture
    def sam(self, camera: Camera) -> User:
        return make_user("sam", role=SECURITY, sites=[camera.site])

    def link(self, camera: Camera, sam: User) -> dict[str, str]:
        client = APIClient(headers={"Authorization": bearer(sam)})
        response = client.post(f"/api/v1/cameras/{camera.pk}/feed-link")
        assert response.status_code == 200
        told: dict[str, str] = response.json()
        return told

    async def answer(self, async_client: AsyncClient, url: str) -> Any:
        """Open it and return its status, or else its first part."""
        response: Any = await async_client.get(url.removeprefix("http://testserver"))
        if response.status_code != 200:
            return response.status_code
        parts = aiter(response)
        first = await next_part(parts)
        await parts.aclose()
        return first

    async def test_opens_the_feed_without_a_login(
        self, async_client: AsyncClient, camera: Camera, sam: User
    ) -> None:
        told = await sync_to_async(self.link)(camera, sam)

        assert await self.answer(async_client, told["url"]) == b"--frame\r\n"

    async def test_can_be_opened_until_it_expires(
        self, async_client: AsyncClient, camera: Camera, sam: User
    ) -> None:
        told = await sync_to_async(self.link)(camera, sam)
        expires_at = datetime.fromisoformat(told["expires_at"])
        assert expires_at - timezone.now() > timedelta(minutes=4)

        with time_machine.travel(expires_at + timedelta(seconds=1)):
            assert await self.answer(async_client, told["url"]) == 401

    async def test_goes_on_after_it_has_expired(
        self,
        async_client: AsyncClient,
        camera: Camera,
        sam: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(views, "RECHECK_S", 0)
        monkeypatch.setattr(pictures, "LOOK_AFTER_S", 0.1)
        monkeypatch.setattr(views, "placeholder", lambda *words: words[1].encode())
        told = await sync_to_async(self.link)(camera, sam)
        response: Any = await async_client.get(told["url"])
        parts = aiter(response)
        for _ in range(2):
            await next_part(parts)

        with time_machine.travel(timezone.now() + timedelta(minutes=9)):
            assert b"The vision worker sends none" in await next_part(parts)
            await sync_to_async(take_the_role)()
            assert b"may not watch it any more" in await next_part(parts)

    @pytest.mark.parametrize("end", [deactivate, take_the_role, take_the_site])
    async def test_is_worth_what_its_user_may(
        self,
        async_client: AsyncClient,
        camera: Camera,
        sam: User,
        end: Callable[[], None],
    ) -> None:
        told = await sync_to_async(self.link)(camera, sam)

        await sync_to_async(end)()

        assert await self.answer(async_client, told["url"]) in {401, 404}

    async def test_ends_with_the_password_it_was_made_under(
        self, async_client: AsyncClient, camera: Camera, sam: User
    ) -> None:
        told = await sync_to_async(self.link)(camera, sam)
        sam.set_password("another passphrase")
        await sam.asave()

        assert await self.answer(async_client, told["url"]) == 401

    async def test_opens_no_other_camera(
        self, async_client: AsyncClient, camera: Camera, sam: User
    ) -> None:
        other = await sync_to_async(make_camera)(site=camera.site)
        told = await sync_to_async(self.link)(camera, sam)

        url = told["url"].replace(f"={camera.code}&", f"={other.code}&")

        assert await self.answer(async_client, url) == 401

    async def test_cannot_be_made_up(
        self, async_client: AsyncClient, camera: Camera
    ) -> None:
        url = f"/api/video_feed?camera={camera.code}&link=nonsense"

        assert await self.answer(async_client, url) == 401

    def test_is_made_only_for_cameras_that_the_user_sees(
        self, camera: Camera, sam: User
    ) -> None:
        elsewhere = make_camera()
        client = APIClient(headers={"Authorization": bearer(sam)})

        response = client.post(f"/api/v1/cameras/{elsewhere.pk}/feed-link")

        assert response.status_code == 404


def bearer(user: User) -> str:
    return f"Bearer {AccessToken.for_user(user)}"
