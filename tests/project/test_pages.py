"""Every page as a browser gets it, without its scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert, Severity
from factory_site import views
from factory_site.roles import HR, INTEGRATOR, SECURITY, SITE_ADMIN
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming import workers
from streaming.models import Camera
from streaming.vision.stats import CameraStats
from streaming.vision.trouble import Cause
from streaming.vision.types import Label
from tests.factories import (
    make_access_log,
    make_alert,
    make_area,
    make_camera,
    make_crossing,
    make_employee,
    make_line,
    make_record,
    make_site,
    make_unknown_attendance,
    make_user,
    make_vehicle,
    make_vehicle_log,
)
from tests.pages import text
from vehicles.models import Gate

if TYPE_CHECKING:
    import redis
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from occupancy.models import CountingLine
    from streaming.models import Site

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 18
KEEPING_ATTENDANCE = {HR, SITE_ADMIN}
SEEING_ATTENDANCE = {HR, INTEGRATOR, SITE_ADMIN}
A_DAY = "/attendance/E-104/2026-03-02"
ATTENDANCE_PAGES = [
    ("get", "/attendance", SEEING_ATTENDANCE, 200),
    ("post", "/attendance/absent", KEEPING_ATTENDANCE, 422),
    ("get", "/attendance/requests", SEEING_ATTENDANCE, 200),
    ("post", "/attendance/requests/1", KEEPING_ATTENDANCE, 422),
    ("get", A_DAY, SEEING_ATTENDANCE, 200),
    ("post", f"{A_DAY}/correct", KEEPING_ATTENDANCE, 422),
    ("post", f"{A_DAY}/rules", KEEPING_ATTENDANCE, 422),
    ("post", f"{A_DAY}/request", SEEING_ATTENDANCE, 422),
    ("get", "/muster", {*SEEING_ATTENDANCE, SECURITY}, 200),
    ("get", "/muster.csv", {*SEEING_ATTENDANCE, SECURITY}, 200),
    ("get", "/attendance/month", SEEING_ATTENDANCE, 200),
    ("get", "/attendance/month.xlsx", SEEING_ATTENDANCE, 200),
    ("get", "/attendance/unknown", SEEING_ATTENDANCE, 200),
    ("get", "/attendance/unknown/1", SEEING_ATTENDANCE, 200),
    ("post", "/attendance/unknown/1/link", KEEPING_ATTENDANCE, 302),
    ("post", "/attendance/unknown/1/dismiss", KEEPING_ATTENDANCE, 302),
    ("post", "/attendance/unknown/1/undo", KEEPING_ATTENDANCE, 302),
    ("get", "/attendance/payroll", SEEING_ATTENDANCE, 200),
    ("get", "/attendance/payroll.csv", SEEING_ATTENDANCE, 200),
    ("get", "/attendance/payroll.xlsx", SEEING_ATTENDANCE, 200),
]
EVERYONE = {HR, INTEGRATOR, SECURITY, SITE_ADMIN}
GUARDING_GATES = {SECURITY, SITE_ADMIN}
VEHICLE_PAGES = [
    ("get", "/gates", EVERYONE, 200),
    ("get", "/gates/1", EVERYONE, 200),
    ("post", "/gates/1/open", GUARDING_GATES, 302),
    ("get", "/gates/visits/1", EVERYONE, 200),
    ("post", "/gates/visits/1/name", GUARDING_GATES, 302),
    ("post", "/gates/visits/1/deny", GUARDING_GATES, 302),
    ("post", "/gates/visits/1/block", GUARDING_GATES, 302),
    ("get", "/vehicles", EVERYONE, 200),
    ("get", "/vehicles/MH12AB1234", EVERYONE, 200),
    ("post", "/vehicles/block", GUARDING_GATES, 422),
    ("post", "/vehicles/1/block", GUARDING_GATES, 302),
    ("post", "/vehicles/1/unblock", GUARDING_GATES, 302),
]
DRAWING = {SITE_ADMIN}
OCCUPANCY_PAGES = [
    ("get", "/cameras/CAM-GATE/draw", DRAWING, 200),
    ("post", "/cameras/CAM-GATE/draw", DRAWING, 422),
    ("get", "/areas", EVERYONE, 200),
    ("get", "/areas/new", DRAWING, 200),
    ("post", "/areas/new", DRAWING, 422),
    ("get", "/areas/1", DRAWING, 200),
    ("post", "/areas/1", DRAWING, 422),
    ("post", "/areas/1/delete", DRAWING, 302),
    ("get", "/occupancy", EVERYONE, 200),
    ("get", "/occupancy/history", EVERYONE, 200),
    ("get", "/occupancy/history.csv", EVERYONE, 200),
    ("get", "/occupancy/areas/1/correct", GUARDING_GATES, 200),
    ("post", "/occupancy/areas/1/correct", GUARDING_GATES, 422),
    ("get", "/occupancy/cameras/CAM-GATE/correct", GUARDING_GATES, 200),
    ("post", "/occupancy/cameras/CAM-GATE/correct", GUARDING_GATES, 422),
]


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Main plant", time_zone="Asia/Kolkata")


@pytest.fixture
def line(site: Site) -> CountingLine:
    return make_line(camera=make_camera(site=site, code="CAM-GATE", name="Gate 1"))


@pytest.fixture
def security(client: Client, site: Site) -> Client:
    client.force_login(make_user("asha", role=SECURITY, sites=[site]))
    return client


@pytest.fixture
def site_admin(client: Client, site: Site) -> Client:
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[site], is_staff=True))
    return client


def out(site: Site, cause: Cause, **values: Any) -> Camera:
    """Make a camera that gives no usable picture."""
    defaults = {
        "state": Camera.State.OFFLINE,
        "state_cause": cause,
        "state_since": timezone.now(),
    }
    return make_camera(site=site, **defaults | values)


class TestWall:
    def test_answers_in_its_first_line(
        self, security: Client, line: CountingLine
    ) -> None:
        make_camera(site=line.camera.site, state=Camera.State.OFFLINE)
        for _ in range(3):
            record_crossing(event=make_crossing(line, Direction.IN))

        assert "2 cameras, 1 offline, 3 inside" in text(security.get("/"))

    def test_counts_a_single_camera_in_the_singular(
        self, security: Client, line: CountingLine
    ) -> None:
        assert "1 camera, 0 offline, 0 inside" in text(security.get("/"))

    def test_says_since_when_and_why_a_camera_is_offline(
        self, security: Client, site: Site
    ) -> None:
        since = timezone.now()
        out(site, Cause.REFUSED, state_since=since)

        at = f"{site.local(since):%H:%M}"
        page = text(security.get("/"))
        assert f"OFFLINE since {at}, connection refused" in page

    def test_counts_a_camera_with_an_unusable_picture_as_offline(
        self, security: Client, site: Site
    ) -> None:
        out(site, Cause.FROZEN, state=Camera.State.UNUSABLE)

        page = text(security.get("/"))

        assert "1 camera, 1 offline" in page
        assert re.search(r"NO USABLE PICTURE since \d\d:\d\d, picture frozen", page)

    @pytest.mark.parametrize(("age_s", "words"), [(10, "Online"), (90, "NO PICTURE")])
    def test_believes_an_online_camera_only_while_its_pictures_come(
        self, security: Client, site: Site, age_s: int, words: str
    ) -> None:
        last = timezone.now() - timedelta(seconds=age_s)
        make_camera(site=site, state=Camera.State.ONLINE, last_frame_at=last)

        page = text(security.get("/"))

        assert words in page
        assert f"{int(words != 'Online')} offline" in page

    def test_counts_no_switched_off_camera_as_offline(
        self, security: Client, site: Site
    ) -> None:
        make_camera(site=site, state=Camera.State.OFFLINE, enabled=False)

        page = text(security.get("/"))

        assert "Switched off" in page
        assert "1 camera, 0 offline" in page

    def test_hides_the_cameras_of_other_sites(
        self, security: Client, line: CountingLine
    ) -> None:
        make_camera(name="Elsewhere")

        page = text(security.get("/"))

        assert "Gate 1" in page
        assert "Elsewhere" not in page

    def test_offers_the_next_step_to_those_who_may_add_a_camera(
        self, site_admin: Client, site: Site
    ) -> None:
        page = site_admin.get("/")

        assert reverse("admin:streaming_camera_add") in page.content.decode()

    def test_sends_others_to_their_site_admin(
        self, security: Client, site: Site
    ) -> None:
        page = security.get("/")

        assert "Ask your site admin to add one" in text(page)
        assert "/admin/" not in page.content.decode()

    def test_says_that_no_site_is_assigned(
        self, client: Client, role_groups: None
    ) -> None:
        client.force_login(make_user("lost", role=SECURITY))

        assert "No site is assigned to your login" in text(client.get("/"))

    def test_needs_as_many_queries_for_many_cameras_as_for_one(
        self,
        security: Client,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(16):
            camera = make_camera(site=site)
            crossing = make_crossing(make_line(camera=camera), Direction.IN)
            record_crossing(event=crossing)
            make_alert(camera=camera)

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/")

    def test_puts_cameras_that_are_out_first(
        self, security: Client, line: CountingLine
    ) -> None:
        out(line.camera.site, Cause.BLACK, code="CAM-Z", name="Last yard")

        page = text(security.get("/"))

        assert page.index("Last yard") < page.index("Gate 1")

    @pytest.mark.parametrize(
        ("query", "seen"),
        [
            ("", {"A", "B", "C"}),
            ("?place=gate", {"A"}),
            ("?site=second", {"C"}),
            ("?place=yard&site=second", {"C"}),
            ("?place=gate&site=second", set()),
        ],
    )
    def test_shows_the_cameras_of_a_place_and_of_a_site(
        self,
        client: Client,
        site: Site,
        query: str,
        seen: set[str],
    ) -> None:
        second = make_site(name="Second plant", slug="second")
        make_camera(site=site, code="A", place=Camera.Place.GATE)
        make_camera(site=site, code="B", place=Camera.Place.HALL)
        make_camera(site=second, code="C", place=Camera.Place.YARD)
        user = make_user("asha", role=SECURITY, sites=[site, second])
        client.force_login(user)

        page = client.get(f"/{query}").content.decode()

        assert set(re.findall(r'href="/cameras/([A-C])"', page)) == seen
        assert page.count('aria-current="true"') == 2

    @pytest.mark.parametrize("query", ["?place=roof", "?site=elsewhere"])
    def test_is_not_found_for_what_the_login_cannot_have(
        self, security: Client, line: CountingLine, query: str
    ) -> None:
        make_site(slug="elsewhere")

        assert security.get(f"/{query}").status_code == 404

    def test_offers_no_choice_of_sites_where_there_is_one(
        self, security: Client, line: CountingLine
    ) -> None:
        assert "All sites" not in text(security.get("/"))

    def test_tells_the_last_events_newest_first(
        self, security: Client, line: CountingLine
    ) -> None:
        now = timezone.now()
        for ago, direction in ((3, Direction.IN), (1, Direction.OUT)):
            at = now - timedelta(minutes=ago)
            record_crossing(event=make_crossing(line, direction, at=at))
        make_alert(
            camera=line.camera,
            text="Gate 1 is offline.",
            opened_at=now - timedelta(minutes=2),
        )

        assert re.search(
            r"Events [\d:]+ Out Gate 1 [\d:]+ Gate 1 is offline. [\d:]+ In Gate 1",
            text(security.get("/")),
        )

    def test_needs_no_script_for_a_picture_of_each_camera_that_gives_one(
        self, security: Client, line: CountingLine
    ) -> None:
        out(line.camera.site, Cause.BLACK, code="CAM-DARK")

        page = security.get("/").content.decode()

        stills = re.findall(r"<noscript><img src=\"([^\"]+)", page)
        assert stills == ["/api/video_feed/picture?camera=CAM-GATE"]


class TestCamera:
    def test_shows_picture_counts_and_crossings(
        self, security: Client, line: CountingLine
    ) -> None:
        for direction in (Direction.IN, Direction.IN, Direction.OUT):
            record_crossing(event=make_crossing(line, direction))

        page = security.get("/cameras/CAM-GATE")

        markup = page.content.decode()
        assert 'src="/api/video_feed?camera=CAM-GATE"' in markup
        assert 'href="/api/video_feed/picture?camera=CAM-GATE"' in markup
        assert "Now inside 1 In today 2 Out today 1" in text(page)
        assert "Out Main door 1 inside" in text(page)

    @pytest.mark.parametrize("address", ["/", "/cameras/CAM-GATE"])
    def test_tells_of_people_and_not_of_vehicles(
        self, security: Client, line: CountingLine, address: str
    ) -> None:
        record_crossing(event=make_crossing(line, Direction.IN))
        truck = make_crossing(line, Direction.OUT, label=Label.TRUCK)
        log = record_crossing(event=truck)

        page = security.get(address).content.decode()

        assert log is not None
        assert "Main door" in page or "Gate 1" in page
        assert str(log.event_id) not in page

    def test_has_screen_readers_told_of_its_state_and_not_of_its_rate(
        self, security: Client, site: Site
    ) -> None:
        camera = out(site, Cause.REFUSED, code="CAM-OUT")

        page = security.get(f"/cameras/{camera.code}").content.decode()

        _, _, rest = page.partition('<div id="state" role="status" data-live>')
        told, _, _ = rest.partition('<div id="rate" data-live>')
        assert "<b>OFFLINE</b>" in told

    def test_gives_times_in_the_zone_of_the_site(
        self, security: Client, line: CountingLine
    ) -> None:
        at = timezone.now()
        record_crossing(event=make_crossing(line, Direction.IN, at=at))

        page = security.get("/cameras/CAM-GATE").content.decode()

        assert f">{line.camera.site.local(at):%H:%M:%S}</time>" in page
        assert f'title="{line.camera.site.local(at):%Y-%m-%d %H:%M:%S} IST"' in page

    def test_writes_the_day_of_a_crossing_that_was_not_today(
        self, security: Client, line: CountingLine
    ) -> None:
        at = timezone.now() - timedelta(days=2)
        record_crossing(event=make_crossing(line, Direction.IN, at=at))

        local = line.camera.site.local(at)
        page = security.get("/cameras/CAM-GATE").content.decode()

        assert f">{local.day} {local:%b %H:%M:%S}</time>" in page

    @pytest.mark.parametrize(
        ("direction", "told"), [(Direction.IN, False), (Direction.OUT, True)]
    )
    def test_tells_drift_in_words(
        self,
        security: Client,
        line: CountingLine,
        direction: Direction,
        told: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        record_crossing(event=make_crossing(line, direction))

        page = security.get("/cameras/CAM-GATE").content.decode()

        rows = re.findall(r'<p class="drift" data-field="drift"( hidden)?>', page)
        assert (rows[0] == "") is told

    def test_says_that_nobody_crossed_yet(
        self, security: Client, line: CountingLine
    ) -> None:
        assert "Nobody has crossed a line yet" in text(
            security.get("/cameras/CAM-GATE")
        )

    def test_says_that_there_is_no_line(self, security: Client, site: Site) -> None:
        make_camera(site=site, code="CAM-BARE")

        page = text(security.get("/cameras/CAM-BARE"))

        assert "This camera has no counting line" in page
        assert "Now inside" not in page

    def test_leaves_counts_out_for_those_who_may_not_see_them(
        self, client: Client, line: CountingLine
    ) -> None:
        record_crossing(event=make_crossing(line, Direction.IN))
        viewer = make_user("viewer", sites=[line.camera.site])
        viewer.user_permissions.add(Permission.objects.get(codename="view_camera"))
        client.force_login(viewer)
        make_access_log(camera=line.camera)

        for address in ("/", "/cameras/CAM-GATE"):
            page = client.get(address)
            assert page.status_code == 200
            assert "inside" not in page.content.decode()
            assert "occupancy.occupancylog" not in page.content.decode()
            assert "identity.accesslog" not in page.content.decode()
            assert 'href="/access' not in page.content.decode()

    def test_says_why_it_is_out_and_what_to_do(
        self, security: Client, site: Site
    ) -> None:
        reason = "10.0.0.5 refused the connection. Check that the camera is on."
        out(site, Cause.REFUSED, code="CAM-OUT", state_reason=reason)

        page = text(security.get("/cameras/CAM-OUT"))

        assert ", connection refused 10.0.0.5 refused the connection. Check" in page

    def test_lists_the_outages_of_the_last_days(
        self, security: Client, line: CountingLine
    ) -> None:
        now = timezone.now()
        for days, cause in ((1, Cause.REFUSED), (20, Cause.BLACK)):
            started = now - timedelta(days=days)
            line.camera.outages.create(
                cause=cause,
                reason="x",
                started_at=started,
                ended_at=started + timedelta(minutes=72),
            )

        page = text(security.get("/cameras/CAM-GATE"))

        assert "Last 7 days: 1 outage, 1 h 12 min" in page
        assert "1 h 12 min Connection refused" in page
        assert "Picture black" not in page

    def test_says_that_an_outage_is_not_over(
        self, security: Client, line: CountingLine
    ) -> None:
        started = timezone.now() - timedelta(seconds=5)
        line.camera.outages.create(cause=Cause.BLACK, reason="", started_at=started)

        page = text(security.get("/cameras/CAM-GATE"))

        assert re.search(r"not over [5-9] s Picture black", page)

    def test_shows_how_often_pictures_come_and_how_late(
        self, security: Client, line: CountingLine, redis_client: redis.Redis
    ) -> None:
        stats = {"CAM-GATE": CameraStats(fps=24.81, latency_ms=42.3)}
        status = workers.WorkerStatus(
            "vision-1", "x", fallback=False, cameras=stats, queued=0, failed=0
        )
        workers.report(redis_client, status)

        assert "24.8 fps, 42 ms" in text(security.get("/cameras/CAM-GATE"))

    def test_shows_whom_it_saw_last(self, security: Client, line: CountingLine) -> None:
        person = make_employee(site=line.camera.site, code="E-104", name="Asha Rao")
        for _ in range(views.IDENTITIES_SHOWN + 1):
            make_access_log(camera=line.camera, employee=person)

        page = security.get("/cameras/CAM-GATE")

        assert text(page).count("E-104 Asha Rao Authorized") == views.IDENTITIES_SHOWN
        assert 'identity.accesslog"' in page.content.decode()

    def test_says_that_no_face_was_seen_where_faces_are_looked_for(
        self, security: Client, site: Site
    ) -> None:
        make_camera(site=site, code="CAM-FACES", tasks=["faces"])
        make_camera(site=site, code="CAM-PLAIN")

        told = text(security.get("/cameras/CAM-FACES"))
        plain = text(security.get("/cameras/CAM-PLAIN"))

        assert "No face has been seen here yet" in told
        assert "Identities" not in plain

    def test_is_not_found_at_another_site(
        self, security: Client, line: CountingLine
    ) -> None:
        make_camera(code="CAM-ELSEWHERE")

        assert security.get("/cameras/CAM-GATE").status_code == 200
        assert security.get("/cameras/CAM-ELSEWHERE").status_code == 404

    def test_is_not_found_by_a_code_that_none_can_have(self, security: Client) -> None:
        assert security.get("/cameras/CAM%00GATE").status_code == 404

    def test_links_to_its_admin_page_for_those_who_may_change_it(
        self, site_admin: Client, line: CountingLine
    ) -> None:
        address = reverse("admin:streaming_camera_change", args=[line.camera.pk])

        assert address in site_admin.get("/cameras/CAM-GATE").content.decode()

    def test_needs_as_many_queries_for_many_crossings_as_for_one(
        self,
        security: Client,
        line: CountingLine,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(views.CROSSINGS_SHOWN + 2):
            record_crossing(event=make_crossing(line, Direction.IN))

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            page = security.get("/cameras/CAM-GATE").content.decode()

        assert page.count("data-event=") == views.CROSSINGS_SHOWN


class TestRow:
    def test_is_the_same_markup_for_the_script_to_clone(self) -> None:
        empty = render_to_string("partials/crossing.html")

        for field in ("direction", "line", "count", "drift"):
            assert f'data-field="{field}"' in empty
        assert "None" not in empty
        assert "data-event" not in empty


class TestFrame:
    @pytest.mark.parametrize(
        ("role", "staff", "offered"), [(SECURITY, False, False), (HR, True, True)]
    )
    def test_offers_the_admin_to_staff_only(
        self,
        client: Client,
        site: Site,
        role: str,
        staff: bool,  # noqa: FBT001 - a column of the table
        offered: bool,  # noqa: FBT001
    ) -> None:
        client.force_login(make_user("who", role=role, sites=[site], is_staff=staff))

        page = client.get("/").content.decode()

        assert (reverse("admin:index") in page) is offered
        assert role in page

    def test_counts_open_alerts_of_the_sites_of_the_login(
        self, security: Client, site: Site
    ) -> None:
        for severity in (Severity.WARNING, Severity.CRITICAL):
            make_alert(camera=make_camera(site=site), severity=severity)
        taken = Alert.State.ACKNOWLEDGED
        make_alert(camera=make_camera(site=site), state=taken)
        make_alert(camera=make_camera())

        for address in ("/", "/alerts", "/nowhere"):
            assert "Alerts 2 open, critical" in text(security.get(address))

    def test_offers_alerts_and_the_system_page_only_to_those_who_may_see_them(
        self, client: Client, site: Site
    ) -> None:
        viewer = make_user("viewer", sites=[site])
        viewer.user_permissions.add(Permission.objects.get(codename="view_camera"))
        hr, guard = (make_user(one, role=one, sites=[site]) for one in (HR, SECURITY))
        for user, alerts, system in (
            (viewer, False, False),
            (hr, True, False),
            (guard, True, True),
        ):
            client.force_login(user)
            page = client.get("/").content.decode()
            assert ('href="/alerts"' in page) is alerts
            assert ("alerts.alert" in page) is alerts
            assert ('href="/system"' in page) is system

    def test_logs_out_by_post_with_a_token(self, security: Client) -> None:
        page = security.get("/").content.decode()

        assert re.search(r'<form[^>]*method="post" action="/logout"', page)
        assert "csrfmiddlewaretoken" in page

    @pytest.mark.parametrize(("fallback", "said"), [(False, False), (True, True)])
    def test_tells_when_a_worker_makes_do_without_weights(
        self,
        security: Client,
        redis_client: redis.Redis,
        fallback: bool,  # noqa: FBT001 - a column of the table
        said: bool,  # noqa: FBT001
    ) -> None:
        workers.report(
            redis_client, workers.WorkerStatus("vision-1", "x", fallback, {}, 0, 0)
        )

        page = text(security.get("/"))

        assert (views.FALLBACK in page) is said
        assert views.NO_WORKER not in page

    def test_tells_when_no_worker_runs(
        self, security: Client, redis_client: redis.Redis
    ) -> None:
        assert views.NO_WORKER in text(security.get("/"))

    def test_stays_readable_without_redis(
        self, security: Client, line: CountingLine, settings: Settings
    ) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        page = security.get("/cameras/CAM-GATE")

        assert page.status_code == 200
        assert views.NO_REDIS in text(page)


class TestAttendancePages:
    @pytest.mark.parametrize(("method", "address", "roles", "status"), ATTENDANCE_PAGES)
    @pytest.mark.parametrize("role", [HR, INTEGRATOR, SECURITY, SITE_ADMIN])
    def test_are_open_to_their_roles_alone(
        self,
        client: Client,
        site: Site,
        method: str,
        address: str,
        roles: set[str],
        status: int,
        role: str,
    ) -> None:
        make_unknown_attendance(pk=1, camera=make_camera(site=site))
        day = make_record(employee=make_employee(site=site, code="E-104"))
        day.requests.create(pk=1, made_at=timezone.now(), text="I was there.")
        client.force_login(make_user("who", role=role, sites=[site]))

        page = getattr(client, method)(address)

        assert page.status_code == (status if role in roles else 403)

    @pytest.mark.parametrize(("method", "address", "roles", "status"), ATTENDANCE_PAGES)
    def test_ask_for_a_login(
        self, client: Client, method: str, address: str, roles: set[str], status: int
    ) -> None:
        page = getattr(client, method)(address)

        assert page["Location"] == f"/login?next={address}"


class TestVehiclePages:
    @pytest.mark.parametrize(("method", "address", "roles", "status"), VEHICLE_PAGES)
    @pytest.mark.parametrize("role", [HR, INTEGRATOR, SECURITY, SITE_ADMIN])
    def test_are_open_to_their_roles_alone(
        self,
        client: Client,
        site: Site,
        method: str,
        address: str,
        roles: set[str],
        status: int,
        role: str,
    ) -> None:
        gate = Gate.objects.create(pk=1, site=site, name="North gate")
        make_vehicle(pk=1, site=site, plate_number="MH12AB1234")
        make_vehicle_log(pk=1, camera=make_camera(site=site), gate=gate)
        client.force_login(make_user("who", role=role, sites=[site]))

        page = getattr(client, method)(address)

        assert page.status_code == (status if role in roles else 403)

    @pytest.mark.parametrize(("method", "address", "roles", "status"), VEHICLE_PAGES)
    def test_ask_for_a_login(
        self, client: Client, method: str, address: str, roles: set[str], status: int
    ) -> None:
        page = getattr(client, method)(address)

        assert page["Location"] == f"/login?next={address}"


class TestOccupancyPages:
    @pytest.mark.parametrize(("method", "address", "roles", "status"), OCCUPANCY_PAGES)
    @pytest.mark.parametrize("role", [HR, INTEGRATOR, SECURITY, SITE_ADMIN])
    def test_are_open_to_their_roles_alone(
        self,
        client: Client,
        line: CountingLine,
        method: str,
        address: str,
        roles: set[str],
        status: int,
        role: str,
    ) -> None:
        make_area(pk=1, site=line.camera.site)
        client.force_login(make_user("who", role=role, sites=[line.camera.site]))

        page = getattr(client, method)(address)

        assert page.status_code == (status if role in roles else 403)

    @pytest.mark.parametrize(("method", "address", "roles", "status"), OCCUPANCY_PAGES)
    def test_ask_for_a_login(
        self, client: Client, method: str, address: str, roles: set[str], status: int
    ) -> None:
        page = getattr(client, method)(address)

        assert page["Location"] == f"/login?next={address}"


class TestLogin:
    def test_sends_people_back_to_where_they_wanted_to_go(
        self, client: Client, line: CountingLine
    ) -> None:
        make_user("asha", role=SECURITY, sites=[line.camera.site])
        wanted = client.get("/cameras/CAM-GATE")
        assert wanted["Location"] == "/login?next=/cameras/CAM-GATE"

        form = {"username": "asha", "password": "a long passphrase"}
        page = client.post("/login", {**form, "next": "/cameras/CAM-GATE"})

        assert page["Location"] == "/cameras/CAM-GATE"

    def test_explains_a_wrong_password_and_keeps_the_name(self, client: Client) -> None:
        make_user("asha")

        page = client.post("/login", {"username": "asha", "password": "wrong"})

        assert "do not match an active login" in text(page)
        assert 'value="asha"' in page.content.decode()

    def test_shows_no_navigation(self, client: Client) -> None:
        assert "<nav" not in client.get("/login").content.decode()


class TestRefusal:
    def test_names_the_role_and_the_next_step(self, client: Client, site: Site) -> None:
        client.force_login(make_user("nobody", sites=[site]))

        page = client.get("/")

        assert page.status_code == 403
        assert "Your login has no role yet. Ask whoever" in text(page)
        assert 'href="/"' not in page.content.decode()

    def test_is_readable_for_a_page_that_is_not_there(self, security: Client) -> None:
        page = security.get("/nowhere")

        assert page.status_code == 404
        assert "There is no such page" in text(page)

    def test_needs_no_context_when_everything_broke(self) -> None:
        assert "could not be made" in render_to_string("500.html")
        assert "too old" in render_to_string("403_csrf.html")
