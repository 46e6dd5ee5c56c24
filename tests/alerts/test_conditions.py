from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from alerts import conditions, services
from alerts.models import Alert, Kind
from streaming.models import Camera, CameraOutage, VisionWorker
from streaming.vision.trouble import Cause
from tests.factories import make_camera, make_rule, make_site, make_user

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def unresolved() -> list[str]:
    found = Alert.objects.unresolved().order_by("subject")
    return list(found.values_list("subject", flat=True))


def make_outage(camera: Camera, *, since: datetime, **values: Any) -> CameraOutage:
    defaults = {"cause": Cause.REFUSED.value, "reason": "It refused the connection."}
    return CameraOutage.objects.create(
        camera=camera, started_at=since, **defaults | values
    )


class TestCheckCameras:
    @pytest.fixture
    def camera(self) -> Camera:
        make_rule(after_s=60)
        site = make_site(name="Main plant")
        return make_camera(site=site, code="CAM-1", name="Gate 1")

    def test_raises_an_alert_for_what_is_out_long_enough(
        self, camera: Camera, now: datetime
    ) -> None:
        make_outage(camera, since=now - MINUTE)
        make_outage(make_camera(), since=now - MINUTE / 2)

        conditions.check_cameras(now=now)

        alert = Alert.objects.get()
        since = camera.site.local(now - MINUTE)
        assert (alert.camera, alert.site) == (camera, camera.site)
        assert alert.text == (
            "Gate 1 (CAM-1) has given no usable picture since "
            f"{since:%Y-%m-%d %H:%M} IST: connection refused."
        )

    @pytest.mark.parametrize("how", ["back", "switched off", "deleted"])
    def test_resolves_the_alert_of_a_camera_that_is_out_no_more(
        self, camera: Camera, now: datetime, how: str
    ) -> None:
        outage = make_outage(camera, since=now - MINUTE)
        conditions.check_cameras(now=now)
        conditions.check_cameras(now=now)
        assert unresolved() == ["CAM-1"]

        if how == "back":
            CameraOutage.objects.filter(pk=outage.pk).update(ended_at=now)
        elif how == "switched off":
            Camera.objects.update(enabled=False)
        else:
            camera.delete()
        conditions.check_cameras(now=now + MINUTE)

        alert = Alert.objects.get()
        assert (alert.state, alert.resolved_at) == ("resolved", now + MINUTE)
        assert alert.resolved_by is None

    def test_leaves_alone_what_a_person_resolved(
        self, camera: Camera, now: datetime
    ) -> None:
        make_outage(camera, since=now - MINUTE)
        conditions.check_cameras(now=now)
        services.resolve(alert=Alert.objects.get(), by=make_user("sam"), at=now)

        conditions.check_cameras(now=now + 60 * MINUTE)

        assert Alert.objects.count() == 1
        assert unresolved() == []


class TestCheckWorkers:
    @pytest.fixture
    def worker(self) -> VisionWorker:
        make_rule(kind=Kind.WORKER_LOST, after_s=0)
        worker = VisionWorker.objects.create(
            name="vision-1", queue_id="1", started_at=Now(), seen_at=Now() - MINUTE
        )
        worker.refresh_from_db()
        return worker

    def test_raises_an_alert_for_one_that_ended_without_a_word(
        self, worker: VisionWorker, now: datetime
    ) -> None:
        VisionWorker.objects.create(
            name="vision-2", queue_id="2", started_at=Now(), seen_at=Now()
        )

        conditions.check_workers(now=now)

        alert = Alert.objects.get()
        assert (alert.subject, alert.site) == ("vision-1", None)
        assert alert.text.startswith("The vision worker vision-1 has not been heard of")

    @pytest.mark.parametrize("how", ["back", "stopped"])
    def test_resolves_it_when_the_worker_is_back_or_was_stopped(
        self, worker: VisionWorker, now: datetime, how: str
    ) -> None:
        conditions.check_workers(now=now)
        assert unresolved() == ["vision-1"]

        if how == "back":
            VisionWorker.objects.update(seen_at=Now())
        else:
            worker.delete()
        conditions.check_workers(now=now)

        assert unresolved() == []

    def test_goes_by_the_clock_of_postgres_alone(
        self, worker: VisionWorker, now: datetime
    ) -> None:
        VisionWorker.objects.update(seen_at=Now())

        conditions.check_workers(now=now + 60 * MINUTE)

        assert unresolved() == []

    def test_is_quiet_about_one_that_a_person_gave_up(
        self, worker: VisionWorker, now: datetime
    ) -> None:
        conditions.check_workers(now=now)
        services.resolve(alert=Alert.objects.get(), by=make_user("sam"), at=now)

        conditions.check_workers(now=now)

        assert Alert.objects.count() == 1


class TestCheckDisk:
    def check(self, used_percent: float, *, now: datetime) -> list[str]:
        conditions.check_disk(now=now, used_percent=used_percent, path="/srv/var")
        return unresolved()

    def test_raises_at_the_threshold_and_resolves_clearly_below_it(
        self, now: datetime
    ) -> None:
        make_rule(kind=Kind.DISK_FULL, threshold_percent=80)

        assert self.check(79.9, now=now) == []
        assert self.check(80, now=now) == ["/srv/var"]
        assert self.check(78.5, now=now) == ["/srv/var"]
        assert self.check(77.9, now=now) == []
        assert self.check(78.5, now=now) == []

    def test_tells_each_rule_from_its_own_threshold_on(self, now: datetime) -> None:
        make_rule(kind=Kind.DISK_FULL, severity="warning", threshold_percent=80)
        make_rule(kind=Kind.DISK_FULL, severity="critical")

        self.check(85, now=now)
        assert Alert.objects.get().severity == "warning"
        self.check(95, now=now)
        assert Alert.objects.get().severity == "critical"

    def test_is_quiet_for_a_day_after_a_person_resolved_it(self, now: datetime) -> None:
        make_rule(kind=Kind.DISK_FULL)
        self.check(95, now=now)
        services.resolve(alert=Alert.objects.get(), by=make_user("sam"), at=now)

        assert self.check(95, now=now + timedelta(hours=23)) == []
        assert self.check(95, now=now + timedelta(hours=25)) == ["/srv/var"]

    def test_is_quiet_for_a_day_about_one_that_was_open_for_longer(
        self, now: datetime
    ) -> None:
        make_rule(kind=Kind.DISK_FULL)
        self.check(95, now=now)
        later = now + timedelta(days=3)
        services.resolve(alert=Alert.objects.get(), by=make_user("sam"), at=later)

        assert self.check(95, now=later + MINUTE) == []

    def test_says_nothing_where_no_rule_asks(self, now: datetime) -> None:
        assert self.check(100, now=now) == []
