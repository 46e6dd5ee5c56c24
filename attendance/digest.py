"""Once a day, each site's attendance as an alert: figures without names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.template.defaultfilters import pluralize

from alerts.models import Alert, Kind
from alerts.services import AlreadyHandled, raise_alert, resolve
from streaming import locks
from streaming.models import Site

from .board import day_board
from .models import UnknownAttendance
from .models.days import Review

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from .board import Board

NEWER: Final = "A newer digest follows."
DONE: Final = "Nothing is left to look after."
DAY: Final = timedelta(days=1)


def tell(*, now: datetime) -> int:
    """Raise the alert of the day for each site that has something to tell.

    A site's is due from ATTENDANCE_DIGEST_HOUR on, by its own clock, and is told once
    on that date, however often and by how many processes this is called; where there
    is nothing to tell or no rule asks for it, it stays due. It takes the place of the
    day before's. Returns how many were raised.
    """
    return sum(_tell(site, now=now) for site in Site.objects.order_by("pk"))


def subject_of(site: Site, today: date) -> str:
    """Return what an alert's `subject` is; its last ten characters are the date."""
    return f"{site.slug} {today}"


@transaction.atomic
def _tell(site: Site, *, now: datetime) -> bool:
    local = site.local(now)
    if local.hour < settings.ATTENDANCE_DIGEST_HOUR:
        return False
    locks.hold(f"attendance digest:{site.pk}")
    subject = subject_of(site, local.date())
    alerts = Alert.objects.filter(kind=Kind.ATTENDANCE_DIGEST, site=site)
    if alerts.filter(subject=subject).exists():
        return False
    words = _words(site, local.date(), now=now)
    older = list(alerts.unresolved().order_by("pk"))
    if not words:
        _resolve(older, at=now, note=DONE)
        return False
    raised = raise_alert(
        kind=Kind.ATTENDANCE_DIGEST,
        subject=subject,
        text=f"Attendance at {site.name}. {words}",
        at=now,
        site=site,
    )
    _resolve(older if raised else [], at=now, note=NEWER)
    return raised is not None


def _resolve(alerts: Iterable[Alert], *, at: datetime, note: str) -> None:
    for alert in alerts:
        try:
            resolve(alert=alert, at=at, note=note)
        except AlreadyHandled:
            continue


def _words(site: Site, today: date, *, now: datetime) -> str:
    """Say in sentences what somebody has to look at; nothing where that is nothing."""
    yesterday = day_board(sites=[site], on=today - DAY, now=now)
    so_far = day_board(sites=[site], on=today, now=now)
    unknown = UnknownAttendance.objects.open().filter(camera__site=site).count()
    told = {
        f"{today - DAY}": {
            "late": yesterday.counts.late,
            "absent": yesterday.counts.absent,
            "unverified": yesterday.counts.unverified,
            "without an exit": _without_exit(yesterday),
        },
        f"{today} so far": {
            "late": so_far.counts.late,
            "not seen yet": so_far.counts.missing,
        },
        "Waiting for an answer": {
            f"unknown face{pluralize(unknown)}": unknown,
            f"request{pluralize(so_far.requests)}": so_far.requests,
        },
    }
    return " ".join(filter(None, (_sentence(*each) for each in told.items())))


def _without_exit(board: Board) -> int:
    return sum(
        Review.MISSING_CHECK_OUT in row.record.reviews
        for row in board.rows
        if row.record
    )


def _sentence(about: str, counts: dict[str, int]) -> str:
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{about}: {said}." if said else ""
