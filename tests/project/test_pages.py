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

from factory_site import views
from factory_site.roles import HR, SECURITY, SITE_ADMIN
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming import workers
from streaming.models import Camera
from tests.factories import make_camera, make_crossing, make_line, make_site, make_user

if TYPE_CHECKING:
    import redis
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from occupancy.models import CountingLine
    from streaming.models import Site

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 14


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


def text(response: Any) -> str:
    """Return the words of a page, one space between them."""
    body = re.sub(r"<template.*?</template>", "", response.content.decode(), flags=re.S)
    apart = re.sub(r"<(?=/?(p|dt|dd|li|div)\b)", " <", body)
    return " ".join(re.sub(r"<[^>]+>", "", apart).split())


class TestHome:
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
        make_camera(
            site=site,
            state=Camera.State.OFFLINE,
            state_reason="connection refused",
            state_since=timezone.now(),
        )

        since = f"{site.local(timezone.now()):%H:}"
        assert re.search(
            rf"Offline since {since}\d\d: connection refused", text(security.get("/"))
        )

    @pytest.mark.parametrize(("age_s", "words"), [(10, "Online"), (90, "No picture")])
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
        for _ in range(8):
            record_crossing(
                event=make_crossing(
                    make_line(camera=make_camera(site=site)), Direction.IN
                )
            )

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/")


class TestCamera:
    def test_shows_picture_counts_and_crossings(
        self, security: Client, line: CountingLine
    ) -> None:
        for direction in (Direction.IN, Direction.IN, Direction.OUT):
            record_crossing(event=make_crossing(line, direction))

        page = security.get("/cameras/CAM-GATE")

        assert 'src="/api/video_feed?camera=CAM-GATE"' in page.content.decode()
        assert "Now inside 1 In today 2 Out today 1" in text(page)
        assert "Out Main door 1 inside" in text(page)

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

        for address in ("/", "/cameras/CAM-GATE"):
            page = client.get(address)
            assert page.status_code == 200
            assert "inside" not in page.content.decode()
            assert "occupancy.occupancylog" not in page.content.decode()

    def test_is_not_found_at_another_site(
        self, security: Client, line: CountingLine
    ) -> None:
        make_camera(code="CAM-ELSEWHERE")

        assert security.get("/cameras/CAM-GATE").status_code == 200
        assert security.get("/cameras/CAM-ELSEWHERE").status_code == 404

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
