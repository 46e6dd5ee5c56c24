"""The System page and `/api/system-info`."""

from __future__ import annotations

import re
import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.conf import settings as project
from django.contrib.auth.models import Permission
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from factory_site import heartbeats, jobs, schedules
from factory_site.roles import HR, INTEGRATOR, SECURITY, SITE_ADMIN
from factory_site.version import VERSION
from identity import usage
from identity.rekognition.shared_breaker import SharedBreaker
from streaming import workers
from streaming.models import Camera, CameraOutage, VisionWorker
from streaming.vision.stats import CameraStats
from streaming.workers import WorkerStatus
from tests.factories import make_camera, make_face_sample, make_site, make_user
from tests.pages import text

if TYPE_CHECKING:
    import redis
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from streaming.models import Site

pytestmark = pytest.mark.django_db
QUERIES_MAX = 20
SHA256 = "3fa8c1d2" + 56 * "0"


@pytest.fixture
def site(role_groups: None) -> Site:
    schedules.sync()
    return make_site(name="Main plant")


@pytest.fixture
def security(client: Client, site: Site) -> Client:
    client.force_login(make_user("asha", role=SECURITY, sites=[site]))
    return client


def report(client: redis.Redis, *codes: str, **values: Any) -> None:
    """Report as a vision worker that runs these cameras."""
    stats = CameraStats(
        frames_read=900, fps=24.8, fps_analysed=9.9, latency_ms=42, dropped=7, shed=3
    )
    defaults: dict[str, Any] = {
        "name": "vision-1",
        "detector": "OpenVINO yolo11n",
        "fallback": False,
        "cameras": dict.fromkeys(codes, stats),
        "queued": 4,
        "failed": 0,
        "memory_bytes": 400 << 20,
        "busy": 0.37,
        "weights": "yolo11n_int8_openvino_model",
        "weights_sha256": SHA256,
    }
    workers.report(client, WorkerStatus(**defaults | values))


def register(name: str, *, seen_s: float = 0) -> None:
    """Make the row of a vision worker that was last seen some seconds ago."""
    now = timezone.now()
    VisionWorker.objects.create(
        name=name, started_at=now, seen_at=now - timedelta(seconds=seen_s)
    )


