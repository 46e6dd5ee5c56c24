from __future__ import annotations

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
from streaming import consumers
from tests.factories import make_crossing, make_line, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

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


def communicator(*headers: tuple[str, str]) -> WebsocketCommunicator:
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return WebsocketCommunicator(application, "/ws/live/", headers=encoded)


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
