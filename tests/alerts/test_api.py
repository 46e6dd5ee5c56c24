from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError
from rest_framework.test import APIClient

from alerts import tasks
from alerts.models import Alert
from factory_site.roles import SECURITY
from tests.factories import make_alert, make_camera, make_site, make_user

if TYPE_CHECKING:
    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
ALERTS = "/api/v1/alerts"


@pytest.fixture
def site() -> Site:
    return make_site(name="Main plant")


@pytest.fixture
def sam(site: Site, role_groups: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user("sam", role=SECURITY, sites=[site]))
    return client


class TestAlerts:
    def test_are_those_of_the_users_sites_and_of_the_whole_system(
        self, sam: APIClient, site: Site
    ) -> None:
        own = make_alert(camera=make_camera(site=site))
        whole = make_alert(camera=None)
        theirs = make_alert()

        ids = {row["id"] for row in sam.get(ALERTS).json()["results"]}

        assert ids == {own.pk, whole.pk}
        for action in ("", "/acknowledge", "/resolve"):
            ask = sam.post if action else sam.get
            assert ask(f"{ALERTS}/{theirs.pk}{action}").status_code == 404

    def test_tell_whom_they_are_about(self, sam: APIClient, site: Site) -> None:
        camera = make_camera(site=site, code="CAM-1", name="Gate 1")
        alert = make_alert(camera=camera)

        row = sam.get(f"{ALERTS}/{alert.pk}").json()

        assert row["site_name"] == "Main plant"
        assert (row["camera_code"], row["camera_name"]) == ("CAM-1", "Gate 1")
        assert (row["kind_label"], row["state"]) == ("Camera offline", "open")
        assert row["acknowledged_by"] is None

    def test_are_filtered(self, sam: APIClient, site: Site) -> None:
        now = timezone.now()
        one = make_alert(
            camera=make_camera(site=site, code="CAM-1"), opened_at=now, severity="info"
        )
        other = make_alert(camera=None, opened_at=now - timedelta(hours=2))
        hour_ago = (now - timedelta(hours=1)).isoformat()

        def found(**query: str | int) -> list[int]:
            rows = sam.get(ALERTS, query).json()["results"]
            return [row["id"] for row in rows]

        assert found() == [one.pk, other.pk]
        assert found(camera="CAM-1") == found(site=site.pk) == [one.pk]
        assert found(kind="worker_lost") == found(severity="warning") == [other.pk]
        assert found(**{"from": hour_ago}) == found(severity="info") == [one.pk]
        assert found(to=hour_ago) == [other.pk]
        assert found(state="resolved") == []
        assert sam.get(ALERTS, {"state": "closed"}).status_code == 400
        assert sam.get(ALERTS, {"colour": "red"}).status_code == 400

    def test_ask_no_more_for_more_rows(self, sam: APIClient, site: Site) -> None:
        make_alert(camera=make_camera(site=site))
        sam.get(ALERTS)
        with CaptureQueriesContext(connection) as for_one:
            sam.get(ALERTS)
        for _ in range(3):
            make_alert(camera=make_camera(site=site))
        with CaptureQueriesContext(connection) as for_four:
            sam.get(ALERTS)

        assert len(for_four) == len(for_one)


class TestHandling:
    @pytest.mark.parametrize(
        ("action", "state", "who"),
        [
            ("acknowledge", "acknowledged", "acknowledged_by"),
            ("resolve", "resolved", "resolved_by"),
        ],
    )
    def test_says_who_did_it_and_what(
        self, sam: APIClient, action: str, state: str, who: str
    ) -> None:
        alert = make_alert(camera=None)

        response = sam.post(
            f"{ALERTS}/{alert.pk}/{action}", {"note": "guard sent"}, format="json"
        )

        row = response.json()
        assert response.status_code == 200
        assert (row["state"], row[who], row["note"]) == (state, "sam", "guard sent")

    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_is_refused_with_a_sentence_when_somebody_was_faster(
        self, sam: APIClient, action: str
    ) -> None:
        alert = make_alert(camera=None)
        address = f"{ALERTS}/{alert.pk}/{action}"
        sam.post(address)

        response = sam.post(address, {"note": "late"}, format="json")

        assert response.status_code == 409
        assert response.json()["code"] == "already_handled"
        assert response.json()["detail"].startswith(f"sam {action}d it at ")
        assert Alert.objects.get().note == ""

    @pytest.mark.django_db(transaction=True)
    def test_works_while_nothing_can_be_sent_at_once(
        self,
        sam: APIClient,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def refuse(**_: object) -> None:
            raise OperationalError("Connection refused.")

        monkeypatch.setattr(tasks.send_due, "apply_async", refuse)
        alert = make_alert(camera=None)

        response = sam.post(f"{ALERTS}/{alert.pk}/acknowledge")

        assert response.status_code == 200
        assert Alert.objects.get().state == "acknowledged"
        assert "Connection refused" in caplog.text

    def test_refuses_a_note_that_is_too_long(self, sam: APIClient) -> None:
        alert = make_alert(camera=None)

        response = sam.post(
            f"{ALERTS}/{alert.pk}/acknowledge", {"note": "x" * 1001}, format="json"
        )

        assert response.status_code == 400
        assert set(response.json()) == {"note"}
