"""Every page of the admin opens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
    Holiday,
    Leave,
    PresenceEvent,
    UnknownAttendance,
)
from factory_site.roles import HR, SITE_ADMIN
from identity.models import Employee, Erasure
from occupancy.models import (
    AreaCorrection,
    DailyOccupancy,
    HourlyOccupancy,
    MonthlyOccupancy,
)
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.leases import LEASE, Holder, enter
from streaming.models import Camera, VisionWorker
from tests.factories import (
    make_access_log,
    make_alert,
    make_area,
    make_assignment,
    make_bucket,
    make_camera,
    make_channel,
    make_crossing,
    make_department,
    make_employee,
    make_face_sample,
    make_line,
    make_outage,
    make_rule,
    make_shift,
    make_site,
    make_unknown_person,
    make_user,
    make_zone,
)
from vehicles.models import (
    BarrierCall,
    Gate,
    GateCamera,
    PlateFormat,
    Vehicle,
    VehicleLog,
)

if TYPE_CHECKING:
    import redis
    from django.test import Client
    from pytest_django import Settings

    from occupancy.models import CountingLine

pytestmark = pytest.mark.django_db
MACHINE_WRITTEN = {
    "barriercall",
    "vehiclelog",
    "attendancecorrection",
    "attendancerecord",
    "correctionrequest",
    "presenceevent",
    "unknownattendance",
    "accesslog",
    "erasure",
    "facesample",
    "unknownperson",
    "alert",
    "alertdelivery",
    "cameraoutage",
    "visionworker",
    "occupancylog",
    "areacorrection",
    "hourlyoccupancy",
    "dailyoccupancy",
    "monthlyoccupancy",
    "outstandingtoken",
    "group",
    "taskresult",
}
MODELS = [
    (model._meta.app_label, str(model._meta.model_name))
    for model in admin.site._registry
]

SCOPED = [
    f"{model._meta.app_label}_{model._meta.model_name}"
    for model in admin.site._registry
    if hasattr(model._default_manager.all(), "visible_to")
]


@pytest.fixture
def line() -> CountingLine:
    line = make_line()
    record_crossing(event=make_crossing(line, Direction.IN))
    return line


def make_person(camera: Camera) -> Employee:
    """Make somebody of whom every table of people tells."""
    department = make_department(site=camera.site, name="Their shop")
    person = make_employee(department=department, code="THEIRS", name="Their Asha")
    make_face_sample(employee=person)
    make_access_log(camera=camera, employee=person, notes="Their visit")
    make_unknown_person(site=camera.site, employee=person, promoted_at=timezone.now())
    Erasure.objects.create(employee=person, erased_at=timezone.now(), removed={})
    make_day(camera, person)
    make_visit(camera)
    make_counts(camera)
    return person


def make_counts(camera: Camera) -> None:
    """Make a row of every table of occupancy that is not made yet."""
    make_zone(camera=camera, name="Their queue")
    area = make_area(site=camera.site, name="Their hall")
    said = {"before": 3, "current_count": 0, "drift": 0, "reason": "Their reason"}
    AreaCorrection.objects.create(
        event_id=uuid4(), area=area, occurred_at=timezone.now(), **said
    )
    for model in (HourlyOccupancy, DailyOccupancy, MonthlyOccupancy):
        make_bucket(model, area=area)


def make_day(camera: Camera, person: Employee) -> None:
    """Make a row of every table of attendance that tells of somebody."""
    shift = make_shift(site=camera.site, shift_name="Their shift")
    make_assignment(employee=person, shift=shift)
    at = timezone.now()
    on = at.date()
    dates = {"starts_on": on, "ends_on": on + timedelta(days=1)}
    Leave.objects.create(employee=person, **dates)
    Holiday.objects.create(site=camera.site, holiday_date=on, name="Their feast")
    record = AttendanceRecord.objects.create(
        employee=person,
        attendance_date=on,
        shift=shift,
        plan="work",
        status="absent",
        start_at=at,
        end_at=at + timedelta(hours=8),
        closes_at=at + timedelta(hours=12),
    )
    said = {"record": record, "made_at": at}
    states: dict[str, Any] = {"before": {"status": "absent"}, "after": {}}
    AttendanceCorrection.objects.create(**said, reason="Their reason", **states)
    CorrectionRequest.objects.create(**said, text="Their request")
    seen = {"camera": camera, "occurred_at": at, "last_seen_at": at}
    PresenceEvent.objects.create(
        event_id=uuid4(), employee=person, source="face", way="in", **seen
    )
    UnknownAttendance.objects.create(
        event_id=uuid4(),
        session="s",
        track_id=1,
        employee=person,
        state="linked",
        **seen,
    )


def make_visit(camera: Camera) -> None:
    """Make a row of every table of vehicles."""
    site, at = camera.site, timezone.now()
    gate = Gate.objects.create(site=site, name="Their north gate")
    GateCamera.objects.create(gate=gate, camera=camera)
    PlateFormat.objects.create(site=site, name="Their format", pattern="[A-Z]{7}")
    vehicle = Vehicle.objects.create(site=site, plate_number="THEIRS7", owner="Their")
    log = VehicleLog.objects.create(
        event_id=uuid4(),
        camera=camera,
        gate=gate,
        vehicle=vehicle,
        plate_number="THEIRS7",
        threshold=0.85,
        vehicle_type="car",
        status="unknown",
        reason="UNLISTED",
        session="s",
        track_id=1,
        x=0.5,
        y=0.5,
        occurred_at=at,
        last_seen_at=at,
    )
    BarrierCall.objects.create(gate=gate, log=log, asked_at=at, result="opened")


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

    @pytest.mark.parametrize(
        "model", ["department", "employee", "facesample", "accesslog", "erasure"]
    )
    def test_of_people_open_to_change(
        self, admin_client: Client, line: CountingLine, model: str
    ) -> None:
        make_person(line.camera)
        rows: Any = admin.site._registry
        (kind,) = (each for each in rows if each._meta.model_name == model)
        address = reverse(
            f"admin:identity_{model}_change", args=[kind.objects.get().pk]
        )

        listed = admin_client.get(reverse(f"admin:identity_{model}_changelist"))

        assert "Their" in listed.content.decode()
        assert admin_client.get(address).status_code == 200

    @pytest.mark.parametrize(
        "model", [model for app, model in MODELS if app == "attendance"]
    )
    def test_of_attendance_open_to_change(
        self, admin_client: Client, line: CountingLine, model: str
    ) -> None:
        make_person(line.camera)
        kind = apps.get_model("attendance", model)
        row = kind._default_manager.get()
        address = reverse(f"admin:attendance_{model}_change", args=[row.pk])

        listed = admin_client.get(reverse(f"admin:attendance_{model}_changelist"))

        assert re.search("Their|THEIRS", listed.content.decode())
        assert admin_client.get(address).status_code == 200

    @pytest.mark.parametrize(
        "model", [model for app, model in MODELS if app == "vehicles"]
    )
    def test_of_vehicles_open_to_change(
        self, admin_client: Client, line: CountingLine, model: str
    ) -> None:
        make_visit(line.camera)
        row = apps.get_model("vehicles", model)._default_manager.get()
        address = reverse(f"admin:vehicles_{model}_change", args=[row.pk])

        listed = admin_client.get(reverse(f"admin:vehicles_{model}_changelist"))

        assert re.search("Their|THEIRS", listed.content.decode())
        assert admin_client.get(address).status_code == 200

    @pytest.mark.parametrize(
        "model",
        ["zone", "area", "areacorrection"]
        + [f"{length}occupancy" for length in ("hourly", "daily", "monthly")],
    )
    def test_of_occupancy_open_to_change(
        self, admin_client: Client, line: CountingLine, model: str
    ) -> None:
        make_counts(line.camera)
        row = apps.get_model("occupancy", model)._default_manager.get()
        address = reverse(f"admin:occupancy_{model}_change", args=[row.pk])

        listed = admin_client.get(reverse(f"admin:occupancy_{model}_changelist"))

        assert "Their" in listed.content.decode()
        assert admin_client.get(address).status_code == 200

    @pytest.mark.parametrize("name", SCOPED)
    @pytest.mark.usefixtures("role_groups")
    def test_name_nothing_of_another_site(
        self, client: Client, line: CountingLine, name: str
    ) -> None:
        theirs = make_line(
            name="Their door",
            camera=make_camera(
                site=make_site(name="Their plant"), code="THEIRS", name="Their gate"
            ),
        )
        record_crossing(event=make_crossing(theirs, Direction.IN))
        make_outage(camera=theirs.camera)
        make_alert(camera=theirs.camera, text="Their gate is out.")
        make_rule(site=theirs.camera.site, name="Their rule")
        make_channel(site=theirs.camera.site, name="Their guard")
        make_person(theirs.camera)
        make_line(camera=make_camera(site=line.camera.site))
        own_sites = [line.camera.site, make_site(name="Own plant")]
        amir = make_user("amir", role=SITE_ADMIN, sites=own_sites, is_staff=True)
        client.force_login(amir)

        response = client.get(reverse(f"admin:{name}_changelist"))

        assert response.status_code == 200
        assert "Their" not in response.content.decode()
        assert "THEIRS" not in response.content.decode()

    @pytest.mark.usefixtures("role_groups")
    def test_offer_filters_by_what_the_user_sees(
        self, client: Client, line: CountingLine
    ) -> None:
        own_sites = [line.camera.site, make_site(name="Own plant")]
        client.force_login(make_user("hana", role=HR, sites=own_sites, is_staff=True))

        page = client.get(reverse("admin:streaming_camera_changelist"))

        for site in own_sites:
            assert f"?site__id__exact={site.pk}" in page.content.decode()

    def test_of_crossings_ask_no_more_for_more_lines(
        self, admin_client: Client, line: CountingLine
    ) -> None:
        address = reverse("admin:occupancy_occupancylog_changelist")
        admin_client.get(address)
        with CaptureQueriesContext(connection) as for_one:
            admin_client.get(address)
        for _ in range(3):
            more = make_line(camera=make_camera(site=line.camera.site))
            record_crossing(event=make_crossing(more, Direction.IN))

        with CaptureQueriesContext(connection) as for_four:
            admin_client.get(address)

        assert len(for_four) == len(for_one)


class TestOrder:
    def test_has_first_what_is_opened_every_day(self, admin_client: Client) -> None:
        apps = admin_client.get(reverse("admin:index")).context["app_list"]

        labels = [app["app_label"] for app in apps]
        people = [row["object_name"] for row in apps[0]["models"]]
        assert labels[:6] == [
            "identity",
            "attendance",
            "vehicles",
            "streaming",
            "occupancy",
            "alerts",
        ]
        assert people[:2] == ["Employee", "Department"]
        assert "User" in people


class TestLoginAdmin:
    @pytest.mark.usefixtures("role_groups")
    def test_shows_only_the_sites_that_both_share(
        self, client: Client, line: CountingLine
    ) -> None:
        site = line.camera.site
        sam = make_user("sam", sites=[site, make_site(name="Their plant")])
        amir = make_user("amir", role=SITE_ADMIN, sites=[site], is_staff=True)
        client.force_login(amir)

        page = client.get(reverse("admin:identity_user_change", args=[sam.pk]))

        assert site.name in page.content.decode()
        assert "Their plant" not in page.content.decode()


class TestRoleAdmin:
    @pytest.mark.usefixtures("role_groups")
    def test_shows_what_a_role_may_do_and_changes_nothing(
        self, admin_client: Client
    ) -> None:
        role = Group.objects.get(name=HR)
        address = reverse("admin:auth_group_change", args=[role.pk])

        page = admin_client.get(address).content.decode()
        refused = admin_client.post(address, {"name": "Renamed", "permissions": []})

        assert "part of the program" in page
        assert refused.status_code == 403
        role.refresh_from_db()
        assert role.name == HR
        assert role.permissions.exists()


class TestBadge:
    def test_says_in_the_admin_too_that_something_is_wrong(
        self, admin_client: Client, redis_client: redis.Redis
    ) -> None:
        page = admin_client.get(reverse("admin:index")).content.decode()

        assert "No vision worker is running" in page


class TestOccupancyLogAdmin:
    def test_shows_site_time_to_the_second(
        self, admin_client: Client, line: CountingLine
    ) -> None:
        at = datetime(2026, 3, 1, 3, 30, 15, tzinfo=UTC)
        record_crossing(event=make_crossing(line, Direction.IN, at=at))
        address = reverse("admin:occupancy_occupancylog_changelist")

        page = admin_client.get(address).content.decode()

        assert "2026-03-01 09:00:15 IST" in page


class TestVisionWorkerAdmin:
    def test_tells_those_that_run_and_forgets_those_that_are_gone(
        self, admin_client: Client
    ) -> None:
        enter(Holder("vision-1", "1" * 32))
        enter(Holder("vision-0", "0" * 32))
        gone = VisionWorker.objects.filter(name="vision-0")
        gone.update(seen_at=Now() - LEASE)
        address = reverse("admin:streaming_visionworker_changelist")

        page = admin_client.get(address).content.decode()
        admin_client.post(
            reverse("admin:streaming_visionworker_delete", args=[gone.get().pk]),
            {"post": "yes"},
        )

        assert "vision-1" in page
        assert "vision-0" in page
        assert VisionWorker.objects.get().name == "vision-1"


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
            "place": "hall",
            "tasks": ["people"],
            **changed,
        }

    def test_ticks_what_a_camera_looks_for(self, admin_client: Client) -> None:
        camera = make_camera()
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        admin_client.post(address, self.values(camera, tasks=["people", "faces"]))

        camera.refresh_from_db()
        assert camera.tasks == ["people", "faces"]
        page = admin_client.get(address).content.decode()
        ticked = re.findall(r'name="tasks" value="(\w+)"[^>]*\schecked[\s>]', page)
        assert ticked == ["people", "faces"]

    @pytest.mark.parametrize(("ticked", "kept"), [([], []), (["doors"], ["people"])])
    def test_lets_a_camera_look_for_nothing_but_not_for_anything(
        self, admin_client: Client, ticked: list[str], kept: list[str]
    ) -> None:
        camera = make_camera()
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        admin_client.post(address, self.values(camera, tasks=ticked))

        camera.refresh_from_db()
        assert camera.tasks == kept

    def test_keeps_no_attendance_without_faces(self, admin_client: Client) -> None:
        camera = make_camera()
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        refused = admin_client.post(address, self.values(camera, tasks=["attendance"]))
        page = refused.content.decode()
        camera.refresh_from_db()
        assert "Attendance is kept by faces: have people recognised" in page
        assert camera.tasks == ["people"]

        both = ["faces", "attendance"]
        admin_client.post(address, self.values(camera, tasks=both))
        camera.refresh_from_db()
        assert camera.tasks == both

    def test_never_shows_the_password(self, admin_client: Client) -> None:
        camera = make_camera(source_url="rtsp://viewer:hidden-word@192.0.2.1/a")
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        page = admin_client.get(address).content.decode()

        assert "viewer" in page
        assert "hidden-word" not in page

    @pytest.mark.usefixtures("role_groups")
    def test_never_shows_the_password_to_who_may_only_look(
        self, client: Client
    ) -> None:
        camera = make_camera(
            source_url="rtsp://viewer:hidden-word@192.0.2.1/a",
            sub_stream_url="rtsp://viewer:hidden-word@192.0.2.1/b",
        )
        hr = make_user("hana", role="HR", sites=[camera.site], is_staff=True)
        client.force_login(hr)
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        page = client.get(address).content.decode()

        assert "192.0.2.1/a" in page
        assert "192.0.2.1/b" in page
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

    @pytest.mark.parametrize(
        ("stored", "typed", "kept"),
        [
            (
                "rtsp://viewer:hidden-word@192.0.2.1/a",
                "rtsp://viewer:***@192.0.2.1/b",
                "rtsp://viewer:hidden-word@192.0.2.1/b",
            ),
            (
                "rtsp://viewer:a/b@c:1@192.0.2.1:554/a?channel=1",
                "rtsp://viewer:***@192.0.2.1:554/b@c?channel=2",
                "rtsp://viewer:a/b@c:1@192.0.2.1:554/b@c?channel=2",
            ),
            (
                "rtsp://viewer:hidden-word@192.0.2.1/a",
                "rtsp://viewer:new-word@192.0.2.2/a",
                "rtsp://viewer:new-word@192.0.2.2/a",
            ),
        ],
    )
    def test_keeps_the_password_for_the_same_user_and_host(
        self, admin_client: Client, stored: str, typed: str, kept: str
    ) -> None:
        camera = make_camera(source_url=stored)
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        admin_client.post(address, self.values(camera, source_url=typed))

        camera.refresh_from_db()
        assert camera.source_url == kept

    @pytest.mark.parametrize(
        "typed",
        [
            "rtsp://viewer:***@192.0.2.2/a",
            "rtsp://viewer:***@192.0.2.1:8554/a",
            "rtsp://root:***@192.0.2.1/a",
            "http://viewer:***@192.0.2.1/a",
            "rtsp://viewer:hidden-word@192.0.2.1/a?password=***",
        ],
    )
    def test_never_sends_the_password_to_another_place(
        self, admin_client: Client, typed: str
    ) -> None:
        source = "rtsp://viewer:hidden-word@192.0.2.1/a"
        camera = make_camera(source_url=source)
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        page = admin_client.post(address, self.values(camera, source_url=typed))

        assert "Type the password again" in page.content.decode()
        camera.refresh_from_db()
        assert camera.source_url == source

    def test_mends_a_source_of_another_key(
        self, admin_client: Client, settings: Settings
    ) -> None:
        camera = make_camera()
        address = reverse("admin:streaming_camera_change", args=[camera.pk])
        own_key, other_key = settings.SECRET_KEY, "n" * 60
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = other_key, []
        Camera.objects.filter(pk=camera.pk).update(source_url="usb:0")
        settings.SECRET_KEY = own_key

        assert "another SECRET_KEY" in admin_client.get(address).content.decode()
        empty = admin_client.post(address, self.values(camera, source_url=""))
        assert "This field is required" in empty.content.decode()
        admin_client.post(address, self.values(camera, source_url="usb:1"))

        camera.refresh_from_db()
        assert camera.source_url == "usb:1"

    def test_keeps_the_password_of_the_sub_stream_too(
        self, admin_client: Client
    ) -> None:
        camera = make_camera(sub_stream_url="rtsp://viewer:hidden-word@192.0.2.1/b")
        address = reverse("admin:streaming_camera_change", args=[camera.pk])
        page = admin_client.get(address).content.decode()
        typed = {"sub_stream_url": "rtsp://viewer:***@192.0.2.1/c"}

        admin_client.post(address, self.values(camera, **typed))

        camera.refresh_from_db()
        assert "hidden-word" not in page
        assert camera.sub_stream_url == "rtsp://viewer:hidden-word@192.0.2.1/c"

    def test_writes_only_what_was_edited(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        camera = make_camera()
        address = reverse("admin:streaming_camera_change", args=[camera.pk])

        def save(camera: Camera, **kwargs: Any) -> None:
            Camera.objects.update(lease_term=7)
            Model.save(camera, **kwargs)

        monkeypatch.setattr(Camera, "save", save)
        admin_client.post(address, self.values(camera, name="Renamed"))

        camera.refresh_from_db()
        assert (camera.name, camera.lease_term) == ("Renamed", 7)

    def test_ends_the_outage_of_a_camera_that_is_switched_off(
        self, admin_client: Client
    ) -> None:
        outage = make_outage()
        address = reverse("admin:streaming_camera_change", args=[outage.camera_id])

        admin_client.post(address, self.values(outage.camera, enabled=""))

        outage.refresh_from_db()
        assert outage.ended_at

    @pytest.mark.usefixtures("role_groups")
    def test_deletes_a_camera_that_has_outages_but_no_records(
        self, client: Client
    ) -> None:
        camera = make_outage().camera
        amir = make_user("amir", role=SITE_ADMIN, sites=[camera.site], is_staff=True)
        client.force_login(amir)
        address = reverse("admin:streaming_camera_delete", args=[camera.pk])

        client.post(address, {"post": "yes"})

        assert not Camera.objects.exists()

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
