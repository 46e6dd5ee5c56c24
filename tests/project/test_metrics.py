"""What Prometheus reads, and who may."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from attendance.models import PresenceEvent, UnknownAttendance
from factory_site import metrics, schedules
from factory_site.roles import HR, SECURITY
from streaming.models import Camera
from tests.factories import (
    make_alert,
    make_camera,
    make_employee,
    make_site,
    make_user,
)
from tests.project.test_jobs import make_run
from tests.project.test_system import register, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

pytestmark = pytest.mark.django_db
TOKEN = "a-long-enough-metrics-token"
DOCS = project.BASE_DIR / "docs" / "metrics.md"
SCRAPE_QUERIES = 10
"""Cameras, outages, vision workers, Postgres' version, jobs and their runs, alerts;
sites, their attendance and unknown faces."""


@pytest.fixture
def token(settings: Settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def scrape(client: Client, token: str = TOKEN) -> dict[str, dict[Any, float]]:
    """Return what a scrape gives: by name, values by label values."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    found: dict[str, dict[Any, float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            of = found.setdefault(sample.name, {})
            of[tuple(sample.labels.values())] = sample.value
    return found


def figures() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give the name, type and labels of every figure that the code has."""
    groups = [(group.labels, group.figures) for group in metrics.GROUPS]
    counted = [
        (("severity",), [metrics.ALERTS_OPEN]),
        (("site", "source"), [metrics.PRESENCE]),
        (("site",), [metrics.UNKNOWN]),
    ]
    for labels, of_group in [*groups, *counted]:
        for figure in of_group:
            kind = "counter" if figure.name.endswith("_total") else "gauge"
            yield f"{metrics.PREFIX}{figure.name}", kind, tuple(labels)


@pytest.mark.usefixtures("redis_client", "token")
class TestAccess:
    def test_needs_a_token_or_a_login(self, client: Client) -> None:
        answer = client.get("/metrics")

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert b"factory_site" not in answer.content

    @pytest.mark.parametrize(
        "header", [f"Bearer {TOKEN}x", "Bearer ", "Basic x", f"Token {TOKEN}", "Bearer"]
    )
    def test_is_refused_to_a_wrong_token(self, client: Client, header: str) -> None:
        answer = client.get("/metrics", headers={"Authorization": header})

        assert answer.status_code == 401

    def test_is_refused_to_an_empty_token_when_none_is_set(
        self, client: Client, settings: Settings
    ) -> None:
        settings.METRICS_TOKEN = None

        answer = client.get("/metrics", headers={"Authorization": "Bearer "})

        assert answer.status_code == 401

    @pytest.mark.usefixtures("role_groups")
    @pytest.mark.parametrize(("role", "status"), [(SECURITY, 200), (HR, 403)])
    def test_is_given_to_a_login_that_may_see_the_system(
        self, client: Client, role: str, status: int
    ) -> None:
        client.force_login(make_user("x", role=role))

        assert client.get("/metrics").status_code == status

    @pytest.mark.usefixtures("role_groups")
    def test_shows_a_login_the_cameras_and_alerts_of_its_sites(
        self, client: Client
    ) -> None:
        own, other = make_camera(code="OWN"), make_camera(code="OTHER")
        for camera in (own, other):
            make_alert(camera=camera, severity="warning")
        client.force_login(make_user("x", role=SECURITY, sites=[own.site]))

        page = client.get("/metrics").content.decode()

        assert f'attendance_unknown_open{{site="{own.site.slug}"}} 0.0' in page
        assert f'site="{other.site.slug}"' not in page
        assert 'camera="OWN"' in page
        assert "OTHER" not in page
        assert 'factory_site_alerts_open{severity="warning"} 1.0' in page


@pytest.mark.usefixtures("token")
class TestScrape:
    def test_tells_of_cameras_workers_alerts_and_jobs(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        schedules.sync()
        site = make_site(slug="north")
        make_camera(site=site, code="CAM-1", state=Camera.State.OFFLINE)
        make_camera(site=site, code="CAM-2", enabled=False)
        make_alert(severity="critical")
        register("vision-9", seen_s=100)
        report(redis_client, "CAM-1")

        found = scrape(client)

        up = found["factory_site_camera_up"]
        assert up[("CAM-1", "north")] == 0
        assert ("CAM-2", "north") not in up
        assert found["factory_site_camera_frames_total"] == {("CAM-1", "north"): 900}
        assert found["factory_site_camera_latency_seconds"] == {
            ("CAM-1", "north"): 0.042
        }
        assert found["factory_site_worker_up"] == {("vision-1",): 1, ("vision-9",): 0}
        assert found["factory_site_alerts_open"][("critical",)] == 1
        assert found["factory_site_part_up"][("redis",)] == 1
        assert found["factory_site_disk_free_bytes"][()] > 0
        assert "factory_site_job_last_run_failed" not in found

    @pytest.mark.usefixtures("redis_client")
    def test_tells_of_attendance_by_site(self, client: Client) -> None:
        now, site = timezone.now(), make_site(slug="north")
        make_site(slug="south")
        employee, gate = make_employee(site=site), make_camera(site=site)
        for hours, source in ((1, "face"), (23, "face"), (2, "api"), (25, "face")):
            at = now - timedelta(hours=hours)
            PresenceEvent.objects.create(
                event_id=uuid4(),
                employee=employee,
                source=source,
                way="in",
                occurred_at=at,
                last_seen_at=at,
            )
        for track, state in enumerate(("open", "open", "dismissed")):
            UnknownAttendance.objects.create(
                event_id=uuid4(),
                camera=gate,
                session="one",
                track_id=track,
                state=state,
                occurred_at=now,
                last_seen_at=now,
            )

        found = scrape(client)

        events = found["factory_site_attendance_events"]
        assert {labels for labels, count in events.items() if count} == {
            ("north", "face"),
            ("north", "api"),
        }
        assert (events["north", "face"], events["south", "line"]) == (2, 0)
        assert found["factory_site_attendance_unknown_open"] == {
            ("north",): 2,
            ("south",): 0,
        }

    def test_counts_requests_too(
        self, client: Client, redis_client: redis.Redis
    ) -> None:
        client.get("/api/health")

        name = "django_http_responses_total_by_status_view_method_total"
        assert scrape(client)[name][("GET", "200", "health")] > 0

    def test_is_whole_without_redis(self, client: Client, settings: Settings) -> None:
        make_camera()
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        found = scrape(client)

        assert found["factory_site_part_up"][("redis",)] == 0
        assert "factory_site_celery_queue_length" not in found

    def test_asks_no_more_of_the_database_for_more_cameras(
        self,
        client: Client,
        redis_client: redis.Redis,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        schedules.sync()
        make_run()
        site = make_site()
        report(redis_client, *[make_camera(site=site).code for _ in range(16)])

        with django_assert_num_queries(SCRAPE_QUERIES):
            scrape(client)


class TestNames:
    def test_are_those_of_prometheus(self) -> None:
        for name, kind, _ in figures():
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
            assert name.endswith("_total") is (kind == "counter")
            assert not name.endswith(("_ms", "_percent", "_minutes", "_kb"))

    def test_of_labels_are_none_that_prometheus_gives_itself(self) -> None:
        labels = {label for _, _, labels in figures() for label in labels}

        assert labels.isdisjoint({"job", "instance"})

    def test_are_unique(self) -> None:
        names = [name for name, _, _ in figures()]

        assert len(names) == len(set(names))


class TestDocumentation:
    def test_lists_every_metric_with_its_type_and_labels(self) -> None:
        rows = re.findall(
            r"^\| `(factory_site_\w+)` \| (\w+) \| ([^|]*) \| [^|]+ \|$",
            DOCS.read_text(),
            flags=re.M,
        )
        written = [
            (name, kind, tuple(re.findall(r"`(\w+)`", labels)))
            for name, kind, labels in rows
        ]

        assert written == list(figures())

    def test_uses_only_metrics_that_exist_in_its_alert_rules(self) -> None:
        known = {name for name, _, _ in figures()}
        rules = "".join(re.findall(r"```yaml(.*?)```", DOCS.read_text(), flags=re.S))
        used = set(re.findall(r"factory_site_\w+", rules))

        assert used
        assert used <= known
