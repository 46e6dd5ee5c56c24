"""How a message leaves the site: a signed HTTP request, or Apprise's services.

Addresses hold passwords and tokens, so no text made here repeats one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from streaming.vision.addresses import is_forbidden

from .rules import webhook_headers, without_pieces

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from datetime import datetime

TIMEOUT_S: Final = 5
GONE: Final = 410
SAID_MAX: Final = 300


class NotSent(Exception):
    """A message was not taken; the text says why, without any secret."""

    is_final = False


class ReceiverGone(NotSent):
    """The receiver wants no message any more, so trying again is in vain."""

    is_final = True


class UnusableAddress(NotSent):
    """Nothing can be sent there, now or later, until the address is corrected."""

    is_final = True


FORBIDDEN = (
    "The address is one that a machine keeps for itself, never a receiver's. Enter "
    "the receiver's own."
)
NO_WEB_ADDRESS = "The address is not one that can be called. Use https://host/path."
NO_SERVICE = (
    "The address is of no service that is known. See https://appriseit.com/services "
    "for the forms, such as mailtos://user:password@example.com?to=guard@example.com."
)
SEVERAL = "These are several addresses. Make a channel for each."


def check_webhook(address: str) -> None:
    """Raise UnusableAddress unless it can be the address of a webhook."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in {"http", "https"} and parts.port != 0
        must_not_be = is_forbidden(parts.hostname or "")
    except ValueError:
        raise UnusableAddress(NO_WEB_ADDRESS) from None
    if not is_usable or not parts.hostname:
        raise UnusableAddress(NO_WEB_ADDRESS)
    if must_not_be:
        raise UnusableAddress(FORBIDDEN)


def post_webhook(
    *, address: str, secret: str, event_id: str, at: datetime, body: bytes
) -> str:
    """Send a signed webhook and return what the receiver answered; raise NotSent."""
    check_webhook(address)
    headers = webhook_headers(secret=secret, event_id=event_id, at=at, body=body)
    try:
        status = _post(address, body, headers)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as e:
        raise NotSent(_reason(e)) from None
    if status == GONE:
        raise ReceiverGone("The receiver answered 410: it wants no message any more.")
    if 300 <= status < 400:
        raise NotSent(
            f"The receiver answered {status}: it points elsewhere, which is not "
            "followed. Enter the final address."
        )
    if not 200 <= status < 300:
        raise NotSent(f"The receiver answered {status}.")
    return f"The receiver answered {status}."


def _post(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    with requests.Session() as session:
        session.mount("http://", _GuardedAdapter())
        session.mount("https://", _GuardedAdapter())
        with session.post(
            address,
            data=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "factory-site",
                **headers,
            },
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=True,  # the answer's body is never read
        ) as response:
            return response.status_code


def _reason(error: Exception) -> str:
    """Say why, from the kind of error alone: its text may repeat the address."""
    if isinstance(error, requests.Timeout):
        return f"The receiver did not answer within {TIMEOUT_S} s."
    if isinstance(error, requests.exceptions.SSLError):
        return "The receiver's TLS certificate is not trusted. Renew or install it."
    if isinstance(error, requests.exceptions.ProxyError):
        return "The proxy did not let the message through."
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "The receiver's name is not known. Check the address."
    if isinstance(error, requests.ConnectionError):
        return "The receiver could not be reached. Check the address and that it runs."
    return NO_WEB_ADDRESS


class _GuardedHTTP(HTTPConnection):
    """Looks at whom it reached before a byte is sent: a name may lead anywhere."""

    def _new_conn(self) -> socket.socket:
        found = super()._new_conn()
        if is_forbidden(found.getpeername()[0]):
            found.close()
            raise UnusableAddress(FORBIDDEN)
        return found


class _GuardedHTTPS(_GuardedHTTP, HTTPSConnection):
    """The same below TLS."""


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _HTTPPool,
            "https": _HTTPSPool,
        }


def check_message_address(address: str) -> None:
    """Raise UnusableAddress unless Apprise knows the service."""
    _notifier(address)


def send_message(*, address: str, title: str, text: str) -> str:
    """Send a message by the service that the address names; raise NotSent."""
    result = _notifier(address).notify(title=title, body=text)
    if not result:
        said = " ".join(entry.message for entry in result.logs())
        shown = without_pieces(said, of=address)[:SAID_MAX]
        raise NotSent(f"The service did not take the message. {shown}".strip())
    return "The service took the message."


def _notifier(address: str) -> Any:
    import apprise  # only the processes that send carry it

    notifier = apprise.Apprise()
    if not notifier.add(address):
        raise UnusableAddress(NO_SERVICE)
    if len(notifier) > 1:
        raise UnusableAddress(SEVERAL)
    if is_forbidden(_host(address)):
        raise UnusableAddress(FORBIDDEN)
    return notifier


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
