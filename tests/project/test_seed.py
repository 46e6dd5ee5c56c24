from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django_celery_beat.models import PeriodicTask

from factory_site import schedules
from factory_site.demo import site as demo_site
from factory_site.demo.footage import DemoClip
from identity.models import User
from occupancy.models import CountingLine
from streaming.models import Camera

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
            user = authenticate(username=name, password=password)
            assert isinstance(user, User)
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
