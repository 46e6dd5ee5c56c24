from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.db.models import F

from factory_site import pipelines
from factory_site.vision import clerk as clerk_module
from factory_site.vision.clerk import BATCH, Clerk
from factory_site.vision.tenure import Tenure
from occupancy.models import OccupancyLog
from occupancy.rules import Direction
from streaming import leases
from streaming.event_queue import EventQueue
from streaming.leases import Holder
from streaming.models import Camera, VisionWorker
from streaming.services import mark_lost
from streaming.vision.plans import CameraState
from streaming.vision.trouble import Cause, Trouble
from tests.factories import make_camera, make_crossing, make_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db
AWAY = Trouble(Cause.TIMED_OUT, "It does not answer.")
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[EventQueue]:
    queue = EventQueue(tmp_path / "vision-1")
    yield queue
    queue.close()


@pytest.fixture
def tenure(queue: EventQueue) -> Tenure:
    return Tenure(Holder("vision-1", queue.id))


@pytest.fixture
def clerk(queue: EventQueue, tenure: Tenure) -> Clerk:
    return Clerk(queue, tenure, pipelines.camera_plans)


def work(clerk: Clerk, *, now_s: float = 0.0) -> None:
    """Let it do all there is to do."""
    while clerk.step(now_s=now_s):
        pass


def take_over(camera: Camera) -> None:
    """Give the camera to another worker."""
    Camera.objects.filter(pk=camera.pk).update(
        lease_holder="vision-2", lease_term=F("lease_term") + 1
    )


def refuse(**_: Any) -> None:
    raise OperationalError("the server closed the connection")


