"""When something must be looked at, and who is told when: values in, values out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DISK_FULL_PERCENT: Final = 90
"""From here on a disk is nearly full, where a rule names no threshold."""
DISK_RELIEF_PERCENT: Final = 2
"""How far below the threshold a disk must fall to be well again."""
STRANGER_TIMES: Final = 3
"""From this visit on a stranger is told of, where a rule names no number."""
FIRST_RETRY_S: Final = 30
RETRY_FACTOR: Final = 4
RETRY_MAX_S: Final = 3600
RETRY_JITTER: Final = 0.1
"""Share of a delay by which it is longer or shorter."""
ATTEMPTS_MAX: Final = 28
"""With the delays above the last one is a day after the first."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what Standard Webhooks puts first
HIDDEN: Final = "***"
_PIECE: Final = re.compile(r"[^:/?#@&=,\s]{4,}")


class Kind(StrEnum):
    """What may be wrong."""

    CAMERA_OFFLINE = "camera_offline"
    WORKER_LOST = "worker_lost"
    DISK_FULL = "disk_full"
    UNKNOWN_PERSON = "unknown_person"
    REPEATED_STRANGER = "repeated_stranger"
    REFUSED_PERSON = "refused_person"
    ENROLMENT_DIGEST = "enrolment_digest"
    ATTENDANCE_DIGEST = "attendance_digest"
    BLOCKED_VEHICLE = "blocked_vehicle"
    POSSIBLE_BLOCKED_VEHICLE = "possible_blocked_vehicle"
    UNKNOWN_VEHICLE = "unknown_vehicle"
    BARRIER_FAILED = "barrier_failed"
    ZONE_RESTRICTED = "zone_restricted"
    ZONE_LOITERING = "zone_loitering"
    ZONE_CAPACITY = "zone_capacity"
    AREA_CAPACITY = "area_capacity"

    @property
    def lasts(self) -> bool:
        """Whether it goes on for a while, and a rule may wait for that."""
        return self in {Kind.CAMERA_OFFLINE, Kind.WORKER_LOST}

    @property
    def is_digest(self) -> bool:
        """Whether it is news of a day or week, of whose end nobody need be told."""
        return self in {Kind.ENROLMENT_DIGEST, Kind.ATTENDANCE_DIGEST}


class Severity(StrEnum):
    """How soon somebody must look, least urgent first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


def highest(severities: Iterable[str]) -> Severity:
    """Return the most urgent one; raise ValueError for none."""
    return max(map(Severity, severities), key=lambda severity: severity.rank)


@dataclass(frozen=True, slots=True)
class Hours:
    """A part [start, end) of the day by a site's clock; both None is the whole day.

    Where the end is not after the start it is a night, which belongs to the day on
    which it starts.
    """

    start: time | None = None
    end: time | None = None
    days: frozenset[int] = frozenset()
    """ISO weekdays, 1 Monday to 7 Sunday; none is every day."""

    def hold(self, local: datetime) -> bool:
        """Say whether an instant, given in the site's time, lies in them."""
        day = self._day(local)
        return day is not None and (not self.days or day.isoweekday() in self.days)

    def _day(self, local: datetime) -> date | None:
        """Return the day whose hours the instant would lie in."""
        if self.start is None or self.end is None:
            return local.date()
        clock = local.time()
        if self.start < self.end:
            return local.date() if self.start <= clock < self.end else None
        if clock >= self.start:
            return local.date()
        return local.date() - timedelta(days=1) if clock < self.end else None

    def end_after(self, local: datetime) -> datetime:
        """Return the first instant after `local` at which the clock shows the end.

        Where clocks are put back it may show it twice.
        """
        if self.end is None:
            raise ValueError("The whole day does not end.")
        for days in range(3):
            day = local.date() + timedelta(days=days)
            for fold in (0, 1):
                end = datetime.combine(day, self.end, local.tzinfo).replace(fold=fold)
                if end.astimezone(UTC) > local.astimezone(UTC):
                    return end
        raise AssertionError("Every clock shows every time within three days.")


def is_disk_full(*, used_percent: float, threshold_percent: int | None) -> bool:
    return used_percent >= (threshold_percent or DISK_FULL_PERCENT)


def is_repeated(*, count: int, times: int | None) -> bool:
    """Say whether a stranger came often enough for a rule."""
    return count >= (times or STRANGER_TIMES)


def is_disk_well(
    *, used_percent: float, thresholds_percent: Iterable[int | None]
) -> bool:
    """Say whether a disk is clearly below every threshold that somebody set."""
    return all(
        used_percent < (level or DISK_FULL_PERCENT) - DISK_RELIEF_PERCENT
        for level in thresholds_percent
    )


def retry_delay_s(attempts: int, *, jitter: float) -> float | None:
    """Return how long to wait after so many failed attempts; None to give up.

    30 s, 2 min, 8 min, 32 min, then every hour for a day. `jitter` is random, 0..1:
    it keeps many messages to one receiver from coming all at once again.
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    delay_s: int = min(RETRY_MAX_S, FIRST_RETRY_S * RETRY_FACTOR ** (attempts - 1))
    return delay_s * (1 + RETRY_JITTER * (2 * jitter - 1))


def webhook_headers(
    *, secret: str, event_id: str, at: datetime, body: bytes
) -> Mapping[str, str]:
    """Sign a webhook as Standard Webhooks 1.0 says (standardwebhooks.com).

    The receiver computes the same HMAC-SHA256 over id, timestamp and body, and takes
    no message twice by its id nor one whose timestamp is old.
    """
    timestamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join([event_id.encode(), timestamp.encode(), body])
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature.decode()}",
    }


def without_pieces(text: str, *, of: str) -> str:
    """Hide in a text whatever stands in an address: user, password, token, host."""
    pieces = {*_PIECE.findall(of), *_PIECE.findall(unquote(of))}
    for piece in sorted(pieces - {urlsplit(of).scheme}, key=len, reverse=True):
        text = text.replace(piece, HIDDEN)
    return text


def shown_address(address: str) -> str:
    """Return a channel's address without what may be a secret.

    Of a webhook the host is left; its path often holds a token. Of an Apprise address
    the scheme alone: where its token is differs from service to service.
    """
    try:
        parts = urlsplit(address.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    is_web = parts.scheme in {"http", "https"}
    host = f"{parts.hostname or HIDDEN}{port}/" if is_web else ""
    return f"{parts.scheme}://{host}{HIDDEN}" if parts.scheme else HIDDEN
