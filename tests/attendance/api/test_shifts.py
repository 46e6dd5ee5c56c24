"""Shifts over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attendance.models import Shift
from tests.clients import API, rows
from tests.factories import make_assignment, make_record, make_shift, make_site

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from identity.models import Employee
    from streaming.models import Site

pytestmark = pytest.mark.django_db


class TestShifts:
    def test_are_made_changed_and_deleted(self, hr: APIClient, site: Site) -> None:
        wanted = {
            "site": site.pk,
            "shift_name": "Night",
            "start_time": "22:00",
            "end_time": "06:00",
            "grace_period_minutes": 15,
            "weekly_off_days": ["sun", "sat", "sun"],
        }

        made = hr.post(f"{API}shifts", wanted, format="json")
        address = f"{API}shifts/{made.json()['id']}"
        changed = hr.patch(address, {"grace_period_minutes": 5}, format="json")
        gone = hr.delete(address)

        answers = (made, changed, gone)
        assert [answer.status_code for answer in answers] == [201, 200, 204]
        assert made.json()["weekly_off_days"] == ["sat", "sun"]
        assert made.json()["start_time"] == "22:00:00"
        assert changed.json()["grace_period_minutes"] == 5
        history = Shift.history.order_by("history_date")
        assert [row.history_type for row in history] == ["+", "~", "-"]
        assert {row.history_user.username for row in history} == {"hr"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("site", 0),
            ("shift_name", ""),
            ("start_time", "25:00"),
            ("end_time", "late"),
            ("grace_period_minutes", 241),
            ("grace_period_minutes", -1),
            ("weekly_off_days", ["someday"]),
            ("weekly_off_days", "sun"),
        ],
    )
    def test_refuse_bad_values_by_field(
        self, hr: APIClient, site: Site, field: str, value: object
    ) -> None:
        good = {
            "site": site.pk,
            "shift_name": "Early",
            "start_time": "06:00",
            "end_time": "14:00",
        }

        refused = hr.post(f"{API}shifts", {**good, field: value}, format="json")
        taken = hr.post(f"{API}shifts", good, format="json")

        assert (refused.status_code, set(refused.json())) == (400, {field})
        assert taken.status_code == 201

    def test_bear_a_name_once_per_site(self, hr: APIClient, site: Site) -> None:
        there = make_shift(site=site)
        wanted = {
            "site": site.pk,
            "shift_name": there.shift_name,
            "start_time": "06:00",
            "end_time": "14:00",
        }

        refused = hr.post(f"{API}shifts", wanted, format="json")

        assert refused.status_code == 400
        assert "This site has a shift of that name." in str(refused.json())

    def test_stay_where_their_people_are(
        self, hr: APIClient, asha: Employee, site: Site
    ) -> None:
        second = make_site()
        hr.handler._force_user.sites.add(second)  # type: ignore[attr-defined]
        free, taken = make_shift(site=site), make_assignment(employee=asha).shift

        moved = hr.patch(f"{API}shifts/{free.pk}", {"site": second.pk}, format="json")
        kept = hr.patch(f"{API}shifts/{taken.pk}", {"site": second.pk}, format="json")
        deleted = hr.delete(f"{API}shifts/{taken.pk}")

        answers = (moved, kept, deleted)
        assert [answer.status_code for answer in answers] == [200, 400, 409]
        assert set(kept.json()) == {"site"}
        assert deleted.json()["code"] == "protected"

    def test_leave_recorded_days_as_they_were(
        self, hr: APIClient, asha: Employee
    ) -> None:
        shift = make_assignment(employee=asha).shift
        day = make_record(employee=asha, shift=shift, grace_minutes=10)

        hr.patch(f"{API}shifts/{shift.pk}", {"grace_period_minutes": 0}, format="json")

        before = day.start_at, day.grace_minutes
        day.refresh_from_db()
        assert (day.start_at, day.grace_minutes) == before

    def test_of_another_site_are_not_there(self, hr: APIClient, site: Site) -> None:
        own, theirs = make_shift(site=site), make_shift()

        assert [row["id"] for row in rows(hr, "shifts")] == [own.pk]
        assert hr.get(f"{API}shifts/{theirs.pk}").status_code == 404
        assert hr.delete(f"{API}shifts/{theirs.pk}").status_code == 404
