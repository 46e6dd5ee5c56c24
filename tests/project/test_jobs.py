"""What is told of the scheduled jobs, and starting one by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from celery import states
from django.contrib.admin.models import LogEntry
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from factory_site import jobs, schedules
from factory_site.celery import app
from factory_site.jobs import State
from tests.factories import make_user

if TYPE_CHECKING:
    import redis
    from pytest_django import DjangoAssertNumQueries, Settings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
NAME = "Forget old job runs"


@pytest.fixture
def job() -> PeriodicTask:
    schedules.sync()
    return PeriodicTask.objects.get(name=NAME)


def make_run(result: object = None, *, took_s: float = 2, **values: Any) -> TaskResult:
    """Make the row of a run that started a minute ago."""
    run = TaskResult.objects.create(
        **{
            "task_id": f"run-{TaskResult.objects.count()}",
            "periodic_task_name": NAME,
            "status": states.SUCCESS,
            "result": json.dumps(result),
        }
        | values
    )
    started = values.get("date_started", NOW - timedelta(minutes=1))
    done = started and started + timedelta(seconds=took_s)
    TaskResult.objects.filter(pk=run.pk).update(date_started=started, date_done=done)
    return run


def of(name: str = NAME) -> jobs.Job:
    (found,) = (job for job in jobs.listed(now=NOW) if job.name == name)
    return found


@pytest.mark.usefixtures("job")
class TestListed:
    def test_says_that_a_job_has_never_run(self) -> None:
        found = of()

        assert (found.state, found.at, found.took_s) == (State.NEVER, None, None)

    def test_tells_of_the_newest_run(self) -> None:
        make_run({"forgotten": 1}, date_started=NOW - timedelta(hours=1))
        make_run({"forgotten": 3, "kept": ["a", "b"]}, took_s=2.5)

        found = of()

        assert (found.state, found.took_s) == (State.DONE, 2.5)
        assert found.said == "forgotten: 3, kept: a, b"
        assert found.succeeded_at == NOW - timedelta(seconds=57.5)

    @pytest.mark.parametrize(
        ("status", "state", "is_bad"),
        [
            (states.PENDING, State.WAITING, False),
            (states.STARTED, State.RUNNING, False),
            (states.SUCCESS, State.DONE, False),
            (states.FAILURE, State.FAILED, True),
            (states.REVOKED, State.LEFT_OUT, True),
        ],
    )
    def test_knows_what_became_of_a_run(
        self,
        status: str,
        state: State,
        is_bad: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        make_run(status=status)

        assert (of().state, of().state.is_bad) == (state, is_bad)

    def test_calls_a_run_broken_off_that_outlived_its_time_limit(self) -> None:
        make_run(status=states.STARTED, date_started=NOW - timedelta(minutes=11))

        assert (of().state, of().took_s) == (State.BROKEN_OFF, None)

    def test_names_an_error_and_keeps_its_text_for_the_log(self) -> None:
        make_run({}, date_started=NOW - timedelta(hours=1))
        error = {"exc_type": "TimeLimitExceeded", "exc_message": ["hidden-word"]}
        make_run(error, status=states.FAILURE)

        assert of().said == "TimeLimitExceeded"
        assert of().succeeded_at == NOW - timedelta(hours=1) + timedelta(seconds=2)

    def test_says_when_a_job_runs_next(self) -> None:
        assert of().next_at == datetime(2026, 5, 5, 2, 40, tzinfo=UTC)

    def test_says_when_an_interval_is_over(self) -> None:
        hour = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
        PeriodicTask.objects.create(
            name="Hourly",
            task="x",
            interval=hour,
            last_run_at=NOW - timedelta(minutes=20),
        )

        assert of("Hourly").next_at == NOW + timedelta(minutes=40)

    def test_names_no_next_run_of_a_job_that_is_switched_off(self) -> None:
        PeriodicTask.objects.update(enabled=False)

        assert of().next_at is None

    def test_needs_two_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        make_run()

        with django_assert_num_queries(2):
            jobs.listed(now=NOW)


class TestRunNow:
    def test_hands_the_job_to_the_worker_and_notes_who_asked(
        self, job: PeriodicTask, redis_client: redis.Redis
    ) -> None:
        amir = make_user("amir")

        run = jobs.run_now(job=job, by=amir)

        (message,) = redis_client.lrange("celery", 0, -1)
        headers = json.loads(message)["headers"]
        assert (headers["task"], headers["id"]) == (job.task, run.task_id)
        assert headers["periodic_task_name"] == NAME
        assert of().state is State.WAITING
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_id) == (amir, str(job.pk))
        assert entry.change_message == jobs.BY_HAND

    def test_writes_nothing_when_redis_does_not_answer(
        self, job: PeriodicTask, settings: Settings
    ) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        with pytest.raises(jobs.NotStarted, match="Redis does not answer"):
            jobs.run_now(job=job, by=make_user("amir"))

        assert not TaskResult.objects.exists()
        assert not LogEntry.objects.exists()


class TestSchedule:
    def test_keeps_what_each_job_says(self) -> None:
        app.loader.import_default_modules()

        for job in schedules.JOBS:
            assert app.tasks[job.task].ignore_result is False, job.task

    def test_gives_each_job_a_time_limit_below_its_period(self) -> None:
        app.loader.import_default_modules()

        for job in schedules.JOBS:
            assert app.tasks[job.task].time_limit, job.task
            assert job.expires_s < 24 * 3600
