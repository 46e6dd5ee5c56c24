from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook

from alerts import delivery, services, tasks
from alerts.models import AlertChannel, AlertDelivery, Kind
from alerts.rules import ATTEMPTS_MAX
from streaming.fields import Unreadable
from tests.factories import make_alert, make_camera, make_channel, make_rule, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from .conftest import Receiver

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)
State = AlertDelivery.State


def make_delivery(**values: Any) -> AlertDelivery:
    alert = values.pop("alert", None) or make_alert()
    body = {
        "event": "alert.opened",
        "alert": {
            "severity": "critical",
            "kind_label": "Camera offline",
            "site_name": "Main plant",
            "text": "Gate 1 is out.",
            "note": "",
            "acknowledged_by": None,
        },
        "link": None,
    }
    defaults = {
        "alert": alert,
        "channel": values.get("channel") or make_channel(),
        "event": AlertDelivery.Event.OPENED,
        "body": json.dumps(body),
        "created_at": NOON,
        "next_attempt_at": NOON,
    }
    return AlertDelivery.objects.create(**defaults | values)


class TestWebhook:
    def test_that_fails_twice_is_delivered_once(self, receiver: Receiver) -> None:
        """The whole way: raised, sent, refused twice, taken, and verified."""
        receiver.statuses = [500, 503]
        channel = make_channel(address=receiver.address)
        make_rule(channels=[channel])
        camera = make_camera()
        now = timezone.now()
        alert = services.raise_alert(
            kind=Kind.CAMERA_OFFLINE,
            subject=camera.code,
            text="It is out.",
            at=now,
            site=camera.site,
            camera=camera,
        )
        assert alert is not None

        for _ in range(6):
            delivery.deliver_due(now=now)
            now += timedelta(minutes=3)

        row = alert.deliveries.get()
        assert (row.state, row.attempts) == ("sent", 3)
        assert row.answer == "The receiver answered 200."
        assert len(receiver.bodies) == 3
        assert len(set(receiver.bodies)) == 1
        assert {each["webhook-id"] for each in receiver.headers} == {str(row.event_id)}
        for headers, body in zip(receiver.headers, receiver.bodies, strict=True):
            sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            with time_machine.travel(sent_at):
                said = Webhook(channel.secret).verify(body, headers)
            assert said["alert"]["event_id"] == str(alert.event_id)
            assert said["event_id"] == headers["webhook-id"]

    def test_is_signed_with_the_channels_own_secret(self, receiver: Receiver) -> None:
        channel = make_channel(address=receiver.address)

        delivery.send_test(channel=channel, now=timezone.now())

        (headers,), (body,) = receiver.headers, receiver.bodies
        said = Webhook(channel.secret).verify(body, headers)
        assert said["event"] == "alert.test"
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(make_channel().secret).verify(body, headers)


class TestDeliver:
    def test_waits_longer_after_each_failure(self, receiver: Receiver) -> None:
        receiver.statuses = [500, 500]
        row = make_delivery(channel=make_channel(address=receiver.address))

        first = delivery.deliver(delivery_id=row.pk, now=NOON)
        too_early = delivery.deliver(delivery_id=row.pk, now=NOON)
        row.refresh_from_db()
        first_delay = (row.next_attempt_at or NOON) - NOON
        later = NOON + timedelta(minutes=1)
        second = delivery.deliver(delivery_id=row.pk, now=later)
        row.refresh_from_db()

        assert (first, too_early, second) == ("pending", None, "pending")
        assert (row.attempts, row.answer) == (2, "The receiver answered 500.")
        assert timedelta(seconds=27) <= first_delay <= timedelta(seconds=33)
        assert row.next_attempt_at
        assert (row.next_attempt_at - later) >= timedelta(seconds=108)

    def test_gives_up_after_a_day(self, receiver: Receiver) -> None:
        receiver.statuses = [500]
        row = make_delivery(
            channel=make_channel(address=receiver.address), attempts=ATTEMPTS_MAX - 1
        )

        assert delivery.deliver(delivery_id=row.pk, now=NOON) == "failed"

        row.refresh_from_db()
        assert row.next_attempt_at is None
        assert delivery.deliver(delivery_id=row.pk, now=NOON + DAY) is None

    def test_gives_up_at_once_when_the_receiver_is_gone(
        self, receiver: Receiver
    ) -> None:
        receiver.statuses = [410]
        row = make_delivery(channel=make_channel(address=receiver.address))

        assert delivery.deliver(delivery_id=row.pk, now=NOON) == "failed"

    def test_sends_nothing_by_a_channel_that_was_switched_off(
        self, receiver: Receiver
    ) -> None:
        channel = make_channel(address=receiver.address, enabled=False)
        row = make_delivery(channel=channel)

        assert delivery.deliver(delivery_id=row.pk, now=NOON) == "failed"

        row.refresh_from_db()
        assert row.answer == "The channel is switched off."
        assert receiver.bodies == []

    def test_waits_for_the_key_that_reads_the_address(self) -> None:
        channel = make_channel()
        AlertChannel.objects.filter(pk=channel.pk).update(
            address=Unreadable("gAAAAA-of-another-key")
        )

        row = make_delivery(channel=channel)

        assert delivery.deliver(delivery_id=row.pk, now=NOON) == "pending"
        row.refresh_from_db()
        assert "another SECRET_KEY" in row.answer

    def test_writes_messages_that_people_read(self, receiver: Receiver) -> None:
        channel = make_channel(
            kind=AlertChannel.Kind.APPRISE,
            address=f"json://127.0.0.1:{receiver.port}/x",
        )
        row = make_delivery(channel=channel)

        assert delivery.deliver(delivery_id=row.pk, now=NOON) == "sent"

        said = json.loads(receiver.bodies[0])
        assert said["title"] == "CRITICAL: Camera offline, Main plant"
        assert said["message"] == "Gate 1 is out."


