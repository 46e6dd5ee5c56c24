from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django_celery_beat.models import PeriodicTask

from factory_site import schedules
from factory_site.demo import crowd, gate
from factory_site.demo import site as demo_site
from factory_site.demo.footage import TRUCK_PLATE, DemoClip
from identity.models import User
from occupancy import aggregation, history
from occupancy.history import Place
from occupancy.models import CountingLine, HourlyOccupancy, OccupancyLog
from streaming.models import Camera, Site
from tests.factories import make_user
from vehicles.models import Gate, Vehicle

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture
def clips() -> list[DemoClip]:
    return [
        DemoClip(name, Path(f"/clips/{name}.mp4"), None) for name in ("yard", "gate")
    ]


class TestSeed:
    def test_makes_a_camera_with_a_line_for_each_clip(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        demo_site.seed(clips=clips, passwords=tmp_path)

        assert set(Camera.objects.values_list("code", flat=True)) == {
            "CAM-YARD",
            "CAM-GATE",
        }
        assert CountingLine.objects.count() == 2

    def test_keeps_attendance_where_people_come_in(self, tmp_path: Path) -> None:
        clip = DemoClip("reception", tmp_path / "a.mp4", None)

        demo_site.seed(clips=[clip], passwords=tmp_path)

        camera = Camera.objects.get(code="CAM-RECEPTION")
        assert camera.tasks == ["faces", "attendance"]
        camera.full_clean()
        assert not CountingLine.objects.exists()

    def test_makes_a_gate_without_a_barrier_that_knows_two_vehicles(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        demo_site.seed(clips=clips, passwords=tmp_path)
        site = Site.objects.get(slug="demo")

        made = [gate.seed(site) for _ in range(2)]

        row = Gate.objects.get()
        assert made == [row, None]
        assert row.driver == Gate.Driver.NONE
        (at_gate,) = row.gate_cameras.all()
        assert at_gate.camera.code == "CAM-GATE"
        at_gate.camera.full_clean()
        at_gate.full_clean()
        known = Vehicle.objects.filter(site=site)
        assert {each.plate_number: each.status for each in known} == {
            TRUCK_PLATE: "authorized",
            gate.BLOCKED: "blocked",
        }
        for each in known:
            each.full_clean()

    def test_makes_no_gate_where_its_camera_reads_no_plates(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        demo_site.seed(clips=clips, passwords=tmp_path)
        Camera.objects.update(tasks=["people"])

        assert gate.seed(Site.objects.get(slug="demo")) is None
        assert not Vehicle.objects.exists()

    def test_has_people_counted_for_four_weeks_once(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        demo_site.seed(clips=clips, passwords=tmp_path)
        site = Site.objects.get(slug="demo")
        now = datetime(2026, 3, 11, 10, 40, tzinfo=ZoneInfo("Asia/Kolkata"))

        made = [crowd.seed(site, at=now) for _ in range(2)]
        aggregation.catch_up(site=site, now=now)

        logs = OccupancyLog.objects.order_by("occurred_at")
        assert made == [logs.count(), 0]
        assert made[0] > 1500
        assert not logs.filter(is_drift=True).exists()
        first, last = logs.first(), logs.last()
        assert first
        assert last
        assert first.occurred_at < now - timedelta(days=crowd.DAYS)
        assert last.occurred_at <= now
        area = site.areas.get()
        assert area.doors.count() == 2
        assert 0 < area.current_count < crowd.CAPACITY
        hour = HourlyOccupancy.objects.filter(area=area).latest("start")
        (late,) = history.by_hour(
            Place(area_id=area.pk),
            site=site,
            first=now.date(),
            last=now.date(),
            now=now,
        )[10:11]
        counted = hour.closing_count + (late.now.entries or 0) - (late.now.exits or 0)
        assert counted == area.current_count

    def test_makes_a_code_of_any_file_name(self, tmp_path: Path) -> None:
        clip = DemoClip("pets_300f (old)", tmp_path / "a.mp4", None)

        demo_site.seed(clips=[clip], passwords=tmp_path)

        Camera.objects.get(code="CAM-PETS-300F-OLD").full_clean()

    def test_gives_each_role_a_login_of_its_own(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        logins = demo_site.seed(clips=clips, passwords=tmp_path)

        assert len(set(logins.values())) == len(demo_site.LOGINS)
        for name, password in logins.items():
            user = User.objects.get(username=name)
            assert user.check_password(password)
            assert [group.name for group in user.groups.all()] == [
                demo_site.LOGINS[name]
            ]
            assert [site.slug for site in user.sites.all()] == ["demo"]
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600

    def test_keeps_passwords_and_edits_over_a_second_start(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        first = demo_site.seed(clips=clips, passwords=tmp_path)
        Camera.objects.filter(code="CAM-YARD").update(name="Renamed")
        CountingLine.objects.filter(camera__code="CAM-YARD").delete()

        second = demo_site.seed(clips=clips, passwords=tmp_path)

        assert first == second
        assert Camera.objects.get(code="CAM-YARD").name == "Renamed"
        assert CountingLine.objects.count() == 1

    def test_ends_nobodys_session_at_a_second_start(
        self, clips: list[DemoClip], tmp_path: Path, client: Client
    ) -> None:
        demo_site.seed(clips=clips, passwords=tmp_path)
        client.force_login(User.objects.get(username="sam"))

        demo_site.seed(clips=clips, passwords=tmp_path)

        assert client.get("/").status_code == 200

    def test_leaves_alone_a_login_that_bears_one_of_its_names(
        self, clips: list[DemoClip], tmp_path: Path
    ) -> None:
        sam = make_user("sam")

        for _ in range(2):
            logins = demo_site.seed(clips=clips, passwords=tmp_path)

        assert set(logins) == set(demo_site.LOGINS) - {"sam"}
        sam.refresh_from_db()
        assert sam.check_password("a long passphrase")
        assert not sam.groups.exists()
        assert not sam.sites.exists()

    def test_is_refused_in_production(self, settings: Settings) -> None:
        settings.PRODUCTION = True

        with pytest.raises(CommandError, match="no place in production"):
            call_command("seed_demo")

        assert not User.objects.exists()


class TestSchedules:
    def test_are_created_once_and_never_overwritten(self) -> None:
        created = schedules.sync()
        PeriodicTask.objects.update(enabled=False)

        again = schedules.sync()

        assert created == [job.name for job in schedules.JOBS]
        assert again == []
        assert not PeriodicTask.objects.filter(name=created[0], enabled=True).exists()

    def test_name_tasks_that_exist(self) -> None:
        from factory_site.celery import app

        app.loader.import_default_modules()

        assert {job.task for job in schedules.JOBS} <= set(app.tasks)
