"""What happens to alerts: raised, acknowledged, resolved, and announced."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.timezone import localtime
from rest_framework.utils.encoders import JSONEncoder

from streaming import live
from streaming.models import Camera, Site

from .models import Alert, AlertChannel, AlertDelivery, AlertRule, Kind
from .rules import Kind as PlainKind
from .rules import Severity, highest, is_disk_full, is_repeated
from .serializers import AlertSerializer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from django.contrib.auth.models import AbstractBaseUser


class AlreadyHandled(Exception):
    """Somebody else was faster; the text says who, when."""

    def __init__(self, alert: Alert) -> None:
        is_resolved = alert.state == Alert.State.RESOLVED
        verb = "resolved" if is_resolved else "acknowledged"
        by = alert.resolved_by if is_resolved else alert.acknowledged_by
        at = alert.resolved_at if is_resolved else alert.acknowledged_at
        clock = f"{localtime(at, zone_of(alert.site)):%H:%M}" if at else ""
        whom = f"{by.get_username()} {verb} it" if by else f"It was {verb}"
        super().__init__(f"{whom} at {clock} already.")


@transaction.atomic
def raise_alert(
    *,
    kind: Kind,
    subject: str,
    text: str,
    at: datetime,
    since: datetime | None = None,
    site: Site | None = None,
    camera: Camera | None = None,
    used_percent: float | None = None,
    count: int | None = None,
) -> Alert | None:
    """Open an alert where a rule asks for it; None when none does.

    What lasts is told again and again, with `since`, when it began: it makes one alert
    as long as that is unresolved, rules that hold later join in, and after a person
    resolved it there is none until it begins anew. `used_percent` is a disk's, `count`
    how often a stranger was seen.
    """
    about = AlertRule.objects.about(kind=kind, site=site, camera=camera)
    local = localtime(at, zone_of(site))
    rules = [
        rule
        for rule in about.prefetch_related("channels")
        if rule.is_active(local=local)
        and _has_lasted(rule, local=local, since=since)
        and _is_passed(rule, used_percent=used_percent, count=count)
    ]
    if not rules:
        return None
    same = Alert.objects.filter(kind=kind, site=site, subject=subject)
    # A person who is resolving it now is waited for, and then heard.
    known = same.unresolved().select_for_update().first()
    if known is None and since and same.dismissed(since=since).exists():
        return None
    severity = highest(rule.severity for rule in rules)
    alert, is_new = same.unresolved().get_or_create(
        kind=kind,
        site=site,
        subject=subject,
        defaults={
            "camera": camera,
            "text": text,
            "opened_at": at,
            "severity": severity,
            "rule": next(rule for rule in rules if rule.severity == severity),
        },
    )
    is_worse = not is_new and _escalate(alert, severity)
    if alert.state == Alert.State.OPEN:
        send_at = _sending_times(rules, local=local)
        _bring_forward(alert, send_at, at=at)
        event = AlertDelivery.Event.OPENED
        _tell(alert, event, channels_of(rules), at=at, send_at=send_at)
    if is_new or is_worse:
        _publish(alert)
    return alert


def _has_lasted(rule: AlertRule, *, local: datetime, since: datetime | None) -> bool:
    """Whether it goes on for as long as the rule wants."""
    return since is None or (local - since).total_seconds() >= rule.after_s


def _is_passed(
    rule: AlertRule, *, used_percent: float | None, count: int | None
) -> bool:
    """Whether the figure that the rule sets a bound for has reached it."""
    is_full = used_percent is None or is_disk_full(
        used_percent=used_percent, threshold_percent=rule.threshold_percent
    )
    return is_full and (count is None or is_repeated(count=count, times=rule.times))


def _escalate(alert: Alert, severity: Severity) -> bool:
    """Make an open alert as urgent as the rules that hold by now ask for."""
    if severity.rank <= Severity(alert.severity).rank:
        return False
    is_open = Alert.objects.open().filter(pk=alert.pk).update(severity=severity)
    alert.severity = severity if is_open else alert.severity
    return bool(is_open)


@transaction.atomic
def acknowledge(
    *, alert: Alert, by: AbstractBaseUser, at: datetime, note: str = ""
) -> Alert:
    """Say that somebody looks after it; raise AlreadyHandled when somebody does."""
    current = _locked(alert)
    if current.state != Alert.State.OPEN:
        raise AlreadyHandled(current)
    return _change(
        current,
        event=AlertDelivery.Event.ACKNOWLEDGED,
        at=at,
        state=Alert.State.ACKNOWLEDGED,
        acknowledged_at=at,
        acknowledged_by_id=by.pk,
        note=note,
    )


@transaction.atomic
def resolve(
    *, alert: Alert, at: datetime, by: AbstractBaseUser | None = None, note: str = ""
) -> Alert:
    """Close it; raise AlreadyHandled when it is closed.

    Nobody is told who was not told of its opening, because of quiet hours, nor of the
    end of a digest.
    """
    current = _locked(alert)
    if current.state == Alert.State.RESOLVED:
        raise AlreadyHandled(current)
    _forget_held_back(current, at=at)
    return _change(
        current,
        event=AlertDelivery.Event.RESOLVED,
        at=at,
        state=Alert.State.RESOLVED,
        resolved_at=at,
        resolved_by_id=by.pk if by else None,
        note="\n".join(filter(None, [current.note, note])),
    )


def resolve_subject(
    *, kind: Kind, subject: str, at: datetime, site: Site | None = None
) -> Alert | None:
    """Close the alert about a subject, if there is one: what was wrong is over."""
    about = Alert.objects.unresolved().filter(kind=kind, site=site, subject=subject)
    alert = about.first()
    return resolve_if_unresolved(alert=alert, at=at) if alert else None


def resolve_if_unresolved(*, alert: Alert, at: datetime) -> Alert | None:
    """Close it because what was wrong is over; None when somebody was faster."""
    try:
        return resolve(alert=alert, at=at)
    except AlreadyHandled:
        return None


def _locked(alert: Alert) -> Alert:
    """Return the alert as it is now, and nobody changes it until the commit."""
    return Alert.objects.select_for_update().get(pk=alert.pk)


def _change(
    alert: Alert, *, event: AlertDelivery.Event, at: datetime, **values: Any
) -> Alert:
    for name, value in values.items():
        setattr(alert, name, value)
    alert.save(update_fields=[name.removesuffix("_id") for name in values])
    about = AlertRule.objects.about(
        kind=alert.kind, site=alert.site, camera=alert.camera
    )
    send_at = _sending_times(
        about.prefetch_related("channels"), local=localtime(at, zone_of(alert.site))
    )
    if event != AlertDelivery.Event.RESOLVED or not PlainKind(alert.kind).is_digest:
        _tell(alert, event, _told(alert), at=at, send_at=send_at)
    _publish(alert)
    return alert


def zone_of(site: Site | None) -> tzinfo:
    """Return the zone of a site; for the whole system that of the first site."""
    shown = site or Site.objects.order_by("pk").first()
    return ZoneInfo(shown.time_zone) if shown else UTC


def channels_of(rules: Iterable[AlertRule]) -> Sequence[AlertChannel]:
    """Return the channels of all rules that are switched on, each once."""
    channels = {channel for rule in rules for channel in rule.channels.all()}
    return sorted(
        (channel for channel in channels if channel.enabled), key=lambda it: it.pk
    )


def _told(alert: Alert) -> Sequence[AlertChannel]:
    """Return the channels that know of the alert, or will."""
    opened = alert.deliveries.filter(event=AlertDelivery.Event.OPENED)
    known = opened.exclude(state=AlertDelivery.State.SKIPPED)
    return [delivery.channel for delivery in known.select_related("channel")]


def _tell(
    alert: Alert,
    event: AlertDelivery.Event,
    channels: Sequence[AlertChannel],
    *,
    at: datetime,
    send_at: Mapping[int, datetime],
) -> None:
    """Write down what is to be sent, once for each channel and event."""
    told = set(alert.deliveries.filter(event=event).values_list("channel", flat=True))
    untold = [channel for channel in channels if channel.pk not in told]
    if not untold:
        return
    new = [
        AlertDelivery(
            alert=alert,
            channel=channel,
            event=event,
            created_at=at,
            next_attempt_at=send_at.get(channel.pk, at),
        )
        for channel in untold
    ]
    for delivery in new:
        delivery.body = _body(delivery)
    # Another process may have told them meanwhile.
    AlertDelivery.objects.bulk_create(new, ignore_conflicts=True)


def _sending_times(
    rules: Iterable[AlertRule], *, local: datetime
) -> Mapping[int, datetime]:
    """Return when each channel may be told: once any of its rules is not quiet."""
    times: dict[int, datetime] = {}
    for rule in rules:
        sends_at = rule.sends_at(local=local).astimezone(UTC)
        for channel in rule.channels.all():
            times[channel.pk] = min(sends_at, times.get(channel.pk, sends_at))
    return times


def _bring_forward(
    alert: Alert, send_at: Mapping[int, datetime], *, at: datetime
) -> None:
    """Let wait no longer than the rules that hold by now what quiet hours held back."""
    held = alert.deliveries.held_back(at=at).filter(event=AlertDelivery.Event.OPENED)
    for delivery in held:
        at_latest = send_at.get(delivery.channel_id, delivery.next_attempt_at)
        later = held.filter(pk=delivery.pk, next_attempt_at__gt=at_latest)
        later.update(next_attempt_at=at_latest)


def _forget_held_back(alert: Alert, *, at: datetime) -> None:
    """Send nothing of an alert that is over before the quiet hours are."""
    untold = alert.deliveries.held_back(at=at).filter(event=AlertDelivery.Event.OPENED)
    waiting = alert.deliveries.filter(state=AlertDelivery.State.PENDING)
    waiting.filter(channel__in=untold.values("channel")).update(
        state=AlertDelivery.State.SKIPPED,
        next_attempt_at=None,
        answer="It was over before the quiet hours were.",
    )


def _body(delivery: AlertDelivery) -> str:
    """Return what a webhook's receiver gets, and messages are written from."""
    alert = delivery.alert
    body = {
        "event": delivery.event,
        "event_id": delivery.event_id,
        "at": delivery.created_at.astimezone(UTC),
        "alert": AlertSerializer(alert).data,
        "link": link_to(alert),
    }
    return json.dumps(body, cls=JSONEncoder)


def link_to(alert: Alert) -> str | None:
    """Return the address of its page, where it is known how people reach the site."""
    base = settings.PUBLIC_URL
    return f"{base}/alerts/{alert.pk}" if base else None


def _publish(alert: Alert) -> None:
    """Announce it to its site's users; what belongs to no site, to everybody's."""
    sites = [alert.site_id] if alert.site_id else _all_sites()
    for site_id in sites:
        live.publish(
            topic="alerts.alert", site_id=site_id, data=AlertSerializer(alert).data
        )


def _all_sites() -> Sequence[int]:
    return list(Site.objects.order_by("pk").values_list("pk", flat=True))
