from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError

from factory_site import pipelines
from factory_site.vision.clerk import Clerk
from occupancy.models import OccupancyLog
from occupancy.pipeline import LineCrossed
from occupancy.rules import Direction
from streaming.event_queue import EventQueue
from streaming.models import Camera
from streaming.vision.runner import CameraState
from tests.factories import make_camera, make_crossing, make_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[EventQueue]:
    queue = EventQueue(tmp_path / "vision-1")
    yield queue
    queue.close()


@pytest.fixture
def clerk(queue: EventQueue) -> Clerk:
    return Clerk(queue, pipelines.camera_plans)


def break_database(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(**_: Any) -> None:
        raise error

    monkeypatch.setattr(pipelines, "SERVICES", {LineCrossed: refuse})


class TestClerk:
    def test_records_what_is_queued_in_order(
        self, clerk: Clerk, queue: EventQueue
    ) -> None:
        line = make_line()
        for direction in (Direction.IN, Direction.OUT):
            queue.put(pipelines.encode(make_crossing(line, direction)))

        while clerk.step(now_s=0):
            pass

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

        while clerk.step(now_s=0):
            pass

        assert queue.failed == 1
        assert OccupancyLog.objects.count() == 1

    def test_stores_states_and_last_frames(self, clerk: Clerk) -> None:
        camera = make_camera()
        clerk.note_state(camera.code, CameraState.OFFLINE, "It is away.", NOW)
        clerk.note_frame(camera.code, NOW)

        clerk.step(now_s=0)

        camera.refresh_from_db()
        assert camera.state == Camera.State.OFFLINE
        assert camera.state_reason == "It is away."
        assert camera.state_since == camera.last_frame_at == NOW

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
