from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.live import channel_name
from streaming.models import Camera
from streaming.services import mark_lost, report_frames, report_state
from streaming.vision.trouble import Cause, Trouble
from tests.factories import make_camera

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


REFUSED = Trouble(Cause.REFUSED, "The camera refuses the connection.")
FROZEN = Trouble(Cause.FROZEN, "The picture is frozen.")
State = Camera.State


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def offline(camera: Camera, *, at: datetime = NOW) -> bool:
    return report_state(code=camera.code, state=State.OFFLINE, trouble=REFUSED, at=at)


def online(camera: Camera, *, at: datetime = NOW) -> bool:
    return report_state(code=camera.code, state=State.ONLINE, trouble=None, at=at)


def outages(camera: Camera) -> list[tuple[datetime, datetime | None]]:
    rows = camera.outages.order_by("started_at")
    return list(rows.values_list("started_at", "ended_at"))


class TestReportState:
    def test_stores_the_state_its_reason_and_since_when(self) -> None:
        camera = make_camera()

        assert offline(camera)

        camera.refresh_from_db()
        assert (camera.state, camera.state_reason) == ("offline", REFUSED.sentence)
        assert camera.state_cause == "refused"
        assert camera.state_since == NOW

    def test_keeps_since_when_while_it_is_no_news(self) -> None:
        camera = make_camera()
        offline(camera)

        assert not offline(camera, at=NOW.replace(hour=13))

        camera.refresh_from_db()
        assert camera.state_since == NOW

    def test_counts_anew_from_each_time_that_it_comes_online(self) -> None:
        camera = make_camera()
        later = NOW.replace(hour=13)

        for at in (NOW, later):
            online(camera, at=at)

        camera.refresh_from_db()
        assert camera.state_since == later

    def test_passes_over_a_camera_that_was_deleted(self) -> None:
        camera = make_camera()
        Camera.objects.all().delete()

        assert not offline(camera)

    def test_passes_over_a_camera_that_is_switched_off(self) -> None:
        camera = make_camera(enabled=False)

        assert not offline(camera)

        assert outages(camera) == []

    def test_hears_only_the_worker_that_holds_the_camera(self) -> None:
        camera = make_camera(lease_term=2)

        for term, heard in ((1, False), (2, True)):
            assert heard is report_state(
                code=camera.code, state=State.ONLINE, trouble=None, at=NOW, term=term
            )

    @pytest.mark.django_db(transaction=True)
    def test_tells_the_pages_of_its_site_and_never_the_source(
        self, redis_client: redis.Redis
    ) -> None:
        camera = make_camera()
        pubsub: Any = redis_client.pubsub
        with pubsub(ignore_subscribe_messages=True) as pages:
            pages.subscribe(
                channel_name(topic="streaming.camera", site_id=camera.site_id)
            )
            pages.get_message(timeout=1)

            offline(camera)

            message = json.loads(pages.get_message(timeout=5)["data"])
        assert message["topic"] == "streaming.camera"
        assert message["data"]["code"] == camera.code
        assert message["data"]["state"] == "offline"
        assert message["data"]["state_reason"] == REFUSED.sentence
        assert "source_url" not in message["data"]
        assert "sub_stream_url" not in message["data"]


