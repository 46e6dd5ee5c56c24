"""Every route of the API and who may use it, in one table."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from string import Formatter
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db.models import Model
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from attendance.models import (
    AttendanceCorrection,
    CorrectionRequest,
    Holiday,
    Leave,
)
from factory_site import api
from factory_site.roles import HR, INTEGRATOR, SECURITY, SITE_ADMIN
from occupancy.models import DailyOccupancy, HourlyOccupancy, MonthlyOccupancy
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.models import Camera
from tests.factories import (
    make_access_log,
    make_alert,
    make_area,
    make_assignment,
    make_bucket,
    make_camera,
    make_crossing,
    make_department,
    make_employee,
    make_face_sample,
    make_line,
    make_outage,
    make_record,
    make_shift,
    make_site,
    make_unknown_attendance,
    make_unknown_person,
    make_user,
    make_vehicle,
    make_vehicle_log,
    make_zone,
)
from vehicles.models import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from identity.models import User
    from occupancy.models import CountingLine

pytestmark = pytest.mark.django_db

MONDAY, DAY = date(2026, 3, 2), timedelta(days=1)
EVERYBODY = {HR, SECURITY, INTEGRATOR, SITE_ADMIN}
HANDLING = {HR, SECURITY, SITE_ADMIN}
KEEPING_PEOPLE = {HR, INTEGRATOR, SITE_ADMIN}
RUNNING_PEOPLE = {HR, SITE_ADMIN}
SEEING_DAYS = KEEPING_PEOPLE
KEEPING_VEHICLES = {INTEGRATOR, SITE_ADMIN}
GUARDING = {SECURITY, SITE_ADMIN}
ROUTES = [
    ("get", "sites", EVERYBODY, 200),
    ("get", "sites/{site}", EVERYBODY, 200),
    ("get", "cameras", EVERYBODY, 200),
    ("get", "cameras/{camera}", EVERYBODY, 200),
    ("get", "cameras/{camera}/status", EVERYBODY, 200),
    ("post", "cameras/{camera}/feed-link", EVERYBODY, 200),
    ("post", "cameras", {SITE_ADMIN}, 400),
    ("patch", "cameras/{camera}", {SITE_ADMIN}, 200),
    ("delete", "cameras/{camera}", {SITE_ADMIN}, 409),
    ("get", "alerts", EVERYBODY, 200),
    ("get", "alerts/{alert}", EVERYBODY, 200),
    ("post", "alerts/{alert}/acknowledge", HANDLING, 200),
    ("post", "alerts/{alert}/resolve", HANDLING, 200),
    ("get", "camera-outages", EVERYBODY, 200),
    ("get", "camera-outages/{outage}", EVERYBODY, 200),
    ("post", "camera-outages", set(), 403),
    ("get", "departments", EVERYBODY, 200),
    ("get", "departments/{department}", EVERYBODY, 200),
    ("post", "departments", RUNNING_PEOPLE, 400),
    ("put", "departments/{department}", RUNNING_PEOPLE, 400),
    ("patch", "departments/{department}", RUNNING_PEOPLE, 200),
    ("delete", "departments/{department}", RUNNING_PEOPLE, 204),
    ("get", "employees", EVERYBODY, 200),
    ("get", "employees/{employee}", EVERYBODY, 200),
    ("post", "employees", KEEPING_PEOPLE, 400),
    ("put", "employees/{employee}", KEEPING_PEOPLE, 400),
    ("patch", "employees/{employee}", KEEPING_PEOPLE, 200),
    ("delete", "employees/{employee}", set(), 403),
    ("post", "employees/{employee}/erase", RUNNING_PEOPLE, 200),
    ("get", "employees/{employee}/faces", EVERYBODY, 200),
    ("get", "employees/{employee}/faces/{face}", EVERYBODY, 200),
    ("post", "employees/{employee}/faces", KEEPING_PEOPLE, 400),
    ("delete", "employees/{employee}/faces/{face}", KEEPING_PEOPLE, 204),
    ("get", "access-logs", EVERYBODY, 200),
    ("get", "access-logs/{access_log}", EVERYBODY, 200),
    ("patch", "access-logs/{access_log}", EVERYBODY - {INTEGRATOR}, 200),
    ("post", "access-logs", {INTEGRATOR, SITE_ADMIN}, 405),
    ("get", "access-logs/summary", EVERYBODY, 200),
    ("get", "unknown-persons", EVERYBODY, 200),
    ("get", "unknown-persons/{unknown}", EVERYBODY, 200),
    ("patch", "unknown-persons/{unknown}", RUNNING_PEOPLE, 200),
    ("post", "unknown-persons/{unknown}/promote", RUNNING_PEOPLE, 400),
    ("post", "unknown-persons/search", EVERYBODY, 400),
    ("post", "identity/enroll", KEEPING_PEOPLE, 400),
    ("post", "identity/process-frame", EVERYBODY, 400),
    ("get", "identity/cache-stats", EVERYBODY, 200),
    ("get", "identity/snapshot-stats", EVERYBODY, 200),
    ("post", "identity/cleanup-snapshots", {SITE_ADMIN}, 400),
    ("get", "shifts", SEEING_DAYS, 200),
    ("get", "shifts/{shift}", SEEING_DAYS, 200),
    ("post", "shifts", RUNNING_PEOPLE, 400),
    ("put", "shifts/{shift}", RUNNING_PEOPLE, 400),
    ("patch", "shifts/{shift}", RUNNING_PEOPLE, 200),
    ("delete", "shifts/{shift}", RUNNING_PEOPLE, 204),
    ("get", "shift-assignments", SEEING_DAYS, 200),
    ("get", "shift-assignments/{assignment}", SEEING_DAYS, 200),
    ("post", "shift-assignments", RUNNING_PEOPLE, 400),
    ("put", "shift-assignments/{assignment}", RUNNING_PEOPLE, 400),
    ("patch", "shift-assignments/{assignment}", RUNNING_PEOPLE, 200),
    ("delete", "shift-assignments/{assignment}", RUNNING_PEOPLE, 204),
    ("get", "holidays", SEEING_DAYS, 200),
    ("get", "holidays/{holiday}", SEEING_DAYS, 200),
    ("post", "holidays", RUNNING_PEOPLE, 400),
    ("put", "holidays/{holiday}", RUNNING_PEOPLE, 400),
    ("patch", "holidays/{holiday}", RUNNING_PEOPLE, 200),
    ("delete", "holidays/{holiday}", RUNNING_PEOPLE, 204),
    ("get", "leaves", SEEING_DAYS, 200),
    ("get", "leaves/{leave}", SEEING_DAYS, 200),
    ("post", "leaves", RUNNING_PEOPLE, 400),
    ("put", "leaves/{leave}", RUNNING_PEOPLE, 400),
    ("patch", "leaves/{leave}", RUNNING_PEOPLE, 200),
    ("delete", "leaves/{leave}", RUNNING_PEOPLE, 204),
    ("post", "attendance/check-in", {INTEGRATOR, SITE_ADMIN}, 400),
    ("get", "attendance/check-in", SEEING_DAYS, 405),
    ("post", "attendance/check-out", {INTEGRATOR, SITE_ADMIN}, 400),
    ("get", "attendance/check-out", SEEING_DAYS, 405),
    ("post", "attendance/evaluate", SEEING_DAYS, 400),
    ("get", "attendance/records", SEEING_DAYS, 200),
    ("get", "attendance/records/{record}", SEEING_DAYS, 200),
    ("post", "attendance/records", set(), 403),
    ("patch", "attendance/records/{record}", set(), 403),
    ("delete", "attendance/records/{record}", set(), 403),
    ("get", "attendance/records/{record}/explanation", SEEING_DAYS, 200),
    ("post", "attendance/records/{record}/give-back", RUNNING_PEOPLE, 400),
    ("get", "attendance/summary", SEEING_DAYS, 200),
    ("get", "attendance/corrections", SEEING_DAYS, 200),
    ("get", "attendance/corrections/{correction}", SEEING_DAYS, 200),
    ("post", "attendance/corrections", RUNNING_PEOPLE, 400),
    ("patch", "attendance/corrections/{correction}", set(), 403),
    ("delete", "attendance/corrections/{correction}", set(), 403),
    ("get", "attendance/correction-requests", SEEING_DAYS, 200),
    ("get", "attendance/correction-requests/{wish}", SEEING_DAYS, 200),
    ("post", "attendance/correction-requests", SEEING_DAYS, 400),
    ("patch", "attendance/correction-requests/{wish}", RUNNING_PEOPLE, 405),
    ("post", "attendance/correction-requests/{wish}/accept", RUNNING_PEOPLE, 409),
    ("post", "attendance/correction-requests/{wish}/decline", RUNNING_PEOPLE, 400),
    ("get", "attendance/muster", EVERYBODY, 200),
    ("get", "attendance/unknown", SEEING_DAYS, 200),
    ("get", "attendance/unknown/{face_of_day}", SEEING_DAYS, 200),
    ("get", "attendance/unknown/{face_of_day}/candidates", SEEING_DAYS, 200),
    ("post", "attendance/unknown", RUNNING_PEOPLE, 405),
    ("post", "attendance/unknown/{face_of_day}/link", RUNNING_PEOPLE, 400),
    ("post", "attendance/unknown/{face_of_day}/unlink", RUNNING_PEOPLE, 409),
    ("post", "attendance/unknown/{face_of_day}/dismiss", RUNNING_PEOPLE, 200),
    ("get", "vehicles", EVERYBODY, 200),
    ("get", "vehicles/{vehicle}", EVERYBODY, 200),
    ("post", "vehicles", KEEPING_VEHICLES, 400),
    ("put", "vehicles/{vehicle}", KEEPING_VEHICLES, 400),
    ("patch", "vehicles/{vehicle}", KEEPING_VEHICLES, 200),
    ("delete", "vehicles/{vehicle}", {SITE_ADMIN}, 204),
    ("post", "vehicles/{vehicle}/block", GUARDING, 400),
    ("post", "vehicles/{vehicle}/unblock", GUARDING, 400),
    ("post", "vehicles/block", GUARDING, 400),
    ("post", "vehicle/validate-plate", EVERYBODY, 400),
    ("get", "vehicle/validate-plate", EVERYBODY, 405),
    ("get", "vehicle/gate-statistics", EVERYBODY, 200),
    ("get", "vehicle-logs", EVERYBODY, 200),
    ("get", "vehicle-logs/{visit}", EVERYBODY, 200),
    ("post", "vehicle-logs", set(), 403),
    ("patch", "vehicle-logs/{visit}", GUARDING, 200),
    ("delete", "vehicle-logs/{visit}", set(), 403),
    ("post", "vehicle-logs/{visit}/name", GUARDING, 400),
    ("post", "vehicle-logs/{visit}/deny", GUARDING, 400),
    ("get", "gates", EVERYBODY, 200),
    ("get", "gates/{gate}", EVERYBODY, 200),
    ("post", "gates", {SITE_ADMIN}, 405),
    ("post", "gates/{gate}/open", GUARDING, 400),
    ("get", "lines", EVERYBODY, 200),
    ("get", "lines/{line}", EVERYBODY, 200),
    ("post", "lines", {SITE_ADMIN}, 400),
    ("put", "lines/{line}", {SITE_ADMIN}, 400),
    ("patch", "lines/{line}", {SITE_ADMIN}, 200),
    ("delete", "lines/{line}", {SITE_ADMIN}, 204),
    ("get", "zones", EVERYBODY, 200),
    ("get", "zones/{zone}", EVERYBODY, 200),
    ("post", "zones", {SITE_ADMIN}, 400),
    ("put", "zones/{zone}", {SITE_ADMIN}, 400),
    ("patch", "zones/{zone}", {SITE_ADMIN}, 200),
    ("delete", "zones/{zone}", {SITE_ADMIN}, 204),
    ("get", "areas", EVERYBODY, 200),
    ("get", "areas/{area}", EVERYBODY, 200),
    ("post", "areas", {SITE_ADMIN}, 400),
    ("put", "areas/{area}", {SITE_ADMIN}, 400),
    ("patch", "areas/{area}", {SITE_ADMIN}, 200),
    ("delete", "areas/{area}", {SITE_ADMIN}, 204),
    ("get", "occupancy/logs", EVERYBODY, 200),
    ("get", "occupancy/logs/{log}", EVERYBODY, 200),
    ("post", "occupancy/logs", set(), 403),
    ("get", "occupancy/live", EVERYBODY, 200),
    ("get", "occupancy/hourly", EVERYBODY, 200),
    ("get", "occupancy/hourly/{hour}", EVERYBODY, 200),
    ("get", "occupancy/daily", EVERYBODY, 200),
    ("get", "occupancy/daily/{bucket_day}", EVERYBODY, 200),
    ("get", "occupancy/monthly", EVERYBODY, 200),
    ("get", "occupancy/monthly/{month}", EVERYBODY, 200),
    ("post", "occupancy/calibrate", GUARDING, 400),
    ("post", "occupancy/trigger-aggregation", {SITE_ADMIN}, 400),
    ("get", "occupancy/scheduler-status", EVERYBODY, 200),
    ("get", "schema", EVERYBODY, 200),
    ("get", "docs", EVERYBODY, 200),
]


@pytest.fixture
def line(role_groups: None) -> CountingLine:
    return make_line()


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def admin(client: APIClient, line: CountingLine) -> APIClient:
    """Give a client logged in as a site admin of the line's site."""
    client.force_authenticate(
        make_user("amir", role=SITE_ADMIN, sites=[line.camera.site])
    )
    return client