class TestPage:
    def test_answers_in_its_first_line(
        self, security: Client, site: Site, redis_client: redis.Redis
    ) -> None:
        make_camera(site=site)
        make_camera(site=site, state=Camera.State.OFFLINE)
        report(redis_client)

        page = text(security.get("/system"))

        assert re.search(
            r"2 cameras, 1 out; 1 vision worker; queue empty; disk \d+ %", page
        )

    def test_counts_what_waits_for_the_worker(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        redis_client.rpush("celery", "{}", "{}")

        assert "2 in the queue;" in text(security.get("/system"))

    @pytest.mark.parametrize(
        ("role", "status"),
        [(HR, 403), (SECURITY, 200), (INTEGRATOR, 200), (SITE_ADMIN, 200)],
    )
    def test_is_for_those_who_look_after_the_system(
        self,
        client: Client,
        site: Site,
        redis_client: redis.Redis,
        role: str,
        status: int,
    ) -> None:
        client.force_login(make_user("x", role=role, sites=[site]))

        assert client.get("/system").status_code == status
        assert client.get("/api/system-info").status_code == status

    def test_asks_for_a_login(self, client: Client) -> None:
        assert client.get("/system")["Location"] == "/login?next=/system"
        assert client.get("/api/system-info").status_code == 401

    @pytest.mark.parametrize(
        ("name", "is_fallback"),
        [("mobilefacenet-128d", False), ("dlib-resnet-v1", True)],
    )
    def test_says_what_faces_are_compared_with(
        self,
        security: Client,
        redis_client: redis.Redis,
        name: str,
        is_fallback: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        report(redis_client, face_model=name, face_fallback=is_fallback)

        page = text(security.get("/system"))
        (worker,) = security.get("/api/system-info").json()["workers"]

        assert f"faces: {name}" in page
        assert ("NO WEIGHTS" in page) is is_fallback
        assert (worker["face_model"], worker["face_fallback"]) == (name, is_fallback)

    @pytest.mark.parametrize(
        ("name", "is_fallback"), [("fast-plate-ocr", False), ("rapidocr", True)]
    )
    def test_says_what_plates_are_read_with(
        self,
        security: Client,
        redis_client: redis.Redis,
        name: str,
        is_fallback: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        report(
            redis_client, plate_reader=name, plate_fallback=is_fallback, plates_queued=3
        )

        page = text(security.get("/system"))
        (worker,) = security.get("/api/system-info").json()["workers"]

        assert f"plates: {name}" in page
        assert ("NO WEIGHTS" in page) is is_fallback
        told = [worker[f"plate_{each}"] for each in ("reader", "fallback")]
        assert told == [name, is_fallback]
        assert worker["plates_queued"] == 3

    def test_shows_each_camera_with_its_workers_figures(
        self, security: Client, site: Site, redis_client: redis.Redis
    ) -> None:
        camera = make_camera(
            site=site, state=Camera.State.ONLINE, last_frame_at=timezone.now()
        )
        hour_ago = timezone.now() - timedelta(hours=1)
        CameraOutage.objects.create(
            camera=camera,
            cause="refused",
            started_at=hour_ago,
            ended_at=hour_ago + timedelta(minutes=4),
        )
        report(redis_client, camera.code)

        page = text(security.get("/system"))

        assert "24.8 fps" in page
        assert "9.9 fps" in page
        assert "42 ms" in page
        assert "once, 4 min" in page

    def test_hides_the_cameras_of_other_sites(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        camera = make_camera(name="Elsewhere", code="CAM-ELSEWHERE")
        report(redis_client, camera.code)

        assert "CAM-ELSEWHERE" not in security.get("/system").content.decode()
        assert security.get("/api/system-info").json()["cameras"] == []

    def test_says_what_a_vision_worker_detects_with(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        report(redis_client)

        page = text(security.get("/system"))

        assert "yolo11n_int8_openvino_model, sha256 3fa8c1d2" in page
        assert "37 %" in page

    def test_says_that_a_vision_worker_was_lost(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        register("vision-9", seen_s=100)

        page = text(security.get("/system"))

        assert re.search(r"vision-9 LOST since \d\d:\d\d", page)
        assert "0 vision workers" in page

    def test_does_not_call_one_lost_that_has_only_just_registered(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        register("vision-9")

        assert "vision-9 Starting" in text(security.get("/system"))

    def test_says_what_runs_and_since_when_something_does_not(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        heartbeats.note(f"{heartbeats.WORKER}celery@one", at_s=time.time())
        heartbeats.note(heartbeats.BEAT, at_s=time.time() - 600)

        page = text(security.get("/system"))

        assert "Worker running" in page
        assert re.search(r"Beat no sign of life since \d\d:\d\d", page)
        assert "not while Beat is out" in page

    def test_stays_readable_without_redis(
        self, security: Client, site: Site, settings: Settings
    ) -> None:
        make_camera(site=site)
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        page = text(security.get("/system"))

        assert "Redis does not answer" in page
        assert "Worker not known without Redis" in page
        assert "queue not known" in page
        assert security.get("/api/system-info").json()["queue_length"] is None

    def test_warns_of_a_disk_that_is_nearly_full(
        self,
        security: Client,
        redis_client: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        class Usage(NamedTuple):
            total: int = 100
            used: int = 90
            free: int = 5

        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())

        page = security.get("/system")

        assert "disk 95 %" in text(page)
        assert page.context["system"].disk.is_nearly_full

    def test_needs_no_more_queries_for_more_cameras(
        self,
        security: Client,
        site: Site,
        redis_client: redis.Redis,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        codes = [make_camera(site=site).code for _ in range(16)]
        report(redis_client, *codes)

        with django_assert_max_num_queries(QUERIES_MAX):
            security.get("/system")


class TestRunNow:
    @pytest.fixture
    def job(self, site: Site) -> PeriodicTask:
        return PeriodicTask.objects.get(name="Forget old job runs")

    def test_is_refused_to_those_who_may_only_look(
        self, security: Client, job: PeriodicTask, redis_client: redis.Redis
    ) -> None:
        assert "Run now" not in security.get("/system").content.decode()
        assert security.post(f"/system/jobs/{job.pk}/run").status_code == 403
        assert redis_client.llen("celery") == 0

    def test_starts_the_job_and_says_so(
        self,
        client: Client,
        job: PeriodicTask,
        site: Site,
        redis_client: redis.Redis,
    ) -> None:
        user = make_user("ravi", role=SITE_ADMIN, sites=[site])
        user.user_permissions.add(
            Permission.objects.get(codename="change_periodictask")
        )
        client.force_login(user)
        button = f'action="/system/jobs/{job.pk}/run"'
        assert button in client.get("/system").content.decode()

        page = client.post(f"/system/jobs/{job.pk}/run", follow=True)

        assert "Forget old job runs: handed to the worker." in text(page)
        assert TaskResult.objects.filter(periodic_task_name=job.name).count() == 1
        assert redis_client.llen("celery") == 1

    def test_is_a_post(
        self, admin_client: Client, job: PeriodicTask, redis_client: redis.Redis
    ) -> None:
        assert admin_client.get(f"/system/jobs/{job.pk}/run").status_code == 405

    def test_says_why_nothing_was_started(
        self, admin_client: Client, job: PeriodicTask, settings: Settings
    ) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        page = admin_client.post(f"/system/jobs/{job.pk}/run", follow=True)

        assert jobs.NOBODY_THERE in page.content.decode()


class TestRekognition:
    @pytest.fixture
    def rekognition(self, settings: Settings) -> None:
        settings.FACE_ENGINE = "rekognition"

    def test_is_no_part_where_it_is_not_used(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        assert "Rekognition" not in text(security.get("/system"))

    @pytest.mark.usefixtures("rekognition")
    def test_is_told_with_what_it_cost(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        usage.count("calls", 1250)
        make_face_sample(external_face_id="factory-site-1/x")

        page = text(security.get("/system"))

        assert "Rekognition in use" in page
        assert "1250 paid calls today, USD 1.25" in page

    @pytest.mark.usefixtures("rekognition")
    def test_is_told_with_why_and_since_when_it_is_not_asked(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        SharedBreaker(redis_client).open("The credentials have expired.")

        page = text(security.get("/system"))

        assert "Rekognition not asked, the local engine recognises, since" in page
        assert "The credentials have expired; 0 paid calls" in page

    @pytest.mark.usefixtures("rekognition")
    def test_is_told_with_the_photos_that_it_does_not_have(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        make_face_sample()

        page = text(security.get("/system"))

        assert "1 photo is not in its collections: run `manage.py index_faces`" in page

    @pytest.mark.usefixtures("rekognition")
    def test_is_not_asked_without_redis(
        self, security: Client, settings: Settings
    ) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        page = text(security.get("/system"))

        assert "Rekognition not asked without Redis" in page


class TestInfo:
    def test_tells_everything_that_the_page_shows(
        self, security: Client, site: Site, redis_client: redis.Redis
    ) -> None:
        camera = make_camera(site=site)
        report(redis_client, camera.code)

        answer = security.get("/api/system-info").json()

        assert {part["name"]: part["health"] for part in answer["parts"]} == {
            "Web": "ok",
            "Postgres": "ok",
            "Redis": "ok",
            "Worker": "bad",
            "Beat": "bad",
        }
        (worker,), (shown,) = answer["workers"], answer["cameras"]
        assert (worker["queued"], worker["busy"]) == (4, 0.37)
        assert worker["weights_sha256"] == SHA256
        assert (shown["camera"], shown["worker"]) == (camera.code, "vision-1")
        assert (shown["fps"], shown["frames_read"]) == (24.8, 900)
        assert [job["name"] for job in answer["jobs"]] == sorted(
            job.name for job in schedules.JOBS
        )
        assert answer["queue_length"] == 0

    def test_gives_null_for_what_a_lost_worker_does_not_tell(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        register("vision-9", seen_s=100)

        (worker,) = security.get("/api/system-info").json()["workers"]

        assert (worker["is_lost"], worker["busy"]) == (True, None)

    def test_shows_no_password_of_a_camera(
        self, security: Client, site: Site, redis_client: redis.Redis
    ) -> None:
        make_camera(site=site)

        for address in ("/system", "/api/system-info", "/metrics"):
            assert b"hidden-word" not in security.get(address).content


class TestCameraStatus:
    def test_is_given_for_one_camera(
        self, security: Client, site: Site, redis_client: redis.Redis
    ) -> None:
        camera = make_camera(site=site)
        report(redis_client, camera.code)

        answer = security.get(f"/api/v1/cameras/{camera.pk}/status").json()

        assert answer["outages_24h"] == {"count": 0, "seconds": 0.0}
        assert (answer["connected"], answer["shed"]) == (True, 3)

    def test_is_hidden_with_its_camera(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        address = f"/api/v1/cameras/{make_camera().pk}/status"

        assert security.get(address).status_code == 404

    def test_is_given_without_redis(
        self, security: Client, site: Site, settings: Settings
    ) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        answer = security.get(f"/api/v1/cameras/{make_camera(site=site).pk}/status")

        assert answer.status_code == 200
        assert answer.json()["fps"] is None


class TestVersion:
    def test_is_that_of_the_project(self) -> None:
        text = (project.BASE_DIR / "pyproject.toml").read_text()

        assert f'version = "{VERSION}"' in text
