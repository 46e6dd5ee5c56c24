"""What the page of a day shows, in words: the proof, and what people changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from attendance.models import PresenceEvent
from attendance.models.days import Status
from identity.views.proof import figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attendance.models import AttendanceCorrection, AttendanceRecord
    from attendance.rules import DayResult
    from identity.models import AccessLog
    from streaming.models import Site

Source = PresenceEvent.Source
TOLD_BY: Final = {
    Source.FACE: "Recognised at {camera}",
    Source.LINE: "Crossed the line at {camera}",
    Source.LINKED: "Seen at {camera}, named by {by}",
    Source.API: "Stamped by {by}",
}
GIVEN: Final = "A person gave this time; no camera proves it."
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Proof:
    """What an arrival or an exit is known by."""

    title: str
    at: datetime
    words: str
    score: str
    """The similarity against what was needed; empty where no face was compared."""
    log: AccessLog | None
    """The visit, for as long as it is kept."""
    is_seen: bool
    """Whether a camera saw it, so that there was a picture once."""


def proofs(record: AttendanceRecord) -> list[Proof]:
    """Return the proof of the arrival and of the exit, as far as there are any."""
    told = (
        ("Arrival", record.check_in_at, record.check_in),
        ("Exit", record.check_out_at, record.check_out),
    )
    return [_proof(title, at, event) for title, at, event in told if at]


def _proof(title: str, at: datetime, event: PresenceEvent | None) -> Proof:
    if event is None:
        return Proof(title, at, GIVEN, "", None, is_seen=False)
    source = Source(event.source)
    words = TOLD_BY[source].format(
        camera=event.camera.name if event.camera else "a camera",
        by=event.recorded_by.username if event.recorded_by else "somebody",
    )
    return Proof(
        title, at, words, _score(event), event.access_log, is_seen=source != Source.API
    )


def _score(event: PresenceEvent) -> str:
    """Say how sure the camera was; of a crossing, as sure as of the visit it is of."""
    measured = event if event.similarity is not None else event.access_log
    if measured is None or measured.similarity is None or measured.threshold is None:
        return ""
    found, needed = (
        figure(value, threshold=measured.threshold)
        for value in (measured.similarity, measured.threshold)
    )
    return f"similarity {found}, needed {needed}"


@dataclass(frozen=True, slots=True)
class Change:
    """A correction in words: each of its lines is what, from what, to what."""

    correction: AttendanceCorrection
    lines: Sequence[tuple[str, str, str]]

    @classmethod
    def of(cls, correction: AttendanceCorrection, *, site: Site) -> Change:
        before, after = correction.before, correction.after
        was, now = (_words(one, site) for one in (before, after))
        if not after:
            return cls(correction, [("Given back to the rules", was["Status"], "")])
        lines = [(name, was[name], now[name]) for name in was if was[name] != now[name]]
        confirmed = ("Confirmed as it was", was["Status"], "")
        return cls(correction, lines or [confirmed])


def _words(snapshot: Mapping[str, str | None], site: Site) -> dict[str, str]:
    status = snapshot.get("status")
    return {
        "Status": status_word(status or ""),
        "In": _time(snapshot.get("check_in_at"), site),
        "Out": _time(snapshot.get("check_out_at"), site),
    }


def _time(text: str | None, site: Site) -> str:
    return (
        f"{site.local(datetime.fromisoformat(text)):%d %b %H:%M:%S}" if text else NONE
    )


def differs(record: AttendanceRecord, result: DayResult) -> bool:
    """Whether the rules would say something else of the day."""
    stored = (record.status, record.check_in_at, record.check_out_at)
    return stored != (result.status.value, result.check_in_at, result.check_out_at)


def status_word(status: str) -> str:
    """Return a status in words; those of which there is no record have none."""
    return str(Status(status).label) if status in Status.values else "no record"
