"""The day board as a browser gets it, without its scripts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from attendance.views import board
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_record,
    make_shift,
    make_site,
    make_unknown_attendance,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from attendance.models import AttendanceRecord, Shift
    from identity.models import Employee
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
PAGE_QUERIES_MAX = 22


def codes(response: Any) -> list[str]:
    """Return who is in the rows, in their order."""
    return re.findall(r'href="/attendance/([A-Z0-9-]+)/', response.content.decode())


@pytest.fixture
def day(site: Site) -> Shift:
    return make_shift(site=site, shift_name="Day")


def record(employee: Employee, **values: Any) -> AttendanceRecord:
    return make_record(employee=employee, attendance_date=MONDAY, **values)


class TestBoard:
    def test_answers_in_its_first_line(
        self, hr: Client, site: Site, gate: Camera
    ) -> None:
        for status in ("present", "late", "absent", "unverified", "holiday"):
            record(make_employee(site=site), status=status)
        seen_at = datetime(2026, 3, 2, 6, tzinfo=UTC)
        make_unknown_attendance(camera=gate, occurred_at=seen_at)

        page = text(hr.get("/attendance?date=2026-03-02"))

        assert (
            "2 of 4 here, 1 late, 1 absent, 1 unverified, 1 unknown Day before "
            "Monday 2 March 2026"
        ) in page

    def test_is_of_today_by_the_clock_of_the_site(
        self, hr: Client, site: Site, asha: Employee, day: Shift
    ) -> None:
        make_assignment(employee=asha, shift=day)
        today = site.local(timezone.now()).date()

        page = hr.get("/attendance")

        assert f"{today:%A} {today.day} {today:%B %Y} today" in text(page)
        assert codes(page)[-1] == "E-104"

    def test_tells_of_each_what_happened(self, hr: Client, asha: Employee) -> None:
        start = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
        record(
            asha,
            status="late",
            start_at=start,
            check_in_at=start + timedelta(minutes=22),
            check_out_at=start + timedelta(hours=7),
            late_minutes=22,
            reviews=["early_exit"],
            corrected_at=timezone.now(),
        )

        page = text(hr.get("/attendance?date=2026-03-02"))

        assert "E-104 Asha Rao No department, No shift LATE in 09:22 out 16:00" in page
        assert "22 min late" in page
        assert "Left early" in page
        assert "corrected" in page

    @pytest.mark.parametrize(
        ("query", "seen"),
        [
            ("", {"E-1", "E-2", "E-3"}),
            ("&show=late", {"E-1"}),
            ("&show=here", {"E-1", "E-2"}),
            ("&show=review", {"E-2"}),
            ("&q=e-3", {"E-3"}),
            ("&q=asha", {"E-2"}),
            ("&department=Stores", {"E-1"}),
            ("&department=Stores&show=absent", set()),
            ("&show=nonsense", {"E-1", "E-2", "E-3"}),
        ],
    )
    def test_is_narrowed_by_its_filters(
        self, hr: Client, site: Site, query: str, seen: set[str]
    ) -> None:
        stores = make_department(site=site, name="Stores")
        late = make_employee(site=site, code="E-1", department=stores)
        record(late, status="late")
        flagged = make_employee(site=site, code="E-2", name="Asha Rao")
        record(flagged, reviews=["missing_check_out"])
        record(make_employee(site=site, code="E-3"), status="absent")

        page = hr.get(f"/attendance?date=2026-03-02{query}")

        assert set(codes(page)) == seen
        assert "2 of 3 here" in text(page)

    def test_counts_by_department_and_leads_there(self, hr: Client, site: Site) -> None:
        stores = make_department(site=site, name="Stores & more")
        record(make_employee(site=site, department=stores))
        record(make_employee(site=site, department=stores), status="absent")

        page = hr.get("/attendance?date=2026-03-02")

        assert "By department" in text(page)
        assert "Stores &amp; more 1/2 1" in text(page)
        address = "/attendance?date=2026-03-02&amp;department=Stores+%26+more"
        assert address in page.content.decode()

    def test_shows_the_rows_of_the_own_sites_only(
        self, hr: Client, asha: Employee
    ) -> None:
        record(asha)
        elsewhere = make_employee(code="E-900")
        record(elsewhere)

        query = f"?date=2026-03-02&site={elsewhere.site.slug}"
        assert codes(hr.get(f"/attendance{query}")) == ["E-104"]

    def test_says_what_is_no_date_and_shows_today(self, hr: Client) -> None:
        page = hr.get("/attendance?date=yesterday")

        assert "Write the day as" in text(page)
        assert 'value="yesterday"' in page.content.decode()
        assert "today" in text(page)

    def test_leads_to_the_days_beside_it(self, hr: Client) -> None:
        page = hr.get("/attendance?date=2026-03-01&show=late").content.decode()

        assert 'href="/attendance?date=2026-02-28&amp;show=late"' in page
        assert 'href="/attendance?date=2026-03-02&amp;show=late"' in page

    def test_says_what_to_do_where_there_is_nobody(self, hr: Client) -> None:
        page = text(hr.get("/attendance?date=2026-03-02"))

        assert "Nobody has a shift on this day" in page

    def test_says_that_no_site_is_assigned(
        self, client: Client, role_groups: None
    ) -> None:
        client.force_login(make_user("lost", role="HR"))

        assert "No site is assigned" in text(client.get("/attendance"))

    def test_is_live_for_those_who_watch(self, hr: Client) -> None:
        page = hr.get("/attendance").content.decode()

        assert 'data-topics="attendance.attendancerecord"' in page

    def test_needs_the_permission(self, security: Client) -> None:
        page = security.get("/attendance")

        assert page.status_code == 403
        assert 'href="/attendance"' not in page.content.decode()

    def test_needs_as_many_queries_for_many_people_as_for_one(
        self,
        hr: Client,
        site: Site,
        day: Shift,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(30):
            one = make_employee(site=site)
            make_assignment(employee=one, shift=day)
            if number % 2:
                record(one, shift=day, reviews=["early_exit"])

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            page = hr.get("/attendance?date=2026-03-02")

        assert len(codes(page)) == 30

    def test_puts_so_many_on_a_page(self, hr: Client, site: Site) -> None:
        for _ in range(board.ROWS_PER_PAGE + 1):
            record(make_employee(site=site))

        page = hr.get("/attendance?date=2026-03-02&page=2")

        assert len(codes(page)) == 1
        assert "Page 2 of 2" in text(page)


class TestConfirming:
    ADDRESS = "/attendance/absent"
    FORM = {"date": "2026-03-02", "show": "unverified", "reason": "Not on the list."}

    def test_offers_boxes_where_only_unverified_days_are_shown(
        self, hr: Client, asha: Employee
    ) -> None:
        record(asha, status="unverified")

        every = hr.get("/attendance?date=2026-03-02").content.decode()
        some = hr.get("/attendance?date=2026-03-02&show=unverified").content.decode()

        assert 'name="record"' not in every
        assert 'name="record"' in some

    def test_makes_the_ticked_days_absent(
        self, hr: Client, site: Site, asha: Employee
    ) -> None:
        ticked = record(asha, status="unverified")
        other = record(make_employee(site=site), status="unverified")

        page = hr.post(self.ADDRESS, {**self.FORM, "record": [ticked.pk]}, follow=True)

        assert "1 day is absent now." in text(page)
        assert page.redirect_chain == [
            ("/attendance?date=2026-03-02&show=unverified", 302)
        ]
        ticked.refresh_from_db()
        other.refresh_from_db()
        assert (ticked.status, other.status) == ("absent", "unverified")
        assert board.OTHERS_STAY not in text(page)
        made = ticked.corrections.get()
        assert (made.reason, str(made.made_by)) == ("Not on the list.", "hana")

    def test_says_that_days_without_work_stay(self, hr: Client, asha: Employee) -> None:
        ticked = record(asha, status="unverified", plan="nothing")

        page = hr.post(
            self.ADDRESS, {"record": [ticked.pk], "reason": "x"}, follow=True
        )

        assert board.OTHERS_STAY in text(page)
        ticked.refresh_from_db()
        assert ticked.status == "unverified"

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"reason": " "}, "Say why"),
            ({"record": []}, "Tick the days"),
            ({"record": ["x", "9" * 30, "²"]}, "Tick the days"),
        ],
    )
    def test_says_what_is_missing_and_keeps_what_was_typed(
        self, hr: Client, asha: Employee, changed: dict[str, Any], sentence: str
    ) -> None:
        ticked = record(asha, status="unverified")
        form = {**self.FORM, "record": [ticked.pk], **changed}

        page = hr.post(self.ADDRESS, form)

        assert page.status_code == 422
        assert sentence in text(page)
        if "record" not in changed:
            assert re.search(r'name="record"[^>]+ checked>', page.content.decode())
        else:
            assert 'value="Not on the list."' in page.content.decode()
        ticked.refresh_from_db()
        assert ticked.status == "unverified"

    def test_leaves_the_days_of_other_sites_alone(self, hr: Client) -> None:
        elsewhere = record(make_employee(site=make_site()), status="unverified")

        page = hr.post(self.ADDRESS, {**self.FORM, "record": [elsewhere.pk]})

        assert page.status_code == 422
        elsewhere.refresh_from_db()
        assert elsewhere.status == "unverified"

    def test_needs_the_permission(self, client: Client, asha: Employee) -> None:
        viewer = make_user("viewer", sites=[asha.site])
        seeing = Permission.objects.get(codename="view_attendancerecord")
        viewer.user_permissions.add(seeing)
        client.force_login(viewer)
        day = record(asha, status="unverified")

        page = client.get("/attendance?date=2026-03-02&show=unverified")
        assert 'name="record"' not in page.content.decode()
        assert client.post(self.ADDRESS, {"record": [day.pk]}).status_code == 403
