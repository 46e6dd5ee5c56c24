from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from factory_site.asgi import application
from factory_site.roles import SECURITY
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming import consumers, frames, pictures, relay
from streaming.consumers import LiveConsumer
from streaming.frames import FramePublisher, Kind
from streaming.models import Camera
from tests.factories import make_camera, make_crossing, make_line, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from pytest_django import Settings

    from identity.models import User
    from occupancy.models import CountingLine

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("role_groups"),
]
TOPIC = "occupancy.occupancylog"


@pytest.fixture
def line(role_groups: None, redis_client: redis.Redis) -> CountingLine:
    return make_line()


@pytest.fixture
def sam(line: CountingLine) -> User:
    return make_user("sam", role=SECURITY, sites=[line.camera.site])


def by_session(user: User) -> WebsocketCommunicator:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    return communicator(
        ("cookie", f"sessionid={cookie}"), ("origin", "http://localhost")
    )


def by_token(user: User) -> WebsocketCommunicator:
    return communicator(("authorization", f"Bearer {AccessToken.for_user(user)}"))


def communicator(
    *headers: tuple[str, str], path: str = "/ws/live/"
) -> WebsocketCommunicator:
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return WebsocketCommunicator(application, path, headers=encoded)


def pictures_of(user: User) -> WebsocketCommunicator:
    token = f"Bearer {AccessToken.for_user(user)}"
    return communicator(("authorization", token), path="/ws/pictures/")


async def subscribed(socket: WebsocketCommunicator, *topics: str) -> Any:
    await socket.connect()
    await socket.send_json_to({"subscribe": list(topics)})
    return await socket.receive_json_from()


async def cross(line: CountingLine) -> None:
    event = make_crossing(line, Direction.IN)
    await sync_to_async(record_crossing)(event=event)


def log_out(_user: User) -> None:
    Session.objects.all().delete()


def let_expire(_user: User) -> None:
    Session.objects.update(expire_date=timezone.now())


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def change_password(user: User) -> None:
    user.set_password("another passphrase")
    user.save()


def delete(user: User) -> None:
    user.delete()


async def until_watched(code: str, kind: Kind) -> FramePublisher:
    publisher = FramePublisher()
    async with asyncio.timeout(5):
        while (code, kind) not in await sync_to_async(publisher.watched)([code]):
            await asyncio.sleep(0.01)
    return publisher


async def publish(code: str, kind: Kind, payload: bytes) -> None:
    publisher = await until_watched(code, kind)
    async with asyncio.timeout(5):
        while not await sync_to_async(publisher.redis.publish)(
            frames.channel(code, kind), payload
        ):
            await asyncio.sleep(0.01)


async def close_code(socket: WebsocketCommunicator) -> int:
    message = await socket.receive_output()
    assert message["type"] == "websocket.close"
    return int(message["code"])


