"""Barriers told to open, over real sockets."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.barrier_server import barrier_server
from tests.broker import broker, listening
from vehicles import drivers
from vehicles.drivers import Address, BadAddress, NotTold, TooLate, parse_address, tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIN = ("gate", "p:/@ hidden-word")
TYPED_LOGIN = "gate:p%3A%2F%40%20hidden-word"
TOPIC = "gate-1/open"


def soon(seconds: float = 5) -> float:
    return time.monotonic() + seconds


def http(text: str) -> Address:
    return parse_address(text, driver="http")


def mqtt(text: str) -> Address:
    return parse_address(text, driver="mqtt")


class TestParseAddress:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("http://10.0.0.9", Address("http", "10.0.0.9", 80, "/")),
            ("https://b/open?x=1&y=2", Address("https", "b", 443, "/open?x=1&y=2")),
            ("http://[fd00::9]:8080/", Address("http", "fd00::9", 8080, "/")),
            (f"http://{TYPED_LOGIN}@b/", Address("http", "b", 80, "/", *LOGIN)),
        ],
    )
    def test_takes_web_addresses(self, text: str, address: Address) -> None:
        assert http(text) == address

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("mqtt://10.0.0.9/gate", Address("mqtt", "10.0.0.9", 1883, "gate")),
            ("mqtts://b:1/a/%E0%A4%97", Address("mqtts", "b", 1, "a/\u0917")),
        ],
    )
    def test_takes_brokers_with_a_topic(self, text: str, address: Address) -> None:
        assert mqtt(text) == address

    @pytest.mark.parametrize("driver", ["http", "mqtt"])
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "10.0.0.9/open",
            "file:///etc/passwd",
            "ftp://b/open",
            "http:///open",
            "mqtt://",
            "http://b:0/",
            "http://b:99999/",
            "http://user:p/word@b/",
            "http://b/a b",
            "http://b/a\r\nX-More: 1",
            "http://b/#a",
            "mqtt://b",
            "mqtt://b/",
            "mqtt://b/all/%23",
            "mqtt://b/+/open",
            "mqtt://b/open?qos=1",
            "http://[b/",
            "http://gate..local/",
            "mqtt://gate..local/open",
            f"http://{'b' * 64}/",
        ],
    )
    def test_says_what_to_write(self, driver: str, text: str) -> None:
        with pytest.raises(BadAddress, match=f"^Write {driver}://"):
            parse_address(text, driver=driver)

    def test_takes_only_addresses_of_its_driver(self) -> None:
        with pytest.raises(BadAddress, match=r"^Write mqtt://"):
            mqtt("http://10.0.0.9/open")

    @pytest.mark.parametrize(
        "host", ["169.254.169.254", "0xA9FEA9FE", "[fe80::1]", "[fd00:ec2::254]"]
    )
    def test_refuses_what_a_machine_keeps_for_itself(self, host: str) -> None:
        with pytest.raises(BadAddress, match="keeps for itself"):
            http(f"http://{host}/open")

    def test_shows_no_secret(self) -> None:
        assert "hidden-word" not in repr(http(f"http://{TYPED_LOGIN}@b/"))

    def test_has_sentences_that_fit_where_they_are_kept(self) -> None:
        for form in drivers.FORMS.values():
            assert len(f"{form} {drivers.ESCAPED}") <= 200


class TestHTTP:
    @pytest.mark.parametrize(
        ("payload", "kind"), [("open", "text/plain"), ('{"on": 1}', "application/json")]
    )
    def test_posts_the_payload_once(self, payload: str, kind: str) -> None:
        with barrier_server() as barrier:
            words = tell(http(barrier.url), payload, until_s=soon())

        (told,) = barrier.told
        assert words == "It answered 200."
        assert (told.path, told.payload) == ("/open", payload)
        assert told.content_type == f"{kind}; charset=utf-8"
        assert told.authorization is None

    def test_logs_in(self) -> None:
        with barrier_server() as barrier:
            url = barrier.url.replace("//", f"//{TYPED_LOGIN}@")
            tell(http(url), "open", until_s=soon())

        login = "Basic Z2F0ZTpwOi9AIGhpZGRlbi13b3Jk"
        assert [told.authorization for told in barrier.told] == [login]

    @pytest.mark.parametrize("status", [302, 401, 500])
    def test_takes_only_success_for_an_opening(self, status: int) -> None:
        with (
            barrier_server(status=status) as barrier,
            pytest.raises(NotTold, match=f"^It answered {status}.$"),
        ):
            tell(http(barrier.url), "open", until_s=soon())

        assert len(barrier.told) == 1

    def test_gives_up_a_slow_barrier(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drivers, "TIMEOUT_S", 0.2)
        with (
            barrier_server(slow_s=1) as barrier,
            pytest.raises(NotTold, match=r"did not answer within 0\.2 s; whether"),
        ):
            tell(http(barrier.url), "open", until_s=soon())

    def test_says_when_a_barrier_breaks_off(self) -> None:
        with (
            barrier_server(breaks_off=True) as barrier,
            pytest.raises(NotTold, match="broke off before it answered"),
        ):
            tell(http(barrier.url), "open", until_s=soon())

    def test_says_when_a_barrier_is_off(self) -> None:
        with barrier_server() as barrier:
            url = barrier.url

        with pytest.raises(NotTold, match="refused the connection"):
            tell(http(url), "open", until_s=soon())

    def test_says_when_a_name_is_unknown(self) -> None:
        with pytest.raises(NotTold, match="could not be reached"):
            tell(http("http://barrier.invalid/"), "open", until_s=soon())

    def test_says_when_the_other_side_speaks_no_tls(self) -> None:
        with barrier_server() as barrier:
            url = barrier.url.replace("http", "https")
            with pytest.raises(NotTold, match="TLS"):
                tell(http(url), "open", until_s=soon())

    def test_tells_nothing_too_late(self) -> None:
        with barrier_server() as barrier, pytest.raises(TooLate):
            tell(http(barrier.url), "open", until_s=soon(0))

        assert barrier.told == []

    def test_tells_nothing_when_a_slow_name_server_made_it_late(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_up = socket.getaddrinfo

        def look_up_slowly(*args: Any, **values: Any) -> Any:
            time.sleep(0.2)
            return look_up(*args, **values)

        monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
        with barrier_server() as barrier, pytest.raises(TooLate):
            tell(http(barrier.url), "open", until_s=soon(0.1))

        assert barrier.told == []

    def test_tells_nothing_to_whom_a_name_must_not_lead(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drivers, "is_forbidden", lambda host: host == "127.0.0.1")
        with barrier_server() as barrier, pytest.raises(NotTold, match="for itself"):
            tell(http(f"http://localhost:{barrier.port}/"), "open", until_s=soon())

        assert barrier.told == []


class TestMQTT:
    @pytest.fixture
    def port(self, tmp_path: Path) -> Iterator[int]:
        with broker(tmp_path) as port:
            yield port

    def test_publishes_once_and_waits_for_the_broker(self, port: int) -> None:
        address = mqtt(f"mqtt://127.0.0.1:{port}/{TOPIC}")

        with listening(port, TOPIC) as barrier:
            words = tell(address, "open", until_s=soon())
            assert barrier.was_told.wait(10)
        assert words == "The broker acknowledged it."
        assert barrier.told == ["open"]

    def test_says_when_no_barrier_listens(self, port: int) -> None:
        address = mqtt(f"mqtt://127.0.0.1:{port}/{TOPIC}")

        with pytest.raises(NotTold, match="no barrier listens to that topic"):
            tell(address, "open", until_s=soon())

    @pytest.mark.parametrize(("lasts_s", "told"), [(1.5, []), (30, ["open"])])
    def test_leaves_nothing_for_a_barrier_that_comes_back_later(
        self, port: int, lasts_s: float, told: list[str]
    ) -> None:
        address = mqtt(f"mqtt://127.0.0.1:{port}/{TOPIC}")
        with listening(port, TOPIC):
            pass

        tell(address, "open", until_s=soon(lasts_s))
        time.sleep(2.5)
        with listening(port, TOPIC) as barrier:
            barrier.was_told.wait(0.5)
        assert barrier.told == told

    def test_leaves_nothing_to_find_for_new_barriers(self, port: int) -> None:
        address = mqtt(f"mqtt://127.0.0.1:{port}/{TOPIC}")
        with listening(port, TOPIC) as barrier:
            tell(address, "open", until_s=soon())
            assert barrier.was_told.wait(10)

        with listening(port, "#") as other:
            other.was_told.wait(0.3)
        assert other.told == []

    @pytest.mark.parametrize("left_s", [0, 0.9])
    def test_tells_nothing_too_late(self, port: int, left_s: float) -> None:
        address = mqtt(f"mqtt://127.0.0.1:{port}/{TOPIC}")

        with listening(port, TOPIC) as barrier:
            with pytest.raises(TooLate):
                tell(address, "open", until_s=soon(left_s))
            barrier.was_told.wait(0.2)
        assert barrier.told == []

    def test_logs_in(self, tmp_path: Path) -> None:
        with broker(tmp_path, login=LOGIN) as port:
            place = f"127.0.0.1:{port}/{TOPIC}"
            with listening(port, TOPIC, login=LOGIN) as barrier:
                tell(mqtt(f"mqtt://{TYPED_LOGIN}@{place}"), "open", until_s=soon())
                assert barrier.was_told.wait(10)
            with pytest.raises(NotTold, match="refused the login: Not authorized"):
                tell(mqtt(f"mqtt://gate:wrong@{place}"), "open", until_s=soon())

    def test_says_when_the_broker_is_off(self, tmp_path: Path) -> None:
        with broker(tmp_path) as port:
            pass

        with pytest.raises(NotTold, match="refused the connection"):
            tell(mqtt(f"mqtt://127.0.0.1:{port}/{TOPIC}"), "open", until_s=soon())

    def test_gives_up_what_is_no_broker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drivers, "TIMEOUT_S", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = mqtt(f"mqtt://127.0.0.1:{silent.getsockname()[1]}/{TOPIC}")
            with pytest.raises(NotTold, match=r"did not answer the login within 0\.2"):
                tell(address, "open", until_s=soon())

    def test_tells_nothing_to_whom_a_name_must_not_lead(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drivers, "is_forbidden", lambda host: host == "127.0.0.1")
        address = mqtt(f"mqtt://localhost:{port}/{TOPIC}")

        with listening(port, TOPIC) as barrier:
            with pytest.raises(NotTold, match="for itself"):
                tell(address, "open", until_s=soon())
            barrier.was_told.wait(0.2)
        assert barrier.told == []