@pytest.fixture
def reader(client: APIClient, line: CountingLine) -> APIClient:
    """Give a client logged in as an integrator of the line's site."""
    client.force_authenticate(
        make_user("iris", role=INTEGRATOR, sites=[line.camera.site])
    )
    return client


def address(route: str, line: CountingLine) -> str:
    """Return the route to rows of the line's site; those that it names are made."""
    camera = line.camera
    wanted = {name for _, name, _, _ in Formatter().parse(route) if name}
    made: dict[str, object] = {"site": camera.site_id, "camera": camera.pk}
    made["line"] = line.pk
    for names, make in KEYS.items():
        if not wanted.isdisjoint(names):
            made |= make(camera)
    return "/api/v1/" + route.format(**made)


def counted_keys(camera: Camera) -> dict[str, int]:
    line = make_line(camera=camera, name="Other door")
    log = record_crossing(event=make_crossing(line, Direction.IN))
    assert log is not None
    return {"log": log.pk}


def drawn_keys(camera: Camera) -> dict[str, int]:
    area = make_area(site=camera.site)
    return {"zone": make_zone(camera=camera).pk, "area": area.pk}


def trouble_keys(camera: Camera) -> dict[str, int]:
    alert = make_alert(camera=camera)
    return {"outage": make_outage(camera=camera).pk, "alert": alert.pk}


