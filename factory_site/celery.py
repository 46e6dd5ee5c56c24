"""The Celery application: background work and the schedule."""

from __future__ import annotations

import os

from celery import Celery

from .heartbeats import WorkerHeartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factory_site.settings")

app = Celery("factory_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(WorkerHeartbeat)
