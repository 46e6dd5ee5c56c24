from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from attendance.models import (
    AttendanceRecord,
    Passage,
    PresenceEvent,
    UnknownAttendance,
)
from attendance.rules import Way
from identity.models import AccessLog, Employee
from streaming.models import Camera
from tests.factories import make_assignment, make_shift
from tests.presence import (
    cross,
    day,
    event_id,
    make_gate,
    presence,
    rows,
    see,
    stamp,
    visit,
)
from tests.sightings import instant

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Employee:
    """Give somebody who works from 09:00 to 17:00."""
    return make_assignment().employee


def forget() -> None:
    for model in (AttendanceRecord, PresenceEvent, Passage, UnknownAttendance):
        model._default_manager.all().delete()


class TestTrackEvents:
    @pytest.mark.parametrize("seed", range(3))
    def test_are_the_same_in_whatever_order_they_are_told(self, seed: int) -> None:
        """Two people on one track, a stranger first, and lines crossed in between."""
        shift = make_shift()
        one, other = (make_assignment(shift=shift).employee for _ in range(2))
        gate = make_gate(shift.site)
        logs = [
            visit(gate, words, of=who)
            for words, who in [("16:00", None), ("16:00:05", one), ("16:01", other)]
        ]
        for log in logs:
            log.track_id = 7
            log.save()
        steps: list[Callable[[], object]] = [
            lambda: see(logs[0]),
            lambda: see(logs[1]),
            lambda: see(logs[1], at=instant("16:00:50")),
            lambda: see(logs[2]),
            lambda: see(logs[2], at=instant("16:03")),
            lambda: cross(logs[0], Way.OUT, "16:00:20", event_id=event_id("out")),
            lambda: cross(logs[0], Way.IN, "16:02", event_id=event_id("in")),
            lambda: stamp(one, "> 09:00"),
            lambda: stamp(other, "> 09:00"),
        ]
        results = []
        for order in (steps, random.Random(seed).sample(steps * 2, k=2 * len(steps))):
            forget()
            for step in order:
                step()
            unknown = UnknownAttendance.objects.values_list("state", "employee")
            results.append((rows(), presence(), list(unknown)))

        assert results[0] == results[1]
        assert results[0][2] == [("recognised", one.pk)]


class TestPassages:
    def test_tell_the_way_whichever_comes_first(self, worker: Employee) -> None:
        gate, results = make_gate(worker.site), []
        for is_face_first in (True, False):
            forget()
            AccessLog.objects.all().delete()
            log = visit(gate, "09:05", of=worker)
            AccessLog.objects.update(event_id=event_id("log"))
            log.refresh_from_db()

            if is_face_first:
                see(log, at=instant("09:05:20"))
            cross(log, Way.OUT, "09:05:12", event_id=event_id("line"))
            if not is_face_first:
                see(log, at=instant("09:05:20"))
            results.append((presence(), rows()))

        assert results[0] == results[1]
        ways = {source: way for _, _, source, way, *_ in results[0][0]}
        assert ways == {"face": "out", "line": "out"}

    def test_beat_the_cameras_direction(self, worker: Employee) -> None:
        stamp(worker, "> 09:00")
        log = visit(make_gate(worker.site, "entry"), "17:01", of=worker)

        see(log)
        assert day(worker).check_out_at is None
        cross(log, Way.OUT, "17:01:10")

        assert day(worker).check_out_at == instant("17:01:10")

    def test_told_twice_change_nothing(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05", of=worker)
        see(log)
        cross(log, Way.IN, "09:05:10", event_id=event_id("line"))
        before = rows(), presence()

        cross(log, Way.IN, "09:05:10", event_id=event_id("line"))

        assert (rows(), presence()) == before

    def test_both_ways_in_one_visit_are_two(self, worker: Employee) -> None:
        """Somebody fetches something from outside, and comes back past the camera."""
        log = visit(make_gate(worker.site), "16:00", of=worker)
        stamp(worker, "> 09:00")
        see(log, at=instant("16:05"))

        cross(log, Way.OUT, "16:00:10")
        assert day(worker).check_out_at is not None
        cross(log, Way.IN, "16:04:50")

        assert day(worker).check_out_at is None
        assert PresenceEvent.objects.get(source="face").way == "out"

    def test_are_of_the_face_that_was_in_view_then(self, worker: Employee) -> None:
        """Two who cross each other may swap tracks."""
        other = make_assignment(shift=worker.shift_assignments.get().shift).employee
        log = visit(make_gate(worker.site), "09:00", of=worker)
        swapped = visit(log.camera, "09:00:30", of=other)
        AccessLog.objects.update(track_id=log.track_id)
        swapped.refresh_from_db()
        cross(log, Way.IN, "09:00:20")
        see(swapped)
        line = PresenceEvent.objects.filter(source="line")
        assert line.get().employee == other
        assert PresenceEvent.objects.get(source="face").way == "in"

        see(log, at=instant("09:00:10"))

        assert line.get().employee == worker
        ways = PresenceEvent.objects.filter(source="face").order_by("occurred_at")
        assert [face.way for face in ways] == ["in", "either"]
        assert day(worker).check_in_at == instant("09:00")
        assert day(other).check_in_at == instant("09:00:30")

        cross(log, Way.OUT, "09:00:40")

        assert line.get(way="out").employee == other
        assert [face.way for face in ways.all()] == ["in", "out"]

    def test_of_a_stranger_say_nothing(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05")
        see(log)

        cross(log, Way.IN, "09:05:10")

        assert Passage.objects.count() == 1
        assert not PresenceEvent.objects.exists()

    def test_do_nothing_at_another_camera(self, worker: Employee) -> None:
        log = visit(make_gate(worker.site), "09:05")
        Camera.objects.update(tasks=["people", "faces"])

        cross(log, Way.IN, "09:05:10")

        assert not Passage.objects.exists()
