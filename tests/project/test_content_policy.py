"""What a browser may run on our pages, in the admin and in the API's docs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from factory_site.roles import SECURITY, SITE_ADMIN
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.vision.trouble import Cause
from tests.factories import (
    make_access_log,
    make_alert,
    make_area,
    make_camera,
    make_crossing,
    make_employee,
    make_face_sample,
    make_line,
    make_record,
    make_unknown_attendance,
    make_unknown_person,
    make_user,
)

if TYPE_CHECKING:
    from django.test import Client

    from occupancy.models import CountingLine

pytestmark = pytest.mark.django_db

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:")
INLINE_STYLE = re.compile(r"<style|\sstyle=")


@pytest.fixture
def line(role_groups: None) -> CountingLine:
    return make_line(camera=make_camera(code="CAM-GATE"))


@pytest.fixture
def security(client: Client, line: CountingLine) -> Client:
    client.force_login(make_user("asha", role=SECURITY, sites=[line.camera.site]))
    return client


@pytest.fixture
def site_admin(client: Client, line: CountingLine) -> Client:
    """Return the login that sees all pages."""
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[line.camera.site]))
    return client


class TestPages:
    @pytest.mark.parametrize(
        "address",
        [
            "/",
            "/cameras/CAM-GATE",
            "/alerts",
            "/alerts/1",
            "/system",
            "/access",
            "/access/1",
            "/people",
            "/people/E-104",
            "/people/E-104/enrol",
            "/unknown",
            "/unknown/1?q=E",
            "/attendance?date=2026-03-02",
            "/attendance/E-104/2026-03-02",
            "/attendance/requests",
            "/muster",
            "/attendance/month?month=2026-03",
            "/attendance/unknown",
            "/attendance/unknown/1?q=E",
            "/attendance/payroll?from=2026-03-01&to=2026-03-31",
            "/cameras/CAM-GATE/draw",
            "/areas",
            "/areas/1",
            "/occupancy",
            "/occupancy/history",
            "/occupancy/areas/1/correct",
            "/login",
            "/none",
        ],
    )
    def test_hold_no_inline_script_or_style(
        self, site_admin: Client, line: CountingLine, address: str
    ) -> None:
        record_crossing(event=make_crossing(line, Direction.IN))
        make_alert(pk=1, camera=line.camera)
        line.camera.outages.create(cause=Cause.BLACK, started_at=timezone.now())
        person = make_employee(site=line.camera.site, code="E-104")
        make_face_sample(employee=person)
        make_access_log(pk=1, camera=line.camera, employee=person)
        make_unknown_person(pk=1, site=line.camera.site)
        make_area(pk=1, site=line.camera.site, capacity=2)
        make_unknown_attendance(pk=1, camera=line.camera)
        make_record(employee=person)

        page = site_admin.get(address)

        assert page.status_code == (404 if address == "/none" else 200)
        assert "unsafe" not in page["Content-Security-Policy"]
        assert not INLINE_SCRIPT.search(page.content.decode())
        assert not INLINE_STYLE.search(page.content.decode())


class TestAdmin:
    def test_has_the_looser_policy_to_itself(
        self, client: Client, role_groups: None
    ) -> None:
        client.force_login(make_user("ravi", role=SITE_ADMIN, is_staff=True))

        assert "'unsafe-eval'" in client.get("/admin/")["Content-Security-Policy"]
        assert "unsafe" not in client.get("/")["Content-Security-Policy"]

    def test_uses_the_login_page_of_the_site(self, client: Client) -> None:
        page = client.get("/admin/", follow=True)

        assert page.redirect_chain[-1][0] == "/login?next=/admin/"

    def test_refuses_those_who_are_no_staff(self, security: Client) -> None:
        assert security.get("/admin/", follow=True).status_code == 403


class TestApiDocs:
    def test_take_their_script_from_a_file(self, security: Client) -> None:
        page = security.get("/api/v1/docs")
        markup = page.content.decode()
        scripts = re.findall(r'<script src="([^"]+)"', markup)

        assert "unsafe" not in page["Content-Security-Policy"]
        assert not INLINE_SCRIPT.search(markup)
        assert not INLINE_STYLE.search(markup)
        assert "SwaggerUIBundle(" in security.get(scripts[-1]).content.decode()
