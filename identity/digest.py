"""Once a week, each site's photos to look after, as an alert without names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.models import Alert, Kind
from alerts.services import AlreadyHandled, raise_alert, resolve
from streaming.models import Site

from . import enrolment_audit

if TYPE_CHECKING:
    from datetime import datetime

NEWER = "A newer digest follows."
DONE = "Nothing is left to look after."


def tell(*, now: datetime) -> int:
    """Raise an alert for each site with photos to look after; return how many.

    It takes the place of last week's, whose figures are old.
    """
    return sum(_tell(site, now=now) for site in Site.objects.order_by("pk"))


def _tell(site: Site, *, now: datetime) -> bool:
    counts = enrolment_audit.audit(sites=[site], now=now).counts
    words = enrolment_audit.in_words(counts)
    _resolve_older(site, at=now, note=NEWER if words else DONE)
    if not words:
        return False
    text = f"Photos at {site.name}: {words} See the enrolment audit in the admin."
    raised = raise_alert(
        kind=Kind.ENROLMENT_DIGEST, subject=site.slug, text=text, at=now, site=site
    )
    return raised is not None


def _resolve_older(site: Site, *, at: datetime, note: str) -> None:
    older = Alert.objects.unresolved().filter(kind=Kind.ENROLMENT_DIGEST, site=site)
    for alert in older.order_by("pk"):
        try:
            resolve(alert=alert, at=at, note=note)
        except AlreadyHandled:
            continue
