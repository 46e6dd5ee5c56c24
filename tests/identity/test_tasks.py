from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django_celery_beat.models import PeriodicTask

from factory_site import schedules
from identity import tasks
from tests.cards import card, nobody

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db


class TestLook:
    @pytest.mark.usefixtures("card_faces")
    def test_answers_whoever_asked(self, redis_client: redis.Redis) -> None:
        redis_client.set("desk:q1:blob", card(1))

        assert tasks.look(question="q1", vectors=True) == {"answered": True}
        assert redis_client.llen("desk:q1:answer") == 1

    @pytest.mark.usefixtures("card_faces")
    def test_is_done_when_the_photo_is_refused(self, redis_client: redis.Redis) -> None:
        redis_client.set("desk:q1:blob", b"Dear HR")

        assert tasks.look(question="q1", vectors=True) == {"answered": True}


class TestRecognise:
    @pytest.mark.usefixtures("card_faces")
    def test_answers_whoever_asked(self, redis_client: redis.Redis) -> None:
        redis_client.set("desk:q1:blob", nobody())

        assert tasks.recognise(question="q1", site_id=1) == {"answered": True}
        assert redis_client.llen("desk:q1:answer") == 1


class TestSchedule:
    def test_runs_each_job_of_photos(self) -> None:
        schedules.sync()

        times = {
            job.task: (job.crontab.hour, job.crontab.minute, job.crontab.day_of_week)
            for job in PeriodicTask.objects.select_related("crontab")
            if job.task.startswith("identity.")
        }

        assert times == {
            tasks.finish_erasures.name: ("*", "10", "*"),
            tasks.tidy_enrolments.name: ("2", "15", "*"),
            tasks.compare_people.name: ("2", "20", "*"),
            tasks.tell_of_photos.name: ("5", "0", "1"),
        }

    @pytest.mark.usefixtures("redis_client", "card_faces")
    def test_has_jobs_that_do_nothing_where_there_is_nobody(self) -> None:
        assert tasks.finish_erasures() == {"unfinished": 0}
        assert tasks.tidy_enrolments() == {"files": 0, "remote_faces": 0}
        assert tasks.compare_people() == {"pairs": 0}
        assert tasks.tell_of_photos() == {"sites": 0}
