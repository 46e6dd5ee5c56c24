"""Whatever the order, the number of times and of processes: the days are the same."""

from __future__ import annotations

import json
import random
import sys
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from attendance.closing import close_occurrences
from attendance.models import (
    AttendanceRecord,
    Passage,
    PresenceEvent,
)
from tests.factories import make_assignment, make_shift
from tests.presence import (
    event_id,
    make_gate,
    presence,
    rows,
    visit,
)
from tests.processes import running
from tests.sightings import LATER, instant
from tests.web_process import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from identity.models import Employee

pytestmark = pytest.mark.django_db(transaction=True)
WATCHDOG_S = 300
REPLAY = """
import django, json, sys
django.setup()
from datetime import datetime
from uuid import UUID
from attendance import services
from attendance.rules import Way
from identity.models import Employee
from identity.pipeline import PersonSeen
from identity.rules import Standing
now = datetime.fromisoformat(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    kind, values = json.loads(line)
    values |= {
        name: datetime.fromisoformat(values[name])
        for name in ("at", "first_seen_at") if name in values
    }
    values["event_id"] = UUID(values["event_id"])
    if kind == "stamp":
        employee = Employee.objects.get(pk=values.pop("employee"))
        values["way"] = Way(values["way"])
        services.stamp(employee=employee, by=None, now=now, **values)
    elif kind == "passage":
        values["way"] = Way(values["way"])
        services.note_passage(now=now, **values)
    else:
        values["decision"] = Standing(values["decision"])
        services.record_seen(seen=PersonSeen(words="", **values), now=now)
print("done", flush=True)
"""
"""Takes events from its input, one a line, and records them."""


def people() -> list[Employee]:
    early = make_shift()
    night = make_shift(site=early.site, start_time=time(22), end_time=time(6))
    return [make_assignment(shift=shift).employee for shift in (early, night)]


def events_of(worker: Employee, numbers: random.Random) -> list[tuple[str, Any]]:
    """Make four days of somebody: stamps, visits and crossings, some conflicting."""
    gates = [make_gate(worker.site, each) for each in ("entry", "exit", "both")]
    found: list[tuple[str, Any]] = []
    for number in range(12):
        at = instant("06:00") + timedelta(minutes=numbers.randrange(4 * 24 * 60))
        key = str(event_id(worker.pk, number))
        if number % 3 == 0:
            way = numbers.choice(["in", "out"])
            values = {"employee": worker.pk, "way": way, "event_id": key}
            found.append(("stamp", {**values, "at": at.isoformat()}))
            continue
        log = visit(numbers.choice(gates), "09:00", of=worker)
        log.occurred_at = log.last_seen_at = at
        log.save()
        track = {
            "camera": log.camera.code,
            "session": log.session,
            "track_id": log.track_id,
        }
        for seconds in (0, 40):
            told = {
                "event_id": str(log.event_id),
                "employee_id": worker.pk,
                "decision": "authorized",
                "first_seen_at": at.isoformat(),
                "at": (at + timedelta(seconds=seconds)).isoformat(),
                "access_log_id": log.pk,
                "similarity": 0.7,
                "threshold": 0.4,
            }
            found.append(("seen", track | told))
        if number % 3 == 1:
            crossed = {"event_id": key, "way": numbers.choice(["in", "out"])}
            at_line = (at + timedelta(seconds=15)).isoformat()
            found.append(("passage", {**track, **crossed, "at": at_line}))
    return found


def replay(*streams: Sequence[tuple[str, Any]]) -> None:
    """Record each in a process of its own, all at the same time."""
    command = [sys.executable, "-c", REPLAY, LATER.isoformat()]
    env = {**environment(), "DJANGO_SETTINGS_MODULE": "factory_site.settings"}
    if len(streams) == 1:
        with running(command, env=env, watchdog_s=WATCHDOG_S) as one:
            feed(one, streams[0])
            one.wait_for("done")
        return
    with (
        running(command, env=env, watchdog_s=WATCHDOG_S) as one,
        running(command, env=env, watchdog_s=WATCHDOG_S) as other,
    ):
        for process, stream in zip((one, other), streams, strict=True):
            process.wait_for("ready")
            feed(process, stream)
        for process in (one, other):
            process.wait_for("done")


def feed(process: Any, stream: Sequence[tuple[str, Any]]) -> None:
    program = process.process
    assert program.stdin is not None
    for event in stream:
        program.stdin.write(json.dumps(event) + "\n")
    program.stdin.close()


def forget() -> None:
    AttendanceRecord.objects.all().delete()
    PresenceEvent.objects.all().delete()
    Passage.objects.all().delete()


class TestReplay:
    def test_ten_times_shuffled_from_two_processes_is_once_in_order(self) -> None:
        numbers = random.Random(20261120)
        events = [event for worker in people() for event in events_of(worker, numbers)]
        in_order = sorted(events, key=lambda event: event[1]["at"])
        replay(in_order)
        close_occurrences(now=LATER)
        expected = rows(), presence()
        assert len({row[1] for row in expected[0]}) > 1
        forget()

        streams = [numbers.sample(events * 5, k=len(events) * 5) for _ in range(2)]
        replay(*streams)
        close_occurrences(now=LATER)

        assert (rows(), presence()) == expected
