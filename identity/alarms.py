"""Tells of people whom somebody must look at: strangers, and who may not enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.models import Kind
from alerts.services import raise_alert, resolve_subject
from alerts.tasks import send_soon

from .models import AccessLog

if TYPE_CHECKING:
    from datetime import datetime

    from .models import UnknownPerson


def note_access(*, log: AccessLog, at: datetime) -> None:
    """Raise the alerts that rules ask for about a new visit, and have them sent.

    For a visit that is stored, so on commit, and once: a visit that goes on is no new
    one. Of an ambiguous face nothing is told: it is nobody in particular.
    """
    if any([_note_refused(log, at=at), _note_unknown(log, at=at)]):
        send_soon()


def _note_refused(log: AccessLog, *, at: datetime) -> bool:
    if log.decision != AccessLog.Decision.UNAUTHORIZED or log.employee is None:
        return False
    who = log.employee
    why = "is inactive" if who.status == who.Status.INACTIVE else "may not enter"
    text = f"{who.name} ({who.code}), who {why}, is at {_where(log)}."
    return _raise(log, Kind.REFUSED_PERSON, who.code, text, at=at)


def _note_unknown(log: AccessLog, *, at: datetime) -> bool:
    if log.decision != AccessLog.Decision.UNKNOWN:
        return False
    text = f"Somebody unknown is at {_where(log)}."
    is_told = _raise(log, Kind.UNKNOWN_PERSON, log.camera.code, text, at=at)
    stranger = log.unknown_person
    if stranger is None or stranger.employee_id is not None:
        return is_told
    return _note_again(log, stranger, at=at) or is_told


def _note_again(log: AccessLog, stranger: UnknownPerson, *, at: datetime) -> bool:
    first = log.camera.site.local(stranger.first_seen_at)
    text = (
        f"{stranger} is here for visit {stranger.sightings} since {first:%Y-%m-%d}, "
        f"at {_where(log)}."
    )
    count = stranger.sightings
    return _raise(log, Kind.REPEATED_STRANGER, str(stranger), text, at=at, count=count)


def _raise(
    log: AccessLog,
    kind: Kind,
    subject: str,
    text: str,
    *,
    at: datetime,
    count: int | None = None,
) -> bool:
    """Return whether a rule asked for it."""
    camera = log.camera
    alert = raise_alert(
        kind=kind,
        subject=subject,
        text=text,
        at=at,
        site=camera.site,
        camera=camera,
        count=count,
    )
    return alert is not None


def _where(log: AccessLog) -> str:
    camera = log.camera
    seen_at = camera.site.local(log.occurred_at)
    return f"{camera.name} ({camera.code}), {seen_at:%Y-%m-%d %H:%M %Z}"


def note_named(*, stranger: UnknownPerson, at: datetime) -> None:
    """Resolve the alert about a stranger of whom it is known by now who it is."""
    if resolve_subject(
        kind=Kind.REPEATED_STRANGER,
        subject=str(stranger),
        at=at,
        site=stranger.site,
    ):
        send_soon()
