from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from alerts import services
from alerts.models import Alert, AlertDelivery, AlertRule, Kind, Severity
from alerts.serializers import AlertSerializer
from streaming import live
from tests.factories import (
    make_alert,
    make_camera,
    make_channel,
    make_rule,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from pytest_django import Settings

    from streaming.models import Camera

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
"""Friday, 12:00 in Kolkata."""
HOUR = timedelta(hours=1)
Event, State = AlertDelivery.Event, AlertDelivery.State


def tell(camera: Camera, *, at: datetime = NOON, **values: Any) -> Alert | None:
    return services.raise_alert(
        kind=Kind.CAMERA_OFFLINE,
        subject=camera.code,
        text="It is out.",
        at=at,
        site=camera.site,
        camera=camera,
        **values,
    )


def deliveries(alert: Alert) -> list[tuple[str, str]]:
    found = alert.deliveries.order_by("pk")
    return [(each.event, each.state) for each in found]


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Give what is said to watching pages."""
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(live, "publish", lambda **message: said.append(message))
    return said


class TestRaiseAlert:
    def test_opens_one_where_a_rule_asks_for_it(self) -> None:
        camera = make_camera()
        rule = make_rule(severity=Severity.CRITICAL, channels=[make_channel()])

        alert = tell(camera)

        assert alert is not None
        assert (alert.state, alert.severity, alert.rule) == ("open", "critical", rule)
        assert (alert.site, alert.camera, alert.opened_at) == (
            camera.site,
            camera,
            NOON,
        )
        assert deliveries(alert) == [("alert.opened", "pending")]

    def test_opens_none_where_no_rule_asks_for_it(self) -> None:
        camera, elsewhere = make_camera(), make_camera()
        make_rule(enabled=False)
        make_rule(kind=Kind.DISK_FULL)
        make_rule(site=elsewhere.site)
        make_rule(site=elsewhere.site, camera=elsewhere)
        make_rule(site=camera.site, camera=make_camera(site=camera.site))

        assert tell(camera) is None
        assert tell(elsewhere) is not None

    def test_goes_by_the_hours_of_the_sites_own_zone(self) -> None:
        make_rule(from_time=time(11), to_time=time(13), days=[5])
        kolkata, berlin = make_site(), make_site(time_zone="Europe/Berlin")

        assert tell(make_camera(site=kolkata)) is not None
        assert tell(make_camera(site=berlin)) is None
        assert tell(make_camera(site=kolkata), at=NOON + 24 * HOUR) is None

    def test_waits_as_long_as_the_rule_says(self) -> None:
        camera = make_camera()
        make_rule(after_s=60)

        assert tell(camera, since=NOON - timedelta(seconds=59)) is None
        assert tell(camera, since=NOON - timedelta(seconds=60)) is not None

    def test_makes_one_alert_as_long_as_it_is_unresolved(self) -> None:
        camera = make_camera()
        make_rule(channels=[make_channel()])

        first, second = tell(camera), tell(camera, at=NOON + HOUR)
        assert first is not None
        assert first == second
        assert first.deliveries.count() == 1
        services.resolve(alert=first, at=NOON + HOUR)

        assert tell(camera, at=NOON + 2 * HOUR) not in {None, first}

    def test_takes_the_highest_severity_and_every_channel_of_its_rules(self) -> None:
        one, other, off = make_channel(), make_channel(), make_channel(enabled=False)
        make_rule(severity=Severity.INFO, channels=[one, other])
        urgent = make_rule(severity=Severity.CRITICAL, channels=[one, off])
        make_rule(severity=Severity.WARNING)

        alert = tell(make_camera())

        assert alert is not None
        assert (alert.severity, alert.rule) == ("critical", urgent)
        assert {each.channel for each in alert.deliveries.all()} == {one, other}

    def test_becomes_as_urgent_as_the_rules_that_hold_later(self) -> None:
        guard, boss = make_channel(), make_channel()
        camera = make_camera()
        make_rule(after_s=60, channels=[guard])
        make_rule(after_s=600, severity=Severity.CRITICAL, channels=[guard, boss])
        since = NOON - timedelta(seconds=60)

        first = tell(camera, since=since)
        assert first is not None
        assert first.severity == "warning"
        later = tell(camera, since=since, at=NOON + HOUR)

        assert later == first
        first.refresh_from_db()
        assert first.severity == "critical"
        told = first.deliveries.order_by("pk")
        assert [each.channel for each in told] == [guard, boss]

    def test_leaves_an_acknowledged_one_alone(self) -> None:
        camera, sam = make_camera(), make_user("sam")
        make_rule(after_s=60)
        alert = tell(camera, since=NOON - HOUR)
        assert alert is not None
        services.acknowledge(alert=alert, by=sam, at=NOON)
        make_rule(severity=Severity.CRITICAL, channels=[make_channel()])

        assert tell(camera, since=NOON - HOUR, at=NOON + HOUR) == alert
        alert.refresh_from_db()
        assert (alert.state, alert.severity) == ("acknowledged", "warning")
        assert deliveries(alert) == []

    def test_is_not_repeated_after_a_person_resolved_it_until_it_begins_anew(
        self,
    ) -> None:
        camera, sam = make_camera(), make_user("sam")
        make_rule(after_s=0)
        since = NOON - HOUR
        alert = tell(camera, since=since)
        assert alert is not None
        services.resolve(alert=alert, by=sam, at=NOON)

        assert tell(camera, since=since, at=NOON + HOUR) is None
        assert tell(camera, since=NOON + HOUR, at=NOON + HOUR) is not None

    def test_is_not_repeated_when_it_was_open_before_it_began_anew(self) -> None:
        camera, sam = make_camera(), make_user("sam")
        make_rule(after_s=0)
        alert = tell(camera, since=NOON - HOUR)
        assert alert is not None
        since = NOON + HOUR
        tell(camera, since=since, at=since)
        services.resolve(alert=alert, by=sam, at=since + HOUR)

        assert tell(camera, since=since, at=since + 2 * HOUR) is None

    def test_is_told_once_and_to_its_site_alone(
        self, announced: list[dict[str, Any]]
    ) -> None:
        camera = make_camera()
        make_site()
        make_rule()

        alert = tell(camera)
        tell(camera)

        assert announced == [
            {
                "topic": "alerts.alert",
                "site_id": camera.site_id,
                "data": AlertSerializer(alert).data,
            }
        ]

    def test_of_the_whole_system_is_told_to_every_site(
        self, announced: list[dict[str, Any]]
    ) -> None:
        sites = [make_site(), make_site()]
        make_rule(kind=Kind.WORKER_LOST)

        services.raise_alert(
            kind=Kind.WORKER_LOST, subject="vision-1", text="Gone.", at=NOON
        )

        assert [each["site_id"] for each in announced] == [site.pk for site in sites]

    def test_sends_a_webhook_what_the_api_gives(self, settings: Settings) -> None:
        settings.PUBLIC_URL = "https://factory.example.com"
        make_rule(channels=[make_channel()])
        camera = make_camera(site=make_site(name="Main plant"))

        alert = tell(camera)

        assert alert is not None
        delivery = alert.deliveries.get()
        body = json.loads(delivery.body)
        assert body["event"] == "alert.opened"
        assert body["event_id"] == str(delivery.event_id)
        assert body["at"] == "2026-11-20T06:30:00Z"
        assert body["alert"]["site_name"] == "Main plant"
        assert body["alert"]["camera_code"] == camera.code
        assert body["link"] == f"https://factory.example.com/alerts/{alert.pk}"


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_two_processes_make_one_alert_and_one_delivery(self) -> None:
        camera = make_camera()
        make_rule(channels=[make_channel()])
        start = threading.Barrier(4)

        def tell_it() -> None:
            start.wait(10)
            tell(camera)
            connection.close()

        run_together(tell_it, times=4)

        alert = Alert.objects.get()
        assert deliveries(alert) == [("alert.opened", "pending")]

    def test_of_a_person_and_the_check_leave_resolved_what_is(self) -> None:
        camera, sam = make_camera(), make_user("sam")
        rule = make_rule(after_s=0)
        alert = tell(camera, since=NOON - HOUR)
        assert alert is not None
        rule.channels.set([make_channel()])
        results = []

        def tell_it() -> None:
            results.append(tell(camera, since=NOON - HOUR))
            connection.close()

        thread = threading.Thread(target=tell_it)
        with transaction.atomic():
            services.resolve(alert=alert, by=sam, at=NOON)
            thread.start()
            thread.join(1)
        thread.join(30)

        assert results == [None]
        assert Alert.objects.count() == 1
        assert deliveries(alert) == []

    def test_of_two_people_let_one_be_the_first(self) -> None:
        alert = make_alert()
        people = [make_user("sam"), make_user("amir")]
        start = threading.Barrier(2)
        refused = []

        def acknowledge() -> None:
            by = people.pop()
            start.wait(10)
            try:
                services.acknowledge(alert=alert, by=by, at=NOON, note=by.username)
            except services.AlreadyHandled as error:
                refused.append(str(error))
            connection.close()

        run_together(acknowledge, times=2)

        alert.refresh_from_db()
        assert alert.acknowledged_by is not None
        assert alert.note == alert.acknowledged_by.username
        assert refused == [f"{alert.note} acknowledged it at 12:00 already."]


def run_together(work: Any, *, times: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


class TestAcknowledge:
    def test_says_who_when_and_what_was_done(self) -> None:
        sam = make_user("sam")

        alert = services.acknowledge(
            alert=make_alert(), by=sam, at=NOON, note="guard sent"
        )

        alert.refresh_from_db()
        assert alert.state == "acknowledged"
        assert (alert.acknowledged_by, alert.acknowledged_at) == (sam, NOON)
        assert alert.note == "guard sent"

    def test_is_refused_the_second_time_and_after_the_end(self) -> None:
        alert, sam, amir = make_alert(), make_user("sam"), make_user("amir")
        services.acknowledge(alert=alert, by=sam, at=NOON, note="guard sent")

        with pytest.raises(services.AlreadyHandled, match="sam acknowledged it at 12"):
            services.acknowledge(alert=alert, by=amir, at=NOON + HOUR, note="late")
        services.resolve(alert=alert, at=NOON + HOUR)
        with pytest.raises(services.AlreadyHandled, match="was resolved at 13:00"):
            services.acknowledge(alert=alert, by=amir, at=NOON + 2 * HOUR)

        alert.refresh_from_db()
        assert (alert.acknowledged_by, alert.note) == (sam, "guard sent")

    def test_tells_the_channels_that_know_of_it(self) -> None:
        make_rule(channels=[make_channel()])
        alert = tell(make_camera())
        assert alert is not None
        make_rule(channels=[make_channel()])

        services.acknowledge(alert=alert, by=make_user("sam"), at=NOON)

        assert deliveries(alert) == [
            ("alert.opened", "pending"),
            ("alert.acknowledged", "pending"),
        ]
        acknowledged = alert.deliveries.get(event=Event.ACKNOWLEDGED)
        assert json.loads(acknowledged.body)["alert"]["acknowledged_by"] == "sam"


class TestResolve:
    def test_keeps_the_first_note_and_adds_its_own(self) -> None:
        alert, sam, amir = make_alert(), make_user("sam"), make_user("amir")
        services.acknowledge(alert=alert, by=sam, at=NOON, note="guard sent")

        services.resolve(alert=alert, by=amir, at=NOON + HOUR, note="cable mended")

        alert.refresh_from_db()
        assert (alert.state, alert.resolved_by) == ("resolved", amir)
        assert alert.resolved_at == NOON + HOUR
        assert alert.note == "guard sent\ncable mended"

    def test_is_refused_the_second_time(self) -> None:
        alert, sam = make_alert(), make_user("sam")
        services.resolve(alert=alert, by=sam, at=NOON)

        with pytest.raises(services.AlreadyHandled, match="sam resolved it at 12:00"):
            services.resolve(alert=alert, by=sam, at=NOON + HOUR, note="late")

        alert.refresh_from_db()
        assert (alert.resolved_at, alert.note) == (NOON, "")

    def test_of_a_subject_closes_what_is_unresolved(self) -> None:
        alert = make_alert(camera=None, subject="vision-1")
        other = make_alert(camera=None, subject="vision-2")

        closed = services.resolve_subject(
            kind=Kind.WORKER_LOST, subject="vision-1", at=NOON
        )
        again = services.resolve_subject(
            kind=Kind.WORKER_LOST, subject="vision-1", at=NOON
        )

        assert (closed, again) == (alert, None)
        assert list(Alert.objects.unresolved()) == [other]
        assert closed is not None
        assert closed.resolved_by is None

    @pytest.mark.parametrize("kind", [Kind.ENROLMENT_DIGEST, Kind.ATTENDANCE_DIGEST])
    def test_tells_nobody_of_the_end_of_a_digest(self, kind: Kind) -> None:
        make_rule(kind=kind, channels=[make_channel()])
        alert = services.raise_alert(
            kind=kind, subject="north", text="1 late.", at=NOON, site=make_site()
        )
        assert alert

        services.resolve(alert=alert, at=NOON + 24 * HOUR)

        assert deliveries(alert) == [("alert.opened", "pending")]


class TestQuietHours:
    @pytest.fixture
    def alert(self) -> Alert:
        """Give an alert at 23:00 in Kolkata, in the quiet hours of its rule."""
        make_rule(
            quiet_from=time(22), quiet_to=time(6), channels=[make_channel()], after_s=0
        )
        alert = tell(make_camera(), at=NOON + 11 * HOUR)
        assert alert is not None
        return alert

    def test_show_an_alert_and_send_it_when_they_are_over(self, alert: Alert) -> None:
        delivery = alert.deliveries.get()

        assert alert.state == "open"
        assert delivery.next_attempt_at == NOON + 18 * HOUR
        assert not AlertDelivery.objects.due(now=NOON + 17 * HOUR).exists()
        assert AlertDelivery.objects.due(now=NOON + 18 * HOUR).exists()

    def test_send_nothing_of_what_was_over_before_them(self, alert: Alert) -> None:
        services.acknowledge(alert=alert, by=make_user("sam"), at=NOON + 12 * HOUR)
        services.resolve(alert=alert, at=NOON + 13 * HOUR)

        assert deliveries(alert) == [
            ("alert.opened", "skipped"),
            ("alert.acknowledged", "skipped"),
        ]
        assert not AlertDelivery.objects.due(now=NOON + 48 * HOUR).exists()

    def test_hold_back_the_end_of_what_was_told_before_them(self, alert: Alert) -> None:
        alert.deliveries.update(state=State.SENT, attempts=1, next_attempt_at=None)

        services.resolve(alert=alert, at=NOON + 13 * HOUR)

        resolved = alert.deliveries.get(event=Event.RESOLVED)
        assert resolved.state == "pending"
        assert resolved.next_attempt_at == NOON + 18 * HOUR

    def test_send_nothing_either_that_would_come_without_its_beginning(
        self, alert: Alert
    ) -> None:
        AlertRule.objects.update(quiet_from=None, quiet_to=None)
        services.acknowledge(alert=alert, by=make_user("sam"), at=NOON + 12 * HOUR)

        services.resolve(alert=alert, at=NOON + 13 * HOUR)

        assert {state for _, state in deliveries(alert)} == {"skipped"}

    def test_end_when_a_rule_without_any_comes_to_hold(self) -> None:
        channel, camera = make_channel(), make_camera()
        make_rule(quiet_from=time(22), quiet_to=time(6), channels=[channel], after_s=60)
        make_rule(channels=[channel], after_s=600, severity=Severity.CRITICAL)
        night = NOON + 11 * HOUR
        minute = timedelta(minutes=1)

        alert = tell(camera, since=night, at=night + minute)
        assert alert is not None
        held_until = alert.deliveries.get().next_attempt_at
        tell(camera, since=night, at=night + 10 * minute)

        assert held_until == NOON + 18 * HOUR
        assert alert.deliveries.get().next_attempt_at == night + 10 * minute

    def test_hold_nothing_back_when_another_rule_has_none(self) -> None:
        channel = make_channel()
        make_rule(quiet_from=time(22), quiet_to=time(6), channels=[channel])
        make_rule(channels=[channel])

        alert = tell(make_camera(), at=NOON + 11 * HOUR)

        assert alert is not None
        assert alert.deliveries.get().next_attempt_at == NOON + 11 * HOUR


class TestTransaction:
    def test_that_fails_leaves_no_alert(self) -> None:
        make_rule(channels=[make_channel()])
        camera = make_camera()

        def fail() -> None:
            with transaction.atomic():
                tell(camera)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        assert not Alert.objects.exists()
