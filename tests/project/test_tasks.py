from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_results.models import TaskResult
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from alerts import default_rules
from alerts.models import Alert, AlertRule
from alerts.tasks import send_due
from factory_site import schedules, tasks
from streaming.models import Camera
from tests.factories import make_camera, make_channel, make_user

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks

pytestmark = pytest.mark.django_db


class TestCameraHealth:
    @pytest.mark.usefixtures("redis_client")
    def test_tells_of_a_camera_that_is_out_and_has_it_sent(
        self,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        default_rules.sync()
        channel = make_channel()
        AlertRule.objects.get(kind="camera_offline").channels.add(channel)
        two_minutes_ago = timezone.now() - timedelta(minutes=2)
        Camera.objects.filter(pk=make_camera().pk).update(
            state=Camera.State.ONLINE, last_frame_at=two_minutes_ago
        )
        sent: list[int] = []
        monkeypatch.setattr(send_due, "apply_async", lambda **_: sent.append(1))

        with django_capture_on_commit_callbacks(execute=True):
            done = tasks.camera_health()

        alert = Alert.objects.get(kind="camera_offline")
        assert alert.camera
        assert "no vision worker" in alert.text
        assert done["cameras without a worker"] == 1
        assert alert.deliveries.get().channel == channel
        assert sent == [1]

    def test_changes_nothing_the_second_time(self) -> None:
        default_rules.sync()
        make_camera()

        assert tasks.camera_health() == tasks.camera_health()

    def test_runs_every_minute_and_so_does_the_sending(self) -> None:
        each_minute = [job for job in schedules.JOBS if job.minute == job.hour == "*"]

        assert {job.task for job in each_minute} >= {
            tasks.camera_health.name,
            send_due.name,
        }
        assert all(job.expires_s < 60 for job in each_minute)


class TestForgetExpiredLogins:
    def test_deletes_tokens_that_nobody_can_use_any_more(self) -> None:
        user = make_user("iris")
        for _ in range(2):
            RefreshToken.for_user(user)
        old, live = OutstandingToken.objects.order_by("id")
        OutstandingToken.objects.filter(pk=old.pk).update(expires_at=timezone.now())

        done = tasks.forget_expired_logins.apply().get()

        assert done == {"forgotten": 1}
        assert list(OutstandingToken.objects.all()) == [live]


class TestForgetExpiredSessions:
    def test_deletes_sessions_that_nobody_can_use_any_more(self) -> None:
        now, minute = timezone.now(), timedelta(minutes=1)
        Session.objects.create(session_key="old", expire_date=now - minute)
        Session.objects.create(session_key="live", expire_date=now + minute)

        done = tasks.forget_expired_sessions.apply().get()

        assert done == {"forgotten": 1}
        assert [session.pk for session in Session.objects.all()] == ["live"]


class TestForgetOldRuns:
    def test_keeps_a_month_of_them(self) -> None:
        for age_d in (29, 31):
            run = TaskResult.objects.create(task_id=f"{age_d} days")
            TaskResult.objects.filter(pk=run.pk).update(
                date_done=timezone.now() - timedelta(days=age_d)
            )

        done = tasks.forget_old_runs.apply().get()

        assert done == {"forgotten": 1}
        assert TaskResult.objects.get().task_id == "29 days"