def people_keys(camera: Camera) -> dict[str, int]:
    face = make_face_sample(employee=make_employee(site=camera.site))
    return {
        "department": make_department(site=camera.site).pk,
        "employee": face.employee_id,
        "face": face.pk,
        "access_log": make_access_log(camera=camera).pk,
        "unknown": make_unknown_person(site=camera.site).pk,
    }


def bucket_keys(camera: Camera) -> dict[str, int]:
    """Return the keys of an hour, a day and a month of counts."""
    return {
        name: make_bucket(model, camera=camera).pk
        for name, model in (
            ("hour", HourlyOccupancy),
            ("bucket_day", DailyOccupancy),
            ("month", MonthlyOccupancy),
        )
    }


def attendance_keys(camera: Camera) -> dict[str, int]:
    """Return the keys of a row of each table of attendance."""
    employee = make_employee(site=camera.site)
    leave = Leave(employee=employee, starts_on=MONDAY, ends_on=MONDAY + DAY)
    holiday = Holiday(site=camera.site, holiday_date=MONDAY, name="Founders' day")
    record = make_record(employee=employee, attendance_date=MONDAY)
    said = {"record": record, "made_at": record.start_at}
    correction = AttendanceCorrection(reason="x", before={}, after={}, **said)
    wish = CorrectionRequest(text="I was there.", **said)
    for row in (leave, holiday, correction, wish):
        row.save()
    return {
        "shift": make_shift(site=camera.site).pk,
        "assignment": make_assignment(employee=employee).pk,
        "leave": leave.pk,
        "holiday": holiday.pk,
        "record": record.pk,
        "correction": correction.pk,
        "wish": wish.pk,
        "face_of_day": make_unknown_attendance(camera=camera).pk,
    }