class TestOutage:
    def test_lasts_from_the_last_good_picture_to_the_next(self) -> None:
        camera = make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(4))

        offline(camera)
        online(camera, at=NOW + seconds(60))

        assert outages(camera) == [(NOW - seconds(4), NOW + seconds(60))]
        assert Camera.objects.get().last_frame_at == NOW + seconds(60)

    def test_knows_a_later_picture_from_the_worker(self) -> None:
        camera = make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(4))

        report_state(
            code=camera.code,
            state=State.OFFLINE,
            trouble=REFUSED,
            at=NOW,
            last_frame_at=NOW - seconds(1),
        )

        assert outages(camera) == [(NOW - seconds(1), None)]

    def test_begins_when_it_is_noticed_if_pictures_still_come(self) -> None:
        camera = make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(1))

        report_state(code=camera.code, state=State.UNUSABLE, trouble=FROZEN, at=NOW)

        assert outages(camera) == [(NOW, None)]

    def test_does_not_count_the_time_before_the_camera_was_switched_on(self) -> None:
        camera = make_camera(last_frame_at=NOW - seconds(86400))

        offline(camera)

        assert outages(camera) == [(NOW, None)]

    def test_keeps_its_first_cause(self) -> None:
        camera = make_camera()
        offline(camera)

        report_state(code=camera.code, state=State.UNUSABLE, trouble=FROZEN, at=NOW)

        outage = camera.outages.get()
        assert (outage.cause, outage.reason) == ("refused", REFUSED.sentence)
        assert Camera.objects.get().state_cause == "frozen"

    def test_ends_when_a_recording_has_ended(self) -> None:
        camera = make_camera()
        offline(camera)

        report_state(
            code=camera.code, state=State.ENDED, trouble=None, at=NOW + seconds(5)
        )

        assert outages(camera) == [(NOW, NOW + seconds(5))]

    def test_that_turns_out_empty_was_none(self) -> None:
        camera = make_camera()
        offline(camera)

        online(camera)

        assert outages(camera) == []

    def test_is_told_of_the_time_in_which_nothing_ran(self) -> None:
        camera = make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(3600))

        online(camera)

        assert outages(camera) == [(NOW - seconds(3600), NOW)]
        assert camera.outages.get().cause == "no_worker"

    def test_is_none_while_a_camera_changes_its_worker(self) -> None:
        camera = make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(14))

        online(camera)

        assert outages(camera) == []

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(
            st.tuples(st.sampled_from(sorted(State)), st.integers(0, 200)), max_size=12
        )
    )
    def test_never_overlaps_another(self, reports: list[tuple[State, int]]) -> None:
        camera = make_camera()
        for state, second in reports:
            trouble = REFUSED if state in {State.OFFLINE, State.UNUSABLE} else None
            report_state(
                code=camera.code, state=state, trouble=trouble, at=NOW + seconds(second)
            )

        found = outages(camera)
        is_out = bool(reports) and reports[-1][0] in {State.OFFLINE, State.UNUSABLE}
        assert [end for _, end in found if end is None] == [None] * is_out
        for (_, end), (start, _) in pairwise(found):
            assert end is not None
            assert end <= start


class TestMarkLost:
    def test_says_that_a_camera_without_worker_is_offline(self) -> None:
        last = NOW - seconds(30)
        lost = make_camera(state=State.ONLINE, last_frame_at=last)
        make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(10))
        make_camera(state=State.ONLINE, last_frame_at=last, enabled=False)
        make_camera(state=State.ENDED, last_frame_at=last)

        assert mark_lost(now=NOW) == [lost.code]

        lost.refresh_from_db()
        assert (lost.state, lost.state_cause) == ("offline", "no_worker")
        assert lost.state_since == last
        assert outages(lost) == [(last, None)]

    def test_leaves_to_its_worker_a_camera_that_is_held(self) -> None:
        make_camera(
            state=State.ONLINE,
            last_frame_at=NOW - seconds(30),
            lease_holder="vision-1",
            lease_until=Now() + seconds(5),
        )

        assert mark_lost(now=NOW) == []

    def test_is_taken_back_by_the_next_picture(self) -> None:
        camera = make_camera(state=State.ONLINE, last_frame_at=NOW - seconds(30))
        mark_lost(now=NOW)

        online(camera, at=NOW + seconds(5))

        assert outages(camera) == [(NOW - seconds(30), NOW + seconds(5))]

    def test_says_so_of_a_camera_that_nobody_takes(self) -> None:
        camera = make_camera()

        assert mark_lost(now=NOW) == []
        assert mark_lost(now=NOW + seconds(60)) == [camera.code]
        assert mark_lost(now=NOW + seconds(120)) == []

        assert outages(camera) == [(NOW + seconds(60), None)]

    def test_ends_what_was_said_of_a_camera_that_is_switched_off(self) -> None:
        camera = make_camera()
        offline(camera)
        Camera.objects.update(enabled=False)

        mark_lost(now=NOW + seconds(60))

        camera.refresh_from_db()
        assert (camera.state, camera.state_reason) == ("unknown", "")
        assert outages(camera) == [(NOW, NOW + seconds(60))]


class TestReportFrames:
    def test_stores_when_each_camera_gave_its_last_picture(self) -> None:
        here, there = make_camera(), make_camera()

        report_frames(last_frame_at={here.code: NOW, "CAM-GONE": NOW})

        assert Camera.objects.get(pk=here.pk).last_frame_at == NOW
        assert Camera.objects.get(pk=there.pk).last_frame_at is None