def break_database(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(**_: Any) -> None:
        raise error

    monkeypatch.setattr(pipelines, "record_crossing", refuse)


class TestClerk:
    def test_records_what_is_queued_in_order(
        self, clerk: Clerk, queue: EventQueue
    ) -> None:
        line = make_line()
        for direction in (Direction.IN, Direction.OUT):
            queue.put(pipelines.encode(make_crossing(line, direction)))

        work(clerk)

        logs = OccupancyLog.objects.order_by("id")
        assert [log.direction for log in logs] == ["in", "out"]
        assert len(queue) == 0

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        "error",
        [
            OperationalError("the server closed the connection"),
            InterfaceError("connection already closed"),
            ProgrammingError("column does not exist: not yet migrated"),
        ],
    )
    def test_keeps_events_while_postgres_cannot_take_them(
        self,
        clerk: Clerk,
        queue: EventQueue,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
    ) -> None:
        queue.put(pipelines.encode(make_crossing(make_line(), Direction.IN)))
        with monkeypatch.context() as outage:
            break_database(outage, error)
            assert not clerk.step(now_s=0)
            assert len(queue) == 1

        assert clerk.step(now_s=1)

        assert OccupancyLog.objects.count() == 1

    def test_sets_aside_the_event_of_a_line_that_is_gone(
        self, clerk: Clerk, queue: EventQueue
    ) -> None:
        line = make_line()
        queue.put(pipelines.encode(make_crossing(line, Direction.IN, line_id=0)))
        queue.put(pipelines.encode(make_crossing(line, Direction.IN)))

        work(clerk)

        assert queue.failed == 1
        assert OccupancyLog.objects.count() == 1

    def test_stores_states_and_last_frames(self, clerk: Clerk) -> None:
        camera = make_camera()
        work(clerk)
        clerk.note_frame(camera.code, NOW)
        clerk.note_state(camera.code, CameraState.OFFLINE, AWAY, NOW)

        work(clerk, now_s=10)

        camera.refresh_from_db()
        assert camera.state == Camera.State.OFFLINE
        assert camera.state_reason == AWAY.sentence
        assert camera.state_since == camera.last_frame_at == NOW

    @pytest.mark.django_db(transaction=True)
    def test_loses_no_outage_while_postgres_is_away(
        self, clerk: Clerk, queue: EventQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        camera = make_camera()
        work(clerk)
        for minute, trouble in enumerate([AWAY, None, AWAY, None]):
            state = CameraState.OFFLINE if trouble else CameraState.ONLINE
            clerk.note_state(camera.code, state, trouble, NOW.replace(minute=minute))
        with monkeypatch.context() as outage:
            outage.setattr(clerk_module, "report_state", refuse)
            assert not clerk.step(now_s=1)

        work(clerk, now_s=1)

        assert camera.outages.filter(ended_at__isnull=False).count() == 2

    def test_tells_nothing_of_a_camera_that_another_took(self, clerk: Clerk) -> None:
        camera = make_camera()
        work(clerk)
        clerk.note_state(camera.code, CameraState.OFFLINE, AWAY, NOW)
        take_over(camera)

        work(clerk, now_s=1)

        assert Camera.objects.get().state == Camera.State.UNKNOWN

    def test_tells_of_no_picture_once_another_has_the_camera(
        self, clerk: Clerk
    ) -> None:
        camera = make_camera()
        work(clerk)
        clerk.note_frame(camera.code, NOW)
        take_over(camera)

        work(clerk, now_s=10)

        assert Camera.objects.get().last_frame_at is None

    def test_contradicts_that_a_camera_is_lost(self, clerk: Clerk) -> None:
        camera = make_camera()
        work(clerk)
        clerk.note_frame(camera.code, NOW)
        clerk.note_state(camera.code, CameraState.ONLINE, None, NOW)
        work(clerk)
        Camera.objects.update(lease_until=None, last_frame_at=NOW)
        later = NOW.replace(minute=1)
        assert mark_lost(now=later) == [camera.code]
        for second in range(60):
            clerk.note_frame(camera.code, NOW.replace(second=second))

        work(clerk, now_s=10)

        camera.refresh_from_db()
        assert (camera.state, camera.state_since) == (Camera.State.ONLINE, NOW)
        assert not camera.outages.exists()

    def test_admits_that_a_camera_was_lost_until_pictures_came(
        self, clerk: Clerk
    ) -> None:
        camera = make_camera()
        work(clerk)
        clerk.note_frame(camera.code, NOW)
        clerk.note_state(camera.code, CameraState.ONLINE, None, NOW)
        work(clerk)
        Camera.objects.update(lease_until=None, last_frame_at=NOW)
        mark_lost(now=NOW.replace(minute=1))
        clerk.note_frame(camera.code, NOW.replace(minute=2))

        work(clerk, now_s=10)

        outage = camera.outages.get()
        assert outage.started_at == NOW
        assert outage.ended_at == NOW.replace(minute=2)

    def test_tells_of_a_camera_that_was_off_for_a_moment(self, clerk: Clerk) -> None:
        camera = make_camera()
        work(clerk)
        clerk.note_state(camera.code, CameraState.ONLINE, None, NOW)
        work(clerk)
        Camera.objects.update(state=Camera.State.UNKNOWN, state_since=None)

        work(clerk, now_s=10)

        assert Camera.objects.get().state == Camera.State.ONLINE

    def test_leaves_out_and_counts_what_another_may_have_seen_too(
        self, clerk: Clerk, queue: EventQueue
    ) -> None:
        camera = make_camera(lease_term=2)
        event = make_crossing(make_line(camera=camera), Direction.IN)
        queue.put(pipelines.encode(event, term=1, is_sure=False))

        work(clerk)

        assert clerk.stale == 1
        assert (len(queue), queue.failed) == (0, 0)

    def test_delivers_what_a_dead_worker_left(
        self, clerk: Clerk, queue: EventQueue
    ) -> None:
        line = make_line()
        dead = EventQueue(queue.folder.parent / "vision-0")
        for _ in range(BATCH + 1):
            dead.put(pipelines.encode(make_crossing(line, Direction.IN)))
        dead.close()

        work(clerk)

        assert OccupancyLog.objects.count() == BATCH + 1

    @pytest.mark.django_db(transaction=True)
    def test_gives_its_cameras_back_when_it_stops(self, clerk: Clerk) -> None:
        camera = make_camera()
        work(clerk)
        stopped = threading.Event()
        stopped.set()

        clerk.run(stopped)

        camera.refresh_from_db()
        assert (camera.lease_holder, camera.lease_until) == ("", None)
        assert not VisionWorker.objects.exists()

    def test_runs_what_it_holds_alone(self, clerk: Clerk) -> None:
        make_camera()
        leases.renew(Holder("vision-2", "2" * 32), running=())

        work(clerk)

        assert clerk.take_plans() == []

    def test_hands_over_new_plans_once_per_refresh(self, clerk: Clerk) -> None:
        camera = make_line().camera
        make_camera(enabled=False)

        clerk.step(now_s=0)
        plans = clerk.take_plans()
        clerk.step(now_s=1)

        assert plans is not None
        assert [plan.code for plan in plans] == [camera.code]
        assert plans[0].lines[0].name == "Main door"
        assert clerk.take_plans() is None