def vehicle_keys(camera: Camera) -> dict[str, int]:
    """Return the keys of a row of each table of vehicles."""
    return {
        "vehicle": make_vehicle(site=camera.site).pk,
        "visit": make_vehicle_log(camera=camera).pk,
        "gate": Gate.objects.create(site=camera.site, name="Gate 1").pk,
    }


KEYS = {
    ("log",): counted_keys,
    ("zone", "area"): drawn_keys,
    ("outage", "alert"): trouble_keys,
    ("department", "employee", "face", "access_log", "unknown"): people_keys,
    (
        "shift",
        "assignment",
        "leave",
        "holiday",
        "record",
        "correction",
        "wish",
        "face_of_day",
    ): attendance_keys,
    ("vehicle", "visit", "gate"): vehicle_keys,
    ("hour", "bucket_day", "month"): bucket_keys,
}
"""By the names in routes: what makes such rows of a camera's site."""


class TestRoutes:
    @pytest.mark.parametrize(("method", "route", "roles", "status"), ROUTES)
    @pytest.mark.parametrize("role", sorted(EVERYBODY))
    def test_are_open_to_their_roles_alone(
        self,
        client: APIClient,
        line: CountingLine,
        method: str,
        route: str,
        roles: set[str],
        status: int,
        role: str,
    ) -> None:
        client.force_authenticate(make_user("x", role=role, sites=[line.camera.site]))

        response = getattr(client, method)(address(route, line), {}, format="json")

        assert response.status_code == (status if role in roles else 403)

    @pytest.mark.parametrize(("method", "route", "roles", "status"), ROUTES)
    def test_are_closed_without_a_login(
        self,
        client: APIClient,
        line: CountingLine,
        method: str,
        route: str,
        roles: set[str],
        status: int,
    ) -> None:
        response = getattr(client, method)(address(route, line), {}, format="json")

        assert response.status_code == 401
        if route not in {"schema", "docs"}:
            assert set(response.json()) == {"detail", "code"}

    def test_are_all_in_the_table(self) -> None:
        tested = {route.split("/{")[0] for _, route, _, _ in ROUTES}

        assert set(routes(api.urlpatterns)) - tested == {
            "auth/login",
            "auth/refresh",
            "auth/logout",
            "",
        }

    @pytest.mark.parametrize("method", ["get", "post", "options"])
    def test_are_json_even_where_there_is_none(
        self, client: APIClient, line: CountingLine, method: str
    ) -> None:
        ask = getattr(client, method)
        closed = ask("/api/v1/nowhere", {}, format="json")
        client.force_authenticate(make_user("x"))
        unknown = ask("/api/v1/cameras/1/nowhere", {}, format="json")

        assert (closed.status_code, unknown.status_code) == (401, 404)
        assert set(closed.json()) == set(unknown.json()) == {"detail", "code"}