class TestMessage:
    @pytest.mark.parametrize("event", AlertDelivery.Event)
    def test_says_what_happened_by_whom_and_where_to_look(
        self, event: AlertDelivery.Event
    ) -> None:
        make_rule(channels=[make_channel()])
        camera, sam = make_camera(), make_user("sam")
        alert = services.raise_alert(
            kind=Kind.CAMERA_OFFLINE,
            subject=camera.code,
            text="Gate 1 is out.",
            at=NOON,
            site=camera.site,
            camera=camera,
        )
        assert alert is not None
        services.acknowledge(alert=alert, by=sam, at=NOON, note="guard sent")
        services.resolve(alert=alert, at=NOON)
        body = json.loads(alert.deliveries.get(event=event).body)

        title, text = delivery.message(body)

        assert (
            title
            == {
                "alert.opened": f"WARNING: Camera offline, {camera.site.name}",
                "alert.acknowledged": "Acknowledged by sam: Camera offline, "
                f"{camera.site.name}",
                "alert.resolved": f"Resolved: Camera offline, {camera.site.name}",
            }[event]
        )
        assert text.startswith("Gate 1 is out.")
        assert ("guard sent" in text) is (event != "alert.opened")


class TestDeliverDue:
    def test_sends_an_alerts_events_in_their_order(self, receiver: Receiver) -> None:
        alert, channel = make_alert(), make_channel(address=receiver.address)
        for event in AlertDelivery.Event:
            make_delivery(alert=alert, channel=channel, event=event, body=f'"{event}"')

        sent = delivery.deliver_due(now=NOON)

        assert sent == {"sent": 3}
        assert [json.loads(each) for each in receiver.bodies] == [
            "alert.opened",
            "alert.acknowledged",
            "alert.resolved",
        ]

    def test_lets_later_events_wait_for_the_first(self, receiver: Receiver) -> None:
        receiver.statuses = [500]
        alert, channel = make_alert(), make_channel(address=receiver.address)
        for event in (AlertDelivery.Event.OPENED, AlertDelivery.Event.RESOLVED):
            make_delivery(alert=alert, channel=channel, event=event, body=f'"{event}"')

        assert delivery.deliver_due(now=NOON) == {"pending": 1}
        assert delivery.deliver_due(now=NOON + DAY) == {"sent": 2}

        came = [json.loads(each) for each in receiver.bodies]
        assert came == ["alert.opened", "alert.opened", "alert.resolved"]

    def test_asks_a_dead_receiver_once_and_goes_on_with_the_others(
        self, receiver: Receiver
    ) -> None:
        dead = make_channel()
        for _ in range(3):
            make_delivery(channel=dead)
        make_delivery(channel=make_channel(address=receiver.address))

        assert delivery.deliver_due(now=NOON) == {"pending": 1, "sent": 1}

    def test_sends_again_what_a_dead_process_had_claimed(
        self, receiver: Receiver
    ) -> None:
        row = make_delivery(
            channel=make_channel(address=receiver.address),
            attempts=1,
            next_attempt_at=NOON + delivery.CLAIM,
        )

        assert delivery.deliver_due(now=NOON) == {}
        assert delivery.deliver_due(now=NOON + delivery.CLAIM) == {"sent": 1}

        row.refresh_from_db()
        assert receiver.headers[0]["webhook-id"] == str(row.event_id)


@pytest.mark.django_db(transaction=True)
class TestClaim:
    def test_is_taken_by_one_process_alone(self, receiver: Receiver) -> None:
        row = make_delivery(channel=make_channel(address=receiver.address))
        start = threading.Barrier(4)
        results = []

        def deliver() -> None:
            start.wait(10)
            results.append(delivery.deliver(delivery_id=row.pk, now=NOON))
            connection.close()

        threads = [threading.Thread(target=deliver) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert sorted(filter(None, results)) == ["sent"]
        assert len(receiver.bodies) == 1


class TestResend:
    def test_keeps_the_event_id_that_the_receiver_knows(
        self, receiver: Receiver
    ) -> None:
        row = make_delivery(channel=make_channel(address=receiver.address))
        delivery.deliver(delivery_id=row.pk, now=NOON)

        delivery.resend(delivery=row, now=NOON + DAY)
        delivery.deliver(delivery_id=row.pk, now=NOON + DAY)

        row.refresh_from_db()
        assert (row.state, row.attempts) == ("sent", 1)
        ids = [each["webhook-id"] for each in receiver.headers]
        assert ids == [str(row.event_id)] * 2

    def test_starts_the_attempts_anew(self) -> None:
        row = make_delivery(
            state=State.FAILED, attempts=ATTEMPTS_MAX, next_attempt_at=None
        )

        delivery.resend(delivery=row, now=NOON)

        assert delivery.deliver(delivery_id=row.pk, now=NOON) == "pending"


class TestSendDue:
    def test_sends_what_is_due_now(self, receiver: Receiver) -> None:
        make_delivery(channel=make_channel(address=receiver.address))

        assert tasks.send_due() == {"sent": 1}


class TestSendSoon:
    @pytest.mark.usefixtures("redis_client")
    @pytest.mark.parametrize("is_there", [True, False])
    def test_hands_it_to_a_broker_that_answers_and_to_no_other(
        self,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
        is_there: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        handed = []
        monkeypatch.setattr(tasks.send_due, "apply_async", lambda **_: handed.append(1))
        if not is_there:
            settings.REDIS_URL = "unix:///nowhere/redis.sock"

        with django_capture_on_commit_callbacks(execute=True):
            tasks.send_soon()

        assert bool(handed) is is_there
