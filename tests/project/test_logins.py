"""Guessing passwords, at the login page and in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.utils import timezone

from tests.factories import make_user

if TYPE_CHECKING:
    from django.test import AsyncClient, Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

PAGE, API = "/login", "/api/v1/auth/login"
RIGHT = "a long passphrase"


def log_in(
    client: Client, address: str, *, password: str = "guess", **headers: Any
) -> Any:
    form: Any = {"username": "asha", "password": password}
    if address == API:
        return client.post(address, form, "application/json", **headers)
    return client.post(address, form, **headers)


def guess(
    client: Client, settings: Settings, address: str, **headers: Any
) -> list[int]:
    return [
        log_in(client, address, **headers).status_code
        for _ in range(settings.AXES_FAILURE_LIMIT)
    ]


class TestLockOut:
    @pytest.mark.parametrize(("address", "refusal"), [(PAGE, 200), (API, 401)])
    @pytest.mark.parametrize("other", [PAGE, API])
    def test_closes_both_entrances_to_a_name(
        self, client: Client, settings: Settings, address: str, refusal: int, other: str
    ) -> None:
        make_user("asha")

        *refused, last = guess(client, settings, address)

        assert set(refused) == {refusal}
        assert last == 429
        assert log_in(client, other, password=RIGHT).status_code == 429

    def test_says_why_and_for_how_long(
        self, client: Client, settings: Settings
    ) -> None:
        make_user("asha")
        guess(client, settings, PAGE)

        page = log_in(client, PAGE).content.decode()
        answer = log_in(client, API)

        assert "<b>asha</b> cannot log in from here for 15 minutes" in page
        assert answer["Retry-After"] == "900"
        assert answer.json()["code"] == "locked_out"
        assert answer.json()["detail"].startswith("Too many wrong passwords")

    def test_leaves_others_alone(self, client: Client, settings: Settings) -> None:
        make_user("asha")
        make_user("ravi")
        guess(client, settings, PAGE)

        other = client.post(PAGE, {"username": "ravi", "password": RIGHT})
        elsewhere = log_in(client, PAGE, password=RIGHT, REMOTE_ADDR="192.0.2.9")

        assert (other.status_code, elsewhere.status_code) == (302, 302)

    def test_ends_by_itself(self, client: Client, settings: Settings) -> None:
        make_user("asha")
        guess(client, settings, API)

        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert log_in(client, API, password=RIGHT).status_code == 200

    def test_counts_from_the_last_right_password(
        self, client: Client, settings: Settings
    ) -> None:
        make_user("asha")
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            log_in(client, PAGE)
        log_in(client, PAGE, password=RIGHT)

        assert log_in(client, PAGE).status_code == 200

    @pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 302)])
    def test_believes_a_forwarded_address_only_from_a_proxy(
        self, client: Client, settings: Settings, proxies: int, status: int
    ) -> None:
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
        make_user("asha")
        first, second = "192.0.2.1, 192.0.2.2", "192.0.2.2, 192.0.2.3"
        guess(client, settings, PAGE, HTTP_X_FORWARDED_FOR=first)

        answer = log_in(client, PAGE, password=RIGHT, HTTP_X_FORWARDED_FOR=second)

        assert answer.status_code == status

    @pytest.mark.django_db(transaction=True)
    async def test_holds_in_the_asynchronous_server_too(
        self, async_client: AsyncClient, settings: Settings
    ) -> None:
        form = {"username": "asha", "password": "guess"}

        for _ in range(settings.AXES_FAILURE_LIMIT):
            answer = await async_client.post(PAGE, form)

        assert answer.status_code == 429
        assert b"<b>asha</b> cannot log in" in answer.content