class TestSchema:
    def test_is_valid_and_leaves_nothing_unsaid(self) -> None:
        out = StringIO()

        call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)

        assert "/api/v1/identity/enroll:" in out.getvalue()


class TestBodies:
    def test_are_read_up_to_a_limit(self, admin: APIClient, line: CountingLine) -> None:
        wanted = {"name": "x" * 2**20}

        response = admin.patch(f"/api/v1/lines/{line.pk}", wanted, format="json")

        assert response.status_code == 413
        assert response.json() == {
            "detail": "A request is at most 1 MiB.",
            "code": "too_large",
        }

    def test_are_refused_where_nobody_can_read_them(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        response = admin.generic(
            "PATCH",
            f"/api/v1/lines/{line.pk}",
            "[" * 100_000,
            content_type="application/json",
        )

        assert response.status_code == 400
        assert response.json()["detail"] == "The JSON is nested too deeply."


def routes(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            text = str(pattern.pattern).strip("^$").replace("\\Z", "")
            yield text.split("/(?P")[0]


class TestLogin:
    def test_gives_tokens_that_open_the_api(
        self, client: APIClient, line: CountingLine
    ) -> None:
        make_user("iris", role=INTEGRATOR, sites=[line.camera.site])

        tokens = client.post(
            "/api/v1/auth/login",
            {"username": "iris", "password": "a long passphrase"},
            format="json",
        ).json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")

        assert client.get("/api/v1/cameras").status_code == 200

    def test_refuses_a_wrong_password(self, client: APIClient) -> None:
        make_user("iris")

        response = client.post(
            "/api/v1/auth/login",
            {"username": "iris", "password": "guess"},
            format="json",
        )

        assert response.status_code == 401
        assert response.json()["code"] == "no_active_account"

    def test_takes_a_refresh_token_once_and_not_after_logout(
        self, client: APIClient
    ) -> None:
        make_user("iris")
        login = {"username": "iris", "password": "a long passphrase"}
        first = client.post("/api/v1/auth/login", login, format="json").json()[
            "refresh"
        ]

        fresh = client.post("/api/v1/auth/refresh", {"refresh": first}, format="json")
        again = client.post("/api/v1/auth/refresh", {"refresh": first}, format="json")
        second = fresh.json()["refresh"]
        logout = client.post("/api/v1/auth/logout", {"refresh": second}, format="json")
        after = client.post("/api/v1/auth/refresh", {"refresh": second}, format="json")

        assert (fresh.status_code, logout.status_code) == (200, 200)
        assert (again.status_code, after.status_code) == (401, 401)

    def test_refuses_a_name_longer_than_any_login(self, client: APIClient) -> None:
        response = client.post(
            "/api/v1/auth/login",
            {"username": "x" * 999, "password": "guess"},
            format="json",
        )

        assert response.status_code == 400
        assert set(response.json()) == {"username"}


def delete(user: User) -> None:
    user.delete()


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def change_password(user: User) -> None:
    user.set_password("another passphrase")
    user.save()


class TestTokens:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (delete, "user_not_found"),
            (deactivate, "user_inactive"),
            (change_password, "password_changed"),
        ],
    )
    def test_end_with_the_login_behind_them(
        self, client: APIClient, change: Callable[[User], None], code: str
    ) -> None:
        user = make_user("iris")
        token = RefreshToken.for_user(user)
        refresh = {"refresh": str(token)}
        change(user)

        refreshed = client.post("/api/v1/auth/refresh", refresh, format="json")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.access_token}")
        used = client.get("/api/v1/cameras")

        assert (refreshed.status_code, used.status_code) == (401, 401)
        assert (refreshed.json()["code"], used.json()["code"]) == (code, code)

    def test_can_be_ended_after_the_login_is_gone(self, client: APIClient) -> None:
        user = make_user("iris")
        refresh = {"refresh": str(RefreshToken.for_user(user))}
        user.delete()

        response = client.post("/api/v1/auth/logout", refresh, format="json")

        assert response.status_code == 200


