"""Jobs as Celery really runs them: a row per run, and signs of life."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import redis

from factory_site import embedded, heartbeats
from tests.processes import running
from tests.system.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.processes import Running
    from tests.system.conftest import Plant

pytestmark = [pytest.mark.system]
PATIENCE_S = 180
"""Celery takes a minute to start on a machine that does much else."""
DUE_EVERY_SECOND = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
second = IntervalSchedule.objects.create(every=1, period="seconds")
job = PeriodicTask.objects.filter(name="Forget old job runs")
job.update(crontab=None, interval=second, expire_seconds=30)
PeriodicTask.objects.exclude(name="Forget old job runs").update(enabled=False)
"""
MISSED_FOUR_TIMES = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.factories import make_camera, make_crossing, make_line, make_site
now = timezone.now()
line = make_line(camera=make_camera(site=make_site(time_zone="UTC")))
for hours in (3, 2):
    at = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    record_crossing(event=make_crossing(line, Direction.IN, at=at))
due = now - timedelta(minutes=5)
hourly, _ = CrontabSchedule.objects.get_or_create(minute=str(due.minute))
PeriodicTask.objects.update(enabled=False)
PeriodicTask.objects.filter(name="Sum up counts").update(
    enabled=True, crontab=hourly, last_run_at=due - timedelta(hours=3, minutes=30))
"""


@contextmanager
def celery(plant: Plant, *arguments: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "celery", "-A", "factory_site", *arguments]
    with running(command, env=plant.env) as process:
        yield process


def names(plant: Plant) -> list[str]:
    with redis.Redis.from_url(embedded.redis_url(plant.folder)) as client:
        return [name.decode() for name in client.zrange(heartbeats.KEY, 0, -1)]


class TestJobs:
    def test_leave_a_row_that_says_when_how_long_and_what(
        self, empty_plant: Plant
    ) -> None:
        plant = empty_plant
        plant.manage("shell", "-c", DUE_EVERY_SECOND)
        done = (
            "SELECT periodic_task_name, status, result FROM "
            "django_celery_results_taskresult WHERE date_done >= date_started "
            "AND status = 'SUCCESS' LIMIT 1"
        )
        with (
            celery(
                plant, "worker", "-l", "info", "-c", "1", "-n", "one@plant"
            ) as worker,
            celery(plant, "beat", "-l", "info", "--pidfile=") as beat,
        ):
            wait_until(lambda: bool(plant.rows(done)), timeout_s=PATIENCE_S)
            wait_until(lambda: len(names(plant)) == 2, timeout_s=PATIENCE_S)
            said = names(plant)
            for process in (beat, worker):
                process.send(signal.SIGTERM)
                process.exit_code()

        assert plant.rows(done) == [
            ("Forget old job runs", "SUCCESS", '{"forgotten": 0}')
        ]
        assert sorted(said) == [heartbeats.BEAT, f"{heartbeats.WORKER}one@plant"]
        assert names(plant) == []
        rows = plant.rows("SELECT name FROM django_celery_beat_periodictask")
        assert ("celery.backend_cleanup",) not in rows

    def test_that_were_missed_are_made_up_for_once(self, empty_plant: Plant) -> None:
        plant = empty_plant
        plant.manage("shell", "-c", MISSED_FOUR_TIMES)
        done = (
            "SELECT result FROM django_celery_results_taskresult "
            "WHERE periodic_task_name = 'Sum up counts' AND status = 'SUCCESS'"
        )
        hours = (
            "SELECT total_entries, closing_count FROM occupancy_hourlyoccupancy "
            "ORDER BY start"
        )
        with celery(plant, "worker", "-l", "info", "-c", "1", "-n", "one@plant"):
            with celery(plant, "beat", "-l", "info", "--pidfile="):
                wait_until(lambda: bool(plant.rows(done)), timeout_s=PATIENCE_S)
            with celery(plant, "beat", "-l", "info", "--pidfile=") as beat:
                beat.wait_for("Starting")

        # A fourth hour may have ended meanwhile.
        assert plant.rows(hours)[:3] == [(1, 1), (1, 2), (0, 2)]
        assert len(plant.rows(done)) == 1
