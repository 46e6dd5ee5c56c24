"""The inbox of alerts, as a browser gets it without its scripts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from alerts import services, views
from alerts.models import Alert, AlertDelivery, Kind, Severity
from factory_site.roles import HR, INTEGRATOR, SECURITY, SITE_ADMIN
from tests.factories import (
    make_alert,
    make_camera,
    make_channel,
    make_rule,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import User
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 18


@pytest.fixture
def asha(site: Site) -> User:
    return make_user("asha", role=SECURITY, sites=[site])


@pytest.fixture
def security(client: Client, asha: User) -> Client:
    client.force_login(asha)
    return client


def rows(response: Any) -> list[str]:
    """Return the text of the rows, in the order of the page."""
    return re.findall(r'class="alert-open"[^>]*>([^<]+)', response.content.decode())


def resolved(at: Any = None, **values: Any) -> Alert:
    state = Alert.State.RESOLVED
    return make_alert(state=state, resolved_at=at or timezone.now(), **values)


class TestInbox:
    def test_answers_in_its_first_line(self, security: Client, gate: Camera) -> None:
        make_alert(camera=gate)
        make_alert(camera=None)
        make_alert(camera=make_camera(site=gate.site), state=Alert.State.ACKNOWLEDGED)

        assert "2 open, 1 acknowledged" in text(security.get("/alerts"))

    def test_says_that_nothing_needs_anybody(
        self, security: Client, gate: Camera
    ) -> None:
        page = text(security.get("/alerts"))

        assert "0 open" in page
        assert "Nothing needs you now" in page

    def test_puts_what_is_open_and_most_urgent_first(
        self, security: Client, site: Site
    ) -> None:
        now = timezone.now()
        for minutes, name, values in (
            (1, "newer warning", {}),
            (9, "older critical", {"severity": Severity.CRITICAL}),
            (5, "older warning", {}),
            (0, "taken", {"state": Alert.State.ACKNOWLEDGED}),
            (0, "over", {"state": Alert.State.RESOLVED, "resolved_at": now}),
        ):
            make_alert(
                camera=make_camera(site=site),
                text=name,
                opened_at=now - timedelta(minutes=minutes),
                **values,
            )

        assert rows(security.get("/alerts")) == [
            "older critical",
            "newer warning",
            "older warning",
            "taken",
            "over",
        ]

    def test_shows_the_alerts_of_the_sites_of_the_login_and_of_the_whole_system(
        self, security: Client, gate: Camera
    ) -> None:
        make_alert(camera=gate, text="here")
        make_alert(camera=None, text="whole")
        make_alert(camera=make_camera(), text="elsewhere")

        assert set(rows(security.get("/alerts"))) == {"here", "whole"}

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("site=main", {"here", "here, over"}),
            ("kind=worker_lost", {"whole"}),
            ("state=open", {"here", "whole"}),
            ("state=resolved", {"here, over"}),
            ("q=gate+1", {"here", "here, over"}),
            ("q=OVER", {"here, over"}),
            ("kind=camera_offline&state=open", {"here"}),
            ("kind=made-up", set()),
        ],
    )
    def test_narrows_down(
        self, security: Client, gate: Camera, query: str, found: set[str]
    ) -> None:
        make_alert(camera=gate, text="here")
        make_alert(camera=None, text="whole")
        resolved(camera=gate, text="here, over")

        assert set(rows(security.get(f"/alerts?{query}"))) == found

    def test_keeps_the_filters_over_the_pages_of_what_was_resolved(
        self, security: Client, gate: Camera
    ) -> None:
        now = timezone.now()
        for number in range(views.RESOLVED_PER_PAGE + 1):
            resolved(now - timedelta(hours=number), camera=gate, text=f"no. {number}")

        first = security.get("/alerts?kind=camera_offline")
        older = re.search(r'href="(\?[^"]+page=2)"', first.content.decode())
        assert older is not None
        assert len(rows(first)) == views.RESOLVED_PER_PAGE

        address = older.group(1).replace("&amp;", "&")
        assert rows(security.get(f"/alerts{address}")) == ["no. 25"]
        assert "kind=camera_offline" in address

    def test_says_who_looks_after_it_and_with_what_words(
        self, security: Client, gate: Camera, asha: User
    ) -> None:
        now = timezone.now()
        services.acknowledge(
            alert=make_alert(camera=gate), by=asha, at=now, note="guard sent"
        )

        at = f"{gate.site.local(now):%H:%M}"
        assert f"Acknowledged {at} by asha: guard sent" in text(security.get("/alerts"))

    def test_gives_the_integrator_nothing_to_press(
        self, client: Client, gate: Camera
    ) -> None:
        client.force_login(make_user("iris", role=INTEGRATOR, sites=[gate.site]))
        make_alert(camera=gate)

        page = client.get("/alerts").content.decode()

        assert "alert-open" in page
        assert "Acknowledge<" not in page

    @pytest.mark.parametrize("name", ["site", "kind", "state", "q"])
    def test_bears_what_postgres_cannot_store(
        self, security: Client, name: str
    ) -> None:
        assert security.get("/alerts", {name: "a\0b"}).status_code == 200

    @pytest.mark.parametrize(("role", "is_led"), [(HR, True), (SECURITY, False)])
    def test_leads_to_the_board_of_the_day_that_a_digest_tells_of(
        self,
        client: Client,
        site: Site,
        role: str,
        is_led: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        make_alert(
            site=site, kind=Kind.ATTENDANCE_DIGEST, subject=f"{site.slug} 2026-03-03"
        )
        client.force_login(make_user("x", role=role, sites=[site]))

        page = client.get("/alerts").content.decode()

        link = 'href="/attendance?site=main&amp;date=2026-03-03"'
        assert (link in page) is is_led

    def test_is_refused_to_those_who_may_not_see_alerts(
        self, client: Client, gate: Camera
    ) -> None:
        client.force_login(make_user("nora", sites=[gate.site]))

        assert client.get("/alerts").status_code == 403

    def test_needs_as_many_queries_for_many_alerts_as_for_one(
        self,
        security: Client,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(16):
            make_alert(camera=make_camera(site=site))
            resolved(camera=make_camera(site=site))

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/alerts")


class TestAlert:
    def test_tells_its_rule_and_its_history(
        self, security: Client, gate: Camera, asha: User
    ) -> None:
        rule = make_rule(name="Gates", after_s=60)
        alert = make_alert(camera=gate, rule=rule, text="Gate 1 is offline.")
        services.resolve(alert=alert, by=asha, at=timezone.now(), note="cable")

        page = text(security.get(f"/alerts/{alert.pk}"))

        assert "Gate 1 is offline. Resolved . Camera offline: Gate 1, Main plant" in (
            page.replace("Resolved.", "Resolved .")
        )
        assert "By the rule Gates: camera offline for 60 s." in page
        assert re.search(r"Resolved \d\d:\d\d by asha: cable", page)

    def test_shows_where_it_was_sent_to_those_who_may_see_deliveries(
        self, client: Client, gate: Camera
    ) -> None:
        alert = make_alert(camera=gate)
        AlertDelivery.objects.create(
            alert=alert,
            channel=make_channel(name="ERP"),
            event=AlertDelivery.Event.OPENED,
            body="{}",
            state=AlertDelivery.State.FAILED,
            attempts=3,
            answer="It answered 410.",
            created_at=timezone.now(),
        )

        for role, shown in ((SITE_ADMIN, True), (SECURITY, False)):
            client.force_login(make_user(role, role=role, sites=[gate.site]))
            page = text(client.get(f"/alerts/{alert.pk}"))
            assert (
                "ERP : opened Failed 3 attempts: It answered 410."
                in (page.replace("ERP:", "ERP :"))
            ) is shown

    def test_is_not_found_at_another_site(self, security: Client, gate: Camera) -> None:
        here, elsewhere = make_alert(camera=gate), make_alert(camera=make_camera())

        assert security.get(f"/alerts/{here.pk}").status_code == 200
        assert security.get(f"/alerts/{elsewhere.pk}").status_code == 404


class TestHandling:
    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_is_noted_with_its_author_and_shows_the_page_again(
        self, security: Client, gate: Camera, action: str
    ) -> None:
        alert = make_alert(camera=gate)

        answer = security.post(
            f"/alerts/{alert.pk}/{action}",
            {"note": " guard\0 sent ", "next": "/alerts?kind=camera_offline"},
        )

        alert.refresh_from_db()
        assert answer["Location"] == "/alerts?kind=camera_offline"
        assert alert.note == "guard sent"
        assert "asha" in {
            str(alert.acknowledged_by or ""),
            str(alert.resolved_by or ""),
        }

    def test_tells_whoever_was_too_late(
        self, security: Client, gate: Camera, asha: User
    ) -> None:
        alert = make_alert(camera=gate, text="Gate 1 is offline.")
        services.acknowledge(alert=alert, by=asha, at=timezone.now(), note="first")

        page = security.post(f"/alerts/{alert.pk}/acknowledge", follow=True)

        alert.refresh_from_db()
        assert "Gate 1 is offline. asha acknowledged it at" in text(page)
        assert alert.note == "first"

    def test_goes_to_no_other_host_afterwards(
        self, security: Client, gate: Camera
    ) -> None:
        alert = make_alert(camera=gate)

        answer = security.post(
            f"/alerts/{alert.pk}/acknowledge", {"next": "https://elsewhere.example/"}
        )

        assert answer["Location"] == "/alerts"

    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_is_refused_to_those_who_may_only_look(
        self, client: Client, gate: Camera, action: str
    ) -> None:
        client.force_login(make_user("iris", role=INTEGRATOR, sites=[gate.site]))
        alert = make_alert(camera=gate)

        answer = client.post(f"/alerts/{alert.pk}/{action}")

        alert.refresh_from_db()
        assert answer.status_code == 403
        assert alert.state == Alert.State.OPEN

    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_is_not_found_at_another_site(self, security: Client, action: str) -> None:
        alert = make_alert(camera=make_camera())

        assert security.post(f"/alerts/{alert.pk}/{action}").status_code == 404

    def test_needs_a_form_not_a_link(self, security: Client, gate: Camera) -> None:
        alert = make_alert(camera=gate, kind=Kind.CAMERA_OFFLINE)

        assert security.get(f"/alerts/{alert.pk}/acknowledge").status_code == 405