class TestLiveConsumer:
    @pytest.mark.parametrize("login", [by_session, by_token])
    async def test_passes_on_what_is_recorded(
        self, line: CountingLine, sam: User, login: Any
    ) -> None:
        socket = await sync_to_async(login)(sam)
        assert await subscribed(socket, TOPIC) == {"subscribed": [TOPIC]}

        await cross(line)

        message = await socket.receive_json_from()
        assert message["topic"] == TOPIC
        assert message["data"]["direction"] == "in"
        assert message["data"]["camera_code"] == line.camera.code
        await socket.disconnect()

    async def test_keeps_other_sites_to_themselves(
        self, line: CountingLine, sam: User
    ) -> None:
        elsewhere = await sync_to_async(make_line)()
        socket = by_token(sam)
        await subscribed(socket, TOPIC)

        await cross(elsewhere)
        await cross(line)

        message = await socket.receive_json_from()
        assert message["data"]["camera_code"] == line.camera.code
        await socket.disconnect()

    async def test_closes_with_4401_without_a_login(self, line: CountingLine) -> None:
        socket = communicator(("origin", "http://localhost"))
        await socket.connect()

        assert await close_code(socket) == consumers.NOT_LOGGED_IN

    async def test_closes_with_4403_for_a_topic_that_is_not_permitted(
        self, line: CountingLine
    ) -> None:
        nobody = await sync_to_async(make_user)("nobody", sites=[line.camera.site])
        socket = by_token(nobody)
        await socket.connect()
        await socket.send_json_to({"subscribe": [TOPIC]})

        assert await close_code(socket) == consumers.NOT_ALLOWED

    async def test_closes_when_the_role_is_taken_away(
        self, line: CountingLine, sam: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
        socket = by_token(sam)
        await subscribed(socket, TOPIC)

        await sync_to_async(sam.groups.clear)()

        assert await close_code(socket) == consumers.NOT_ALLOWED

    @pytest.mark.parametrize(
        ("login", "end"),
        [
            (by_session, log_out),
            (by_session, let_expire),
            (by_session, deactivate),
            (by_session, change_password),
            (by_session, delete),
            (by_token, deactivate),
            (by_token, change_password),
            (by_token, delete),
        ],
    )
    async def test_closes_when_the_login_ends(
        self,
        line: CountingLine,
        sam: User,
        monkeypatch: pytest.MonkeyPatch,
        login: Callable[[User], WebsocketCommunicator],
        end: Callable[[User], None],
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
        socket = await sync_to_async(login)(sam)
        await subscribed(socket, TOPIC)

        await sync_to_async(end)(sam)

        assert await close_code(socket) == consumers.NOT_LOGGED_IN

    async def test_closes_when_the_token_expires(
        self, line: CountingLine, sam: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
        token = AccessToken.for_user(sam)
        socket = communicator(("authorization", f"Bearer {token}"))
        await subscribed(socket, TOPIC)

        with time_machine.travel(timezone.now() + token.lifetime):
            assert await close_code(socket) == consumers.NOT_LOGGED_IN

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Bearer a b"])
    async def test_closes_with_4401_for_a_token_that_is_none(
        self, line: CountingLine, header: str
    ) -> None:
        socket = communicator(("authorization", header))
        await socket.connect()

        assert await close_code(socket) == consumers.NOT_LOGGED_IN

    async def test_closes_when_it_cannot_be_known_who_watches(
        self, line: CountingLine, sam: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
        socket = by_token(sam)
        await subscribed(socket, TOPIC)

        def refuse(**_: Any) -> None:
            raise OperationalError

        monkeypatch.setattr(consumers, "fresh_user", refuse)

        assert await close_code(socket) == consumers.FAILED

    async def test_passes_on_the_newest_detections(
        self, line: CountingLine, sam: User
    ) -> None:
        code = line.camera.code
        socket = by_token(sam)
        topic = f"streaming.detections:{code}"
        assert await subscribed(socket, topic) == {"subscribed": [topic]}
        await publish(code, Kind.DETECTIONS, b'{"tracks": []}')

        message = await socket.receive_json_from()

        assert message == {"topic": topic, "data": {"tracks": []}}
        await socket.disconnect()

    @pytest.mark.parametrize(
        "topic",
        [
            "streaming.detections:CAM-NONE",
            "streaming.detections:",
            "streaming.detections",
            "streaming.nothing",
            "nonsense",
        ],
    )
    async def test_closes_with_4403_for_a_topic_that_there_is_not(
        self, line: CountingLine, sam: User, topic: str
    ) -> None:
        socket = by_token(sam)
        await socket.connect()
        await socket.send_json_to({"subscribe": [topic]})

        assert await close_code(socket) == consumers.NOT_ALLOWED

    async def test_closes_with_4403_for_detections_of_another_site(
        self, line: CountingLine, sam: User
    ) -> None:
        elsewhere = await sync_to_async(make_line)()
        socket = by_token(sam)
        await socket.connect()
        topic = f"streaming.detections:{elsewhere.camera.code}"
        await socket.send_json_to({"subscribe": [topic]})

        assert await close_code(socket) == consumers.NOT_ALLOWED

    async def test_closes_when_messages_may_be_missed(
        self, line: CountingLine, sam: User, redis_client: redis.Redis
    ) -> None:
        socket = by_token(sam)
        await subscribed(socket, TOPIC)

        await sync_to_async(redis_client.client_kill_filter)(_type="pubsub")

        assert await close_code(socket) == consumers.FAILED

    async def test_closes_when_redis_is_away(
        self,
        line: CountingLine,
        sam: User,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(relay, "TIMEOUT_S", 0.2)
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        socket = by_token(sam)
        await socket.connect()
        await socket.send_json_to({"subscribe": [TOPIC]})

        assert await close_code(socket) == consumers.FAILED

    async def test_forgets_its_subscriptions_when_it_ends(
        self, line: CountingLine, sam: User, redis_client: redis.Redis
    ) -> None:
        socket = by_token(sam)
        await subscribed(socket, TOPIC, f"streaming.detections:{line.camera.code}")
        await until_watched(line.camera.code, Kind.DETECTIONS)

        await socket.disconnect()

        await asyncio.sleep(0.3)
        assert await sync_to_async(redis_client.pubsub_channels)() == []

    async def test_refuses_a_page_of_another_origin(self, line: CountingLine) -> None:
        socket = communicator(("origin", "http://elsewhere.example"))

        connected, _ = await socket.connect()

        assert not connected

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"subscribe": "x"}', '{"subscribe": [1]}']
    )
    async def test_answers_nonsense_with_a_sentence(
        self, line: CountingLine, sam: User, text: str
    ) -> None:
        socket = by_token(sam)
        await socket.connect()

        await socket.send_to(text_data=text)

        assert "Send" in (await socket.receive_json_from())["error"]
        await socket.disconnect()

    async def test_closes_a_socket_that_is_not_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What waits for it is thrown away: it will read the list again."""
        monkeypatch.setattr(consumers, "WAITING_MAX", 3)
        sent: list[object] = []
        is_read = asyncio.Event()

        async def send(message: dict[str, object]) -> None:
            sent.append(message.get("text") or message.get("code"))
            await is_read.wait()

        socket = LiveConsumer()
        socket.base_send = send
        passing_on = asyncio.create_task(socket.pass_on())
        for number in range(9):
            socket.hear(str(number).encode())
            await asyncio.sleep(0)
        is_read.set()
        await asyncio.wait_for(passing_on, 5)

        assert sent == ["0", consumers.TOO_SLOW]


class TestPicturesConsumer:
    @pytest.fixture
    def camera(self, line: CountingLine) -> Camera:
        return line.camera

    async def watching(
        self, user: User, *codes: str, size: str = "tile"
    ) -> WebsocketCommunicator:
        socket = pictures_of(user)
        await socket.connect()
        await socket.send_json_to({"watch": codes, "size": size})
        return socket

    @pytest.mark.parametrize("size", ["tile", "full"])
    async def test_shows_the_cameras_asked_for(
        self, camera: Camera, sam: User, size: str
    ) -> None:
        other = await sync_to_async(make_camera)(site=camera.site)
        socket = await self.watching(sam, camera.code, other.code, size=size)
        codes = sorted([camera.code, other.code])
        assert await socket.receive_json_from() == {"watching": codes}

        for code in codes:
            await publish(code, Kind(size), f"jpeg of {code}".encode())
            message = await socket.receive_from()
            name = code.encode()
            assert message == bytes([len(name)]) + name + b"jpeg of " + name
        await socket.disconnect()

    async def test_sends_the_newest_once_the_one_before_is_drawn(
        self, camera: Camera, sam: User
    ) -> None:
        socket = await self.watching(sam, camera.code)
        await socket.receive_json_from()
        for number in (1, 2, 3):
            await publish(camera.code, Kind.TILE, b"%d" % number)
            if number == 1:
                assert (await socket.receive_from())[-1:] == b"1"
        assert await socket.receive_nothing()

        await socket.send_json_to({"drawn": camera.code})

        assert (await socket.receive_from())[-1:] == b"3"
        await socket.disconnect()

    async def test_replaces_what_is_watched(
        self, camera: Camera, sam: User, redis_client: redis.Redis
    ) -> None:
        other = await sync_to_async(make_camera)(site=camera.site)
        socket = await self.watching(sam, camera.code)
        await socket.receive_json_from()
        await until_watched(camera.code, Kind.TILE)

        await socket.send_json_to({"watch": [other.code], "size": "full"})
        assert await socket.receive_json_from() == {"watching": [other.code]}
        await until_watched(other.code, Kind.FULL)

        wanted = [frames.channel(other.code, Kind.FULL).encode()]
        async with asyncio.timeout(5):
            while await sync_to_async(redis_client.pubsub_channels)() != wanted:
                await asyncio.sleep(0.01)
        await socket.disconnect()

    async def test_names_the_cameras_it_may_not_show_and_shows_the_others(
        self, camera: Camera, sam: User
    ) -> None:
        elsewhere = await sync_to_async(make_camera)()
        socket = await self.watching(sam, camera.code, elsewhere.code, "CAM-NONE")

        error = (await socket.receive_json_from())["error"]
        watching = await socket.receive_json_from()

        assert elsewhere.code in error
        assert "CAM-NONE" in error
        assert watching == {"watching": [camera.code]}
        await socket.disconnect()

    async def test_says_once_when_pictures_stop(
        self, camera: Camera, sam: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pictures, "LOOK_AFTER_S", 0.05)
        await sync_to_async(Camera.objects.filter(pk=camera.pk).update)(
            state="offline",
            state_since=timezone.now(),
            state_cause="refused",
            state_reason="The camera refuses the connection.",
        )
        socket = await self.watching(sam, camera.code)
        await socket.receive_json_from()

        message = await socket.receive_json_from()

        assert message["lost"] == camera.code
        assert message["title"].startswith("No picture since ")
        assert message["reason"] == "connection refused"
        assert await socket.receive_nothing(timeout=0.3)
        await socket.disconnect()

    async def test_stops_showing_a_camera_that_the_user_sees_no_more(
        self,
        camera: Camera,
        sam: User,
        monkeypatch: pytest.MonkeyPatch,
        redis_client: redis.Redis,
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
        socket = await self.watching(sam, camera.code)
        await socket.receive_json_from()

        await sync_to_async(sam.sites.clear)()

        assert camera.code in (await socket.receive_json_from())["error"]
        assert await socket.receive_nothing(timeout=0.5)
        assert await sync_to_async(redis_client.pubsub_channels)() == []
        await socket.disconnect()

    async def test_closes_when_the_role_is_taken_away(
        self, camera: Camera, sam: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
        socket = await self.watching(sam, camera.code)
        await socket.receive_json_from()

        await sync_to_async(sam.groups.clear)()

        assert await close_code(socket) == consumers.NOT_ALLOWED

    async def test_closes_with_4401_without_a_login(self, camera: Camera) -> None:
        socket = communicator(("origin", "http://localhost"), path="/ws/pictures/")
        await socket.connect()

        assert await close_code(socket) == consumers.NOT_LOGGED_IN

    async def test_closes_with_4403_without_the_permission(
        self, camera: Camera
    ) -> None:
        nobody = await sync_to_async(make_user)("nobody", sites=[camera.site])
        socket = pictures_of(nobody)
        await socket.connect()

        assert await close_code(socket) == consumers.NOT_ALLOWED

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "[]",
            "{}",
            '{"watch": "CAM-1"}',
            '{"watch": [1]}',
            r'{"watch": ["\u0000"]}',
            r'{"watch": ["\ud800"]}',
            '{"watch": [], "size": "huge"}',
            '{"watch": [], "size": []}',
            '{"watch": [], "size": "detections"}',
            '{"drawn": 1}',
            f'{{"watch": {["C"] * 65}}}'.replace("'", '"'),
        ],
    )
    async def test_answers_nonsense_with_a_sentence(
        self, camera: Camera, sam: User, text: str
    ) -> None:
        socket = pictures_of(sam)
        await socket.connect()

        await socket.send_to(text_data=text)

        assert "Send" in (await socket.receive_json_from())["error"]
        await socket.disconnect()
