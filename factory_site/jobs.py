"""The scheduled jobs: how each did last, when it runs next, and running one now.

Celery leaves a row per run (django-celery-results); what a task returns is what it did.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import redis
from celery import current_app, states, uuid
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult
from kombu.exceptions import OperationalError

from streaming import workers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    # A TaskResult; its stubs know an older table.
    Run = Any

SAID_MAX = 200
BY_HAND = "Started by hand on the system page."
NOBODY_THERE = (
    "Redis does not answer, so the job could not be started. Try again later."
)


class NotStarted(Exception):
    """The run could not be handed to the worker; the message says why."""


class State(StrEnum):
    """What became of a run."""

    NEVER = "never run"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LEFT_OUT = "left out: too late"
    BROKEN_OFF = "broken off"

    @property
    def is_bad(self) -> bool:
        return self in {State.FAILED, State.LEFT_OUT, State.BROKEN_OFF}


STATES: Final[Mapping[str, State]] = {
    states.PENDING: State.WAITING,
    states.RECEIVED: State.WAITING,
    states.STARTED: State.RUNNING,
    states.RETRY: State.RUNNING,
    states.SUCCESS: State.DONE,
    states.REVOKED: State.LEFT_OUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scheduled job and its newest run."""

    pk: int
    name: str
    enabled: bool
    schedule: str
    """In words: at 02:30 every day."""
    state: State
    at: datetime | None
    """When its newest run started, or was asked for."""
    took_s: float | None
    """How long that run lasted; None while it is not over."""
    said: str
    """What the run did, or why it did not."""
    next_at: datetime | None
    succeeded_at: datetime | None
    """When a run last ended well."""


def listed(*, now: datetime, of_app: str = "") -> list[Job]:
    """Return every job, or those of one app, by name, in two queries."""
    runs = TaskResult.objects.filter(periodic_task_name=OuterRef("name"))
    newest = runs.order_by("-date_created", "-id").values("id")[:1]
    done = runs.filter(status=states.SUCCESS).order_by("-date_done").values("date_done")
    rows = list(
        PeriodicTask.objects.filter(task__startswith=of_app)
        .annotate(newest=Subquery(newest), succeeded_at=Subquery(done[:1]))
        .select_related("crontab", "interval", "solar", "clocked")
        .order_by("name")
    )
    found = TaskResult.objects.in_bulk([row.newest for row in rows if row.newest])
    return [_job(row, found.get(row.newest), now=now) for row in rows]


def _job(row: PeriodicTask, run: Run | None, *, now: datetime) -> Job:
    return Job(
        pk=row.pk,
        name=row.name,
        enabled=row.enabled,
        schedule=_in_words(row),
        state=_state(run, now=now),
        at=(run.date_started or run.date_created) if run else None,
        took_s=_took_s(run),
        said=_said(run),
        next_at=_next_at(row, now=now) if row.enabled else None,
        succeeded_at=row.succeeded_at,
    )


def _in_words(row: PeriodicTask) -> str:
    return row.crontab.human_readable if row.crontab else str(row.scheduler)


def _state(run: Run | None, *, now: datetime) -> State:
    if run is None:
        return State.NEVER
    state = STATES.get(run.status, State.FAILED)
    limit = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    if state is State.RUNNING and run.date_started and now - run.date_started > limit:
        return State.BROKEN_OFF
    return state


def _took_s(run: Run | None) -> float | None:
    if run is None or run.date_started is None or run.status not in states.READY_STATES:
        return None
    took: timedelta = run.date_done - run.date_started
    return max(0.0, took.total_seconds())


def _said(run: Run | None) -> str:
    """Return what a run told. Of an error only its name: its text is for the log."""
    if run is None or run.status not in states.READY_STATES or not run.result:
        return ""
    told = json.loads(run.result)
    if run.status != states.SUCCESS:
        return str(told.get("exc_type", "")) if isinstance(told, dict) else ""
    return _in_short(told)[:SAID_MAX]


def _in_short(told: object) -> str:
    """Write what a task returned: `{"forgotten": 3}` as `forgotten: 3`."""
    if isinstance(told, dict):
        pairs = [f"{name.replace('_', ' ')}: {_in_short(told[name])}" for name in told]
        return ", ".join(pairs)
    if isinstance(told, list):
        return ", ".join(map(_in_short, told)) or "none"
    return "" if told is None else str(told)


def _next_at(row: PeriodicTask, *, now: datetime) -> datetime | None:
    if row.clocked:
        at: datetime = row.clocked.clocked_time
        return at if at > now else None
    schedule = row.schedule
    here = now.astimezone(schedule.tz)
    schedule.nowfun = lambda: here
    last = here if row.crontab else row.last_run_at or here
    remaining: timedelta = schedule.remaining_estimate(last)
    return now + max(remaining, timedelta())


def run_now(*, job: PeriodicTask, by: AbstractBaseUser | AnonymousUser) -> Run:
    """Hand a run of the job to the worker; its row and the job's history tell of it.

    Raises NotStarted without Redis; nothing is then written.
    """
    task_id = uuid()
    try:
        # The worker's own note about the run waits for this row.
        with transaction.atomic():
            run = TaskResult.objects.create(
                task_id=task_id,
                status=states.PENDING,
                periodic_task_name=job.name,
                task_name=job.task,
                content_type="application/json",
                content_encoding="utf-8",
            )
            LogEntry.objects.log_actions(
                str(by.pk),
                PeriodicTask.objects.filter(pk=job.pk),
                CHANGE,
                change_message=BY_HAND,
            )
            _send(job, task_id)
    except (redis.RedisError, OperationalError) as error:
        raise NotStarted(NOBODY_THERE) from error
    return run


def _send(job: PeriodicTask, task_id: str) -> None:
    # Celery would try for many seconds to reach a broker that is away.
    with workers.connect() as client:
        client.ping()
    current_app.send_task(
        job.task,
        args=json.loads(job.args or "[]"),
        kwargs=json.loads(job.kwargs or "{}"),
        queue=job.queue or None,
        task_id=task_id,
        headers={"periodic_task_name": job.name},
        retry=False,
    )
