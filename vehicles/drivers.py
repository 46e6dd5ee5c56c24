"""How a barrier is told to open: by an HTTP request, or by an MQTT message.

Addresses hold passwords, so no text made here repeats one.
"""

from __future__ import annotations

import base64
import ssl
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from streaming.vision.addresses import is_forbidden

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from paho.mqtt.reasoncodes import ReasonCode

TIMEOUT_S: Final = 2.0
"""How long a barrier is waited for: to be reached, and once more to answer."""
PORTS: Final[Mapping[str, Mapping[str, int]]] = {
    "http": {"http": 80, "https": 443},
    "mqtt": {"mqtt": 1883, "mqtts": 8883},
}
"""For each driver the schemes it takes, with their usual ports."""
FORMS: Final[Mapping[str, str]] = {
    "http": "Write http://user:password@10.0.0.9/open, or https://.",
    "mqtt": "Write mqtt://user:password@10.0.0.9/gate-1/open, or mqtts://: the path is "
    "the topic, without + and #.",
}
ESCAPED = "In a password write : / ? # @ and % as %3A %2F %3F %23 %40 and %25."
FORBIDDEN = (
    "The address is one that a machine keeps for itself, never a barrier's. Enter the "
    "barrier's own."
)
UNKNOWN = "whether it opened is not known."
NO_SUBSCRIBER: Final = 0x10
"""Reason code of MQTT 5, 3.4.2.1: taken, and nobody listens to the topic."""


class BadAddress(Exception):
    """No barrier can be told at such an address; the message says what to write."""


class NotTold(Exception):
    """The barrier did not say that it opens; the message says why, without a secret."""


class TooLate(NotTold):
    """So much time has passed that it must not open any more."""

    def __init__(self) -> None:
        super().__init__("Too late: whoever was to be let in may have gone.")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a barrier is told to open."""

    scheme: str
    host: str
    port: int
    path: str
    """Of the request, with what it asks; of MQTT the topic."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def is_encrypted(self) -> bool:
        return self.scheme in {"https", "mqtts"}


def parse_address(text: str, *, driver: str) -> Address:
    """Read a barrier's address; raises BadAddress. A name is not looked up."""
    bad = BadAddress(f"{FORMS[driver]} {ESCAPED}")
    if not text.isascii() or any(character <= " " for character in text):
        raise bad
    try:
        parts = urlsplit(text)
        usual = PORTS[driver].get(parts.scheme)
        port = usual if parts.port is None else parts.port
        # As the resolver will: of a name with an empty label it makes a UnicodeError.
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise bad from None
    if not (parts.hostname and port) or parts.fragment:
        raise bad
    if is_forbidden(parts.hostname):
        raise BadAddress(FORBIDDEN)
    path = _topic(parts) if driver == "mqtt" else _target(parts)
    if not path or usual is None:
        raise bad
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Address(parts.scheme, parts.hostname, port, path, user, password)


def _target(parts: SplitResult) -> str:
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _topic(parts: SplitResult) -> str:
    """Return the topic, or nothing where it can be none (MQTT 5, 4.7)."""
    topic = unquote(parts.path.removeprefix("/"))
    return "" if parts.query or set(topic) & set("+#\0") else topic


def tell(address: Address, payload: str, *, until_s: float) -> str:
    """Tell a barrier to open, once; return what it answered, or raise NotTold.

    `until_s` is of the monotonic clock; past it nothing is sent any more, and raises
    TooLate.
    """
    _check_time(until_s)
    if address.scheme in PORTS["http"]:
        return _post(address, payload, until_s)
    return _publish(address, payload, until_s)


def _check_time(until_s: float, *, spare_s: float = 0) -> float:
    """Return how many seconds are left; raise TooLate where they are too few."""
    left_s = until_s - time.monotonic()
    if left_s <= spare_s:
        raise TooLate
    return left_s


def _check_peer(reached: socket.socket) -> None:
    """Refuse whom a name led to before anything is told: a name may lead anywhere."""
    if is_forbidden(reached.getpeername()[0]):
        raise NotTold(FORBIDDEN)


