"""Counts set right by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from occupancy.models import OccupancyLog
from occupancy.views.correct import NO_NUMBER, NO_REASON
from tests.factories import make_area, make_camera
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import User
    from occupancy.models import Area, CountingLine
    from tests.occupancy.views.conftest import Cross

pytestmark = pytest.mark.django_db


def address(area: Area) -> str:
    return f"/occupancy/areas/{area.pk}/correct"


class TestArea:
    def test_takes_the_count_and_keeps_who_said_so(
        self, security: Client, sam: User, hall: Area
    ) -> None:
        form = {"count": "3", "reason": "Counted by hand"}

        page = security.post(address(hall), form, follow=True)

        assert "Hall A: 3 inside now." in text(page)
        hall.refresh_from_db()
        assert hall.current_count == 3
        row = hall.corrections.get()
        assert (row.reason, row.corrected_by) == ("Counted by hand", sam)

    @pytest.mark.parametrize(
        ("count", "reason", "sentence"),
        [
            ("-1", "Counted", "A count is a whole number from 0 to"),
            ("9000000", "Counted", "A count is a whole number from 0 to"),
            ("", "Counted", NO_NUMBER),
            ("a dozen", "Counted", NO_NUMBER),
            ("1.5", "Counted", NO_NUMBER),
            ("\u0663", "Counted", NO_NUMBER),
            ("9" * 30, "Counted", NO_NUMBER),
            ("3", " ", NO_REASON),
            ("3", "x" * 201, "The reason is longer than 200 characters."),
        ],
    )
    def test_refuses_with_a_sentence_and_keeps_what_was_typed(
        self, security: Client, hall: Area, count: str, reason: str, sentence: str
    ) -> None:
        page = security.post(address(hall), {"count": count, "reason": reason})

        assert page.status_code == 422
        assert sentence in text(page)
        assert f'value="{count}"' in page.content.decode()
        assert f'value="{reason.strip()}"' in page.content.decode()
        hall.refresh_from_db()
        assert hall.current_count == 0
        assert not hall.corrections.exists()

    def test_shows_the_sentence_beside_its_field(
        self, security: Client, hall: Area
    ) -> None:
        page = security.post(address(hall), {"count": "-1", "reason": "Counted"})

        assert 'id="count-error"' in page.content.decode()
        assert 'id="reason-error"' not in page.content.decode()

    def test_shows_what_was_corrected_before(
        self, security: Client, hall: Area, front: CountingLine, cross: Cross
    ) -> None:
        cross(front, "out", times=2)
        security.post(address(hall), {"count": "3", "reason": "Fire drill"})

        page = text(security.get(address(hall)))

        assert "Hall A: 3 inside" in page
        assert "0 to 3 by sam: Fire drill (2 had left unseen)" in page

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        form = {"count": "3", "reason": "Counted"}

        assert security.post(address(make_area()), form).status_code == 404

    def test_is_refused_to_those_who_may_only_look(
        self, integrator: Client, hall: Area
    ) -> None:
        assert integrator.get(address(hall)).status_code == 403


class TestCamera:
    def test_takes_the_count(self, security: Client, front: CountingLine) -> None:
        page = security.post(
            "/occupancy/cameras/CAM-FRONT/correct",
            {"count": "7", "reason": "Counted by hand"},
            follow=True,
        )

        assert "Front door: 7 inside now." in text(page)
        log = OccupancyLog.objects.get()
        assert (log.cause, log.current_count) == ("correction", 7)
        again = text(security.get("/occupancy/cameras/CAM-FRONT/correct"))
        assert "Front door: 7 inside" in again
        assert "7 by sam: Counted by hand" in again

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        camera = make_camera()

        page = security.get(f"/occupancy/cameras/{camera.code}/correct")

        assert page.status_code == 404