class TestCameras:
    def test_are_those_of_the_users_own_sites(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        elsewhere = make_camera()

        codes = [row["code"] for row in admin.get("/api/v1/cameras").json()["results"]]

        assert codes == [line.camera.code]
        assert admin.get(f"/api/v1/cameras/{elsewhere.pk}").status_code == 404

    @pytest.mark.parametrize(("age_s", "is_out"), [(10, False), (90, True)])
    def test_say_when_they_give_no_picture_though_they_should(
        self,
        admin: APIClient,
        age_s: int,
        is_out: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        last = timezone.now() - timedelta(seconds=age_s)
        Camera.objects.update(state=Camera.State.ONLINE, last_frame_at=last)

        (camera,) = admin.get("/api/v1/cameras").json()["results"]

        assert camera["is_out"] is is_out

    def test_never_show_their_source(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        assert b"hidden-word" not in admin.get("/api/v1/cameras").content

    def test_are_made_with_an_encrypted_source(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        response = admin.post(
            "/api/v1/cameras",
            {
                "site": line.camera.site_id,
                "code": "CAM-NEW",
                "name": "New gate",
                "source_url": "rtsp://viewer:word@192.0.2.7/a",
            },
            format="json",
        )

        assert response.status_code == 201
        assert "source_url" not in response.json()
        assert (
            Camera.objects.get(code="CAM-NEW").source_url
            == "rtsp://viewer:word@192.0.2.7/a"
        )

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("source_url", "gopher://192.0.2.7/"),
            ("code", "gate 1"),
            ("detect_fps", 0),
            ("tasks", ["doors"]),
            ("tasks", "faces"),
            ("tasks", ["attendance"]),
            ("site", 0),
        ],
    )
    def test_refuse_bad_values_by_field(
        self, admin: APIClient, line: CountingLine, field: str, value: object
    ) -> None:
        good = {
            "site": line.camera.site_id,
            "code": "CAM-NEW",
            "name": "New",
            "source_url": "usb:0",
        }

        response = admin.post("/api/v1/cameras", {**good, field: value}, format="json")

        assert response.status_code == 400
        assert set(response.json()) == {field}

    def test_are_told_what_to_look_for(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        address = f"/api/v1/cameras/{line.camera_id}"

        before = admin.get(address).json()["tasks"]
        response = admin.patch(address, {"tasks": ["faces"]}, format="json")

        assert (before, response.json()["tasks"]) == (["people"], ["faces"])
        assert Camera.objects.get(pk=line.camera_id).tasks == ["faces"]

    def test_cannot_be_put_on_a_site_the_user_does_not_see(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        response = admin.patch(
            f"/api/v1/cameras/{line.camera_id}", {"site": make_site().pk}, format="json"
        )

        assert response.status_code == 400


class TestLines:
    POINTS = {"x1": 0.1, "y1": 0.2, "x2": 0.3, "y2": 0.4}

    def test_are_those_of_the_users_own_sites(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        elsewhere = make_line()

        ids = [row["id"] for row in admin.get("/api/v1/lines").json()["results"]]

        assert ids == [line.pk]
        for ask in (admin.get, admin.delete):
            assert ask(f"/api/v1/lines/{elsewhere.pk}").status_code == 404

    def test_are_made_and_replaced(self, admin: APIClient, line: CountingLine) -> None:
        wanted = {"camera": line.camera_id, "name": "Back door", **self.POINTS}
        made = admin.post("/api/v1/lines", wanted, format="json")
        moved = {**wanted, "x1": 0.9, "enabled": False}
        address = f"/api/v1/lines/{made.json()['id']}"
        replaced = admin.put(address, moved, format="json")

        assert (made.status_code, replaced.status_code) == (201, 200)
        defaults = {"id": made.json()["id"], "colour": "blue", "enabled": True}
        assert made.json() == {**wanted, **defaults}
        assert admin.get(address).json() == {**defaults, **moved}

    def test_cannot_be_drawn_on_a_camera_the_user_does_not_see(
        self, admin: APIClient
    ) -> None:
        wanted = {"camera": make_camera().pk, "name": "Back door", **self.POINTS}

        response = admin.post("/api/v1/lines", wanted, format="json")

        assert response.status_code == 400
        assert set(response.json()) == {"camera"}

    def test_are_filtered_by_the_code_of_their_camera(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        other = make_line(camera=make_camera(site=line.camera.site))

        rows = admin.get("/api/v1/lines", {"camera": other.camera.code}).json()

        assert [row["id"] for row in rows["results"]] == [other.pk]

    def test_refuse_a_line_without_length(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        response = admin.patch(
            f"/api/v1/lines/{line.pk}",
            {"x1": 0.5, "y1": 0.5, "x2": 0.5, "y2": 0.5},
            format="json",
        )

        assert response.status_code == 400
        assert "no length" in str(response.json())


class TestCamera:
    def test_never_give_their_sources(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        address = f"/api/v1/cameras/{line.camera_id}"
        sources = {
            "source_url": "rtsp://viewer:hidden-word@192.0.2.1/a",
            "sub_stream_url": "rtsp://viewer:hidden-word@192.0.2.1/b",
        }

        answers = [admin.patch(address, sources, format="json"), admin.get(address)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert not any("hidden-word" in answer.content.decode() for answer in answers)
        assert Camera.objects.get().sub_stream_url == sources["sub_stream_url"]

    def test_name_their_worker_while_it_holds_them(
        self, reader: APIClient, line: CountingLine
    ) -> None:
        now = timezone.now()
        for seconds, name in ((5, "vision-1"), (-5, "")):
            until = now + timedelta(seconds=seconds)
            Camera.objects.update(lease_holder="vision-1", lease_until=until)

            camera = reader.get(f"/api/v1/cameras/{line.camera_id}").json()

            assert camera["lease_holder"] == name
            assert "lease_term" not in camera

    def test_lose_their_state_when_they_are_switched_off(
        self, admin: APIClient, line: CountingLine
    ) -> None:
        make_outage(camera=line.camera)
        Camera.objects.update(state="offline", state_cause="refused")

        camera = admin.patch(
            f"/api/v1/cameras/{line.camera_id}", {"enabled": False}, format="json"
        ).json()

        assert (camera["state"], camera["state_cause"]) == ("unknown", "")
        assert not line.camera.outages.open().exists()

    def test_keep_what_a_worker_wrote_meanwhile(
        self, admin: APIClient, line: CountingLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def save(camera: Camera, **kwargs: Any) -> None:
            Camera.objects.update(lease_term=7)
            Model.save(camera, **kwargs)

        monkeypatch.setattr(Camera, "save", save)

        admin.patch(f"/api/v1/cameras/{line.camera_id}", {"name": "A"}, format="json")

        camera = Camera.objects.get()
        assert (camera.name, camera.lease_term) == ("A", 7)


class TestPages:
    @pytest.mark.parametrize("place", ["p=x", "p=2026-13-99", "p=%00"])
    @pytest.mark.parametrize("route", ["cameras", "camera-outages", "access-logs"])
    def test_refuse_a_cursor_that_no_page_gave(
        self, reader: APIClient, route: str, place: str
    ) -> None:
        cursor = b64encode(place.encode()).decode()

        response = reader.get(f"/api/v1/{route}", {"cursor": cursor})

        assert response.status_code == 404
        assert set(response.json()) == {"detail", "code"}


class TestOutages:
    def test_are_those_of_the_users_own_sites_newest_first(
        self, reader: APIClient, line: CountingLine
    ) -> None:
        make_outage()
        earlier = timezone.now() - timedelta(hours=1)
        old = make_outage(camera=line.camera, started_at=earlier, ended_at=earlier)
        new = make_outage(camera=line.camera)

        rows = reader.get("/api/v1/camera-outages").json()["results"]

        assert [row["id"] for row in rows] == [new.pk, old.pk]
        assert rows[0]["camera_code"] == line.camera.code
        assert (rows[0]["cause"], rows[0]["ended_at"]) == ("refused", None)

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"open": "true"}, 1),
            ({"open": "false"}, 1),
            ({"cause": "refused"}, 2),
            ({"cause": "frozen"}, 0),
            ({"from": "2026-03-02T00:00:00Z"}, 1),
            ({"to": "2026-03-02T00:00:00Z"}, 1),
            ({"site": "0"}, 0),
        ],
    )
    def test_are_filtered(
        self,
        reader: APIClient,
        line: CountingLine,
        query: dict[str, str],
        count: int,
    ) -> None:
        then = datetime(2026, 3, 1, tzinfo=UTC)
        make_outage(camera=line.camera, started_at=then, ended_at=then)
        make_outage(camera=line.camera)
        query |= {"camera": line.camera.code}

        rows = reader.get("/api/v1/camera-outages", query).json()["results"]

        assert len(rows) == count


class TestLogs:
    def test_are_those_of_the_users_own_sites(
        self, reader: APIClient, line: CountingLine
    ) -> None:
        elsewhere = record_crossing(event=make_crossing(make_line(), Direction.IN))
        here = record_crossing(event=make_crossing(line, Direction.IN))
        assert elsewhere
        assert here

        rows = reader.get("/api/v1/occupancy/logs").json()["results"]

        assert [row["id"] for row in rows] == [here.pk]
        address = f"/api/v1/occupancy/logs/{elsewhere.pk}"
        assert reader.get(address).status_code == 404

    def test_come_newest_first_and_filtered(
        self, reader: APIClient, line: CountingLine
    ) -> None:
        for direction in (Direction.IN, Direction.OUT):
            record_crossing(event=make_crossing(line, direction))

        rows = reader.get(
            "/api/v1/occupancy/logs",
            {"camera": line.camera.code, "from": "2020-01-01T00:00:00Z"},
        ).json()["results"]
        none = reader.get(
            "/api/v1/occupancy/logs", {"from": "2100-01-01T00:00:00Z"}
        ).json()["results"]

        assert [row["direction"] for row in rows] == ["out", "in"]
        assert none == []

    @pytest.mark.parametrize(
        "query",
        [{"colour": "red"}, {"from": "yesterday"}, {"camera": "CAM-NONE"}],
    )
    def test_refuse_filters_they_do_not_understand(
        self, reader: APIClient, query: dict[str, str]
    ) -> None:
        response = reader.get("/api/v1/occupancy/logs", query)

        assert response.status_code == 400
        assert set(response.json()) == set(query)


class TestLive:
    def test_counts_the_cameras_of_the_users_own_sites(
        self, reader: APIClient, line: CountingLine
    ) -> None:
        for counted in (line, make_line()):
            record_crossing(event=make_crossing(counted, Direction.IN))

        rows = reader.get("/api/v1/occupancy/live").json()

        assert rows == [
            {
                "camera": line.camera_id,
                "camera_code": line.camera.code,
                "entries": 1,
                "exits": 0,
                "current_count": 1,
            }
        ]

    @pytest.mark.parametrize("name", ["foo", "page_size"])
    def test_refuses_every_filter(self, reader: APIClient, name: str) -> None:
        response = reader.get("/api/v1/occupancy/live", {name: 1})

        assert response.status_code == 400
        assert set(response.json()) == {name}
