from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from factory_site.roles import SECURITY
from identity.models import User
from streaming import frames, views
from streaming.frames import FramePublisher
from streaming.models import Camera
from tests.factories import make_camera, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from django.test import AsyncClient, Client

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


async def until_watched(code: str) -> FramePublisher:
    publisher = FramePublisher()
    for _ in range(100):
        if await sync_to_async(publisher.watched)([code]):
            return publisher
        await asyncio.sleep(0.02)
    raise AssertionError("the worker is not asked for pictures")


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

        await sync_to_async(publisher.publish)(camera.code, JPEG)

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
        assert frames.viewers(camera.code) == 1

        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await parts.aclose()

        assert frames.viewers(camera.code) == 0
        await asyncio.sleep(0.1)
        (subscribers,) = redis_client.pubsub_numsub(frames.channel(camera.code))
        assert subscribers[1] == 0

    async def test_never_leaves_a_stale_picture(
        self,
        async_client: AsyncClient,
        camera: Camera,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(views, "NO_PICTURE_AFTER_S", 0.1)
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
        monkeypatch.setattr(views, "NO_PICTURE_AFTER_S", 0.1)
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


class TestFeed:
    async def test_gives_a_slow_viewer_the_newest_picture_only(self) -> None:
        feed = frames.Feed()
        for number in range(5):
            await feed.put(str(number).encode())

        newest = await feed.after(0, timeout_s=1)

        assert (newest, feed.jpeg) == (5, b"4")

    async def test_tells_when_no_picture_comes(self) -> None:
        assert await frames.Feed().after(0, timeout_s=0.01) is None
