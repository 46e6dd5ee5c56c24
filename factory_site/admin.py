"""The schedule and the runs of its jobs in the admin, for superusers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django_celery_beat.admin import (
    CrontabScheduleAdmin,
    IntervalScheduleAdmin,
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    TaskSelectWidget,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results import admin as _runs  # noqa: F401 - registers them first
from django_celery_results.models import GroupResult, TaskResult
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from streaming.admin_base import ReadOnly

for model in (
    ClockedSchedule,
    CrontabSchedule,
    GroupResult,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    TaskResult,
):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    """Offers the tasks that the program has."""


class JobForm(PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class JobAdmin(PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """When what runs. 'Run now' on the System page starts one by hand."""

    form = JobForm
    list_display = ["name", "enabled", "crontab", "interval", "last_run_at"]
    date_hierarchy = None
    ordering = ["name"]


@admin.register(CrontabSchedule)
class TimesAdmin(CrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    pass


@admin.register(IntervalSchedule)
class IntervalsAdmin(IntervalScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    pass


@admin.register(TaskResult)
class JobRunAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Each run of a job: when, how long, what it did."""

    list_display = [
        "periodic_task_name",
        "status",
        "date_started",
        "date_done",
        "result",
    ]
    list_filter = ["status", "periodic_task_name"]
    search_fields = ["periodic_task_name", "result"]
    ordering = ["-date_created", "-id"]
    fields = [
        "periodic_task_name",
        "status",
        "date_created",
        "date_started",
        "date_done",
        "result",
        "traceback",
        "worker",
        "task_name",
        "task_id",
    ]
