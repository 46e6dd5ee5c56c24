"""The access page, each sighting's page and the CSV, as a browser gets them."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.utils import timezone

from factory_site.roles import HR, INTEGRATOR
from identity.models import AccessLog
from identity.views import access
from tests.factories import (
    make_access_log,
    make_camera,
    make_employee,
    make_site,
    make_unknown_person,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db

PAGE_QUERIES_MAX = 18
Decision = AccessLog.Decision


def rows(response: Any) -> list[int]:
    """Return the keys of the rows, in the order of the page."""
    return [
        int(key) for key in re.findall(r'data-key="(\d+)"', response.content.decode())
    ]


def refused(gate: Camera, **values: Any) -> AccessLog:
    leaver = make_employee(site=gate.site, status="inactive")
    decision = Decision.UNAUTHORIZED
    return make_access_log(employee=leaver, camera=gate, decision=decision, **values)


class TestAccess:
    def test_answers_in_its_first_line(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        for _ in range(3):
            make_access_log(camera=gate, employee=asha)
        make_access_log(camera=gate)
        refused(gate)
        make_access_log(camera=make_camera())

        page = text(security.get("/access"))

        assert "Today: 5 seen, 3 known, 1 unknown, 1 refused" in page

    def test_tells_of_doubt_where_there_was_any(
        self, security: Client, gate: Camera
    ) -> None:
        make_access_log(camera=gate, decision=Decision.AMBIGUOUS)

        assert "0 unknown, 1 ambiguous, 0 refused" in text(security.get("/access"))

    def test_counts_the_days_of_the_site(
        self, security: Client, gate: Camera, site: Site
    ) -> None:
        midnight = site.local(timezone.now()).replace(hour=0, minute=0, second=0)
        make_access_log(camera=gate, occurred_at=midnight + timedelta(seconds=1))
        make_access_log(camera=gate, occurred_at=midnight - timedelta(seconds=1))

        assert "Today: 1 seen" in text(security.get("/access"))

    def test_says_who_it_was_where_and_what_was_decided(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        make_access_log(camera=gate, employee=asha)

        page = text(security.get("/access"))

        assert re.search(r"now E-104 Asha Rao Authorized Gate 1", page)

    def test_tells_how_often_a_stranger_came(
        self, security: Client, gate: Camera
    ) -> None:
        stranger = make_unknown_person(site=gate.site, sightings=3)
        make_access_log(camera=gate, unknown_person=stranger)

        assert f"Stranger {stranger.pk} 3 visits Unknown" in text(
            security.get("/access")
        )

    def test_keeps_the_decision_when_a_stranger_got_a_name(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        make_access_log(
            camera=gate,
            employee=asha,
            decision=Decision.UNKNOWN,
            linked_at=timezone.now(),
        )

        page = text(security.get("/access"))

        assert "E-104 Asha Rao named later Unknown" in page

    def test_puts_the_newest_first(self, security: Client, gate: Camera) -> None:
        now = timezone.now()
        ago = (9, 1, 5)
        logs = [
            make_access_log(camera=gate, occurred_at=now - timedelta(minutes=minutes))
            for minutes in ago
        ]

        assert rows(security.get("/access")) == [logs[n].pk for n in (1, 2, 0)]

    def test_hides_other_sites(self, security: Client, gate: Camera) -> None:
        here = make_access_log(camera=gate)
        make_access_log(camera=make_camera())

        assert rows(security.get("/access")) == [here.pk]

    def test_needs_as_many_queries_for_many_rows_as_for_one(
        self,
        security: Client,
        gate: Camera,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(12):
            person = make_employee(site=gate.site) if number % 2 else None
            stranger = None if person else make_unknown_person(site=gate.site)
            make_access_log(camera=gate, employee=person, unknown_person=stranger)

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            security.get("/access")

    def test_is_refused_without_the_permission(
        self, client: Client, site: Site
    ) -> None:
        client.force_login(make_user("rob", sites=[site]))
        log = make_access_log(camera=make_camera(site=site))

        assert client.get("/access").status_code == 403
        assert client.get(f"/access/{log.pk}").status_code == 403
        assert client.get("/access.csv").status_code == 403
        assert 'href="/access"' not in client.get("/access").content.decode()

    def test_says_what_to_do_where_nobody_was_seen(
        self, security: Client, gate: Camera
    ) -> None:
        assert "Nobody has been seen yet" in text(security.get("/access"))
        assert "No sighting matches" in text(security.get("/access?person=x"))


class TestFilters:
    @pytest.fixture
    def logs(self, gate: Camera, asha: Employee) -> dict[str, int]:
        now = timezone.now()
        hall = make_camera(site=gate.site, code="CAM-HALL")
        stranger = make_unknown_person(pk=17, site=gate.site)
        made = {
            "asha": make_access_log(camera=gate, employee=asha, occurred_at=now),
            "stranger": make_access_log(camera=hall, unknown_person=stranger),
            "refused": refused(gate, flagged=True),
        }
        return {name: log.pk for name, log in made.items()}

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", {"asha", "stranger", "refused"}),
            ("camera=CAM-HALL", {"stranger"}),
            ("decision=unauthorized", {"refused"}),
            ("decision=nonsense", set()),
            ("person=e-104", {"asha"}),
            ("person=ASHA", {"asha"}),
            ("person=unknown+17", {"stranger"}),
            ("person=Stranger+17", {"stranger"}),
            ("person=17", {"stranger"}),
            ("person=%00", {"asha", "stranger", "refused"}),
            ("person=9999999999999999999999", set()),
            ("flagged=1", {"refused"}),
            ("site=main", {"asha", "stranger", "refused"}),
            ("site=elsewhere", set()),
            ("camera=CAM-GATE&decision=authorized&person=rao", {"asha"}),
        ],
    )
    def test_keep_what_fits(
        self, security: Client, logs: dict[str, int], query: str, found: set[str]
    ) -> None:
        page = security.get(f"/access?{query}")

        assert set(rows(page)) == {logs[name] for name in found}

    def test_take_days_as_the_sites_own(self, security: Client, gate: Camera) -> None:
        for at in ("2026-03-01T18:29:59", "2026-03-01T18:30:00", "2026-03-02T18:29:59"):
            occurred_at = datetime.fromisoformat(f"{at}+00:00")
            make_access_log(camera=gate, occurred_at=occurred_at)

        one = security.get("/access?from=2026-03-02&to=2026-03-02")
        both = security.get("/access?from=2026-03-01&to=2026-03-02")

        assert len(rows(one)) == 2
        assert len(rows(both)) == 3

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("from=yesterday", "Write the day as 2026-11-21"),
            ("to=9999-12-31", "Write the day as 2026-11-21"),
            ("from=2026-03-02&to=2026-03-01", "The last day is before the first"),
        ],
    )
    def test_say_what_is_wrong_and_keep_what_was_typed(
        self, security: Client, logs: dict[str, int], query: str, sentence: str
    ) -> None:
        page = security.get(f"/access?{query}&person=rao")

        assert sentence in text(page)
        assert 'value="rao"' in page.content.decode()
        assert 'aria-invalid="true"' in page.content.decode()


class TestOlder:
    def test_leads_through_all_rows_once(
        self, security: Client, gate: Camera, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(access, "ROWS_SHOWN", 3)
        at = timezone.now()
        made = [make_access_log(camera=gate, occurred_at=at).pk for _ in range(8)]
        found: list[int] = []
        address: str | None = "?camera=CAM-GATE"

        while address:
            page = security.get(f"/access{address}")
            found += rows(page)
            link = re.search(r'href="([^"]+older=[^"]+)"', page.content.decode())
            address = link.group(1).replace("&amp;", "&") if link else None

        assert found == sorted(made, reverse=True)

    @pytest.mark.parametrize("cursor", ["x", "2026_", "_7", "2026-01-01T00:00:00_x"])
    def test_starts_at_the_newest_for_what_is_no_place(
        self, security: Client, gate: Camera, cursor: str
    ) -> None:
        log = make_access_log(camera=gate)

        assert rows(security.get(f"/access?older={cursor}")) == [log.pk]


class TestCsv:
    def lines(self, answer: Any) -> list[dict[str, str]]:
        content = answer.content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(content)))

    def test_holds_the_filtered_list(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        at = datetime.fromisoformat("2026-03-02T08:15:30+00:00")
        event = UUID(int=7)
        make_access_log(camera=gate, employee=asha, occurred_at=at, event_id=event)
        make_access_log(camera=gate)

        answer = security.get("/access.csv?person=asha")

        (line,) = self.lines(answer)
        assert line["time"] == "2026-03-02T13:45:30+05:30"
        assert line["employee"] == "E-104"
        assert line["decision"] == "authorized"
        assert line["needed"] == "0.42"
        assert line["event id"] == str(event)
        assert answer["Content-Disposition"].startswith('attachment; filename="access-')
        assert answer["Cache-Control"] == "no-store"

    def test_holds_no_other_site(self, security: Client, gate: Camera) -> None:
        make_access_log(camera=make_camera())

        assert self.lines(security.get("/access.csv")) == []

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_holds_no_formula(self, security: Client, gate: Camera, start: str) -> None:
        make_access_log(camera=gate, notes=f"{start}HYPERLINK(1)")

        (line,) = self.lines(security.get("/access.csv"))

        assert line["notes"].startswith("'")

    def test_is_refused_in_words_where_it_would_be_too_long(
        self, security: Client, gate: Camera, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(access, "CSV_ROWS_MAX", 1)
        for _ in range(2):
            make_access_log(camera=gate)

        answer = security.get("/access.csv?camera=CAM-GATE", follow=True)

        assert "Choose a shorter period" in text(answer)
        assert answer.redirect_chain == [("/access?camera=CAM-GATE", 302)]


class TestSighting:
    def test_gives_the_proof_in_words(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        log = make_access_log(
            camera=gate, employee=asha, similarity=0.713, runner_up=0.117, votes=4
        )

        page = text(security.get(f"/access/{log.pk}"))

        assert "Similarity 0.71, needed 0.42; next best 0.12, had to be 0.08" in page
        assert "Faces compared 4" in page
        assert "Best face good (0.80)" in page
        assert "this person may enter" in page

    def test_shows_the_other_visits_of_the_same_person(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        log, other = (make_access_log(camera=gate, employee=asha) for _ in range(2))
        make_access_log(camera=gate)

        assert rows(security.get(f"/access/{log.pk}")) == [other.pk]

    def test_has_no_other_visits_of_nobody(
        self, security: Client, gate: Camera
    ) -> None:
        log = make_access_log(camera=gate)
        make_access_log(camera=gate)

        page = security.get(f"/access/{log.pk}")

        assert rows(page) == []
        assert "Nobody knows who this is" in text(page)

    def test_leads_whoever_may_say_it_to_this_is(
        self, client: Client, site: Site, gate: Camera
    ) -> None:
        stranger = make_unknown_person(site=site)
        log = make_access_log(camera=gate, unknown_person=stranger)
        for name, role, told in (("a", HR, True), ("b", INTEGRATOR, False)):
            client.force_login(make_user(name, role=role, sites=[site]))
            page = text(client.get(f"/access/{log.pk}"))
            assert ("This is ..." in page) is told

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        log = make_access_log(camera=make_camera())

        assert security.get(f"/access/{log.pk}").status_code == 404
        assert security.post(f"/access/{log.pk}/flag").status_code == 404


class TestFlag:
    def test_is_kept_with_its_note(self, security: Client, gate: Camera) -> None:
        log = make_access_log(camera=gate)

        answer = security.post(
            f"/access/{log.pk}/flag", {"flagged": "on", "notes": "wrong person"}
        )

        log.refresh_from_db()
        assert answer["Location"] == f"/access/{log.pk}"
        assert (log.flagged, log.notes) == (True, "wrong person")
        assert log.decision == Decision.UNKNOWN

    def test_keeps_what_was_typed_where_it_is_too_long(
        self, security: Client, gate: Camera
    ) -> None:
        log = make_access_log(camera=gate)

        answer = security.post(f"/access/{log.pk}/flag", {"notes": "x" * 1001})

        log.refresh_from_db()
        assert answer.status_code == 422
        assert "x" * 1001 in answer.content.decode()
        assert log.notes == ""

    def test_is_refused_to_those_who_may_only_look(
        self, client: Client, site: Site, gate: Camera
    ) -> None:
        client.force_login(make_user("iris", role=INTEGRATOR, sites=[site]))
        log = make_access_log(camera=gate)

        assert client.post(f"/access/{log.pk}/flag").status_code == 403
        assert "flag-form" not in client.get(f"/access/{log.pk}").content.decode()

    def test_needs_a_form_not_a_link(self, security: Client, gate: Camera) -> None:
        log = make_access_log(camera=gate)

        assert security.get(f"/access/{log.pk}/flag").status_code == 405


class TestSites:
    def test_are_a_filter_where_there_are_two(self, client: Client, site: Site) -> None:
        second = make_site(name="Second plant", slug="second")
        client.force_login(make_user("two", role=HR, sites=[site, second]))
        make_access_log(camera=make_camera(site=site))
        there = make_access_log(camera=make_camera(site=second))

        assert rows(client.get("/access?site=second")) == [there.pk]
        assert "Second plant" in text(client.get("/access"))
