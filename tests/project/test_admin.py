"""Every page of the admin opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.urls import reverse

from factory_site.roles import SITE_ADMIN
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.models import Camera
from tests.factories import make_camera, make_crossing, make_line, make_user

if TYPE_CHECKING:
    from django.test import Client

    from occupancy.models import CountingLine

pytestmark = pytest.mark.django_db
MACHINE_WRITTEN = {"occupancylog", "outstandingtoken"}
MODELS = [
    (model._meta.app_label, str(model._meta.model_name))
    for model in admin.site._registry
]


@pytest.fixture
def line() -> CountingLine:
    line = make_line()
    record_crossing(event=make_crossing(line, Direction.IN))
    return line


class TestPages:
    @pytest.mark.parametrize(("app", "model"), MODELS)
    def test_open_with_rows_and_a_search(
        self, admin_client: Client, line: CountingLine, app: str, model: str
    ) -> None:
        address = reverse(f"admin:{app}_{model}_changelist")

        assert admin_client.get(address).status_code == 200
        assert admin_client.get(address, {"q": "a"}).status_code == 200

    @pytest.mark.parametrize(("app", "model"), MODELS)
    def test_open_to_add_unless_the_system_writes_the_table(
        self, admin_client: Client, app: str, model: str
    ) -> None:
        response = admin_client.get(reverse(f"admin:{app}_{model}_add"))

        assert response.status_code == (403 if model in MACHINE_WRITTEN else 200)

    @pytest.mark.parametrize("name", ["streaming_camera", "occupancy_countingline"])
    def test_open_to_change(
        self, admin_client: Client, line: CountingLine, name: str
    ) -> None:
        row: Any = line.camera if name == "streaming_camera" else line

        assert (
            admin_client.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code
            == 200
        )


class TestCameraAdmin:
    def values(self, camera: Camera, **changed: object) -> dict[str, object]:
        return {
            "site": camera.site_id,
            "code": camera.code,
            "name": camera.name,
            "enabled": "on",
            "source_url": camera.shown_source,
            "detect_fps": 10,
            "direction": "none",
            **changed,
        }

    def test_never_shows_the_password(self, admin_client: Client) -> None:
        camera = make_camera(source_url="rtsp://viewer:hidden-word@192.0.2.1/a")
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        page = admin_client.get(address).content.decode()

        assert "viewer" in page
        assert "hidden-word" not in page

    def test_keeps_the_password_when_the_source_is_left_as_shown(
        self, admin_client: Client
    ) -> None:
        source = "rtsp://viewer:hidden-word@192.0.2.1/a"
        camera = make_camera(source_url=source)
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        admin_client.post(address, self.values(camera, name="Renamed"))

        camera.refresh_from_db()
        assert (camera.name, camera.source_url) == ("Renamed", source)

    def test_says_what_is_wrong_with_a_source(self, admin_client: Client) -> None:
        camera = make_camera()
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        page = admin_client.post(
            address, self.values(camera, source_url="gopher://192.0.2.1/")
        ).content.decode()

        assert "rtsp://" in page
        assert Camera.objects.get(pk=camera.pk).source_url == camera.source_url

    @pytest.mark.usefixtures("role_groups")
    def test_offers_a_site_admin_only_the_sites_of_their_own(
        self, client: Client, line: CountingLine
    ) -> None:
        elsewhere = make_camera()
        amir = make_user(
            "amir", role=SITE_ADMIN, sites=[line.camera.site], is_staff=True
        )
        client.force_login(amir)

        cameras = client.get(reverse("admin:streaming_camera_changelist"))
        form = client.get(reverse("admin:streaming_camera_add"))

        assert line.camera.code in cameras.content.decode()
        assert elsewhere.code not in cameras.content.decode()
        assert elsewhere.site.name not in form.content.decode()
