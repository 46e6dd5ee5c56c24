"""Opens a source with FFmpeg and says in our own words why it cannot."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import av
import av.error

from .addresses import SourceError, SourceKind
from .trouble import Cause

if TYPE_CHECKING:
    from av.container import InputContainer

    from .addresses import SourceSpec

# Without a probe of the frame rate a 7 fps camera opens in 0.3 s instead of 3 s.
_LIVE_OPTIONS: Final = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "fpsprobesize": "0",
    "analyzeduration": "1000000",
}
_OPTIONS: Final[dict[SourceKind, dict[str, str]]] = {
    SourceKind.FILE: {},
    SourceKind.RTSP: {
        **_LIVE_OPTIONS,
        "rtsp_transport": "tcp",
        "allowed_media_types": "video",
    },
    SourceKind.HTTP: _LIVE_OPTIONS,
    SourceKind.USB: _LIVE_OPTIONS,
}
_FAULTS: Final[tuple[tuple[type[Exception], Cause], ...]] = (
    (av.error.ConnectionRefusedError, Cause.REFUSED),
    (av.error.HTTPUnauthorizedError, Cause.UNAUTHORIZED),
    (av.error.HTTPForbiddenError, Cause.UNAUTHORIZED),
    (av.error.HTTPNotFoundError, Cause.NOT_FOUND),
    (av.error.ExitError, Cause.TIMED_OUT),
    (av.error.TimeoutError, Cause.TIMED_OUT),
    (av.error.PermissionError, Cause.UNREADABLE),
    (av.error.InvalidDataError, Cause.NOT_A_VIDEO),
    (av.error.EOFError, Cause.NOT_A_VIDEO),
    (av.error.IsADirectoryError, Cause.NOT_A_VIDEO),
)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a live source may keep silent."""

    open_s: float = 5.0
    read_s: float = 5.0

    def of(self, spec: SourceSpec) -> tuple[float, float] | None:
        """Return them for opening and for each read, as FFmpeg takes them."""
        if not spec.is_live:
            return None
        # A read of RTSP that runs out of time first gives the picture put together so
        # far, as if nothing were wrong; only the next one, which also waits, fails.
        reads = 2 if spec.kind is SourceKind.RTSP else 1
        return self.open_s, self.read_s / reads


def open_container(spec: SourceSpec, timeouts: Timeouts) -> InputContainer:
    """Open the source; raises `SourceError`, with no trace of FFmpeg's own error."""
    began_s = time.monotonic()
    try:
        return av.open(
            spec.address,
            "r",
            format="v4l2" if spec.kind is SourceKind.USB else None,
            options=dict(_OPTIONS[spec.kind]),
            timeout=timeouts.of(spec),
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        # An RTSP open that ran out of time reports invalid data.
        is_late = spec.is_live and time.monotonic() - began_s >= timeouts.open_s
        fault = Cause.TIMED_OUT if is_late else fault_of(error, spec)
    raise SourceError(fault, spec.shown)


def fault_of(error: Exception, spec: SourceSpec) -> Cause:
    """Name what FFmpeg reports, without its text: that holds the URL."""
    if isinstance(error, FileNotFoundError):
        is_device = spec.kind is SourceKind.USB
        return Cause.MISSING_DEVICE if is_device else Cause.MISSING_FILE
    for kind, fault in _FAULTS:
        if isinstance(error, kind):
            return fault
    if isinstance(error, OSError) and spec.host:
        return _network_fault(spec.host)
    return Cause.FAILED


def _network_fault(host: str) -> Cause:
    """Tell a wrong name from a dead network; FFmpeg calls both an I/O error."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return Cause.UNKNOWN_HOST
    return Cause.UNREACHABLE


class Recording(NamedTuple):
    """What a recording says of itself."""

    seconds: float | None
    """None where its container does not tell."""
    width: int
    height: int


def look_at(spec: SourceSpec) -> Recording:
    """Open a recording and read what it says of itself; raises `SourceError`."""
    with open_container(spec, Timeouts()) as container:
        if not container.streams.video:
            raise SourceError(Cause.NO_VIDEO, spec.shown)
        picture = container.streams.video[0]
        length = container.duration
        return Recording(
            length / av.time_base if length else None, picture.width, picture.height
        )
