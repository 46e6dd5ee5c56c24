"""Source URLs: understood, shown without their passwords, and refused with a reason.

Addresses carry passwords. Whatever is raised, logged or printed about a source goes
through `redact`.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .trouble import Cause


class SourceKind(StrEnum):
    FILE = "file"
    RTSP = "rtsp"
    HTTP = "http"
    USB = "usb"


_SENTENCES: Final = {
    Cause.MISSING_FILE: (
        "{shown} does not exist. Check the path and that its disk is mounted."
    ),
    Cause.NOT_A_VIDEO: (
        "{shown} is not a video that can be read. Check what it is; for a camera, its"
        " path and login."
    ),
    Cause.NO_VIDEO: ("{shown} has no video stream. Choose a stream with a picture."),
    Cause.REFUSED: (
        "{shown} refused the connection. Check the address and the port, and that the"
        " camera is on."
    ),
    Cause.UNKNOWN_HOST: (
        "The host in {shown} is not known. Check its spelling and the name server."
    ),
    Cause.UNREACHABLE: (
        "{shown} could not be read over the network. Check the address, and that it is"
        " a video stream."
    ),
    Cause.UNAUTHORIZED: (
        "{shown} did not accept the user name or password. Correct them in the"
        " camera's source URL."
    ),
    Cause.NOT_FOUND: (
        "{shown} answers but has no such stream. Check the path after the host."
    ),
    Cause.TIMED_OUT: (
        "{shown} did not answer in time. Check that the camera is on and that the"
        " network is not overloaded."
    ),
    Cause.ENDED_UNEXPECTEDLY: (
        "{shown} ended its stream. Connect again; if it keeps ending, check the camera."
    ),
    Cause.MISSING_DEVICE: (
        "{shown} is not there. Plug the camera in or correct its number."
    ),
    Cause.UNREADABLE: (
        "{shown} may not be read. Give this process's user access to it."
    ),
    Cause.UNSUPPORTED: (
        "{shown} is not a source that can be read. Use rtsp://, rtsps://, http://,"
        " https://, the path of a recording, or usb:0."
    ),
    Cause.FORBIDDEN: (
        "{shown} is an address that a machine keeps for itself, never a camera's. Use"
        " the address that the camera has in the plant's network."
    ),
    Cause.FAILED: "{shown} cannot be read. Check it with another player.",
}


class SourceError(Exception):
    """A source that cannot give frames; its text may be shown to anybody."""

    def __init__(self, reason: Cause, shown: str) -> None:
        self.reason = reason
        self.sentence = _SENTENCES[reason].format(shown=shown)
        super().__init__(self.sentence)


class UnsupportedSource(SourceError):
    """An address that is not accepted here, whatever may answer at it."""

    def __init__(self, shown: str, reason: Cause = Cause.UNSUPPORTED) -> None:
        super().__init__(reason, shown)


# The name ends at the first colon, the password at the last @: passwords are typed
# unescaped, with / and @ in them, and hiding too much is the safe mistake.
_USERINFO: Final = re.compile(r"^([a-z][a-z0-9+.-]*://[^:/?#]*):.*@", re.I | re.S)
# Cameras have no common name for a password parameter, so all but these are hidden.
_PARAMETER: Final = re.compile(r"([^&#?/;=]+)=([^&#]*)")
_SHOWN_PARAMETERS: Final = frozenset(
    {"camera", "ch", "channel", "codec", "fps", "profile", "resolution", "stream"}
    | {"subtype", "transportmode", "user", "username"}
)
_PLAIN: Final = re.compile(r"[\w.-]*")


def redact(url: str) -> str:
    """Return the address with each password in it, and what may be one, as ***."""
    return _PARAMETER.sub(_redact_parameter, _USERINFO.sub(r"\1:***@", url))


def _redact_parameter(found: re.Match[str]) -> str:
    name, value = found.groups()
    is_shown = name.lower() in _SHOWN_PARAMETERS and _PLAIN.fullmatch(value)
    return found[0] if is_shown else f"{name}=***"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source's address, understood. `shown` is the form that people may see."""

    kind: SourceKind
    address: str = field(repr=False)
    """What FFmpeg opens, password and all."""
    shown: str

    @property
    def is_live(self) -> bool:
        return self.kind is not SourceKind.FILE

    @property
    def host(self) -> str:
        return _host(self.address)


_NETWORK: Final = {
    "rtsp": SourceKind.RTSP,
    "rtsps": SourceKind.RTSP,
    "http": SourceKind.HTTP,
    "https": SourceKind.HTTP,
}
_SCHEME: Final = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.I)
# An address typed without its scheme is taken for a path.
_LOGIN: Final = re.compile(r"^[^/@:]+:[^/@]*@")
_USB: Final = re.compile(r"^usb:(\d{1,3})$", re.I)


def parse_source(url: str) -> SourceSpec:
    """Read a camera's source URL.

    Raises `UnsupportedSource` for anything but rtsp(s)://, http(s)://, the path of a
    file and usb:N, and for addresses no camera has (a name is not looked up).
    """
    url = url.strip()
    if device := _USB.match(url):
        number = int(device[1])
        return SourceSpec(SourceKind.USB, f"/dev/video{number}", f"usb:{number}")
    if not url or "\0" in url or url.lower().startswith("usb:"):
        raise UnsupportedSource(redact(url) or "An empty address")
    scheme = _SCHEME.match(url)
    if scheme is None:
        shown = _LOGIN.sub("***@", url)
        return SourceSpec(SourceKind.FILE, str(Path(url).absolute()), shown)
    kind = _NETWORK.get(scheme[1].lower())
    if kind is None or not _host(url):
        raise UnsupportedSource(redact(url))
    if is_forbidden(_host(url)):
        raise UnsupportedSource(redact(url), Cause.FORBIDDEN)
    return SourceSpec(kind, url, redact(url))


# Link-local (RFC 3927, RFC 4291): where clouds hand a machine its own credentials.
# The last one is AWS's, of the same use.
_FORBIDDEN: Final = tuple(
    ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128")
)


def is_forbidden(host: str) -> bool:
    """Say whether a host is an address that is never a camera's; names are not."""
    address = _ip_address(host)
    return any(address in network for network in _FORBIDDEN) if address else False


def _ip_address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address as the resolver would: 0xA9FEA9FE and 2852039166 are ones too."""
    try:
        address = ip_address(host)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
