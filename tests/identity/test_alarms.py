from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission

from alerts import services
from alerts.models import Alert, Kind
from factory_site import roles
from identity import alarms
from identity.models import AccessLog
from tests.factories import (
    make_access_log,
    make_alert,
    make_camera,
    make_employee,
    make_rule,
    make_site,
    make_unknown_person,
    make_user,
)

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import UnknownPerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client")]
NOON = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
"""12:00 in Kolkata."""
Decision = AccessLog.Decision


def note(log: AccessLog) -> list[Alert]:
    alarms.note_access(log=log, at=NOON)
    return list(Alert.objects.order_by("pk"))


def sighting(stranger: UnknownPerson, **values: Any) -> AccessLog:
    camera = make_camera(site=stranger.site)
    return make_access_log(
        camera=camera, unknown_person=stranger, occurred_at=NOON, **values
    )


class TestRefusedPerson:
    @pytest.mark.parametrize(
        ("values", "why"),
        [
            ({"status": "inactive"}, "who is inactive"),
            ({"is_authorized": False}, "who may not enter"),
        ],
    )
    def test_is_told_of_by_name_place_and_site_time(
        self, values: dict[str, Any], why: str
    ) -> None:
        make_rule(kind=Kind.REFUSED_PERSON, severity="critical")
        site = make_site(time_zone="Asia/Kolkata")
        person = make_employee(site=site, name="Asha Rao", code="E-104", **values)
        camera = make_camera(site=site, name="Gate 1", code="CAM-1")
        log = make_access_log(
            employee=person,
            camera=camera,
            decision=Decision.UNAUTHORIZED,
            occurred_at=NOON,
        )

        (alert,) = note(log)

        assert alert.text == (
            f"Asha Rao (E-104), {why}, is at Gate 1 (CAM-1), 2026-03-02 12:00 IST."
        )
        assert (alert.severity, alert.subject) == ("critical", "E-104")
        assert (alert.site, alert.camera, alert.opened_at) == (site, camera, NOON)

    def test_is_told_of_once_while_nobody_resolved_it(self) -> None:
        make_rule(kind=Kind.REFUSED_PERSON)
        person = make_employee(status="inactive")
        for _ in range(3):
            log = make_access_log(employee=person, decision=Decision.UNAUTHORIZED)
            (alert,) = note(log)
        services.resolve(alert=alert, at=NOON)

        assert len(note(log)) == 2

    def test_is_not_told_of_when_let_in_or_where_no_rule_asks(self) -> None:
        refused = make_access_log(
            employee=make_employee(), decision=Decision.UNAUTHORIZED
        )
        assert note(refused) == []
        make_rule(kind=Kind.REFUSED_PERSON)

        assert note(make_access_log(employee=make_employee())) == []
        assert len(note(refused)) == 1


class TestUnknownPerson:
    def test_is_told_of_once_for_each_camera_with_such_a_rule(self) -> None:
        site = make_site(time_zone="Asia/Kolkata")
        camera = make_camera(site=site, name="Back door", code="CAM-9")
        make_rule(kind=Kind.UNKNOWN_PERSON, site=site, camera=camera)
        log = make_access_log(camera=camera, occurred_at=NOON)

        note(make_access_log(camera=make_camera(site=site)))
        note(log)
        (alert,) = note(make_access_log(camera=camera))

        assert alert.text == (
            "Somebody unknown is at Back door (CAM-9), 2026-03-02 12:00 IST."
        )
        assert alert.subject == "CAM-9"

    def test_is_not_somebody_who_looks_like_two(self) -> None:
        make_rule(kind=Kind.UNKNOWN_PERSON)

        assert note(make_access_log(decision=Decision.AMBIGUOUS)) == []


class TestRepeatedStranger:
    @pytest.mark.parametrize(("times", "told_from"), [(None, 3), (2, 2), (5, 5)])
    def test_is_told_of_from_the_visit_that_the_rule_says(
        self, times: int | None, told_from: int
    ) -> None:
        make_rule(kind=Kind.REPEATED_STRANGER, times=times)

        assert note(sighting(make_unknown_person(sightings=told_from - 1))) == []
        assert len(note(sighting(make_unknown_person(sightings=told_from)))) == 1
        assert len(note(sighting(make_unknown_person(sightings=told_from + 1)))) == 2

    def test_is_told_of_by_number_visits_and_place(self) -> None:
        make_rule(kind=Kind.REPEATED_STRANGER)
        first = NOON - timedelta(days=9)
        stranger = make_unknown_person(sightings=4, first_seen_at=first)
        log = sighting(stranger)

        (alert,) = note(log)

        assert alert.subject == f"Stranger {stranger.pk}"
        assert alert.text.startswith(
            f"Stranger {stranger.pk} is here for visit 4 since 2026-02-21, at "
            f"{log.camera.name} ({log.camera.code}), 2026-03-02"
        )

    def test_is_nobody_who_has_a_name(self) -> None:
        make_rule(kind=Kind.REPEATED_STRANGER)
        site = make_site()
        stranger = make_unknown_person(
            site=site, sightings=9, employee=make_employee(site=site), promoted_at=NOON
        )

        assert note(sighting(stranger)) == []


class TestAlertPage:
    def test_is_open_to_alerts_about_people(self, admin_client: Client) -> None:
        make_rule(kind=Kind.REPEATED_STRANGER, name="Strangers")
        (alert,) = note(sighting(make_unknown_person(sightings=3)))

        page = admin_client.get(f"/alerts/{alert.pk}").content.decode()

        assert "Strangers</a>: same stranger again." in page
        assert alert.text in admin_client.get("/alerts").content.decode()
        (row,) = admin_client.get("/api/v1/alerts?kind=repeated_stranger").json()[
            "results"
        ]
        assert row["kind_label"] == "Same stranger again"

    @pytest.mark.parametrize(
        ("kind", "subject", "link"),
        [
            (Kind.UNKNOWN_PERSON, "CAM-9", "/access?camera=CAM-9&amp;decision=unknown"),
            (Kind.REFUSED_PERSON, "E-104", "/access?person=E-104"),
            (Kind.REPEATED_STRANGER, "Stranger 17", "/unknown/17"),
        ],
    )
    def test_leads_to_the_visits_for_those_who_may_see_them(
        self, kind: Kind, subject: str, link: str, role_groups: None, client: Client
    ) -> None:
        camera = make_camera(code="CAM-9")
        alert = make_alert(camera=camera, kind=kind, subject=subject)
        guard = make_user("sam", role=roles.SECURITY, sites=[camera.site])
        client.force_login(guard)

        for address in ("/alerts", f"/alerts/{alert.pk}"):
            assert f'href="{link}"' in client.get(address).content.decode()
        allowed = Permission.objects.get(
            codename="view_accesslog", content_type__app_label="identity"
        )
        allowed.group_set.clear()
        assert f'href="{link}"' not in client.get("/alerts").content.decode()
