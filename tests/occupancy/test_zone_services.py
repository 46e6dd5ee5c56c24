from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from alerts.models import Alert
from occupancy.capacity import Fullness
from occupancy.models import Zone
from occupancy.serializers import ZoneSerializer
from occupancy.zone_services import (
    record_counted,
    record_entered,
    record_fullness,
    record_loitered,
)
from streaming.live import channel_name
from tests.factories import make_rule, make_zone
from tests.zones import NOON, counted, entered, full, loitered

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def known(zone: Zone) -> tuple[int, object]:
    zone.refresh_from_db()
    return zone.live_count, zone.counted_at


class TestRecordCounted:
    def test_keeps_how_many_stand_there_and_since_when(self) -> None:
        zone = make_zone()
        assert record_counted(event=counted(zone, 3))
        assert known(zone) == (3, NOON)

    def test_keeps_the_newest_whatever_the_order(self) -> None:
        zone = make_zone()
        newer, older = counted(zone, 5, at=NOON + SECOND), counted(zone, 3)
        assert record_counted(event=newer)
        assert not record_counted(event=older)
        assert known(zone) == (5, NOON + SECOND)

    def test_takes_the_end_of_a_session_at_the_instant_of_its_last_count(self) -> None:
        zone = make_zone()
        for number in (3, 0):
            record_counted(event=counted(zone, number))
        assert known(zone) == (0, NOON)

    def test_changes_nothing_else_and_no_other_zone(self) -> None:
        zone = make_zone(capacity=4)
        other = make_zone(camera=zone.camera, name="Other")
        record_counted(event=counted(zone, 3))
        zone.refresh_from_db()
        assert (zone.name, zone.capacity) == ("Queue", 4)
        assert known(other) == (0, None)
        assert zone.history.count() == 1

    def test_leaves_out_a_zone_that_is_gone_or_was_none(self) -> None:
        zone = make_zone()
        event = counted(zone, 3)
        assert not record_counted(event=replace(event, zone_id=None))
        zone.delete()
        assert not record_counted(event=event)

    def test_announces_the_row_of_the_zone_to_its_site(
        self,
        redis_client: redis.Redis,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        zone = make_zone(capacity=2)
        pubsub: Any = redis_client.pubsub
        with pubsub(ignore_subscribe_messages=True) as subscription:
            topic = "occupancy.zone"
            subscription.subscribe(
                channel_name(topic=topic, site_id=zone.camera.site_id)
            )
            subscription.get_message(timeout=1)
            with django_capture_on_commit_callbacks(execute=True):
                record_counted(event=counted(zone, 3))
            message = json.loads(subscription.get_message(timeout=5)["data"])

        zone.refresh_from_db()
        assert message["topic"] == topic
        assert message["data"] == json.loads(
            json.dumps(ZoneSerializer(zone).data, default=str)
        )
        row = message["data"]
        assert (row["id"], row["camera"]) == (zone.pk, zone.camera_id)
        assert (row["live_count"], row["state"]) == (3, "red")

    def test_takes_few_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        event = counted(make_zone(), 1)
        with django_assert_num_queries(4):  # Of them a savepoint is two.
            record_counted(event=event)


class TestState:
    @pytest.mark.parametrize(
        ("number", "capacity", "state"),
        [(7, 10, "normal"), (8, 10, "amber"), (11, 10, "red"), (99, None, "normal")],
    )
    def test_says_how_full_it_is(
        self, number: int, capacity: int | None, state: str
    ) -> None:
        zone = Zone(live_count=number, capacity=capacity)
        assert zone.state == state


class TestRecording:
    """What is told of a zone reaches who must know."""

    @pytest.mark.parametrize(
        ("kind", "record"),
        [
            ("zone_restricted", lambda zone: record_entered(event=entered(zone))),
            ("zone_loitering", lambda zone: record_loitered(event=loitered(zone))),
            ("zone_capacity", lambda zone: record_fullness(event=full(zone))),
        ],
    )
    def test_raises_an_alert_and_none_of_a_zone_that_is_gone(
        self, kind: str, record: Callable[[Zone], None]
    ) -> None:
        make_rule(kind=kind)
        zone = make_zone()
        record(zone)
        record(zone)
        alert = Alert.objects.get()
        assert (alert.kind, alert.site) == (kind, zone.camera.site)
        assert (alert.camera, alert.opened_at) == (zone.camera, NOON)
        alert.delete()

        gone = Zone(pk=zone.pk, camera=zone.camera, name=zone.name)
        zone.delete()
        record(gone)
        assert not Alert.objects.exists()

    def test_leaves_out_how_full_it_was_before_a_newer_count(self) -> None:
        make_rule(kind="zone_capacity")
        zone = make_zone()
        record_counted(event=counted(zone, 0, at=NOON + SECOND))
        record_fullness(event=full(zone))
        assert not Alert.objects.exists()

        record_fullness(event=full(zone, at=NOON + SECOND))
        record_fullness(event=full(zone, Fullness.NORMAL, number=0))
        assert Alert.objects.unresolved().exists()
