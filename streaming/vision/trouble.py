"""Why a camera gives no usable picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .addresses import SourceError


class Cause(StrEnum):
    """Why, for programs: of a source, of its pictures, or that nobody looks."""

    MISSING_FILE = "missing_file"
    NOT_A_VIDEO = "not_a_video"
    NO_VIDEO = "no_video"
    REFUSED = "refused"
    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    TIMED_OUT = "timed_out"
    ENDED_UNEXPECTEDLY = "ended_unexpectedly"
    MISSING_DEVICE = "missing_device"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    WRONG_KEY = "wrong_key"
    STALLED = "stalled"
    FROZEN = "frozen"
    BLACK = "black"
    BLURRED = "blurred"
    NO_WORKER = "no_worker"

    @property
    def phrase(self) -> str:
        """What follows "offline since 14:02, "."""
        return PHRASES[self]


PHRASES: Final[Mapping[Cause, str]] = {
    Cause.MISSING_FILE: "recording missing",
    Cause.NOT_A_VIDEO: "not a video",
    Cause.NO_VIDEO: "no video in the stream",
    Cause.REFUSED: "connection refused",
    Cause.UNKNOWN_HOST: "host not known",
    Cause.UNREACHABLE: "not reachable",
    Cause.UNAUTHORIZED: "login refused",
    Cause.NOT_FOUND: "no such stream",
    Cause.TIMED_OUT: "no answer",
    Cause.ENDED_UNEXPECTEDLY: "stream ended",
    Cause.MISSING_DEVICE: "device missing",
    Cause.UNREADABLE: "may not be read",
    Cause.UNSUPPORTED: "source not supported",
    Cause.FORBIDDEN: "address not allowed",
    Cause.FAILED: "cannot be read",
    Cause.WRONG_KEY: "source cannot be decrypted",
    Cause.STALLED: "picture stopped",
    Cause.FROZEN: "picture frozen",
    Cause.BLACK: "picture black",
    Cause.BLURRED: "picture blurred",
    Cause.NO_WORKER: "no vision worker",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a camera; may be shown to anybody who sees the camera."""

    cause: Cause
    sentence: str

    @classmethod
    def of(cls, error: SourceError) -> Trouble:
        return cls(error.reason, error.sentence)