def _unreached(error: OSError) -> NotTold:
    """Say why, from the kind of error alone: its text may repeat the address."""
    if isinstance(error, ssl.SSLError):
        return NotTold("Its TLS certificate is not trusted. Renew or install it.")
    if isinstance(error, TimeoutError):
        return NotTold(f"It could not be reached within {TIMEOUT_S:g} s.")
    if isinstance(error, ConnectionRefusedError):
        return NotTold("It refused the connection. Check its port and that it is on.")
    return NotTold("It could not be reached. Check its address and the network.")


def _post(address: Address, payload: str, until_s: float) -> str:
    kind = HTTPSConnection if address.is_encrypted else HTTPConnection
    connection = kind(address.host, address.port, timeout=TIMEOUT_S)
    try:
        try:
            connection.connect()
            _check_peer(connection.sock)
        except OSError as error:
            raise _unreached(error) from None
        _check_time(until_s)
        status = _status(connection, address, payload)
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotTold(f"It answered {status}.")
    return f"It answered {status}."


def _status(connection: HTTPConnection, address: Address, payload: str) -> int:
    headers = _headers(address, payload)
    try:
        connection.request("POST", address.path, body=payload.encode(), headers=headers)
        return connection.getresponse().status
    except TimeoutError:
        said = f"It did not answer within {TIMEOUT_S:g} s; {UNKNOWN}"
    except (OSError, HTTPException):
        said = f"It broke off before it answered; {UNKNOWN}"
    raise NotTold(said)


def _headers(address: Address, payload: str) -> dict[str, str]:
    """Return the headers; a payload in braces or brackets is sent as JSON."""
    kind = "application/json" if payload[:1] in {"{", "["} else "text/plain"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "User-Agent": "factory-site",
        "Connection": "close",
    }
    if address.user or address.password:
        login = f"{address.user}:{address.password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    return headers


class _Broker:
    """One connection to a broker, for one message.

    It speaks MQTT 5, which alone lets a message expire (3.3.2.3.3): else a broker
    keeps it for a barrier that is away, and opens it whenever that comes back.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connected: list[ReasonCode] = []
        self._taken: list[ReasonCode] = []
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = TIMEOUT_S
        self._client.on_socket_open = _check_opened
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        if address.user or address.password:
            self._client.username_pw_set(address.user, address.password)
        if address.is_encrypted:
            self._client.tls_set()

    def connect(self) -> None:
        """Log in; raises NotTold."""
        try:
            self._client.connect(self._address.host, self._address.port)
        except OSError as error:
            raise _unreached(error) from None
        self._wait_for(self._connected, "The broker did not answer the login", ".")
        if self._connected[0].is_failure:
            raise NotTold(f"The broker refused the login: {self._connected[0]}.")

    def publish(self, payload: str, *, lasts_s: int) -> None:
        """Send with QoS 1 and wait until it is acknowledged; raises NotTold."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = lasts_s
        self._client.publish(self._address.path, payload, qos=1, properties=properties)
        so = f"; {UNKNOWN}"
        self._wait_for(self._taken, "The broker did not acknowledge the message", so)
        code = self._taken[0]
        if code.value == NO_SUBSCRIBER:
            raise NotTold("The broker took it, but no barrier listens to that topic.")
        if code.is_failure:
            raise NotTold(f"The broker refused the message: {code}.")

    def close(self) -> None:
        self._client.disconnect()

    def _wait_for(self, answers: list[ReasonCode], complaint: str, so: str) -> None:
        until_s = time.monotonic() + TIMEOUT_S
        while not answers:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise NotTold(f"{complaint} within {TIMEOUT_S:g} s{so}")
            if self._client.loop(left_s) != mqtt.MQTT_ERR_SUCCESS and not answers:
                raise NotTold(f"{complaint}{so}")

    def _on_connect(
        self, _client: object, _data: Any, _flags: Any, code: ReasonCode, _more: Any
    ) -> None:
        self._connected.append(code)

    def _on_publish(
        self, _client: object, _data: Any, _id: int, code: ReasonCode, _more: Any
    ) -> None:
        self._taken.append(code)


def _check_opened(_client: object, _data: Any, reached: Any) -> None:
    _check_peer(reached)


def _publish(address: Address, payload: str, until_s: float) -> str:
    broker = _Broker(address)
    try:
        broker.connect()
        # A message lasts for whole seconds, at least one.
        left_s = _check_time(until_s, spare_s=1)
        broker.publish(payload, lasts_s=int(left_s))
    finally:
        broker.close()
    return "The broker acknowledged it."
