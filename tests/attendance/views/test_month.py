"""The month grid as a browser gets it, and as a workbook."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import time_machine

from attendance.models.days import Review
from attendance.views import month
from factory_site.roles import HR
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_record,
    make_shift,
    make_site,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee
    from streaming.models import Site

pytestmark = [
    pytest.mark.django_db,
    # Files are streamed for ASGI, which this client is not.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]

ADDRESS = "/attendance/month?month=2026-03"
PAGE_QUERIES_MAX = 24


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 20, 6, tzinfo=UTC)):
        yield


def names(response: Any) -> list[str]:
    """Return the codes of the rows, in the order of the page."""
    found = re.findall(r'<th scope="row">.*?"quiet">([^<]+)<', response.text)
    return list(found)


def cell(response: Any, day: int) -> str:
    """Return a cell of the first row as it is marked up."""
    (row,) = re.findall(r'<th scope="row">.*?</tr>', response.text, flags=re.S)[:1]
    cells = re.findall(r"<td.*?</td>", row, flags=re.S)
    return str(cells[day - 1])


class TestMonth:
    def test_answers_in_its_first_line(self, hr: Client, asha: Employee) -> None:
        for day, status in ((2, "present"), (3, "present"), (4, "late")):
            make_record(
                employee=asha, attendance_date=date(2026, 3, day), status=status
            )

        assert "March 2026: 1 person, 2 present, 1 late" in text(hr.get(ADDRESS))

    def test_gives_a_day_its_letter_words_and_marks(
        self, hr: Client, asha: Employee
    ) -> None:
        make_record(
            employee=asha,
            status="late",
            check_in_at=datetime(2026, 3, 2, 3, 47, tzinfo=UTC),
            late_minutes=17,
            reviews=[Review.MISSING_CHECK_OUT],
        )
        on, at = date(2026, 3, 3), datetime(2026, 3, 4, tzinfo=UTC)
        make_record(employee=asha, attendance_date=on, corrected_at=at)

        page = hr.get(ADDRESS)
        markup = cell(page, 2)

        assert 'data-letter="L"' in markup
        assert re.sub("<[^>]+>", "", markup) == "L!"
        assert re.sub("<[^>]+>", "", cell(page, 3)) == "P*"
        assert 'href="/attendance/E-104/2026-03-02"' in markup
        assert "E-104, 2 Mar: Late, in 09:17, 17 min late" in markup

    def test_shows_what_is_planned_in_days_to_come(
        self, hr: Client, asha: Employee
    ) -> None:
        shift = make_shift(site=asha.site, weekly_off_days=["sun"])
        make_assignment(employee=asha, shift=shift)

        page = hr.get(ADDRESS)

        assert "is-planned" in cell(page, 29)
        assert ">W<" in cell(page, 29)
        assert "weekly off, planned" in cell(page, 29)
        assert "work planned" in cell(page, 30)

    def test_has_who_worked_in_that_month(self, hr: Client, asha: Employee) -> None:
        left = make_employee(site=asha.site, code="E-1", status="inactive")
        make_employee(site=asha.site, code="E-2", status="inactive")
        make_record(employee=left)
        make_record(employee=make_employee(code="E-3"))

        assert names(hr.get(ADDRESS)) == ["E-1", "E-104"]
        assert names(hr.get("/attendance/month?month=2026-02")) == []

    def test_is_narrowed_to_a_department_or_a_shift(
        self, hr: Client, site: Site, asha: Employee
    ) -> None:
        stores = make_department(site=site, name="Stores")
        storeman = make_employee(site=site, code="E-2", department=stores)
        early, night = (make_shift(site=site, shift_name=n) for n in ("Early", "N"))
        make_assignment(employee=asha, shift=night, ends_on=date(2026, 3, 2))
        make_assignment(employee=asha, shift=early, starts_on=date(2026, 3, 2))
        make_assignment(
            employee=storeman,
            shift=night,
            starts_on=date(2025, 1, 1),
            ends_on=date(2026, 3, 1),
        )

        assert names(hr.get(f"{ADDRESS}&department=Stores")) == ["E-2"]
        assert names(hr.get(f"{ADDRESS}&shift={early.pk}")) == ["E-104"]
        assert names(hr.get(f"{ADDRESS}&shift={night.pk}")) == ["E-104"]
        assert names(hr.get(f"{ADDRESS}&site=elsewhere")) == []
        assert names(hr.get(f"{ADDRESS}&shift=x")) == ["E-104", "E-2"]

    def test_is_the_present_month_where_none_is_asked_for(
        self, hr: Client, asha: Employee
    ) -> None:
        page = hr.get("/attendance/month")

        assert "March 2026" in text(page)
        assert 'aria-current="date"' in page.text
        assert 'href="?month=2026-02"' in page.text
        assert 'href="?month=2026-04"' in page.text

    @pytest.mark.parametrize("asked", ["2026-13", "March", "0001-01", "2026-03-02"])
    def test_says_what_is_wrong_with_a_month(
        self, hr: Client, asha: Employee, asked: str
    ) -> None:
        page = hr.get("/attendance/month", {"month": asked})

        assert month.NO_MONTH in text(page)
        assert f'value="{asked}"' in page.text

    def test_gives_the_next_people_on_the_next_page(
        self, hr: Client, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(month, "PEOPLE_PER_PAGE", 2)
        for number in range(3):
            make_employee(site=site, code=f"E-{number}")

        page = hr.get(f"{ADDRESS}&page=2")

        assert names(page) == ["E-2"]
        assert "?month=2026-03&amp;page=1" in page.text

    def test_says_that_there_is_nobody(self, hr: Client) -> None:
        assert "Nobody worked here in March 2026" in text(hr.get(ADDRESS))
        assert "Nobody matches" in text(hr.get(f"{ADDRESS}&department=x"))

    def test_needs_as_many_queries_for_many_people_as_for_one(
        self,
        hr: Client,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        shift = make_shift(site=site)
        for _ in range(20):
            person = make_employee(site=site, department=make_department(site=site))
            make_assignment(employee=person, shift=shift)
            for day in (2, 3, 4):
                make_record(employee=person, attendance_date=date(2026, 3, day))

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            assert len(names(hr.get(ADDRESS))) == 20


class TestSheet:
    def sheet(self, client: Client, query: str = "month=2026-03") -> Any:
        response: Any = client.get(f"/attendance/month.xlsx?{query}")
        assert response.status_code == 200
        content = b"".join(response)
        assert len(content) == int(response["Content-Length"])
        return openpyxl.load_workbook(io.BytesIO(content))

    def test_has_every_page_with_typed_cells(
        self,
        hr: Client,
        site: Site,
        asha: Employee,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(month, "BATCH", 1)
        make_record(employee=asha, status="late", worked_minutes=1530)
        make_employee(site=site, code="E-2", name="=1+1")

        book = self.sheet(hr)
        table = book["2026-03"]
        heading, first, second = table.iter_rows()

        assert [each.value for each in heading][:5] == [
            "code",
            "name",
            "department",
            "Sun 1",
            "Mon 2",
        ]
        assert first[0].value == "E-104"
        assert (first[4].value, first[4].fill.start_color.rgb[-6:]) == ("L", "FFE9A8")
        late, hours = first[3 + 31 + 1], first[3 + 31 + 7]
        assert (late.value, late.data_type) == (1, "n")
        assert hours.value == timedelta(minutes=1530)
        assert (second[1].value, second[1].data_type) == ("'=1+1", "s")
        assert table.freeze_panes == "D2"
        assert book["Letters"]["A1"].value == "P"

    def test_is_of_the_users_own_sites(self, client: Client, asha: Employee) -> None:
        client.force_login(make_user("other", role=HR, sites=[make_site()]))

        rows = list(self.sheet(client)["2026-03"].iter_rows())

        assert len(rows) == 1

    def test_says_when_it_would_be_too_long(
        self, hr: Client, asha: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(month, "PEOPLE_MAX", 0)

        response = hr.get("/attendance/month.xlsx?month=2026-03", follow=True)

        assert month.TOO_MANY in text(response)


class TestPermission:
    @pytest.mark.parametrize("address", [ADDRESS, "/attendance/month.xlsx"])
    def test_is_to_see_attendance(
        self, security: Client, asha: Employee, address: str
    ) -> None:
        assert security.get(address).status_code == 403

    def test_is_enough(self, integrator: Client, asha: Employee) -> None:
        assert integrator.get(ADDRESS).status_code == 200
