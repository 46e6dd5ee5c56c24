"""Counts over the API: what was summed up, setting one right, summing up anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.utils import timezone

from factory_site import schedules
from factory_site.roles import SITE_ADMIN
from occupancy.models import (
    Aggregation,
    AreaCorrection,
    DailyOccupancy,
    HourlyOccupancy,
    OccupancyLog,
)
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.clients import client_of
from tests.factories import (
    make_area,
    make_bucket,
    make_camera,
    make_crossing,
    make_line,
    make_site,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.test import APIClient

    from streaming.models import Camera, Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
CALIBRATE = "/api/v1/occupancy/calibrate"
TRIGGER = "/api/v1/occupancy/trigger-aggregation"
EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    return make_site()


@pytest.fixture
def camera(site: Site) -> Camera:
    return make_line(camera=make_camera(site=site)).camera


@pytest.fixture
def admin(site: Site) -> APIClient:
    return client_of(SITE_ADMIN, site)


def starts(client: APIClient, /, **query: Any) -> Sequence[str]:
    answer = client.get("/api/v1/occupancy/hourly", query)
    assert answer.status_code == 200, answer.content
    return [row["start"] for row in answer.json()["results"]]


class TestBuckets:
    def test_are_told_newest_first_and_by_period(
        self, admin: APIClient, camera: Camera
    ) -> None:
        for hours in (0, 1, 2):
            make_bucket(
                HourlyOccupancy, camera=camera, start=EIGHT + timedelta(hours=hours)
            )

        all_of_them = starts(admin)
        some = starts(
            admin, **{"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T10:00:00Z"}
        )

        assert [each[11:13] for each in all_of_them] == ["10", "09", "08"]
        assert [each[11:13] for each in some] == ["09"]

    def test_are_of_a_camera_or_an_area(
        self, admin: APIClient, site: Site, camera: Camera
    ) -> None:
        area = make_area(site=site)
        make_bucket(HourlyOccupancy, camera=camera)
        make_bucket(HourlyOccupancy, area=area, start=EIGHT + timedelta(hours=1))

        of_area = admin.get("/api/v1/occupancy/hourly", {"area": area.pk}).json()

        (row,) = of_area["results"]
        assert (row["area_name"], row["camera_code"]) == (area.name, None)
        assert len(starts(admin, camera=camera.code)) == 1

    def test_of_other_sites_are_not_there(self, admin: APIClient) -> None:
        row = make_bucket(DailyOccupancy)

        assert admin.get("/api/v1/occupancy/daily").json()["results"] == []
        assert admin.get(f"/api/v1/occupancy/daily/{row.pk}").status_code == 404

    def test_ask_as_often_however_many_they_are(
        self, admin: APIClient, camera: Camera, django_assert_max_num_queries: Any
    ) -> None:
        for hours in range(5):
            make_bucket(
                HourlyOccupancy, camera=camera, start=EIGHT + timedelta(hours=hours)
            )
        with django_assert_max_num_queries(8):
            assert len(starts(admin)) == 5


class TestCalibrate:
    def test_sets_the_count_of_a_camera(self, admin: APIClient, camera: Camera) -> None:
        wanted = {"camera": camera.pk, "count": 4, "reason": "Counted."}

        answer = admin.post(CALIBRATE, wanted, format="json")

        assert answer.status_code == 201
        assert answer.json()["current_count"] == 4
        log = OccupancyLog.objects.get()
        assert log.corrected_by is not None
        assert (log.current_count, log.reason) == (4, "Counted.")

    def test_sets_the_count_of_an_area(self, admin: APIClient, site: Site) -> None:
        area = make_area(site=site)
        wanted = {"area": area.pk, "count": 9, "reason": "Counted."}

        answer = admin.post(CALIBRATE, wanted, format="json")

        assert answer.status_code == 201
        assert AreaCorrection.objects.get().current_count == 9

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"count": -1}, "count"),
            ({"count": "many"}, "count"),
            ({"reason": ""}, "reason"),
            ({"area": 999_999}, "area"),
        ],
    )
    def test_refuses_by_field_and_stores_nothing(
        self, admin: APIClient, camera: Camera, wrong: dict[str, Any], field: str
    ) -> None:
        wanted = {"camera": camera.pk, "count": 4, "reason": "Counted."} | wrong

        answer = admin.post(CALIBRATE, wanted, format="json")

        assert answer.status_code == 400
        assert field in answer.json()
        assert not OccupancyLog.objects.exists()

    def test_asks_for_one_of_camera_and_area(
        self, admin: APIClient, site: Site, camera: Camera
    ) -> None:
        both = {"camera": camera.pk, "area": make_area(site=site).pk}
        for place in ({}, both):
            wanted = {**place, "count": 4, "reason": "Counted."}

            answer = admin.post(CALIBRATE, wanted, format="json")

            assert answer.status_code == 400
            assert "one of them" in answer.content.decode()

    def test_knows_no_camera_of_another_site(self, admin: APIClient) -> None:
        wanted = {"camera": make_camera().pk, "count": 4, "reason": "Counted."}

        assert admin.post(CALIBRATE, wanted, format="json").status_code == 400


class TestTriggerAggregation:
    def test_sums_up_all_that_is_over(
        self, admin: APIClient, site: Site, camera: Camera
    ) -> None:
        line = camera.lines.get()
        record_crossing(event=make_crossing(line, Direction.IN, at=EIGHT))
        wanted = {"site": site.pk, "since": EIGHT.isoformat()}

        with time_machine.travel(EIGHT + timedelta(hours=3), tick=False):
            first = admin.post(TRIGGER, wanted, format="json").json()
            again = admin.post(TRIGGER, wanted, format="json").json()

        # An hour may end meanwhile.
        assert 3 <= first["hours"] <= again["hours"] <= 4
        assert HourlyOccupancy.objects.count() == again["hours"]

    @pytest.mark.parametrize(
        ("hours", "sentence"),
        [(1, "still to come"), (-32 * 24, "more than 31 days back")],
    )
    def test_refuses_what_cannot_be_summed_up(
        self, admin: APIClient, site: Site, hours: int, sentence: str
    ) -> None:
        since = timezone.now() + timedelta(hours=hours)

        answer = admin.post(
            TRIGGER, {"site": site.pk, "since": since.isoformat()}, format="json"
        )

        assert answer.status_code == 400
        assert sentence in answer.json()["since"][0]

    def test_refuses_the_end_of_all_time(self, admin: APIClient, site: Site) -> None:
        wanted = {"site": site.pk, "since": "9999-12-31T23:59:59Z"}

        answer = admin.post(TRIGGER, wanted, format="json")

        assert answer.status_code == 400
        assert "still to come" in answer.json()["since"][0]

    def test_refuses_what_is_no_longer_kept(
        self, admin: APIClient, site: Site, camera: Camera
    ) -> None:
        since = timezone.now() - timedelta(days=2)
        line = camera.lines.get()
        record_crossing(event=make_crossing(line, Direction.IN, at=since))
        Aggregation.objects.update(kept_from=timezone.now() - timedelta(days=1))

        answer = admin.post(
            TRIGGER, {"site": site.pk, "since": since.isoformat()}, format="json"
        )

        assert answer.status_code == 400
        assert "no longer kept" in answer.json()["since"][0]

    def test_knows_no_other_site(self, admin: APIClient) -> None:
        wanted = {"site": make_site().pk, "since": timezone.now().isoformat()}

        assert admin.post(TRIGGER, wanted, format="json").status_code == 400


class TestSchedulerStatus:
    def test_tells_of_the_jobs_of_counts_alone(self, admin: APIClient) -> None:
        schedules.sync()

        jobs = admin.get("/api/v1/occupancy/scheduler-status").json()

        assert [job["name"] for job in jobs] == [
            "Correct counts for the night",
            "Forget old crossings",
            "Sum up counts",
        ]
        assert all(job["state"] == "never run" and job["next_at"] for job in jobs)
