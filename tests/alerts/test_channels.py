from __future__ import annotations

import io
import json
import logging
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from alerts import channels
from alerts.models import new_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Receiver

SECRET = new_secret()
BODY = b'{"event": "alert.opened"}'


def post(address: str) -> str:
    return channels.post_webhook(
        address=address,
        secret=SECRET,
        event_id="f3b1",
        at=datetime.now(UTC),
        body=BODY,
    )


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    """Give what the log's console shows; caplog sees what never gets there."""
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield shown
    root.setLevel(level)
    root.removeHandler(handler)


class TestPostWebhook:
    def test_sends_exactly_what_it_signed(self, receiver: Receiver) -> None:
        assert post(receiver.address) == "The receiver answered 200."

        assert receiver.bodies == [BODY]
        (headers,) = receiver.headers
        assert headers["Content-Type"] == "application/json"
        assert headers["webhook-id"] == "f3b1"
        Webhook(SECRET).verify(BODY, headers)

    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    def test_tells_the_status_that_is_no_success(
        self, receiver: Receiver, status: int
    ) -> None:
        receiver.statuses = [status]

        with pytest.raises(channels.NotSent, match=str(status)) as raised:
            post(receiver.address)

        assert not raised.value.is_final

    def test_takes_gone_for_an_answer(self, receiver: Receiver) -> None:
        receiver.statuses = [410]

        with pytest.raises(channels.ReceiverGone) as raised:
            post(receiver.address)

        assert raised.value.is_final

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_follows_nobody_elsewhere(self, receiver: Receiver, status: int) -> None:
        receiver.statuses = [status]

        with pytest.raises(channels.NotSent, match="final address"):
            post(receiver.address)

        assert len(receiver.bodies) == 1

    def test_gives_up_on_a_receiver_that_does_not_answer(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(channels, "TIMEOUT_S", 0.2)
        receiver.statuses = [0]

        with pytest.raises(channels.NotSent, match="did not answer within"):
            post(receiver.address)

    def test_says_that_nobody_listens(self) -> None:
        with pytest.raises(channels.NotSent, match="could not be reached"):
            post(f"http://127.0.0.1:{unused_port()}/hidden-word")

    def test_says_that_a_name_is_not_known(self) -> None:
        with pytest.raises(channels.NotSent, match="name is not known"):
            post("http://nowhere.invalid/hidden-word")

    def test_says_that_a_certificate_is_missing(self, receiver: Receiver) -> None:
        with pytest.raises(channels.NotSent, match="TLS"):
            post(receiver.address.replace("http://", "https://"))

    @pytest.mark.parametrize(
        "address",
        [
            "http://169.254.169.254/latest",
            "http://[fe80::1]/x",
            "http://2852039166/x",
            "http://[::ffff:169.254.169.254]/x",
        ],
    )
    def test_never_calls_what_a_machine_keeps_for_itself(self, address: str) -> None:
        with pytest.raises(channels.UnusableAddress, match="keeps for itself"):
            post(address)

    def test_sends_nothing_when_a_name_leads_there(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The name resolves to loopback, which stands in for a forbidden network."""

        def is_loopback(host: str) -> bool:
            return host in {"127.0.0.1", "::1"}

        monkeypatch.setattr(channels, "is_forbidden", is_loopback)
        address = receiver.address.replace("127.0.0.1", "localhost")

        with pytest.raises(channels.UnusableAddress, match="keeps for itself"):
            post(address)

        assert receiver.bodies == []

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "erp.example.com/x",
            "ftp://erp/x",
            "http:///x",
            "https://[x",
            "http://h:a",
        ],
    )
    def test_refuses_what_is_no_web_address(self, address: str) -> None:
        with pytest.raises(channels.UnusableAddress, match="can be called"):
            post(address)

    def test_repeats_no_secret_of_the_address(
        self, receiver: Receiver, console: io.StringIO
    ) -> None:
        receiver.statuses = [500]
        texts = []
        for address in (
            receiver.address,
            f"http://user:hidden-word@127.0.0.1:{unused_port()}/hidden-word",
            "http://user:hidden-word@nowhere.invalid/hidden-word",
            f"http://user:hidden-word@{'long' * 20}.invalid/hidden-word",
            f"http://127.0.0.1:{receiver.port}/\x00hidden-word",
        ):
            try:
                texts.append(post(address))
            except channels.NotSent as error:
                texts.append(str(error))

        assert "hidden-word" not in "".join(texts)
        assert "hidden-word" not in console.getvalue()


class TestSendMessage:
    def test_gives_title_and_text_to_the_service(self, receiver: Receiver) -> None:
        """json:// is Apprise's own plain HTTP request."""
        answer = channels.send_message(
            address=f"json://127.0.0.1:{receiver.port}/x",
            title="CRITICAL: Camera offline",
            text="Gate 1 is offline.",
        )

        (body,) = map(json.loads, receiver.bodies)
        assert answer == "The service took the message."
        assert body["title"] == "CRITICAL: Camera offline"
        assert body["message"] == "Gate 1 is offline."

    def test_says_that_the_service_did_not_take_it_and_no_password(
        self, receiver: Receiver, console: io.StringIO
    ) -> None:
        receiver.statuses = [500]

        with pytest.raises(channels.NotSent) as raised:
            channels.send_message(
                address=f"json://user:hidden-word@127.0.0.1:{receiver.port}/x",
                title="t",
                text="t",
            )

        assert "did not take the message" in str(raised.value)
        assert "error=500" in str(raised.value)
        assert "hidden-word" not in str(raised.value) + console.getvalue()

    @pytest.mark.parametrize(
        "address",
        ["", "hidden-word", "nonsense://u:hidden-word@h", "mailto://hidden-word"],
    )
    def test_refuses_an_address_of_no_service(
        self, address: str, console: io.StringIO
    ) -> None:

        with pytest.raises(channels.UnusableAddress, match="no service") as raised:
            channels.check_message_address(address)

        assert "hidden-word" not in str(raised.value) + console.getvalue()

    def test_refuses_a_second_address_behind_the_first(self) -> None:
        with pytest.raises(channels.UnusableAddress, match="several"):
            channels.check_message_address("json://h/,json://169.254.169.254/x")

    def test_never_calls_what_a_machine_keeps_for_itself(self) -> None:
        with pytest.raises(channels.UnusableAddress, match="keeps for itself"):
            channels.check_message_address("json://169.254.169.254/x")
