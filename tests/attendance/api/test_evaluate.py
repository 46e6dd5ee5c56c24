"""What the rules say of times that are stored nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model

from attendance.models import AttendanceRecord, PresenceEvent
from tests.factories import make_site

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db
EVALUATE = "/api/v1/attendance/evaluate"
DAY_SHIFT = {"start_time": "09:00", "end_time": "17:00", "grace_period_minutes": 10}
NIGHT = {"start_time": "22:00", "end_time": "06:00", "grace_period_minutes": 10}


def ask(
    client: APIClient, came: str, left: str | None = None, **shift: Any
) -> dict[str, Any]:
    body = {
        "check_in_time": f"{came}+05:30",
        "check_out_time": left and f"{left}+05:30",
        "shift_data": {**DAY_SHIFT, **shift},
    }
    response = client.post(EVALUATE, body, format="json")
    assert response.status_code == 200, response.json()
    told: dict[str, Any] = response.json()
    return told


class TestEvaluate:
    def test_tells_all_of_a_day(self, reader: APIClient) -> None:
        told = ask(reader, "2026-03-02T09:21:30", "2026-03-02T16:40:00")

        told.pop("explanation")
        assert told == {
            "status": "late",
            "is_late": True,
            "is_early_exit": True,
            "grace_period_applied": False,
            "flagged_for_review": True,
            "late_minutes": 21,
            "date": "2026-03-02",
            "start_at": "2026-03-02T03:30:00Z",
            "end_at": "2026-03-02T11:30:00Z",
            "plan": "work",
            "check_in_at": "2026-03-02T03:51:30Z",
            "check_out_at": "2026-03-02T11:10:00Z",
            "early_minutes": 20,
            "worked_minutes": 438,
            "overtime_minutes": 0,
            "unscheduled": False,
            "reviews": ["early_exit"],
        }

    def test_says_how_it_came_about(self, reader: APIClient) -> None:
        lines = ask(reader, "2026-03-02T09:21:30")["explanation"]

        assert "Late: 21 minutes after 09:00, and grace ended at 09:10." in lines

    @pytest.mark.parametrize(
        ("came", "left", "date", "status", "late_minutes"),
        [
            ("2026-03-02T22:05", "2026-03-03T06:00", "2026-03-02", "present", 0),
            ("2026-03-03T00:30", "2026-03-03T06:00", "2026-03-02", "late", 150),
            ("2026-03-02T21:00", "2026-03-03T05:00", "2026-03-02", "present", 0),
            ("2026-03-03T07:00", None, "2026-03-02", "absent", 0),
        ],
    )
    def test_keeps_a_night_on_the_date_that_it_starts(
        self,
        reader: APIClient,
        came: str,
        left: str | None,
        date: str,
        status: str,
        late_minutes: int,
    ) -> None:
        told = ask(reader, came, left, **NIGHT)

        assert (told["date"], told["status"]) == (date, status)
        assert told["late_minutes"] == late_minutes

    def test_holds_against_the_date_that_is_given(self, reader: APIClient) -> None:
        told = ask(reader, "2026-03-02T09:00", date="2026-03-01")

        assert (told["date"], told["status"]) == ("2026-03-01", "absent")
        assert told["check_in_at"] is None

    def test_misses_no_exit_that_is_not_given(self, reader: APIClient) -> None:
        told = ask(reader, "2026-03-02T09:00")

        assert (told["reviews"], told["check_out_at"]) == ([], None)
        assert told["worked_minutes"] is told["overtime_minutes"] is None

    def test_takes_an_exit_before_the_arrival_for_none(self, reader: APIClient) -> None:
        told = ask(reader, "2026-03-02T09:00", "2026-03-02T08:00")

        assert (told["check_out_at"], told["reviews"]) == (
            None,
            ["exit_before_check_in"],
        )

    def test_finds_nobody_late_on_a_day_off(self, reader: APIClient) -> None:
        told = ask(reader, "2026-03-02T11:00", is_weekly_off=True)

        assert (told["status"], told["unscheduled"]) == ("present", True)
        assert (told["late_minutes"], told["plan"]) == (0, "weekly_off")

    @pytest.mark.parametrize(
        ("came", "left", "worked_minutes"),
        [
            ("2026-03-28T22:00+01:00", "2026-03-29T06:00+02:00", 420),
            ("2026-10-24T22:00+02:00", "2026-10-25T06:00+01:00", 540),
        ],
    )
    def test_counts_the_hours_of_a_night_when_clocks_change(
        self, reader: APIClient, came: str, left: str, worked_minutes: int
    ) -> None:
        body = {
            "check_in_time": came,
            "check_out_time": left,
            "shift_data": {**NIGHT, "time_zone": "Europe/Berlin"},
        }

        told = reader.post(EVALUATE, body, format="json").json()

        assert (told["status"], told["worked_minutes"]) == ("present", worked_minutes)
        assert (told["overtime_minutes"], told["is_early_exit"]) == (0, False)

    def test_stores_nothing(self, reader: APIClient) -> None:
        ask(reader, "2026-03-02T09:00", "2026-03-02T17:00")

        assert not AttendanceRecord.objects.exists()
        assert not PresenceEvent.objects.exists()

    def test_asks_for_the_zone_where_sites_differ(self, reader: APIClient) -> None:
        user = get_user_model().objects.get(username="integrator")
        user.sites.add(make_site(time_zone="Europe/Berlin"))
        body = {"check_in_time": "2026-03-02T09:00:00+05:30", "shift_data": DAY_SHIFT}

        response = reader.post(EVALUATE, body, format="json")

        assert response.status_code == 400
        assert set(response.json()["shift_data"]) == {"time_zone"}
        assert ask(reader, "2026-03-02T09:00", time_zone="Asia/Kolkata")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("start_time", "25:00"),
            ("end_time", None),
            ("grace_period_minutes", -1),
            ("grace_period_minutes", 241),
            ("date", "02/03/2026"),
            ("date", "0001-01-01"),
            ("date", "9999-12-31"),
            ("time_zone", "Mars/Olympus"),
            ("time_zone", "../etc/passwd"),
            ("is_weekly_off", "perhaps"),
        ],
    )
    def test_refuses_bad_values_by_field(
        self, reader: APIClient, field: str, value: object
    ) -> None:
        body = {
            "check_in_time": "2026-03-02T09:00:00+05:30",
            "shift_data": {**DAY_SHIFT, field: value},
        }

        response = reader.post(EVALUATE, body, format="json")

        assert response.status_code == 400
        assert set(response.json()["shift_data"]) == {field}

    @pytest.mark.parametrize("field", ["check_in_time", "check_out_time"])
    def test_refuses_times_without_a_zone(self, reader: APIClient, field: str) -> None:
        good = {
            "check_in_time": "2026-03-02T09:00:00+05:30",
            "check_out_time": "2026-03-02T17:00:00+05:30",
            "shift_data": DAY_SHIFT,
        }

        response = reader.post(
            EVALUATE, {**good, field: "2026-03-02T09:00:00"}, format="json"
        )

        assert response.status_code == 400
        assert "2026-03-02T08:01:00+05:30" in response.json()[field][0]
