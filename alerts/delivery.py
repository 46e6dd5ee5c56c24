"""How deliveries leave: claimed, tried, tried again, and written down.

A delivery is claimed by one guarded update, so that two processes never send it at
once, and a process that dies with it loses it to the next sweep. So a receiver may get
it twice, each time with the same event id.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.db.models import F

from streaming.fields import Unreadable

from . import channels
from .models import AlertChannel, AlertDelivery
from .rules import retry_delay_s

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CLAIM: Final = timedelta(minutes=5)
"""Longer than one attempt may take; only after it does another process try."""
SWITCHED_OFF = "The channel is switched off."
OTHER_KEY = (
    "The channel was encrypted with another SECRET_KEY. Enter its address again, or "
    "add that key to SECRET_KEY_FALLBACKS."
)
State = AlertDelivery.State


def deliver(*, delivery_id: int, now: datetime) -> AlertDelivery.State | None:
    """Try once to send a delivery that is due; None when it is not, or is being sent.

    Returns what it is then: sent, failed for good, or waiting for the next attempt.
    """
    due = AlertDelivery.objects.due(now=now).filter(pk=delivery_id)
    if not due.update(attempts=F("attempts") + 1, next_attempt_at=now + CLAIM):
        return None
    delivery = AlertDelivery.objects.select_related("channel").get(pk=delivery_id)
    result = _attempt(delivery, now=now)
    claimed = AlertDelivery.objects.filter(pk=delivery_id, state=State.PENDING)
    claimed.filter(attempts=delivery.attempts).update(**result)
    return State(result["state"])


def deliver_due(*, now: datetime) -> Mapping[str, int]:
    """Send what is due, and return how many got into each state.

    A channel that fails is left alone until the next sweep: one dead receiver costs
    one time-out, however much waits for it.
    """
    done: Counter[str] = Counter()
    failing: set[int] = set()
    due = AlertDelivery.objects.due(now=now).order_by("next_attempt_at", "pk")
    while found := due.exclude(channel__in=failing).first():
        state = deliver(delivery_id=found.pk, now=now)
        if state == State.PENDING:
            failing.add(found.channel_id)
        if state:
            done[state.value] += 1
    return dict(done)


def resend(*, delivery: AlertDelivery, now: datetime) -> None:
    """Make it due again from the first attempt, with the event id it always had."""
    AlertDelivery.objects.filter(pk=delivery.pk).update(
        state=State.PENDING, attempts=0, next_attempt_at=now
    )


def send_test(*, channel: AlertChannel, now: datetime) -> str:
    """Send a message that says it is a test; return the answer or raise NotSent."""
    text = f"This is a test of the channel {channel.name}. Nothing is wrong."
    body = {"event": "alert.test", "at": now.isoformat(), "text": text}
    event_id = str(uuid4())
    content = json.dumps({"event_id": event_id, **body})
    return _send(channel, event_id=event_id, body=content, at=now)


def _attempt(delivery: AlertDelivery, *, now: datetime) -> dict[str, Any]:
    """Try to send it, and return the values of its row after that."""
    try:
        answer = _send(
            delivery.channel,
            event_id=str(delivery.event_id),
            body=delivery.body,
            at=now,
        )
    except channels.NotSent as error:
        return _after_failure(delivery, error, now=now)
    return {
        "state": State.SENT,
        "answer": answer,
        "sent_at": now,
        "next_attempt_at": None,
    }


def _after_failure(
    delivery: AlertDelivery, error: channels.NotSent, *, now: datetime
) -> dict[str, Any]:
    # Nothing secret depends on the jitter.
    delay_s = retry_delay_s(delivery.attempts, jitter=random.random())  # noqa: S311
    if error.is_final or delay_s is None:
        state, next_at = State.FAILED, None
    else:
        state, next_at = State.PENDING, now + timedelta(seconds=delay_s)
    return {"state": state, "answer": str(error), "next_attempt_at": next_at}


def _send(channel: AlertChannel, *, event_id: str, body: str, at: datetime) -> str:
    if not channel.enabled:
        raise channels.UnusableAddress(SWITCHED_OFF)
    if isinstance(channel.address, Unreadable) or isinstance(
        channel.secret, Unreadable
    ):
        raise channels.NotSent(OTHER_KEY)
    if channel.kind == AlertChannel.Kind.WEBHOOK:
        return channels.post_webhook(
            address=channel.address,
            secret=channel.secret,
            event_id=event_id,
            at=at,
            body=body.encode(),
        )
    title, text = message(json.loads(body))
    return channels.send_message(address=channel.address, title=title, text=text)


def message(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the title and the text that people read of what a webhook says."""
    alert = body.get("alert")
    if alert is None:
        return "Factory Site: test", str(body["text"])
    what = {
        AlertDelivery.Event.OPENED: alert["severity"].upper(),
        AlertDelivery.Event.ACKNOWLEDGED: f"Acknowledged by {alert['acknowledged_by']}",
        AlertDelivery.Event.RESOLVED: "Resolved",
    }[body["event"]]
    where = f", {alert['site_name']}" if alert["site_name"] else ""
    lines = [alert["text"], alert["note"], body["link"]]
    return f"{what}: {alert['kind_label']}{where}", "\n\n".join(filter(None, lines))
