"""The schedule: what runs when, as rows that `manage.py sync_schedules` creates.

A row that exists is never touched, so an edit in the admin survives a deploy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Job:
    """One scheduled task; times are UTC."""

    name: str
    task: str
    minute: str
    hour: str
    expires_s: int
    """A run that could not start for this long is left to the next one."""
    day_of_week: str = "*"
    """As cron has it: 1 is Monday."""


JOBS: Sequence[Job] = (
    Job(
        name="Look after cameras, workers and the disk",
        task="factory_site.tasks.camera_health",
        minute="*",
        hour="*",
        expires_s=50,
    ),
    Job(
        name="Send alerts that are due",
        task="alerts.tasks.send_due",
        minute="*",
        hour="*",
        expires_s=50,
    ),
    Job(
        name="Remove old snapshots",
        task="factory_site.tasks.remove_old_snapshots",
        minute="0",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Finish erasures",
        task="identity.tasks.finish_erasures",
        minute="10",
        hour="*",
        expires_s=3000,
    ),
    Job(
        name="Tidy up after enrolments",
        task="identity.tasks.tidy_enrolments",
        minute="15",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Compare people with each other",
        task="identity.tasks.compare_people",
        minute="20",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Tell of photos to look after",
        task="identity.tasks.tell_of_photos",
        minute="0",
        hour="5",
        day_of_week="1",
        expires_s=12 * 3600,
    ),
    Job(
        name="Close days of attendance",
        task="attendance.tasks.close_occurrences",
        minute="*/15",
        hour="*",
        expires_s=800,
    ),
    Job(
        name="Tell of the day's attendance",
        task="attendance.tasks.tell_of_the_day",
        minute="5,35",  # An hour begins at half past in zones such as India's.
        hour="*",
        expires_s=1700,
    ),
    Job(
        name="Forget old attendance",
        task="attendance.tasks.forget_old_attendance",
        minute="0",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Sum up counts",
        task="occupancy.tasks.sum_up",
        minute="*/15",  # An hour begins at half past, or at a quarter, in some zones.
        hour="*",
        expires_s=800,
    ),
    Job(
        name="Correct counts for the night",
        task="occupancy.tasks.correct_daily",
        minute="*/15",  # At three of each site's own clock.
        hour="*",
        expires_s=800,
    ),
    Job(
        name="Forget old crossings",
        task="occupancy.tasks.forget_old_crossings",
        minute="10",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Forget old visits at the gates",
        task="vehicles.tasks.forget_old_visits",
        minute="5",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Forget expired API logins",
        task="factory_site.tasks.forget_expired_logins",
        minute="30",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Forget expired browser sessions",
        task="factory_site.tasks.forget_expired_sessions",
        minute="35",
        hour="2",
        expires_s=12 * 3600,
    ),
    Job(
        name="Forget old job runs",
        task="factory_site.tasks.forget_old_runs",
        minute="40",
        hour="2",
        expires_s=12 * 3600,
    ),
)


@transaction.atomic
def sync(jobs: Sequence[Job] = JOBS) -> list[str]:
    """Create the rows that are missing; return their names."""
    there = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = [job for job in jobs if job.name not in there]
    for job in missing:
        crontab, _ = CrontabSchedule.objects.get_or_create(
            minute=job.minute,
            hour=job.hour,
            day_of_week=job.day_of_week,
            day_of_month="*",
            month_of_year="*",
            timezone="UTC",
        )
        PeriodicTask.objects.create(
            name=job.name,
            task=job.task,
            crontab=crontab,
            expire_seconds=job.expires_s,
        )
    return [job.name for job in missing]
